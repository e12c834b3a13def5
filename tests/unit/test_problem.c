#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/problem.h"

#include <stdlib.h>
#include <string.h>

static struct problems *problems;
static char *printed;

static int set_up(void **state)
{
    (void)state;
    problems = problems_new();
    printed = NULL;
    return problems != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    problems_free(problems);
    free(printed);
    return 0;
}

static const char *print(void)
{
    size_t size;
    FILE *to = open_memstream(&printed, &size);

    problems_print(problems, to);
    fclose(to);
    return printed;
}

static struct source *source_of(const char *name, const char *text)
{
    return source_new(name, text, strlen(text));
}

static void line_and_column_count_characters(void **state)
{
    struct source *source = source_of("a.cfg", "one\n\xc3\xbc\xc3\xbc x\n");
    uint32_t line, column;

    (void)state;
    place_line_column((struct place){source, 0}, &line, &column);
    assert_int_equal(line, 1);
    assert_int_equal(column, 1);
    place_line_column((struct place){source, 9}, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 4);
    /* Inside the second character: that character. */
    place_line_column((struct place){source, 7}, &line, &column);
    assert_int_equal(column, 2);
    /* Past the end: the end. */
    place_line_column((struct place){source, 4000}, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 1);
    place_line_column((struct place){NULL, 5}, &line, &column);
    assert_int_equal(line, 0);
    assert_int_equal(column, 0);
    source_free(source);
}

static void a_problem_shows_its_line_a_caret_and_what_to_do(void **state)
{
    struct source *source = source_of("t.cfg", "rules: {\n  sensor = \"cellar.tmp\"\n}\n");

    (void)state;
    problem_error(problems, (struct place){source, 20}, "did you mean \"cellar.temp\"?",
                  "rule \"%s\": unknown sensor \"cellar.tmp\"", "frost");
    source_free(source); /* it was rendered, so the source may go */
    assert_string_equal(print(),
                        "t.cfg:2:12: error: rule \"frost\": unknown sensor \"cellar.tmp\"\n"
                        "    sensor = \"cellar.tmp\"\n"
                        "             ^\n"
                        "    did you mean \"cellar.temp\"?\n");
}

static void the_caret_stands_right_behind_tabs_and_wide_characters(void **state)
{
    /* A tab, an umlaut, an accent of its own, two wide characters. */
    struct source *source = source_of("t.cfg", "\t\ta\t\xc3\xbc"
                                               "e\xcc\x81\xe6\xb8\xa9\xe5\xba\xa6 X");

    (void)state;
    problem_error(problems, (struct place){source, 16}, NULL, "here");
    assert_string_equal(print(), "t.cfg:1:11: error: here\n"
                                 "    a\t\xc3\xbc"
                                 "e\xcc\x81\xe6\xb8\xa9\xe5\xba\xa6 X\n"
                                 "     \t       ^\n");
    source_free(source);
}

static void of_a_long_line_only_the_part_around_the_place_is_shown(void **state)
{
    char text[4001];
    struct source *source;
    const char *caret, *line;

    (void)state;
    memset(text, 'a', sizeof text);
    text[2000] = 'X';
    text[4000] = '\0';
    source = source_of("t.cfg", text);
    problem_error(problems, (struct place){source, 2000}, NULL, "here");
    source_free(source);
    line = strchr(print(), '\n') + 1;
    caret = strchr(line, '\n') + 1;
    assert_true(caret - line < 160);
    assert_int_equal(strchr(line, 'X') - line, strchr(caret, '^') - caret);
    assert_non_null(strstr(line, "    ...aaa"));
    assert_non_null(strstr(line, "aaa...\n"));
}

static void what_could_harm_a_terminal_is_not_shown(void **state)
{
    struct source *source = source_of("t.cfg", "a \x1b[2J \xff b");

    (void)state;
    problem_error(problems, (struct place){source, 8}, "try \x1b[1m", "bad \x1b[31m\n%s", "\x07");
    source_free(source);
    assert_string_equal(print(), "t.cfg:1:9: error: bad \\x1b[31m\\x0a\\x07\n"
                                 "    a \xef\xbf\xbd[2J \xef\xbf\xbd b\n"
                                 "            ^\n"
                                 "    try \\x1b[1m\n");
}

static void problems_stand_in_the_order_of_files_and_lines(void **state)
{
    struct source *first = source_of("z.cfg", "a\nb\n"), *second = source_of("a.cfg", "a\nb\n");

    (void)state;
    first->order = 0;
    second->order = 1;
    problem_error(problems, (struct place){second, 2}, NULL, "four");
    problem_warning(problems, (struct place){second, 0}, NULL, "three");
    problem_error(problems, (struct place){first, 2}, NULL, "two");
    problem_error(problems, (struct place){first, 0}, NULL, "one");
    problem_error(problems, (struct place){NULL, 0}, NULL, "none");
    assert_string_equal(problems_line(problems, 0), "error: none");
    assert_string_equal(problems_line(problems, 1), "z.cfg:1:1: error: one");
    assert_string_equal(problems_line(problems, 2), "z.cfg:2:1: error: two");
    assert_string_equal(problems_line(problems, 3), "a.cfg:1:1: warning: three");
    assert_string_equal(problems_line(problems, 4), "a.cfg:2:1: error: four");
    assert_null(problems_line(problems, 5));
    assert_int_equal(problems_errors(problems), 4);
    assert_int_equal(problems_warnings(problems), 1);
    source_free(first);
    source_free(second);
}

static void beyond_a_hundred_they_are_only_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 150; i++)
        problem_error(problems, (struct place){NULL, 0}, NULL, "error number %d", i);
    problem_warning(problems, (struct place){NULL, 0}, NULL, "a warning still has room");
    assert_int_equal(problems_errors(problems), 150);
    assert_non_null(problems_line(problems, 100));
    assert_null(problems_line(problems, 101));
    assert_non_null(strstr(print(), "and 50 more\n"));
}

static void the_same_is_said_once(void **state)
{
    struct source *source = source_of("t.cfg", "a");

    (void)state;
    problem_error(problems, (struct place){source, 0}, NULL, "twice");
    problem_error(problems, (struct place){source, 0}, NULL, "twice");
    assert_int_equal(problems_errors(problems), 1);
    source_free(source);
}

static void a_place_at_the_end_of_the_file_needs_no_line(void **state)
{
    struct source *source = source_of("t.cfg", "a\n");

    (void)state;
    problem_error(problems, (struct place){source, 2}, NULL, "end");
    source_free(source);
    assert_string_equal(print(), "t.cfg:2:1: error: end\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(line_and_column_count_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_problem_shows_its_line_a_caret_and_what_to_do, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_caret_stands_right_behind_tabs_and_wide_characters,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_a_long_line_only_the_part_around_the_place_is_shown,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_could_harm_a_terminal_is_not_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(problems_stand_in_the_order_of_files_and_lines, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(beyond_a_hundred_they_are_only_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_is_said_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_at_the_end_of_the_file_needs_no_line, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
