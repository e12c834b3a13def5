/* The door itself; what happens behind it is in test_mqtt_publisher.c and test_mqtt_thread.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "tests/unit/mqtt_gateway.h"

static void stopping_nothing_is_legal(void **state)
{
    (void)state;
    assert_int_equal(mqtt_stop(NULL, 100), 0);
}

static void a_password_file_that_is_missing_is_said(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(start_at(f, "127.0.0.1", f->broker.port,
                              "username = \"gw\"; password_file = \"/no/such/file\""),
                     -ENOENT);
    assert_null(f->mqtt);
}

static void counts_tell_what_went_out(void **state)
{
    struct fixture *f = *state;
    struct mqtt_counts counts;

    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/health", NULL));
    poll_hidden(f, 77);
    fire(f, 5);
    assert_non_null(hear(f, "t/cellar/hidden/state", "77"));
    assert_non_null(hear(f, "t/cellar/event", ":5\""));
    for (int64_t end_ms = broker_now_ms() + SOON_MS; broker_now_ms() < end_ms; poll(NULL, 0, 5)) {
        counts = mqtt_counts(f->mqtt);
        if (counts.acknowledged >= 10) /* what is due at first, and the event */
            break;
    }
    assert_true(counts.online);
    assert_int_equal(counts.connects, 1);
    assert_true(counts.acknowledged >= 10);
    assert_true(counts.published > counts.acknowledged);
    assert_int_equal(counts.lost + counts.superseded + counts.unsent, 0);
}

static void a_site_without_devices_has_a_gateway(void **state)
{
    struct fixture *f = *state;

    f->site->n_devices = f->site->n_sensors = f->site->n_rules = 0;
    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/health", "\"devices\":0"));
    assert_non_null(hear(f, "homeassistant/device/cellar-gateway/config", "\"event\""));
    poll_hidden(f, 1); /* about nothing that is known */
    fire(f, 1);
    assert_non_null(hear(f, "t/cellar/event", ":1\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopping_nothing_is_legal),
        TEST(a_password_file_that_is_missing_is_said),
        TEST(counts_tell_what_went_out),
        TEST(a_site_without_devices_has_a_gateway),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
