#include "gateway/core/plausible.h"

#include "gateway/core/inventory_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

enum { PLAIN, RANGED, STEPPED, COUNTER, STEPPED_COUNTER, RANGED_STEPPED, N_SENSORS };

static const struct inventory_sensor sensors[N_SENSORS] = {
    [RANGED] = {.trust = &(const struct inventory_trust){-20, 120, 0}},
    [STEPPED] = {.trust = &(const struct inventory_trust){NAN, NAN, 10}},
    [COUNTER] = {.counter = true},
    [STEPPED_COUNTER] = {.counter = true, .trust = &(const struct inventory_trust){NAN, NAN, 100}},
    [RANGED_STEPPED] = {.trust = &(const struct inventory_trust){0, 1000, 10}},
};

static int open_sensors(void **state)
{
    struct inventory *inventory = inventory_new();
    inventory->sensors = sensors;
    inventory->n_sensors = N_SENSORS;
    *state = plausible_new(inventory);
    inventory_release(inventory);
    return *state ? 0 : -1;
}

static int close_sensors(void **state)
{
    plausible_free(*state);
    return 0;
}

static void expect(void **state, uint32_t sensor, double number, bool believed)
{
    struct reading reading = {.sensor = sensor, .kind = VALUE_NUMBER, .number = number};
    plausible_judge(*state, &reading);
    if (believed) {
        assert_int_equal(reading.quality, QUALITY_GOOD);
        assert_int_equal(reading.kind, VALUE_NUMBER);
        assert_true(reading.number == number);
    } else {
        assert_int_equal(reading.quality, QUALITY_IMPLAUSIBLE);
        assert_int_equal(reading.kind, VALUE_NONE);
    }
}

static void without_limits_everything_is_believed(void **state)
{
    expect(state, PLAIN, 0, true);
    expect(state, PLAIN, 1e300, true);
    expect(state, PLAIN, -1e300, true);
}

static void outside_its_range_a_value_is_implausible(void **state)
{
    expect(state, RANGED, -20, true);
    expect(state, RANGED, 120, true);
    expect(state, RANGED, 120.01, false);
    expect(state, RANGED, -20.01, false);
    for (int i = 0; i < 5; i++)
        expect(state, RANGED, 4000, false);
    expect(state, RANGED, 21, true);
}

static void a_first_value_is_believed_as_it_is(void **state)
{
    expect(state, STEPPED, 5000, true);
    expect(state, COUNTER, 5000, true);
}

static void a_step_is_measured_from_the_last_believed_value(void **state)
{
    expect(state, STEPPED, 100, true);
    expect(state, STEPPED, 110, true);
    expect(state, STEPPED, 100, true);
    expect(state, STEPPED, 110.5, false);
    expect(state, STEPPED, 105, true);
}

static void a_large_step_is_believed_when_three_readings_agree(void **state)
{
    expect(state, STEPPED, 20, true);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 85, true);
    expect(state, STEPPED, 86, true);
    expect(state, STEPPED, 20, false);
}

static void readings_that_differ_do_not_confirm_each_other(void **state)
{
    expect(state, STEPPED, 20, true);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 300, false);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 86, false);
    expect(state, STEPPED, 87, true);
}

static void a_good_value_in_between_starts_the_count_anew(void **state)
{
    expect(state, STEPPED, 20, true);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 21, true);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 85, true);
}

static void a_value_outside_the_range_in_between_starts_the_count_anew(void **state)
{
    expect(state, RANGED_STEPPED, 20, true);
    expect(state, RANGED_STEPPED, 85, false);
    expect(state, RANGED_STEPPED, 85, false);
    expect(state, RANGED_STEPPED, -1, false);
    expect(state, RANGED_STEPPED, 85, false);
    expect(state, RANGED_STEPPED, 85, false);
    expect(state, RANGED_STEPPED, 85, true);
}

static void a_counter_grows_by_any_step(void **state)
{
    expect(state, COUNTER, 10, true);
    expect(state, COUNTER, 10, true);
    expect(state, COUNTER, 1e9, true);
}

static void a_glitch_of_a_counter_is_never_seen(void **state)
{
    expect(state, COUNTER, 1000, true);
    expect(state, COUNTER, 0, false);
    expect(state, COUNTER, 1001, true);
    expect(state, COUNTER, 0, false);
    expect(state, COUNTER, 0, false);
    expect(state, COUNTER, 1002, true);
}

static void a_reset_of_a_counter_confirms_itself(void **state)
{
    expect(state, COUNTER, 1000, true);
    expect(state, COUNTER, 1, false);
    expect(state, COUNTER, 3, false);
    expect(state, COUNTER, 7, true);
    expect(state, COUNTER, 8, true);
    expect(state, COUNTER, 7, false);
}

static void a_counter_that_goes_on_falling_is_no_reset(void **state)
{
    expect(state, COUNTER, 1000, true);
    for (int i = 0; i < 10; i++)
        expect(state, COUNTER, 900 - i, false);
}

static void a_counter_may_have_a_largest_step_too(void **state)
{
    expect(state, STEPPED_COUNTER, 1000, true);
    expect(state, STEPPED_COUNTER, 1100, true);
    expect(state, STEPPED_COUNTER, 70000, false);
    expect(state, STEPPED_COUNTER, 1150, true);
}

static void bad_readings_and_texts_are_left_alone(void **state)
{
    struct reading bad = {.sensor = STEPPED, .quality = QUALITY_CRC};
    struct reading text = {.sensor = RANGED, .kind = VALUE_TEXT, .text = 4000};
    plausible_judge(*state, &bad);
    assert_int_equal(bad.quality, QUALITY_CRC);
    plausible_judge(*state, &text);
    assert_int_equal(text.kind, VALUE_TEXT);
    assert_int_equal(text.quality, QUALITY_GOOD);
    assert_int_equal(text.text, 4000);
}

static void sensors_are_judged_each_by_itself(void **state)
{
    expect(state, STEPPED, 20, true);
    expect(state, STEPPED_COUNTER, 500, true);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED_COUNTER, 501, true);
    expect(state, STEPPED, 85, false);
    expect(state, STEPPED, 85, true);
}

#define PLAUSIBLE_TEST(name) cmocka_unit_test_setup_teardown(name, open_sensors, close_sensors)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAUSIBLE_TEST(without_limits_everything_is_believed),
        PLAUSIBLE_TEST(outside_its_range_a_value_is_implausible),
        PLAUSIBLE_TEST(a_first_value_is_believed_as_it_is),
        PLAUSIBLE_TEST(a_step_is_measured_from_the_last_believed_value),
        PLAUSIBLE_TEST(a_large_step_is_believed_when_three_readings_agree),
        PLAUSIBLE_TEST(readings_that_differ_do_not_confirm_each_other),
        PLAUSIBLE_TEST(a_good_value_in_between_starts_the_count_anew),
        PLAUSIBLE_TEST(a_value_outside_the_range_in_between_starts_the_count_anew),
        PLAUSIBLE_TEST(a_counter_grows_by_any_step),
        PLAUSIBLE_TEST(a_glitch_of_a_counter_is_never_seen),
        PLAUSIBLE_TEST(a_reset_of_a_counter_confirms_itself),
        PLAUSIBLE_TEST(a_counter_that_goes_on_falling_is_no_reset),
        PLAUSIBLE_TEST(a_counter_may_have_a_largest_step_too),
        PLAUSIBLE_TEST(bad_readings_and_texts_are_left_alone),
        PLAUSIBLE_TEST(sensors_are_judged_each_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
