#include "adapters/sim/wave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

static struct wave wave_of(enum wave_form form)
{
    return (struct wave){.form = form, .low = 10, .high = 20, .period_ms = 1000, .seed = 7};
}

static void expect(enum wave_form form, int64_t ms, double wanted)
{
    struct wave wave = wave_of(form);
    assert_true(fabs(wave_at(&wave, ms) - wanted) < 1e-9);
}

static void a_constant_is_its_low(void **state)
{
    (void)state;
    expect(WAVE_CONSTANT, 0, 10);
    expect(WAVE_CONSTANT, 12345, 10);
}

static void a_sine_starts_at_its_mean_and_rises(void **state)
{
    (void)state;
    expect(WAVE_SINE, 0, 15);
    expect(WAVE_SINE, 250, 20);
    expect(WAVE_SINE, 500, 15);
    expect(WAVE_SINE, 750, 10);
}

static void a_triangle_starts_at_its_mean_and_rises(void **state)
{
    (void)state;
    expect(WAVE_TRIANGLE, 0, 15);
    expect(WAVE_TRIANGLE, 125, 17.5);
    expect(WAVE_TRIANGLE, 250, 20);
    expect(WAVE_TRIANGLE, 750, 10);
    expect(WAVE_TRIANGLE, 875, 12.5);
}

static void a_saw_starts_low_and_falls_at_its_end(void **state)
{
    (void)state;
    expect(WAVE_SAW, 0, 10);
    expect(WAVE_SAW, 500, 15);
    expect(WAVE_SAW, 999, 19.99);
    expect(WAVE_SAW, 1000, 10);
}

static void a_square_is_low_for_the_first_half(void **state)
{
    (void)state;
    expect(WAVE_SQUARE, 0, 10);
    expect(WAVE_SQUARE, 499, 10);
    expect(WAVE_SQUARE, 500, 20);
    expect(WAVE_SQUARE, 999, 20);
}

static void waves_repeat_each_period(void **state)
{
    (void)state;
    for (int form = WAVE_CONSTANT; form < WAVE_RANDOM; form++) {
        struct wave wave = wave_of((enum wave_form)form);
        for (int64_t ms = 0; ms < 1000; ms += 37)
            assert_true(wave_at(&wave, ms) == wave_at(&wave, ms + INT64_C(1000) * 86400 * 365));
    }
}

static void a_shift_starts_the_wave_later(void **state)
{
    struct wave wave = wave_of(WAVE_SAW);
    (void)state;
    wave.shift_ms = 300;
    assert_true(fabs(wave_at(&wave, 300) - 10) < 1e-9);
    assert_true(fabs(wave_at(&wave, 800) - 15) < 1e-9);
    assert_true(fabs(wave_at(&wave, 0) - 17) < 1e-9);
}

static void random_values_fill_the_range_evenly_and_come_again(void **state)
{
    struct wave wave = wave_of(WAVE_RANDOM), other = wave;
    int tenths[10] = {0}, differs = 0;
    (void)state;
    other.seed = 8;
    for (int64_t ms = 0; ms < 10000; ms++) {
        double value = wave_at(&wave, ms);
        assert_true(value >= 10 && value <= 20);
        assert_true(value == wave_at(&wave, ms));
        differs += value != wave_at(&other, ms);
        tenths[value < 20 ? (int)(value - 10) : 9]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(tenths[i], 850, 1150);
    assert_true(differs > 9900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_is_its_low),
        cmocka_unit_test(a_sine_starts_at_its_mean_and_rises),
        cmocka_unit_test(a_triangle_starts_at_its_mean_and_rises),
        cmocka_unit_test(a_saw_starts_low_and_falls_at_its_end),
        cmocka_unit_test(a_square_is_low_for_the_first_half),
        cmocka_unit_test(waves_repeat_each_period),
        cmocka_unit_test(a_shift_starts_the_wave_later),
        cmocka_unit_test(random_values_fill_the_range_evenly_and_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
