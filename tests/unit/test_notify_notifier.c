#include "tests/unit/notify_world.h"

#include <errno.h>

static int setup(void **state)
{
    *state = world_open("web-recorder", "", false);
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

#define WEBHOOK(path) \
    "type = \"webhook\"; url = \"WEB" path "\"; body = \"{text}\"; escape = \"none\"; "

static void messages_arrive_in_order(void **state)
{
    struct world *world = *state;
    char *text;

    assert_int_equal(world_start(world, "notifiers: { n: { " WEBHOOK("/x") "} }"), 0);
    world_send(world, "n", (struct notify_message){.row = 1, .text = "first"});
    world_send(world, "n", (struct notify_message){.row = 2, .text = "second"});
    world_send(world, "n", (struct notify_message){.row = 3, .text = "third"});
    world_run_until(world, &world->delivered, 3);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(world->rows[i], i + 1);
    text = recorder_read(&world->server);
    assert_true(strstr(text, "first") < strstr(text, "second"));
    assert_true(strstr(text, "second") < strstr(text, "third"));
    free(text);
}

static void a_failure_is_tried_again_after_five_seconds(void **state)
{
    struct world *world = *state;
    int64_t started_ms = clock_boot_ms();

    assert_int_equal(world_start(world, "notifiers: { n: { " WEBHOOK("/fail/1/x") "} }"), 0);
    world_send(world, "n", (struct notify_message){.row = 1, .rule = "r", .text = "hot"});
    world_send(
        world, "n",
        (struct notify_message){.row = 2, .rule = "r", .kind = NOTIFY_CLEARED, .text = "cold"});
    world_run_until(world, &world->delivered, 2);
    assert_in_range(clock_boot_ms() - started_ms, 4990, 10000);
    assert_int_equal(recorder_count(&world->server), 2);
}

static void a_slow_server_does_not_hold_up_another_notifier(void **state)
{
    struct world *world = *state;

    assert_int_equal(
        world_start(world, "notifiers: { a: { " WEBHOOK("/silent") "} b: { " WEBHOOK("/x") "} }"),
        0);
    world_send(world, "a", (struct notify_message){.row = 1, .text = "a"});
    world_send(world, "b", (struct notify_message){.row = 2, .text = "b"});
    world_run_until(world, &world->delivered, 1);
    assert_int_equal(world->rows[0], 2);
}

static void a_test_tells_the_answer_in_words(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_start(world, "notifiers: { good: { " WEBHOOK("/x") "} bad: { " WEBHOOK(
                                            "/status/403") "} }"),
                     0);
    world_test(world, "good");
    assert_true(world->ok);
    assert_int_equal(strncmp(world->words, "delivered after ", 16), 0);
    assert_non_null(strstr(world->words, ": HTTP 200"));
    assert_true(recorder_has(&world->server, "This is a test."));
    world_test(world, "bad");
    assert_false(world->ok);
    assert_non_null(strstr(world->words, "HTTP 403: \"as asked\""));
    assert_int_equal(world->delivered + world->dropped, 0);
}

static void a_second_test_at_once_is_refused(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_start(world, "notifiers: { n: { " WEBHOOK("/x") "} }"), 0);
    assert_int_equal(notify_test(world->notify, "n", world_on_test, world), 0);
    assert_int_equal(notify_test(world->notify, "n", world_on_test, world), -EBUSY);
    world_run_until(world, &world->tests, 1);
}

static void a_test_that_gets_through_ends_the_pause(void **state)
{
    struct world *world = *state;
    struct notify_status status;
    int64_t started_ms = clock_boot_ms();

    assert_int_equal(world_start(world, "notifiers: { n: { " WEBHOOK("/fail/1/y") "} }"), 0);
    world_send(world, "n", (struct notify_message){.row = 1, .text = "hot"});
    do {
        guard_turn(&world->guard, 20);
        assert_true(notify_status(world->notify, 0, &status));
    } while (status.failing_since_ms == CLOCK_NEVER);
    assert_string_equal(status.why, "HTTP 503: \"{\\\"ok\\\":true}\"");
    world_test(world, "n");
    world_run_until(world, &world->delivered, 1);
    assert_true(clock_boot_ms() - started_ms < 4500);
}

static void what_is_not_severe_enough_is_dropped_later(void **state)
{
    struct world *world = *state;

    assert_int_equal(
        world_start(world, "notifiers: { n: { min_severity = \"warning\"; " WEBHOOK("/x") "} }"),
        0);
    assert_false(notify_wants(world->notify, "n", 0));
    assert_true(notify_wants(world->notify, "n", 1));
    assert_false(notify_wants(world->notify, "m", 2));
    world_send(world, "n", (struct notify_message){.row = 1, .text = "x"});
    assert_int_equal(world->dropped, 0);
    world_run_until(world, &world->dropped, 1);
    assert_int_equal(recorder_count(&world->server), 0);
}

static void a_token_appears_nowhere_but_at_the_server(void **state)
{
    struct world *world = *state;

    files_put(&world->server.files, "token", "tk_very_secret\n");
    assert_int_equal(
        world_start(world, "notifiers: { n: { type = \"webhook\"; url = \"WEB/echo?k={token}\"; "
                           "token_file = \"DIR/token\" } }"),
        0);
    world_test(world, "n");
    assert_false(world->ok);
    assert_null(strstr(world->words, "very_secret"));
    assert_true(recorder_has(&world->server, "k=tk_very_secret"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_arrive_in_order),
        TEST(a_failure_is_tried_again_after_five_seconds),
        TEST(a_slow_server_does_not_hold_up_another_notifier),
        TEST(a_test_tells_the_answer_in_words),
        TEST(a_second_test_at_once_is_refused),
        TEST(a_test_that_gets_through_ends_the_pause),
        TEST(what_is_not_severe_enough_is_dropped_later),
        TEST(a_token_appears_nowhere_but_at_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
