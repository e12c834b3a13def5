#include "gateway/cli/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/reading.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct read {
    struct script script;
    struct problems *problems;
    int result;
};

static struct read read_text(const char *text)
{
    struct read read = {.problems = problems_new()};
    read.result =
        script_read(source_new("t.test", text, strlen(text)), read.problems, &read.script);
    return read;
}

static void free_read(struct read *read)
{
    script_free(&read->script);
    problems_free(read->problems);
}

/* The text is refused with this line first. */
static void expect_wrong(const char *text, const char *line)
{
    struct read read = read_text(text);
    assert_int_equal(read.result, -EINVAL);
    assert_string_equal(problems_line(read.problems, 0), line);
    free_read(&read);
}

/* The samples of one series, as "0:20 10000:21". */
static void expect_samples(const char *line, const char *samples)
{
    char text[300], got[500] = "";
    snprintf(text, sizeof text, "test x\n  a.b: %s\n", line);
    struct read read = read_text(text);
    assert_int_equal(read.result, 0);
    const struct script_test *test = &read.script.tests[0];
    for (size_t i = 0, n = 0; i < test->n_steps; i++) {
        const struct script_step *step = &test->steps[i];
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%lld:", i ? " " : "",
                              (long long)step->at_ms / 1000);
        if (step->value_kind == VALUE_NUMBER)
            n += (size_t)snprintf(got + n, sizeof got - n, "%g", step->number);
        else
            n += (size_t)snprintf(got + n, sizeof got - n, "%s",
                                  step->value_kind == VALUE_TEXT ? step->text
                                                                 : quality_name(step->quality));
    }
    assert_string_equal(got, samples);
    free_read(&read);
}

static void a_series_is_written_as_prometheus_writes_it(void **state)
{
    (void)state;
    expect_samples("20 -3.5 1e3", "0:20 10:-3.5 20:1000");
    expect_samples("20x2 5", "0:20 10:20 20:20 30:5");
    expect_samples("20+0.5x2", "0:20 10:20.5 20:21");
    expect_samples("-2-1x2", "0:-2 10:-3 20:-4");
    expect_samples("1 _ 2 _x2 3", "0:1 20:2 50:3");
}

static void a_series_has_texts_and_reasons_too(void **state)
{
    (void)state;
    expect_samples("\"open\" timeout \"a b\"x1", "0:open 10:timeout 20:a b 30:a b");
}

static void a_second_line_of_a_series_goes_on_where_it_was(void **state)
{
    (void)state;
    expect_samples("1 2\n  every 1s\n  a.b: 3 4", "0:1 10:2 20:3 21:4");
}

static void what_happens_at_one_instant_has_an_order(void **state)
{
    struct read read = read_text("test x\n 0s r is ok\n 0s ack r\n a.b: 1\n 0s restart 0s\n");
    static const uint8_t kinds[] = {SCRIPT_SAMPLE, SCRIPT_RESTART, SCRIPT_ORDER, SCRIPT_STATE};
    (void)state;
    assert_int_equal(read.script.tests[0].n_steps, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(read.script.tests[0].steps[i].kind, kinds[i]);
    free_read(&read);
}

static void config_lines_keep_their_places(void **state)
{
    struct read read = read_text("| a = 1;\n# no\ntest x\n  |  b = 2;\n  0s r is ok\n");
    (void)state;
    char *head = script_config(&read.script, 0, read.script.head_end);
    char *own = script_config(&read.script, read.script.tests[0].first, read.script.tests[0].end);
    assert_string_equal(head, "  a = 1;\n    \n      \n           \n            \n");
    assert_string_equal(own, "        \n    \n      \n     b = 2;\n            \n");
    assert_null(script_config(&read.script, 0, 0));
    free(head);
    free(own);
    free_read(&read);
}

static void a_caret_stands_for_the_line_of_config_above(void **state)
{
    struct read read = read_text("test x\n| a = 1;\n  ^ warning: odd\n");
    (void)state;
    const struct script_fault *fault = &read.script.tests[0].faults[0];
    assert_int_equal(fault->line, 2);
    assert_int_equal(fault->column, 3);
    assert_true(fault->warning);
    assert_string_equal(fault->words, "odd");
    free_read(&read);
}

static void orders_have_what_belongs_to_them(void **state)
{
    struct read read = read_text("test x\n 1s mute r 2h\n 2s set r above -3 refused \"range\"\n");
    (void)state;
    const struct script_step *steps = read.script.tests[0].steps;
    assert_int_equal(read.result, 0);
    assert_int_equal(steps[0].order, ORDER_MUTE);
    assert_int_equal(steps[0].ms, 7200000);
    assert_null(steps[0].text);
    assert_string_equal(steps[1].key, "above");
    assert_true(steps[1].number == -3);
    assert_string_equal(steps[1].text, "range");
    free_read(&read);
}

static void the_clock_is_as_written_and_may_be_unknown(void **state)
{
    struct read read = read_text("test x\n clock 1970-01-02T00:00:01 Europe/Berlin\n"
                                 "test y\n clock unknown\n");
    (void)state;
    assert_int_equal(read.script.tests[0].wall_ms, 86401000);
    assert_string_equal(read.script.tests[0].zone, "Europe/Berlin");
    assert_int_equal(read.script.tests[1].wall_ms, CLOCK_NEVER);
    free_read(&read);
}

static void what_is_wrong_is_said_in_its_place(void **state)
{
    (void)state;
    expect_wrong("", "t.test:1:1: error: there is no test in it");
    expect_wrong("x\ntest a\n", "t.test:1:1: error: this is no line before a test");
    expect_wrong("every 1s\ntest a\n", "t.test:1:6: error: \"every\" stands in a test");
    expect_wrong("test a\nx\n", "t.test:2:1: error: this is no line of a test");
    expect_wrong("test a\n  every 0s\n", "t.test:2:9: error: a duration is missing here");
    expect_wrong("test a\n  a.b: 1 zwei 3\n", "t.test:2:10: error: this is no value of a series");
    expect_wrong("test a\n  a.b: 1x0\n", "t.test:2:8: error: this is no value of a series");
    expect_wrong("test a\n  a.b: \"x\n", "t.test:2:10: error: a closing quote is missing");
    expect_wrong("test a\n  1s warm\n", "t.test:2:6: error: this says nothing that is known");
    expect_wrong("test a\n  1s fired\n", "t.test:2:11: error: of what is missing");
    expect_wrong("test a\n  1s ack\n", "t.test:2:9: error: a rule is missing");
    expect_wrong("test a\n  1s set r above\n",
                 "t.test:2:17: error: a limit and a number are missing");
    expect_wrong("test a\n  1s ack r now\n", "t.test:2:12: error: nothing more can stand here "
                                             "but: refused \"WORDS\"");
    expect_wrong("test a\n  ^ x\n", "t.test:2:6: error: there is no config above the ^");
    expect_wrong("test a\n  none warm\n", "t.test:2:12: error: \"warm\" is nothing that comes out");
    expect_wrong("test a\n  clock noon\n", "t.test:2:9: error: a date and time is missing");
    expect_wrong("test a\nconfig x\n", "t.test:2:7: error: config FILE stands once, at the top");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_is_written_as_prometheus_writes_it),
        cmocka_unit_test(a_series_has_texts_and_reasons_too),
        cmocka_unit_test(a_second_line_of_a_series_goes_on_where_it_was),
        cmocka_unit_test(what_happens_at_one_instant_has_an_order),
        cmocka_unit_test(config_lines_keep_their_places),
        cmocka_unit_test(a_caret_stands_for_the_line_of_config_above),
        cmocka_unit_test(orders_have_what_belongs_to_them),
        cmocka_unit_test(the_clock_is_as_written_and_may_be_unknown),
        cmocka_unit_test(what_is_wrong_is_said_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
