#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/judge.h"
#include "tests/unit/config_text.h"

/* What libconfig says of `text`, if we had read `ours` from it. */
static bool judge(const char *text, const char *ours, char **ret_said)
{
    struct parsed parsed = parse_text(ours), judged = {.problems = problems_new()};
    bool agrees;

    judged.source = source_new("t.cfg", text, strlen(text));
    agrees = judge_agrees(judged.source, parsed.root, judged.problems);
    assert_int_equal(agrees, problems_errors(judged.problems) == 0);
    parsed_say(&judged);
    *ret_said = judged.said;
    judged.said = NULL;
    parsed_free(&parsed);
    parsed_free(&judged);
    return agrees;
}

static void expect_agreement(const char *text)
{
    char *said;

    if (!judge(text, text, &said))
        fail_msg("%s", said);
    free(said);
}

static void both_read_the_same(void **state)
{
    (void)state;
    expect_agreement("");
    expect_agreement("a = 1 # the last line has no end");
    expect_agreement("a = 5000000000; b = 0xFFFFFFFF; c = 5L; d = -.5; e = 1e5; f = -2147483648");
    expect_agreement("t = \"a\\\"b\\x41\\q\" \"c\nd\"; u: \"\xc3\xbc\"; on = TRUE");
    expect_agreement(
        "g: { h: { i = ( 1, 2.5, \"x\", ( 3, [ 4, 5 ] ), { k = true }, true ) } } e = ()");
    expect_agreement("a = 1 // x\r\n\fb = 2 /* y */ c = 3");
}

static void a_difference_is_told_with_its_place(void **state)
{
    static const char *const pairs[][3] = {
        {"a = 1", "a = 2", "t.cfg:1:1: error: this is read in two ways"},
        {"a = 1 b = 2", "a = 1", "read in two ways"},
        {"a = 1", "a = 1 b = 2", "read in two ways"},
        {"g: { x = \"one\" }", "g: { x = \"two\" }", "t.cfg:1:6: error: this is read in two ways"},
        {"a = 1.5", "a = 1", "read in two ways"},
        {"a = true", "a = false", "read in two ways"},
        {"a = ( 1, 2 )", "a = ( 1 )", "read in two ways"},
        {"a = ( \"x\" )", "a = ( \"y\" )", "read in two ways"},
        {"a = ( { b = 1 } )", "a = ( { b = 2 } )", "read in two ways"},
        {"a = 1", "b = 1", "read in two ways"},
    };
    char *said;

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_false(judge(pairs[i][0], pairs[i][1], &said));
        assert_non_null(strstr(said, pairs[i][2]));
        free(said);
    }
}

static void what_libconfig_refuses_is_told_with_its_line(void **state)
{
    char *said;

    (void)state;
    assert_false(judge("a = 1\n  b = = 2\n", "", &said));
    assert_non_null(strstr(said, "t.cfg:2:3: error: in or before this line: syntax error"));
    free(said);
}

/* `count` members in one group between others, each on a line. */
static char *large_text(int count, const char *last)
{
    size_t size;
    char *text;
    FILE *to = open_memstream(&text, &size);

    fprintf(to, "before = 1\ndevices: {\n");
    for (int i = 0; i < count; i++)
        fprintf(to, "d%d: { unit = %d }\n", i, i);
    fprintf(to, "%s }\nafter = 2\nrules: { }\n", last);
    fclose(to);
    return text;
}

static void large_groups_agree_wherever_they_are_cut(void **state)
{
    static const int counts[] = {255, 256, 257, 511, 512, 513, 2000};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char *text = large_text(counts[i], "");

        expect_agreement(text);
        free(text);
    }
}

static void a_difference_in_a_late_piece_is_found_in_its_line(void **state)
{
    char *text = large_text(1000, "x = 1"), *ours = large_text(1000, "x = 2"), *said;

    (void)state;
    assert_false(judge(text, ours, &said));
    assert_non_null(strstr(said, "t.cfg:1003:1: error: this is read in two ways"));
    free(said);
    free(text);
    text = large_text(1000, "x = = 1");
    assert_false(judge(text, ours, &said));
    assert_non_null(strstr(said, "t.cfg:1003:1: error: in or before this line: syntax error"));
    free(said);
    free(text);
    free(ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_read_the_same),
        cmocka_unit_test(a_difference_is_told_with_its_place),
        cmocka_unit_test(what_libconfig_refuses_is_told_with_its_line),
        cmocka_unit_test(large_groups_agree_wherever_they_are_cut),
        cmocka_unit_test(a_difference_in_a_late_piece_is_found_in_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
