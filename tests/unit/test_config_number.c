#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/number.h"

#include <string.h>

static char hint[450];

static const char *read_number(const char *text, struct number *number)
{
    struct source *source = source_new("t.cfg", text, strlen(text));
    struct token token = scan_token(source, 0);
    const char *wrong = number_read(source, token, number, hint, sizeof hint);

    assert_int_equal(token.end, strlen(text));
    source_free(source);
    return wrong;
}

static void whole_numbers_are_exact_up_to_64_bits(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {{"5000000000", 5000000000},
                 {"-2147483649", -2147483649},
                 {"9223372036854775807", INT64_MAX},
                 {"-9223372036854775808", INT64_MIN},
                 {"0xFFFFFFFF", 4294967295},
                 {"0x7fffffffffffffffL", INT64_MAX},
                 {"5L", 5},
                 {"5LL", 5},
                 {"+5", 5},
                 {"0", 0},
                 {"-0", 0}};
    struct number number;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(read_number(cases[i].text, &number));
        assert_true(number.whole);
        assert_true(number.integer == cases[i].value);
    }
}

static void numbers_with_a_point_are_exact(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"5.7", 5.7}, {"-.5", -0.5}, {"5.", 5},
                 {"1e5", 1e5}, {"0.1", 0.1},  {"1.5E-3", 1.5e-3}};
    struct number number;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(read_number(cases[i].text, &number));
        assert_false(number.whole);
        assert_true(number.real == cases[i].value);
    }
}

static void what_would_wrap_is_refused(void **state)
{
    struct number number;

    (void)state;
    assert_string_equal(read_number("9223372036854775808", &number),
                        "this number is beyond 64 bits");
    assert_string_equal(read_number("0xFFFFFFFFFFFFFFFF", &number),
                        "this number is beyond 64 bits");
    assert_string_equal(read_number("1e999", &number), "this number is too large");
}

static void a_leading_zero_is_refused_and_told_how_to_write_it(void **state)
{
    struct number number;

    (void)state;
    assert_non_null(read_number("0100", &number));
    assert_string_equal(hint, "write 100");
    assert_non_null(read_number("-007", &number));
    assert_string_equal(hint, "write -7");
    assert_non_null(read_number("00", &number));
    assert_string_equal(hint, "write 0");
}

static void a_lone_point_is_no_number(void **state)
{
    struct number number;

    (void)state;
    assert_non_null(read_number(".", &number));
    assert_non_null(read_number("-.", &number));
    assert_non_null(read_number(".e5", &number));
}

static void a_thousand_digits_are_survived(void **state)
{
    struct number number;
    char text[1001];

    (void)state;
    memset(text, '9', sizeof text);
    text[1000] = '\0';
    assert_string_equal(read_number(text, &number), "this number is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_exact_up_to_64_bits),
        cmocka_unit_test(numbers_with_a_point_are_exact),
        cmocka_unit_test(what_would_wrap_is_refused),
        cmocka_unit_test(a_leading_zero_is_refused_and_told_how_to_write_it),
        cmocka_unit_test(a_lone_point_is_no_number),
        cmocka_unit_test(a_thousand_digits_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
