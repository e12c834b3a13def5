#include "adapters/scale.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static double apply(double factor, double offset, double raw, int raw_decimals)
{
    struct scale scale = scale_make(factor, offset);

    return scale_apply(&scale, raw, raw_decimals);
}

static void decimals_are_those_that_the_scale_can_show(void **state)
{
    static const struct {
        double factor, offset;
        int decimals;
    } cases[] = {
        {1, 0, 0},         {0.1, 0, 1},      {10, 0, 0},    {0.001, 0, 3},    {0.5, 0, 1},
        {0.0625, 0, 4},    {-0.01, 0, 2},    {1, 0.25, 2},  {0.1, 273.15, 2}, {2.5, -40, 1},
        {1e3, 1e6, 0},     {1.0 / 3, 0, -1}, {1e-9, 0, -1}, {1, 1e-7, -1},    {NAN, 0, -1},
        {1, INFINITY, -1}, {1e300, 0, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(scale_decimals(cases[i].factor, cases[i].offset), cases[i].decimals);
}

static void values_have_no_dust_of_binary_fractions(void **state)
{
    (void)state;
    assert_true(3 * 0.1 != 0.3);
    assert_true(apply(0.1, 0, 3, 0) == 0.3);
    assert_true(apply(0.1, 0, 217, 0) == 21.7);
    assert_true(apply(0.001, 0, 45678, 0) == 45.678);
    assert_true(apply(0.1, 0.2, 1, 0) == 0.3);
    assert_true(apply(0.01, -273.15, 30000, 0) == 26.85);
    assert_true(apply(-0.1, 0, 3, 0) == -0.3);
    assert_true(apply(0.1, 0, 21.5, 1) == 2.15);
}

static void every_16_bit_register_in_tenths_reads_as_it_is_written(void **state)
{
    struct scale scale = scale_make(0.1, 0);

    (void)state;
    for (int raw = -32768; raw <= 65535; raw++)
        assert_true(scale_apply(&scale, raw, 0) == raw / 10.0);
}

static void without_a_scale_a_value_stays_what_it_was(void **state)
{
    (void)state;
    assert_true(apply(1, 0, 21.57, 2) == 21.57);
    assert_true(apply(1, 0, 21.57, -1) == 21.57);
    assert_true(apply(1, 0, 123456789012345678.0, 0) == 123456789012345678.0);
    assert_true(apply(1, 0, 1e-300, -1) == 1e-300);
}

static void what_cannot_be_told_is_plain_arithmetic(void **state)
{
    (void)state;
    assert_true(apply(1.0 / 3, 0, 10, 0) == 10 * (1.0 / 3));
    assert_true(apply(0.1, 0, 0.123456789, -1) == 0.123456789 * 0.1);
    assert_true(apply(0.1, 0, 1e17, 0) == 1e17 * 0.1);
}

static void zero_is_never_negative(void **state)
{
    (void)state;
    assert_false(signbit(apply(-0.1, 0, 0, 0)));
    assert_false(signbit(apply(0.1, -0.3, 3, 0)));
}

static void what_is_too_large_becomes_infinite_and_no_number(void **state)
{
    (void)state;
    assert_true(isinf(apply(1e308, 0, 1e308, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_those_that_the_scale_can_show),
        cmocka_unit_test(values_have_no_dust_of_binary_fractions),
        cmocka_unit_test(every_16_bit_register_in_tenths_reads_as_it_is_written),
        cmocka_unit_test(without_a_scale_a_value_stays_what_it_was),
        cmocka_unit_test(what_cannot_be_told_is_plain_arithmetic),
        cmocka_unit_test(zero_is_never_negative),
        cmocka_unit_test(what_is_too_large_becomes_infinite_and_no_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
