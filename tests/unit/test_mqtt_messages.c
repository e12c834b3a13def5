/* Single messages: how each is sent. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/inside.h"
#include "tests/unit/mqtt_gateway.h"

static bool wait_acknowledged(struct fixture *f, uint64_t count)
{
    int64_t until_ms = broker_now_ms() + SOON_MS;

    while (mqtt_counts(f->mqtt).acknowledged < count) {
        if (broker_now_ms() > until_ms)
            return false;
        poll(NULL, 0, 5);
    }
    return true;
}

/* Waits until nothing is under way any more. */
static uint64_t settled(struct fixture *f)
{
    uint64_t acknowledged = 0;

    assert_non_null(hear(f, "t/cellar/health", NULL));
    for (int quiet = 0; quiet < 20; quiet++) {
        uint64_t now = mqtt_counts(f->mqtt).acknowledged;

        quiet = now == acknowledged ? quiet : 0;
        acknowledged = now;
        poll(NULL, 0, 10);
    }
    return acknowledged;
}

static void now_and_then_the_broker_is_asked_whether_readings_arrive(void **state)
{
    struct fixture *f = *state;
    struct reading reading = number(HIDDEN_TEMP, 1);
    uint64_t before;

    start_and_listen(f, "");
    poll_hidden(f, 0); /* so that its availability is told */
    before = settled(f);
    for (int i = 0; i < 50; i++)
        poll_hidden(f, i);
    assert_non_null(hear(f, "t/cellar/hidden/state", "\"temp\":49"));
    assert_int_equal(mqtt_counts(f->mqtt).acknowledged, before);
    reading.at_ms += PROOF_MS + 60000;
    mqtt_sink.readings(f->mqtt, HIDDEN, &reading, 1);
    assert_true(wait_acknowledged(f, before + 1));
}

static void what_no_broker_takes_is_given_up(void **state)
{
    struct fixture *f = *state;
    char *large = calloc(300000, 1);

    memset(large, 'x', 299999);
    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/health", NULL));
    mqtt_sink.publish(f->mqtt, "large", large, 1, false);
    mqtt_sink.publish(f->mqtt, "small", "y", 1, false);
    assert_non_null(hear(f, "small", "y"));
    assert_null(listener_find(f->listener, 0, "large", NULL));
    free(large);
}

static int setup_small(void **state)
{
    return setup_with(state, "allow_anonymous true\nmax_packet_size 100000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(now_and_then_the_broker_is_asked_whether_readings_arrive),
        cmocka_unit_test_setup_teardown(what_no_broker_takes_is_given_up, setup_small, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
