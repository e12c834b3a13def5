#include "gateway/cli/script_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SITE                                                            \
    "| buses: { lab: { adapter = \"sim\"; connect = \"sim:\" } }\n"     \
    "| devices: { room: { bus = \"lab\"; channels: { temp: { } } } }\n" \
    "| rules: { warm: { sensor = \"room.temp\"; above = 25.0 } }\n"     \
    "test x\n"

/* The lines behind line 4 are run; the first thing that is said; NULL: it is as they say. */
static const char *run(const char *lines)
{
    static char said[500];
    char text[2000];
    struct problems *problems = problems_new();
    struct script script;
    snprintf(text, sizeof text, SITE "%s", lines);
    assert_int_equal(script_read(source_new("t.test", text, strlen(text)), problems, &script), 0);
    int result = script_run(&script, &script.tests[0], problems);
    assert_int_equal(result, problems_errors(problems) > 0 ? -EINVAL : 0);
    snprintf(said, sizeof said, "%s", result ? problems_line(problems, 0) : "");
    script_free(&script);
    problems_free(problems);
    return result ? said : NULL;
}

static void what_is_as_the_test_says_is_silent(void **state)
{
    (void)state;
    assert_null(run("  room.temp: 20 26\n  0s warm is ok\n  10s warm is firing\n"
                    "  10s fired warm\n  none cleared\n  10s room.temp * 2 is 52\n"));
}

static void a_state_that_is_another_one_is_told(void **state)
{
    (void)state;
    assert_string_equal(run("  room.temp: 26\n  0s warm is ok\n"),
                        "t.test:6:6: error: warm is firing warning");
    assert_string_equal(run("  room.temp: 26\n  0s warm is firing muted\n"),
                        "t.test:6:6: error: warm is firing warning");
    assert_string_equal(run("  0s cold is ok\n"),
                        "t.test:5:6: error: there is no instance \"cold\" of a rule");
}

static void a_value_that_is_another_one_is_told(void **state)
{
    (void)state;
    assert_string_equal(run("  0s 1 / 3 is 0.33\n"),
                        "t.test:5:6: error: 1 / 3 is 0.3333333333333333");
    assert_null(run("  0s 1 / 3 is ~0.33\n"));
    assert_string_equal(run("  0s room.tmp is 1\n"),
                        "t.test:4:1: error: its config is wrong: t.test:5:6: error: expression: "
                        "unknown sensor \"room.tmp\"");
}

static void what_does_not_come_is_told_with_what_comes(void **state)
{
    (void)state;
    assert_string_equal(run("  room.temp: 20 26\n  0s fired warm\n"),
                        "t.test:6:6: error: it does not come; what comes is: 10s fired warm "
                        "\"room temp 26, above 25 since 00:00\"");
    assert_string_equal(run("  room.temp: 20\n  0s fired warm\n"),
                        "t.test:6:6: error: it does not come");
}

static void what_comes_as_well_is_told(void **state)
{
    (void)state;
    assert_string_equal(run("  room.temp: 26\n  none fired\n"),
                        "t.test:4:1: error: this comes as well: 0s fired warm \"room temp 26, "
                        "above 25 since 00:00\"");
}

static void an_error_of_the_config_must_be_foreseen(void **state)
{
    (void)state;
    assert_null(run("| rules: { hot: { sensor = \"room.tmp\"; above = 1 } }\n"
                    "                           ^ unknown sensor\n"));
    assert_string_equal(run("| rules: { hot: { sensor = \"room.tmp\"; above = 1 } }\n"),
                        "t.test:4:1: error: its config is wrong: t.test:5:28: error: rule \"hot\": "
                        "unknown sensor \"room.tmp\"");
    assert_string_equal(
        run("| a = 1;\n  ^ unknown sensor\n"),
        "t.test:4:1: error: its config is wrong: t.test:5:3: error: unknown setting "
        "\"a\"");
}

static void a_series_of_no_sensor_or_of_another_kind_is_told(void **state)
{
    (void)state;
    assert_string_equal(run("  room.tmp: 1\n"),
                        "t.test:5:13: error: there is no sensor \"room.tmp\"");
    assert_string_equal(run("  room.temp: \"on\"\n"),
                        "t.test:5:14: error: \"room.temp\" gives numbers, not texts");
}

static void an_order_is_taken_or_refused_as_the_test_says(void **state)
{
    (void)state;
    assert_null(run("  1s mute warm\n  1s warm is ok muted\n  2s unmute warm\n"));
    assert_string_equal(run("  1s mute warm refused \"x\"\n"),
                        "t.test:5:6: error: it is not refused");
    assert_string_equal(run("  1s mute hot\n"),
                        "t.test:5:6: error: it is refused: there is no rule \"hot\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_as_the_test_says_is_silent),
        cmocka_unit_test(a_state_that_is_another_one_is_told),
        cmocka_unit_test(a_value_that_is_another_one_is_told),
        cmocka_unit_test(what_does_not_come_is_told_with_what_comes),
        cmocka_unit_test(what_comes_as_well_is_told),
        cmocka_unit_test(an_error_of_the_config_must_be_foreseen),
        cmocka_unit_test(a_series_of_no_sensor_or_of_another_kind_is_told),
        cmocka_unit_test(an_order_is_taken_or_refused_as_the_test_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
