#include "gateway/cli/alarms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINUTE 60000

static void add(struct alarms *alarms, uint32_t sensor, int64_t from_min, int64_t to_min)
{
    struct alarm alarm = {sensor, from_min * MINUTE, to_min * MINUTE};
    assert_int_equal(alarms_add(alarms, &alarm), 0);
}

static void what_comes_back_within_ten_minutes_is_a_flap(void **state)
{
    struct alarms alarms = {0};
    (void)state;
    add(&alarms, 1, 100, 110);
    add(&alarms, 2, 112, 113); /* another sensor */
    add(&alarms, 1, 119, 121);
    add(&alarms, 1, 131, 132); /* ten minutes later */
    alarms_sort(&alarms);
    assert_int_equal(alarms_flaps(&alarms), 1);
    assert_int_equal(alarms_episodes(&alarms), 3);
    alarms_clear(&alarms);
}

static void the_median_is_of_how_long_they_were_on(void **state)
{
    struct alarms alarms = {0};
    (void)state;
    assert_int_equal(alarms_median_ms(&alarms), 0);
    add(&alarms, 1, 0, 50);
    add(&alarms, 1, 100, 101);
    add(&alarms, 1, 200, 205);
    assert_int_equal(alarms_median_ms(&alarms), 5 * MINUTE);
    alarms_clear(&alarms);
}

static void an_episode_without_an_alarm_is_missed(void **state)
{
    struct alarms is = {0}, by = {0};
    (void)state;
    add(&is, 1, 0, 5);
    add(&is, 1, 100, 101);
    add(&is, 1, 103, 109); /* the same episode */
    add(&is, 1, 200, 201);
    add(&is, 2, 0, 5);
    alarms_sort(&is);
    assert_int_equal(alarms_missed(&is, &is), 0);
    assert_int_equal(alarms_missed(&is, &by), 4);
    add(&by, 1, 3, 4);
    add(&by, 1, 102, 103); /* between the two flaps */
    add(&by, 1, 202, 203); /* too late */
    add(&by, 2, 5, 9);
    alarms_sort(&by);
    assert_int_equal(alarms_missed(&is, &by), 1);
    alarms_clear(&is);
    alarms_clear(&by);
}

static void what_is_too_much_is_counted(void **state)
{
    struct alarms alarms = {0};
    (void)state;
    for (int i = 0; i < ALARMS_MAX + 3; i++)
        add(&alarms, 1, i, i);
    assert_int_equal(alarms.count, ALARMS_MAX);
    assert_int_equal(alarms.left_out, 3);
    alarms_clear(&alarms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_back_within_ten_minutes_is_a_flap),
        cmocka_unit_test(the_median_is_of_how_long_they_were_on),
        cmocka_unit_test(an_episode_without_an_alarm_is_missed),
        cmocka_unit_test(what_is_too_much_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
