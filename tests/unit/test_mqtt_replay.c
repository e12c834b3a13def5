/* Replay between a real store and a broker that is played here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/mqtt.h"
#include "gateway/mqtt/replay.h"
#include "tests/unit/mqtt_site.h"
#include "tests/unit/store_world.h"

#include <errno.h>

struct fixture {
    char folder[64];
    struct loop *loop;
    struct store *store;
    struct text_table *texts;
    struct inventory *site;
    struct replay *replay;
    int64_t proven_ms;
    bool full; /* the broker's thread takes nothing */
    char said[200000];
    size_t length, messages;
};

static int put(void *owner, const struct mqtt_message *message)
{
    struct fixture *f = owner;

    if (f->full)
        return -ENOBUFS;
    f->messages++;
    f->length += (size_t)snprintf(f->said + f->length, sizeof(f->said) - f->length, "%s\n",
                                  message->payload);
    return 0;
}

static int64_t proven(void *owner)
{
    return ((struct fixture *)owner)->proven_ms;
}

static const struct replay_calls calls = {.put = put, .proven_ms = proven};
static const struct store_calls nobody;

static void open_replay(struct fixture *f)
{
    f->replay = replay_new(f->loop, f->store, "t", &calls, f);
    replay_restore(f->replay);
    replay_use(f->replay, f->site);
}

static void open_store(struct fixture *f)
{
    struct store_options options = world_options(f->folder);

    assert_int_equal(store_open(f->loop, &options, 5000, &nobody, f, &f->store, NULL), 0);
    store_sink.inventory(f->store, f->site);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    log_set_level(LOG_LEVEL_ERROR);
    folder_new(f->folder);
    f->loop = loop_new();
    f->texts = text_table_new();
    f->site = site_new(f->texts);
    *state = f;
    return 0;
}

static int setup_with_store(void **state)
{
    setup(state);
    open_store(*state);
    open_replay(*state);
    return 0;
}

static int setup_without(void **state)
{
    setup(state);
    open_replay(*state);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    replay_free(f->replay);
    assert_int_equal(store_close(f->store, 5000), 0);
    loop_free(f->loop);
    inventory_release(f->site);
    text_table_free(f->texts);
    folder_free(f->folder);
    free(f);
    return 0;
}

static void measure(struct fixture *f, int64_t at_ms, double value)
{
    struct reading reading = {
        .sensor = HIDDEN_TEMP, .at_ms = at_ms, .kind = VALUE_NUMBER, .number = value};

    if (f->store)
        store_sink.readings(f->store, HIDDEN, &reading, 1);
    replay_readings(f->replay, &reading, 1);
}

/* Acknowledges what comes, as the broker would. */
static bool is_through(void *owner)
{
    struct fixture *f = owner;

    for (; f->messages > 0; f->messages--)
        replay_arrived(f->replay);
    return replay_counts(f->replay).outages == 0;
}

static void wait_through(struct fixture *f)
{
    assert_true(world_run(f->loop, is_through, f, WORLD_PATIENCE_MS));
}

/* Exactly the values from `first` to `last`, in order. */
static void assert_said(const struct fixture *f, int first, int last)
{
    const char *at = f->said;

    for (int i = first; i <= last; i++) {
        at = strstr(at, "\"temp\":");
        assert_non_null(at);
        at += 7;
        assert_int_equal(atoi(at), i);
    }
    assert_null(strstr(at, "\"temp\":"));
}

static void an_outage_is_replayed_whole_and_in_order(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = clock_boot_ms();

    replay_offline(f->replay, now_ms - 59000); /* less a second, which nobody knows of */
    for (int i = 0; i < 1000; i++)
        measure(f, now_ms - 60000 + 50 * i, i);
    replay_online(f->replay, now_ms - 60000 + 50 * 900);
    wait_through(f);
    assert_said(f, 0, 900);
    assert_int_equal(replay_counts(f->replay).replayed, 901);
}

static void what_was_not_handed_over_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = clock_boot_ms();

    f->full = true;
    replay_offline(f->replay, now_ms - 9000);
    measure(f, now_ms - 8000, 1);
    replay_online(f->replay, now_ms);
    assert_false(world_run(f->loop, is_through, f, 2500));
    f->full = false;
    wait_through(f);
    assert_said(f, 1, 1);
}

static void an_outage_is_remembered_over_a_restart(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = clock_boot_ms();

    replay_offline(f->replay, now_ms - 5000);
    measure(f, now_ms - 4000, 1);
    replay_free(f->replay);
    assert_int_equal(store_close(f->store, 5000), 0);
    open_store(f);
    open_replay(f);
    store_state_release(f->store);
    measure(f, clock_boot_ms(), 2);
    replay_online(f->replay, clock_boot_ms());
    wait_through(f);
    assert_said(f, 1, 2);
}

static void what_has_arrived_is_not_replayed_without_a_store(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = clock_boot_ms();

    replay_online(f->replay, now_ms - 60000);
    wait_through(f);
    for (int i = 0; i < 100; i++) {
        f->proven_ms = now_ms - 50000 + 100 * i;
        measure(f, now_ms - 50000 + 100 * i, i);
    }
    replay_offline(f->replay, f->proven_ms);
    measure(f, now_ms - 40000, 100);
    replay_online(f->replay, now_ms - 39000);
    wait_through(f);
    assert_null(strstr(f->said, "\"temp\":50,"));
    assert_non_null(strstr(f->said, "\"temp\":99}"));
    assert_non_null(strstr(f->said, "\"temp\":100}"));
}

static void readings_that_the_thread_never_got_are_replayed(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = clock_boot_ms();

    replay_online(f->replay, now_ms - 60000);
    wait_through(f);
    for (int i = 0; i < 10; i++)
        measure(f, now_ms - 20000 + 1000 * i, i);
    replay_missed(f->replay, now_ms - 17000, now_ms - 15000);
    wait_through(f);
    assert_said(f, f->store ? 2 : 0, 6); /* memory has nothing but what is not proven to be there */
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, setup_with_store, teardown)
#define WITHOUT(name) cmocka_unit_test_setup_teardown(name, setup_without, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_outage_is_replayed_whole_and_in_order),
        TEST(what_was_not_handed_over_is_asked_for_again),
        TEST(an_outage_is_remembered_over_a_restart),
        TEST(readings_that_the_thread_never_got_are_replayed),
        WITHOUT(an_outage_is_replayed_whole_and_in_order),
        WITHOUT(what_has_arrived_is_not_replayed_without_a_store),
        WITHOUT(readings_that_the_thread_never_got_are_replayed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
