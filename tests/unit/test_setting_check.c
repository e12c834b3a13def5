#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/section.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct setting inside[] = {
    {"unit", SETTING_INT | SETTING_REQUIRED, NULL, 1, 247, NULL, NULL, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static const struct setting table[] = {
    {"on", SETTING_BOOL, NULL, 0, 0, NULL, NULL, ""},
    {"port", SETTING_INT, NULL, 1, 65535, NULL, NULL, ""},
    {"scale", SETTING_NUMBER, NULL, 0, 0, NULL, NULL, ""},
    {"rate", SETTING_NUMBER, NULL, 0.5, INFINITY, NULL, NULL, ""},
    {"every", SETTING_DURATION, NULL, 1000, 3600000, NULL, NULL, ""},
    {"most", SETTING_SIZE, NULL, 1e6, 1e9, NULL, NULL, ""},
    {"payload", SETTING_CHOICE, NULL, 0, 0, "json plain", NULL, ""},
    {"discover", SETTING_BOOL | SETTING_CHOICE, NULL, 0, 0, "quiet loud", NULL, ""},
    {"host", SETTING_TEXT, NULL, 0, 0, NULL, NULL, ""},
    {"above", SETTING_NUMBER | SETTING_TEXT, NULL, 0, 0, NULL, NULL, ""},
    {"valid", SETTING_PAIR, NULL, -300, 300, NULL, NULL, ""},
    {"levels", SETTING_NUMBERS, NULL, 0, 0, NULL, NULL, ""},
    {"notify", SETTING_TEXTS, NULL, 0, 0, NULL, NULL, ""},
    {"tls", SETTING_GROUP, NULL, 0, 0, NULL, inside, ""},
    {"devices", SETTING_NAMED, NULL, 0, 0, NULL, inside, ""},
    {"rules", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, ""},
    {"actions", SETTING_GROUPS, NULL, 0, 0, NULL, inside, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static const struct place nowhere = {NULL, 0};
static struct section *root;
static struct problems *problems;
static char *printed;

static int set_up(void **state)
{
    (void)state;
    root = section_new("", nowhere);
    problems = problems_new();
    printed = NULL;
    return root != NULL && problems != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    section_free(root);
    problems_free(problems);
    free(printed);
    return 0;
}

/* What the check says, errors with their hints. */
static const char *check(void)
{
    const struct setting *const tables[] = {table};
    size_t size;
    FILE *to = open_memstream(&printed, &size);

    section_check(root, tables, 1, problems);
    problems_print(problems, to);
    fclose(to);
    return printed;
}

static struct value *add(const char *key)
{
    return section_add(root, key, nowhere);
}

static void put_text(const char *key, const char *text)
{
    assert_int_equal(value_text(add(key), nowhere, text, NULL), 0);
}

static void put_int(const char *key, int64_t number)
{
    value_int(add(key), nowhere, number);
}

/* A list of whole numbers. */
static struct value *put_list(const char *key, const int *numbers, size_t count)
{
    struct value *list = add(key);

    value_list(list, nowhere);
    for (size_t i = 0; i < count; i++)
        value_int(value_append(list), nowhere, numbers[i]);
    return list;
}

static void all_that_is_allowed_passes(void **state)
{
    (void)state;
    value_bool(add("on"), nowhere, true);
    put_int("port", 65535);
    put_int("scale", 3);
    put_text("every", "1h");
    put_text("most", "1 MB");
    put_text("payload", "plain");
    value_bool(add("discover"), nowhere, true);
    put_text("host", "");
    put_text("above", "boiler.setpoint");
    put_list("valid", (const int[]){-20, 120}, 2);
    put_list("levels", NULL, 0);
    put_text("notify", "phone");
    value_int(section_add(value_group(add("tls"), nowhere), "unit", nowhere), nowhere, 3);
    value_group(section_add(value_group(add("rules"), nowhere), "frost", nowhere), nowhere);
    assert_string_equal(check(), "");
}

static void an_unknown_key_gets_the_nearest_one(void **state)
{
    (void)state;
    put_text("hots", "x");
    assert_string_equal(check(), "error: unknown setting \"hots\"\n    did you mean \"host\"?\n");
}

static void a_key_that_is_like_none_gets_the_list(void **state)
{
    (void)state;
    put_text("zzzzzzzz", "x");
    assert_non_null(strstr(check(), "known here: on, port, scale, "));
}

static void an_unknown_key_says_in_which_group(void **state)
{
    (void)state;
    put_int("port", 1);
    value_int(section_add(value_group(add("tls"), nowhere), "unti", nowhere), nowhere, 1);
    assert_non_null(strstr(check(), "unknown setting \"unti\" in \"tls\"\n"));
    assert_non_null(strstr(printed, "missing setting \"unit\" in \"tls\"\n"
                                    "    add unit = ...: a whole number\n"));
}

static void numbers_have_a_range(void **state)
{
    (void)state;
    put_int("port", 65536);
    value_number(add("rate"), nowhere, 0.25);
    assert_string_equal(check(), "error: \"port\" is 65536, must be between 1 and 65535\n"
                                 "error: \"rate\" is 0.25, must be at least 0.5\n");
}

static void durations_and_sizes_have_a_range_in_their_units(void **state)
{
    (void)state;
    put_text("every", "10ms");
    put_text("most", "2 GB");
    assert_string_equal(check(), "error: \"every\" is 10ms, must be between 1s and 1h\n"
                                 "error: \"most\" is 2 GB, must be between 1 MB and 1 GB\n");
}

static void a_bare_number_for_a_duration_is_told_how_to_write_it(void **state)
{
    (void)state;
    put_int("every", 10);
    assert_non_null(strstr(check(), "\"every\" must be a duration like \"10s\", not a number\n"
                                    "    write \"10s\" for seconds"));
}

static void text_that_is_no_duration_or_size_says_so(void **state)
{
    (void)state;
    put_text("every", "10 sec");
    put_text("most", "much");
    assert_non_null(
        strstr(check(), "\"every\" is no duration: \"10 sec\"\n    write a number with"));
    assert_non_null(strstr(printed, "\"most\" is no size: \"much\"\n    write a number with"));
}

static void a_whole_number_must_be_whole(void **state)
{
    (void)state;
    value_number(add("port"), nowhere, 5.7);
    assert_string_equal(check(),
                        "error: \"port\" must be a whole number, not a number with a point\n");
}

static void a_quoted_number_is_told_to_lose_its_quotes(void **state)
{
    (void)state;
    put_text("port", "1883");
    assert_string_equal(check(), "error: \"port\" must be a whole number, not a text\n"
                                 "    write it without the quotes: 1883\n");
}

static void a_word_for_a_truth_is_told_the_truth(void **state)
{
    (void)state;
    put_text("on", "no");
    assert_string_equal(check(), "error: \"on\" must be true or false, not a text\n"
                                 "    write false, without quotes\n");
}

static void a_choice_is_one_of_its_words(void **state)
{
    (void)state;
    put_text("payload", "jsno");
    put_text("discover", "zzz");
    assert_string_equal(check(), "error: \"payload\" cannot be \"jsno\"\n"
                                 "    did you mean \"json\"?\n"
                                 "error: \"discover\" cannot be \"zzz\"\n"
                                 "    write \"quiet\" or \"loud\"\n");
}

static void several_forms_are_named_together(void **state)
{
    (void)state;
    value_bool(add("above"), nowhere, true);
    assert_string_equal(
        check(), "error: \"above\" must be a number, or a text in quotes, not true or false\n");
}

static void a_pair_is_two_rising_numbers_in_range(void **state)
{
    (void)state;
    put_list("valid", (const int[]){26, 18}, 2);
    assert_non_null(strstr(check(), "two numbers of which the second is greater"));
}

static void a_pair_of_three_is_none(void **state)
{
    (void)state;
    put_list("valid", (const int[]){1, 2, 301}, 3);
    assert_non_null(strstr(check(), "must be two numbers like ( 18, 26.5 ), not 3"));
    assert_non_null(strstr(printed, "\"valid\" is 301, must be between -300 and 300"));
}

static void elements_of_a_list_are_checked_one_by_one(void **state)
{
    struct value *list = put_list("notify", (const int[]){5}, 1);

    (void)state;
    value_text(value_append(list), nowhere, "phone", NULL);
    assert_non_null(strstr(check(), "this element is a number\n    write it in quotes: \"5\""));
}

static void names_must_be_slugs_and_groups(void **state)
{
    struct section *devices = value_group(add("devices"), nowhere);

    (void)state;
    value_int(section_add(devices, "boiler", nowhere), nowhere, 1);
    value_group(section_add(devices, "Flow-Temp", nowhere), nowhere);
    assert_non_null(strstr(check(),
                           "\"boiler\" in \"devices\" must be a group { ... }, not a number\n"
                           "    write boiler: { ... }"));
    assert_non_null(strstr(printed, "\"Flow-Temp\" cannot be a name in \"devices\"\n"));
    assert_non_null(strstr(printed, "\"flow_temp\"\n"));
    assert_non_null(strstr(printed, "missing setting \"unit\" in \"Flow-Temp\""));
}

static void groups_of_a_list_are_checked_and_a_single_one_counts_as_a_list(void **state)
{
    struct value *list = add("actions");

    (void)state;
    value_list(list, nowhere);
    value_int(section_add(value_group(value_append(list), nowhere), "unit", nowhere), nowhere, 300);
    assert_string_equal(check(), "error: \"unit\" is 300, must be between 1 and 247\n");
    value_int(section_add(value_group(list, nowhere), "unit", nowhere), nowhere, 3);
    free(printed);
    problems_free(problems);
    problems = problems_new();
    assert_string_equal(check(), "");
}

static void what_is_open_is_left_to_its_owner(void **state)
{
    static const struct setting owners[] = {{"limit", SETTING_INT, "5", 0, 0, NULL, NULL, ""},
                                            {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};
    const struct setting *const tables[] = {owners};
    struct section *rules = value_group(add("rules"), nowhere), *rule;

    (void)state;
    rule = value_group(section_add(rules, "frost", nowhere), nowhere);
    value_int(section_add(rule, "limmit", nowhere), nowhere, 1);
    assert_string_equal(check(), "");
    assert_int_equal(section_check(rule, tables, 1, problems), 1);
    assert_string_equal(problems_line(problems, 0),
                        "error: unknown setting \"limmit\" in \"frost\"");
    assert_int_equal(section_int(rule, "limit"), 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_that_is_allowed_passes),
        TEST(an_unknown_key_gets_the_nearest_one),
        TEST(a_key_that_is_like_none_gets_the_list),
        TEST(an_unknown_key_says_in_which_group),
        TEST(numbers_have_a_range),
        TEST(durations_and_sizes_have_a_range_in_their_units),
        TEST(a_bare_number_for_a_duration_is_told_how_to_write_it),
        TEST(text_that_is_no_duration_or_size_says_so),
        TEST(a_whole_number_must_be_whole),
        TEST(a_quoted_number_is_told_to_lose_its_quotes),
        TEST(a_word_for_a_truth_is_told_the_truth),
        TEST(a_choice_is_one_of_its_words),
        TEST(several_forms_are_named_together),
        TEST(a_pair_is_two_rising_numbers_in_range),
        TEST(a_pair_of_three_is_none),
        TEST(elements_of_a_list_are_checked_one_by_one),
        TEST(names_must_be_slugs_and_groups),
        TEST(groups_of_a_list_are_checked_and_a_single_one_counts_as_a_list),
        TEST(what_is_open_is_left_to_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
