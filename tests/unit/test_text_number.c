#include "gateway/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void durations_are_numbers_with_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0s", 0},       {"90s", 90000},    {"1h 30m", 5400000}, {"1h30m", 5400000},
                {"350ms", 350},  {"1.5h", 5400000}, {"0.1s", 100},       {"2d", 172800000},
                {"10 s", 10000}, {"1m 0.5s", 60500}};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(text_to_duration_ms(good[i].text, &ms), 0);
        assert_int_equal(ms, good[i].ms);
    }
}

static void what_is_no_duration_is_refused_and_nothing_is_written(void **state)
{
    static const char *const bad[] = {"",      "10",     "s",     "-1s", "10x",  "1h30",
                                      "10s ",  " 10s",   "0.1ms", "1.s", "1e3s", "10S",
                                      "1 h m", "10s 1m", "5m 5m", ".5s", "1,5s"};
    int64_t ms = 42;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(text_to_duration_ms(bad[i], &ms), -EINVAL);
    assert_int_equal(text_to_duration_ms("400000d", &ms), -ERANGE);
    assert_int_equal(text_to_duration_ms("99999999999999d", &ms), -ERANGE);
    assert_int_equal(ms, 42);
}

static void sizes_are_numbers_with_units(void **state)
{
    int64_t bytes = 0;

    (void)state;
    assert_int_equal(text_to_size("2 GB", &bytes), 0);
    assert_int_equal(bytes, 2000000000);
    assert_int_equal(text_to_size("1.5KiB", &bytes), 0);
    assert_int_equal(bytes, 1536);
    assert_int_equal(text_to_size("512 MiB", &bytes), 0);
    assert_int_equal(bytes, 536870912);
    assert_int_equal(text_to_size("7 kB", &bytes), 0);
    assert_int_equal(bytes, 7000);
    assert_int_equal(text_to_size("5", &bytes), -EINVAL);
    assert_int_equal(text_to_size("5 TB", &bytes), -EINVAL);
    assert_int_equal(text_to_size("2 GB 3 MB", &bytes), -EINVAL);
    assert_int_equal(text_to_size("99999999999 GB", &bytes), -ERANGE);
    assert_int_equal(bytes, 7000);
}

static void whole_numbers_are_exact_to_64_bits(void **state)
{
    int64_t value = 7;

    (void)state;
    assert_int_equal(text_to_int("9223372036854775807", &value), 0);
    assert_true(value == INT64_MAX);
    assert_int_equal(text_to_int("-9223372036854775808", &value), 0);
    assert_true(value == INT64_MIN);
    assert_int_equal(text_to_int("0x1f", &value), 0);
    assert_int_equal(value, 31);
    assert_int_equal(text_to_int("+010", &value), 0);
    assert_int_equal(value, 10);
    assert_int_equal(text_to_int("9223372036854775808", &value), -ERANGE);
    assert_int_equal(text_to_int("", &value), -EINVAL);
    assert_int_equal(text_to_int(" 1", &value), -EINVAL);
    assert_int_equal(text_to_int("1 ", &value), -EINVAL);
    assert_int_equal(text_to_int("--1", &value), -EINVAL);
    assert_int_equal(text_to_int("0x", &value), -EINVAL);
    assert_int_equal(value, 10);
}

static void numbers_are_finite_and_plain(void **state)
{
    static const char *const bad[] = {"",    "nan", "inf", "0x10", " 1", "1 ",
                                      "1,5", "e",   ".",   "1e",   "--1"};
    double value = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(text_to_number(bad[i], &value), -EINVAL);
    assert_int_equal(text_to_number("1e999", &value), -ERANGE);
    assert_true(value == 7);
    assert_int_equal(text_to_number("-2.5e-3", &value), 0);
    assert_true(value == -2.5e-3);
    assert_int_equal(text_to_number(".5", &value), 0);
    assert_true(value == 0.5);
}

static void durations_are_shown_in_their_two_largest_units(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0s"},           {350, "350ms"},
                 {90000, "1m 30s"},   {7500000, "2h 5m"},
                 {3661000, "1h 1m"},  {3605000, "1h"},
                 {1500, "1s 500ms"},  {86400000, "1d"},
                 {-90000, "-1m 30s"}, {INT64_MIN, "-106751991167d 7h"}};
    char text[40];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(text_from_duration(text, sizeof text, cases[i].ms), cases[i].text);
}

static void the_shortest_text_that_reads_back(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "0"},
                 {21.3, "21.3"},
                 {-17, "-17"},
                 {0.1, "0.1"},
                 {100, "100"},
                 {1e-6, "0.000001"},
                 {1e-7, "1e-7"},
                 {1.5e-7, "1.5e-7"},
                 {1e15, "1e15"},
                 {1.5e20, "1.5e20"},
                 {999999999999999, "999999999999999"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1.0 / 3, "0.3333333333333333"},
                 {123456.789, "123456.789"},
                 {5e-324, "5e-324"},
                 {(double)21.3F, "21.299999237060547"},
                 {NAN, "nan"},
                 {-INFINITY, "-inf"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(text_from_number(text, sizeof text, cases[i].value, -1),
                         strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

/* A fixed sequence of numbers without a pattern. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void any_double_reads_back_and_none_is_longer_than_needed(void **state)
{
    uint64_t seed = 88172645463325252ULL;
    char text[32], other[40];
    double value, back;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = next_random(&seed);

        memcpy(&value, &bits, sizeof value);
        if (i % 2 == 0)
            value = (double)(int64_t)(bits % 2000000) / 1000 - 1000;
        if (!isfinite(value))
            continue;
        assert_true(text_from_number(text, sizeof text, value, -1) > 0);
        assert_int_equal(text_to_number(text, &back), 0);
        assert_true(back == value);
        snprintf(other, sizeof other, "%.15g", value);
        if (strtod(other, NULL) == value && strchr(text, 'e') == NULL && !strchr(other, 'e'))
            assert_string_equal(text, strcmp(other, "-0") == 0 ? "0" : other);
    }
}

static void fixed_places_round_as_printf_does(void **state)
{
    uint64_t seed = 88172645463325252ULL;
    char text[64], other[400];

    (void)state;
    for (int i = 0; i < 200000; i++) {
        double value = (double)(int64_t)(next_random(&seed) % 20000001) / 8000 - 1000;
        int decimals = i % 7;

        if (i % 3 == 0)
            value *= (double)(next_random(&seed) % 1000000);
        text_from_number(text, sizeof text, value, decimals);
        snprintf(other, sizeof other, "%.*f", decimals, value);
        if (strtod(other, NULL) != 0)
            assert_string_equal(text, other);
    }
    text_from_number(text, sizeof text, -0.004, 2);
    assert_string_equal(text, "0.00");
    text_from_number(text, sizeof text, 2.5, 0);
    assert_string_equal(text, "2");
    text_from_number(text, sizeof text, 123456789012.25, 12);
    assert_string_equal(text, "123456789012.250000000000");
}

static void a_number_that_does_not_fit_is_not_cut(void **state)
{
    char text[5] = "####";

    (void)state;
    assert_int_equal(text_from_number(text, sizeof text, 12345, -1), 0);
    assert_string_equal(text, "");
    assert_int_equal(text_from_number(text, sizeof text, 1234, -1), 4);
    assert_string_equal(text, "1234");
}

/* A locale that writes numbers with a comma; NULL when none is installed: then the other tests have
 * shown what can be shown here. */
static void the_point_is_a_point_in_every_locale(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", NULL};
    const char *const *name = names;
    char text[40];
    double value = 0;

    (void)state;
    while (*name != NULL && setlocale(LC_ALL, *name) == NULL)
        name++;
    if (*name == NULL)
        skip();
    text_from_number(text, sizeof text, 1.0 / 3, -1);
    assert_string_equal(text, "0.3333333333333333");
    text_from_number(text, sizeof text, 1234567.25, 14);
    assert_string_equal(text, "1234567.25000000000000");
    assert_int_equal(text_to_number("2.5", &value), 0);
    assert_true(value == 2.5);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_numbers_with_units),
        cmocka_unit_test(what_is_no_duration_is_refused_and_nothing_is_written),
        cmocka_unit_test(sizes_are_numbers_with_units),
        cmocka_unit_test(whole_numbers_are_exact_to_64_bits),
        cmocka_unit_test(numbers_are_finite_and_plain),
        cmocka_unit_test(durations_are_shown_in_their_two_largest_units),
        cmocka_unit_test(the_shortest_text_that_reads_back),
        cmocka_unit_test(any_double_reads_back_and_none_is_longer_than_needed),
        cmocka_unit_test(fixed_places_round_as_printf_does),
        cmocka_unit_test(a_number_that_does_not_fit_is_not_cut),
        cmocka_unit_test(the_point_is_a_point_in_every_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
