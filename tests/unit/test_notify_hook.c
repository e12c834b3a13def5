#include "gateway/notify/hook.h"
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

static void run(struct world *world, const char *command, const char *more,
                struct notify_message event)
{
    char text[1000];

    snprintf(text, sizeof(text), "hooks: { siren: { command = %s; %s } }", command, more);
    assert_int_equal(world_start(world, text), 0);
    assert_int_equal(notify_run_hook(world->notify, "siren", &event), 0);
    assert_int_equal(world->hooks, 0); /* never from inside */
    world_run_until(world, &world->hooks, 1);
}

static void a_hook_gets_its_arguments_and_what_happened(void **state)
{
    struct world *world = *state;

    run(world,
        "[ \"/bin/sh\", \"-c\", \"echo $0 $THERMOGATE_KIND $THERMOGATE_VALUE $THERMOGATE_RULE "
        "$THERMOGATE_SEVERITY $THERMOGATE_SINCE\", \"on\" ]",
        "",
        (struct notify_message){.kind = NOTIFY_FIRED,
                                .severity = 2,
                                .value = "86.1",
                                .rule = "high@boiler.temp",
                                .since_ms = INT64_C(1795262400000),
                                .at_ms = CLOCK_NEVER});
    assert_true(world->ok);
    assert_non_null(strstr(world->words, "ended with status 0"));
    assert_non_null(
        strstr(world->words, "on fired 86.1 high@boiler.temp critical 2026-11-21T12:00:00Z"));
}

static void no_shell_looks_at_texts(void **state)
{
    struct world *world = *state;

    run(world, "[ \"/bin/echo\", \"$(id)\", \"; id\" ]", "",
        (struct notify_message){
            .text = "$(touch /tmp/never)", .at_ms = CLOCK_NEVER, .since_ms = CLOCK_NEVER});
    assert_non_null(strstr(world->words, "$(id) ; id"));
}

static void the_time_limit_is_kept(void **state)
{
    struct world *world = *state;

    run(world, "[ \"/bin/sleep\", \"60\" ]", "timeout = \"200ms\"", (struct notify_message){0});
    assert_false(world->ok);
    assert_non_null(strstr(world->words, "ended by its time limit after"));
}

static void a_missing_program_is_told(void **state)
{
    struct world *world = *state;

    run(world, "\"/nowhere/siren\"", "", (struct notify_message){0});
    assert_false(world->ok);
    assert_string_equal(world->words, "cannot be started: No such file or directory");
}

static void a_failure_is_told_with_what_it_printed(void **state)
{
    struct world *world = *state;

    run(world, "[ \"/bin/sh\", \"-c\", \"echo no power >&2; exit 7\" ]", "",
        (struct notify_message){0});
    assert_false(world->ok);
    assert_non_null(strstr(world->words, "ended with status 7"));
    assert_non_null(strstr(world->words, "no power"));
}

static void a_hook_that_is_none_is_refused(void **state)
{
    struct world *world = *state;
    struct notify_message event = {0};

    assert_int_equal(world_start(world, "hooks: { }"), 0);
    assert_int_equal(notify_run_hook(world->notify, "siren", &event), -ENOENT);
}

static void a_command_needs_a_whole_path(void **state)
{
    assert_int_equal(world_read(*state, "hooks: { siren: { command = [ \"siren\", \"on\" ] } }"),
                     1);
    assert_true(world_says(*state, "whole path"));
    assert_int_equal(world_read(*state, "hooks: { siren: { command = [ ] } }"), 1);
    assert_int_equal(world_read(*state, "hooks: { siren: { } }"), 1);
    assert_true(world_read(*state, "hooks: { siren: { command = [ 1 ] } }") > 0);
}

static void one_that_still_runs_at_the_end_is_forgotten(void **state)
{
    struct world *world = *state;
    struct notify_message event = {0};

    assert_int_equal(
        world_start(world, "hooks: { siren: { command = [ \"/bin/sleep\", \"60\" ] } }"), 0);
    assert_int_equal(notify_run_hook(world->notify, "siren", &event), 0);
    notify_stop(world->notify);
    world->notify = NULL;
    assert_int_equal(world->hooks, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hook_gets_its_arguments_and_what_happened),
        TEST(no_shell_looks_at_texts),
        TEST(the_time_limit_is_kept),
        TEST(a_missing_program_is_told),
        TEST(a_failure_is_told_with_what_it_printed),
        TEST(a_hook_that_is_none_is_refused),
        TEST(a_command_needs_a_whole_path),
        TEST(one_that_still_runs_at_the_end_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
