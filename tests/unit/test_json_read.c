#include "gateway/base/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct json_value *parse(const char *text)
{
    return json_parse(text, strlen(text));
}

static void members_and_items_are_found_and_walked(void **state)
{
    struct json_value *json = parse(" {\"a\": [1, \"two\", true, null], \"b\": {\"c\": -2.5}}\n");
    const struct json_value *item = json_first(json_get(json, "a"));
    double number = 0;
    bool boolean = false;
    (void)state;
    assert_true(json_is_object(json));
    assert_true(json_is_array(json_get(json, "a")));
    assert_true(json_as_number(item, &number));
    assert_float_equal(number, 1, 0);
    assert_string_equal(json_as_text(item = json_next(item)), "two");
    assert_true(json_as_bool(item = json_next(item), &boolean));
    assert_true(boolean);
    assert_true(json_is_null(item = json_next(item)));
    assert_null(json_next(item));
    assert_true(json_as_number(json_get(json_get(json, "b"), "c"), &number));
    assert_float_equal(number, -2.5, 0);
    assert_string_equal(json_key(json_first(json)), "a");
    json_free(json);
}

static void what_is_not_there_or_of_another_kind_is_no(void **state)
{
    struct json_value *json = parse("{\"a\": \"1\", \"A\": 2}");
    double number = 7;
    bool boolean = true;
    (void)state;
    assert_null(json_get(json, "b"));
    assert_null(json_get(json_get(json, "b"), "c"));
    assert_false(json_as_number(json_get(json, "a"), &number));
    assert_false(json_as_bool(json_get(json, "a"), &boolean));
    assert_false(json_as_bool(NULL, &boolean));
    assert_float_equal(number, 7, 0);
    assert_null(json_as_text(json_get(json, "A")));
    assert_null(json_as_text(NULL));
    assert_null(json_first(json_get(json, "a")));
    assert_null(json_next(NULL));
    assert_string_equal(json_key(NULL), "");
    json_free(json);
    json_free(NULL);
}

static void only_one_whole_value_is_one(void **state)
{
    static const char *const rows[] = {"",    "{",        "{} {}", "{}x",    "[1,]",
                                       "nul", "\"\xff\"", "'a'",   "{1: 2}", "\"open"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_null(parse(rows[i]));
    assert_null(json_parse("{}\0{}", 5));
    assert_null(json_parse("{\"a\":1}", 5));
}

static void nesting_without_an_end_is_refused(void **state)
{
    static char deep[20000];
    (void)state;
    memset(deep, '[', sizeof(deep));
    assert_null(json_parse(deep, sizeof(deep)));
}

static void a_number_that_is_not_finite_is_none(void **state)
{
    struct json_value *json = parse("1e999");
    double number;
    (void)state;
    assert_false(json_as_number(json, &number));
    json_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_items_are_found_and_walked),
        cmocka_unit_test(what_is_not_there_or_of_another_kind_is_no),
        cmocka_unit_test(only_one_whole_value_is_one),
        cmocka_unit_test(nesting_without_an_end_is_refused),
        cmocka_unit_test(a_number_that_is_not_finite_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
