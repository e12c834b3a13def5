#include "rules/absence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_was_never_away_was_there_all_the_time(void **state)
{
    struct absence absence = {0};
    (void)state;
    assert_int_equal(absence_ms(&absence, 0, 1000), 0);
    assert_false(absence_is_on(&absence, 1000));
    absence_end(&absence, 500);
    assert_int_equal(absence_ms(&absence, 0, 1000), 0);
}

static void only_the_part_inside_counts(void **state)
{
    struct absence absence = {0};
    (void)state;
    absence_begin(&absence, 100);
    absence_end(&absence, 300);
    assert_int_equal(absence_ms(&absence, 0, 1000), 200);
    assert_int_equal(absence_ms(&absence, 150, 1000), 150);
    assert_int_equal(absence_ms(&absence, 150, 250), 100);
    assert_int_equal(absence_ms(&absence, 300, 1000), 0);
}

static void one_that_lasts_grows(void **state)
{
    struct absence absence = {0};
    (void)state;
    absence_begin(&absence, 100);
    assert_int_equal(absence_ms(&absence, 0, 100), 0);
    assert_int_equal(absence_ms(&absence, 0, 400), 300);
    assert_true(absence_is_on(&absence, 100));
}

static void one_that_is_to_come_may_still_be_called_off(void **state)
{
    struct absence absence = {0};
    (void)state;
    absence_begin(&absence, 500);
    assert_false(absence_is_on(&absence, 499));
    absence_end(&absence, 500);
    assert_int_equal(absence_ms(&absence, 0, 1000), 0);
}

static void a_second_beginning_says_nothing_new(void **state)
{
    struct absence absence = {0};
    (void)state;
    absence_begin(&absence, 100);
    absence_begin(&absence, 200);
    absence_end(&absence, 300);
    assert_int_equal(absence_ms(&absence, 0, 1000), 200);
}

static void too_many_become_longer_ones(void **state)
{
    struct absence absence = {0};
    (void)state;
    for (int64_t i = 0; i < ABSENCES_MAX + 4; i++) {
        absence_begin(&absence, i * 100);
        absence_end(&absence, i * 100 + 10);
    }
    assert_int_equal(absence.n, ABSENCES_MAX);
    assert_int_equal(absence_ms(&absence, 0, 10000), 410 + (ABSENCES_MAX - 1) * 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_never_away_was_there_all_the_time),
        cmocka_unit_test(only_the_part_inside_counts),
        cmocka_unit_test(one_that_lasts_grows),
        cmocka_unit_test(one_that_is_to_come_may_still_be_called_off),
        cmocka_unit_test(a_second_beginning_says_nothing_new),
        cmocka_unit_test(too_many_become_longer_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
