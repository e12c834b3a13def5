#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/notify/postbox.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAWN   INT64_C(1795219200000) /* 2026-11-21 00:00 UTC */
#define SECOND INT64_C(1000)
#define MINUTE INT64_C(60000)
#define HOUR   INT64_C(3600000)

/* Boot time 0 is midnight. */
struct world {
    struct postbox *postbox;
    int64_t now_ms, next_ms, since_ms;
    bool no_clock;
    const struct notify_message *const *messages;
    size_t count;
    uint64_t rows[2000];
    int delivered, dropped, failing, working;
    char why[500];
};

static void on_delivered(void *owner, const struct notify_message *message)
{
    struct world *world = owner;

    world->rows[world->delivered++] = message->row;
}

static void on_dropped(void *owner, const struct notify_message *message, const char *why)
{
    struct world *world = owner;

    world->rows[world->dropped++] = message->row;
    strcpy(world->why, why);
}

static void on_failing(void *owner, int64_t since_ms, const char *why)
{
    struct world *world = owner;

    world->failing++;
    world->since_ms = since_ms;
    strcpy(world->why, why);
}

static void on_working(void *owner)
{
    struct world *world = owner;

    world->working++;
}

static const struct postbox_calls calls = {on_delivered, on_dropped, on_failing, on_working};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct postbox_options options = {.per_hour = 20, .quiet_below = 2, .quiet = {1320, 420}};

    setenv("TZ", "UTC", 1);
    tzset();
    world->now_ms = 12 * HOUR;
    world->postbox = postbox_new(&options, &calls, world);
    *state = world;
    return world->postbox ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *world = *state;

    postbox_free(world->postbox);
    free(world);
    return 0;
}

static struct postbox_time now(const struct world *world)
{
    return (struct postbox_time){world->now_ms,
                                 world->no_clock ? CLOCK_NEVER : DAWN + world->now_ms};
}

static void put(struct world *world, uint64_t row, uint8_t kind, uint8_t severity, const char *rule)
{
    struct notify_message message = {.row = row,
                                     .kind = kind,
                                     .severity = severity,
                                     .rule = rule,
                                     .text = "t",
                                     .at_ms = DAWN + world->now_ms};

    assert_int_equal(postbox_put(world->postbox, &message), 0);
}

/* How many go now. */
static size_t look(struct world *world)
{
    world->next_ms = postbox_look(world->postbox, now(world), &world->messages, &world->count);
    return world->count;
}

static void deliver(struct world *world)
{
    postbox_delivered(world->postbox, now(world));
}

static void fail_with(struct world *world, const char *why, bool refused)
{
    postbox_failed(world->postbox, now(world), why, refused, 0);
}

/* -- the tests ----------------------------------------------------------------------------------
 */

static void messages_go_one_by_one_in_order(void **state)
{
    struct world *world = *state;

    put(world, 1, NOTIFY_FIRED, 1, "a");
    put(world, 2, NOTIFY_FIRED, 1, "b");
    assert_int_equal(look(world), 1);
    assert_int_equal(world->messages[0]->row, 1);
    assert_int_equal(world->delivered, 0);
    assert_int_equal(look(world), 0); /* the first is on its way */
    deliver(world);
    assert_int_equal(world->rows[0], 1);
    assert_int_equal(look(world), 1);
    deliver(world);
    assert_int_equal(world->delivered, 2);
    assert_int_equal(look(world), 0);
    assert_int_equal(world->next_ms, CLOCK_NEVER);
}

static void texts_are_copied(void **state)
{
    struct world *world = *state;
    char text[] = "hello";
    struct notify_message message = {.text = text, .rule = "r"};

    postbox_put(world->postbox, &message);
    memset(text, 'x', 5);
    look(world);
    assert_string_equal(world->messages[0]->text, "hello");
    assert_string_equal(world->messages[0]->rule, "r");
    assert_null(world->messages[0]->title);
}

static void a_failed_one_is_tried_again_after_pauses(void **state)
{
    struct world *world = *state;

    put(world, 1, NOTIFY_FIRED, 1, "a");
    look(world);
    fail_with(world, "down", false);
    assert_int_equal(look(world), 0);
    assert_int_equal(world->next_ms, world->now_ms + 5 * SECOND);
    world->now_ms = world->next_ms;
    assert_int_equal(look(world), 1);
    fail_with(world, "down", false);
    look(world);
    assert_int_equal(world->next_ms, world->now_ms + 10 * SECOND);
    assert_int_equal(world->delivered + world->dropped, 0);
}

static void an_alarm_that_cleared_meanwhile_goes_with_its_clearing(void **state)
{
    struct world *world = *state;

    put(world, 1, NOTIFY_FIRED, 1, "a");
    look(world);
    fail_with(world, "down", false);
    put(world, 2, NOTIFY_FIRED, 1, "b");
    put(world, 3, NOTIFY_CHANGED, 1, "a");
    put(world, 4, NOTIFY_CLEARED, 1, "a");
    put(world, 5, NOTIFY_FIRED, 1, "a");
    world->now_ms += 5 * SECOND;
    assert_int_equal(look(world), 3);
    assert_int_equal(world->messages[0]->row, 1);
    assert_int_equal(world->messages[1]->row, 3);
    assert_int_equal(world->messages[2]->row, 4);
    deliver(world);
    assert_int_equal(look(world), 1);
    assert_int_equal(world->messages[0]->row, 2);
}

static void after_a_day_it_is_given_up(void **state)
{
    struct world *world = *state;
    int tries = 0;

    put(world, 1, NOTIFY_FIRED, 2, "a");
    while (world->dropped == 0) {
        tries += (int)look(world);
        if (world->count)
            fail_with(world, "no route", false);
        if (world->dropped == 0 && look(world) == 0 && world->next_ms != CLOCK_NEVER)
            world->now_ms = world->next_ms;
    }
    assert_in_range(world->now_ms - 12 * HOUR, 24 * HOUR, 24 * HOUR + 5 * MINUTE);
    assert_in_range(tries, 290, 300);
    assert_string_equal(world->why, "tried for 24 hours: no route");
}

static void a_text_that_the_server_refuses_holds_up_the_rest_for_ten_minutes_only(void **state)
{
    struct world *world = *state;

    put(world, 1, NOTIFY_FIRED, 2, "a");
    put(world, 2, NOTIFY_FIRED, 2, "b");
    while (world->dropped == 0) {
        if (look(world))
            fail_with(world, "HTTP 400", true);
        else
            world->now_ms = world->next_ms;
    }
    assert_in_range(world->now_ms - 12 * HOUR, 10 * MINUTE, 16 * MINUTE);
    assert_int_equal(world->rows[0], 1);
    assert_string_equal(world->why, "the server refuses it: HTTP 400");
}

static void ten_minutes_of_failure_are_said_once_and_so_is_their_end(void **state)
{
    struct world *world = *state;

    put(world, 1, NOTIFY_FIRED, 2, "a");
    look(world);
    fail_with(world, "no route", false);
    while (world->now_ms < 12 * HOUR + 9 * MINUTE) {
        if (look(world))
            fail_with(world, "no route", false);
        else
            world->now_ms = world->next_ms;
    }
    assert_int_equal(world->failing, 0);
    while (world->now_ms < 12 * HOUR + 40 * MINUTE) {
        if (look(world))
            fail_with(world, "no route", false);
        else
            world->now_ms = world->next_ms;
        if (world->now_ms == 12 * HOUR + 10 * MINUTE)
            look(world), assert_int_equal(world->failing, 1); /* to the minute */
    }
    assert_int_equal(world->failing, 1);
    assert_int_equal(world->since_ms, DAWN + 12 * HOUR);
    assert_string_equal(world->why, "no route");
    assert_int_equal(world->working, 0);
    while (!look(world))
        world->now_ms = world->next_ms;
    deliver(world);
    assert_int_equal(world->working, 1);
    assert_int_equal(postbox_counts(world->postbox).failing_ms, CLOCK_NEVER);
}

static void at_night_messages_wait_and_come_as_one_in_the_morning(void **state)
{
    struct world *world = *state;

    world->now_ms = 23 * HOUR;
    put(world, 1, NOTIFY_FIRED, 1, "a");
    put(world, 2, NOTIFY_FIRED, 0, "b");
    assert_int_equal(look(world), 0);
    assert_int_equal(world->next_ms, 31 * HOUR);
    world->now_ms = 31 * HOUR;
    put(world, 3, NOTIFY_FIRED, 1, "c");
    assert_int_equal(look(world), 2);
    deliver(world);
    assert_int_equal(look(world), 1);
    assert_int_equal(world->messages[0]->row, 3);
}

static void what_is_critical_does_not_wait_for_the_morning(void **state)
{
    struct world *world = *state;

    world->now_ms = 23 * HOUR;
    put(world, 1, NOTIFY_FIRED, 1, "a");
    put(world, 2, NOTIFY_FIRED, 2, "b");
    assert_int_equal(look(world), 1);
    assert_int_equal(world->messages[0]->row, 2);
    deliver(world);
    assert_int_equal(look(world), 0);
}

static void without_a_good_clock_no_hour_is_quiet(void **state)
{
    struct world *world = *state;

    world->now_ms = 23 * HOUR;
    world->no_clock = true;
    put(world, 1, NOTIFY_FIRED, 1, "a");
    assert_int_equal(look(world), 1);
}

static void beyond_the_limit_messages_are_gathered(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < 25; i++)
        put(world, i, NOTIFY_FIRED, 1, "a");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(look(world), 1);
        deliver(world);
    }
    assert_int_equal(look(world), 0);
    assert_int_equal(world->next_ms, 13 * HOUR);
    world->now_ms = 13 * HOUR;
    assert_int_equal(look(world), 5);
    deliver(world);
    assert_int_equal(world->delivered, 25);
}

static void beyond_the_limit_a_critical_one_waits_a_minute_and_takes_all_along(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < 21; i++) {
        put(world, i, NOTIFY_FIRED, 1, "a");
        if (look(world))
            deliver(world);
    }
    put(world, 99, NOTIFY_FIRED, 2, "b");
    assert_int_equal(look(world), 0);
    assert_int_equal(world->next_ms, 12 * HOUR + MINUTE);
    world->now_ms = world->next_ms;
    assert_int_equal(look(world), 2);
}

static void what_is_not_severe_enough_is_dropped(void **state)
{
    struct world *world = *state;
    struct postbox_options options = {.per_hour = 20, .min_severity = 1};

    postbox_use(world->postbox, &options);
    put(world, 1, NOTIFY_FIRED, 0, "a");
    assert_int_equal(world->dropped, 0); /* not from inside */
    assert_int_equal(look(world), 0);
    assert_int_equal(world->dropped, 1);
    put(world, 2, NOTIFY_FIRED, 1, "a");
    assert_int_equal(look(world), 1);
}

static void the_oldest_goes_when_there_are_too_many(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < POSTBOX_WAIT_MAX + 2; i++)
        put(world, i, NOTIFY_FIRED, 1, "a");
    assert_int_equal(look(world), 1);
    assert_int_equal(world->dropped, 2);
    assert_int_equal(world->rows[1], 1);
    assert_int_equal(world->messages[0]->row, 2);
}

static void a_text_takes_only_so_many(void **state)
{
    struct world *world = *state;

    world->now_ms = 23 * HOUR;
    for (uint64_t i = 0; i < POSTBOX_BATCH_MAX + 10; i++)
        put(world, i, NOTIFY_FIRED, 1, "a");
    look(world);
    world->now_ms = 31 * HOUR;
    assert_int_equal(look(world), POSTBOX_BATCH_MAX);
    deliver(world);
    assert_int_equal(look(world), 10);
}

static void a_success_elsewhere_ends_the_pause(void **state)
{
    struct world *world = *state;

    put(world, 1, NOTIFY_FIRED, 1, "a");
    look(world);
    fail_with(world, "down", false);
    assert_int_equal(look(world), 0);
    postbox_works(world->postbox);
    assert_int_equal(look(world), 1);
}

static void everything_can_be_dropped(void **state)
{
    struct world *world = *state;

    put(world, 1, NOTIFY_FIRED, 1, "a");
    put(world, 2, NOTIFY_FIRED, 1, "a");
    look(world);
    postbox_drop_all(world->postbox, "gone");
    assert_int_equal(world->dropped, 2);
    assert_string_equal(world->why, "gone");
    put(world, 3, NOTIFY_FIRED, 1, "a");
    assert_int_equal(look(world), 1);
    assert_int_equal(postbox_counts(world->postbox).waiting, 1);
    assert_int_equal(postbox_counts(world->postbox).dropped, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_go_one_by_one_in_order),
        TEST(texts_are_copied),
        TEST(a_failed_one_is_tried_again_after_pauses),
        TEST(an_alarm_that_cleared_meanwhile_goes_with_its_clearing),
        TEST(after_a_day_it_is_given_up),
        TEST(a_text_that_the_server_refuses_holds_up_the_rest_for_ten_minutes_only),
        TEST(ten_minutes_of_failure_are_said_once_and_so_is_their_end),
        TEST(at_night_messages_wait_and_come_as_one_in_the_morning),
        TEST(what_is_critical_does_not_wait_for_the_morning),
        TEST(without_a_good_clock_no_hour_is_quiet),
        TEST(beyond_the_limit_messages_are_gathered),
        TEST(beyond_the_limit_a_critical_one_waits_a_minute_and_takes_all_along),
        TEST(what_is_not_severe_enough_is_dropped),
        TEST(the_oldest_goes_when_there_are_too_many),
        TEST(a_text_takes_only_so_many),
        TEST(a_success_elsewhere_ends_the_pause),
        TEST(everything_can_be_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
