#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/notify/quiet.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int64_t at(int month, int day, int hour, int minute)
{
    struct tm tm = {.tm_year = 126,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_isdst = -1};

    return (int64_t)mktime(&tm) * 1000;
}

static int setup(void **state)
{
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    return 0;
}

static void assert_quiet_until(const char *text, int64_t now_ms, int64_t end_ms)
{
    struct quiet quiet;
    int64_t found_ms = 0;

    assert_int_equal(quiet_parse(text, &quiet), 0);
    assert_true(quiet_is(&quiet, now_ms, &found_ms));
    assert_int_equal(found_ms, end_ms);
}

static void assert_loud(const char *text, int64_t now_ms)
{
    struct quiet quiet;
    int64_t end_ms = -1;

    assert_int_equal(quiet_parse(text, &quiet), 0);
    assert_false(quiet_is(&quiet, now_ms, &end_ms));
    assert_int_equal(end_ms, -1);
}

static void a_night_ends_in_the_morning(void **state)
{
    (void)state;
    assert_quiet_until("22:00-07:00", at(11, 21, 22, 0), at(11, 22, 7, 0));
    assert_quiet_until("22:00-07:00", at(11, 22, 6, 59), at(11, 22, 7, 0));
    assert_quiet_until("22:00-07:00", at(12, 31, 23, 30), at(12, 31, 31, 0));
    assert_loud("22:00-07:00", at(11, 22, 7, 0));
    assert_loud("22:00-07:00", at(11, 22, 21, 59));
}

static void a_siesta_ends_on_the_same_day(void **state)
{
    (void)state;
    assert_quiet_until("13:00-15:30", at(11, 21, 14, 0), at(11, 21, 15, 30));
    assert_loud("13:00-15:30", at(11, 21, 15, 30));
    assert_loud("13:00-15:30", at(11, 21, 12, 59));
}

static void it_ends_by_the_clock_on_the_wall_when_that_is_put_back(void **state)
{
    (void)state;
    assert_quiet_until("22:00-07:00", at(10, 24, 22, 0), at(10, 25, 7, 0));
    assert_int_equal(at(10, 25, 7, 0) - at(10, 24, 22, 0), 10 * 3600000);
}

static void nothing_written_is_never_quiet(void **state)
{
    struct quiet none = {0, 0};
    int64_t end_ms;

    (void)state;
    assert_false(quiet_is(&none, at(11, 21, 0, 0), &end_ms));
}

static void what_is_no_pair_of_times_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "22-7",
                                        "22:00-24:00",
                                        "22:60-07:00",
                                        "22:00-22:00",
                                        "22:00 07:00",
                                        "+2:00-07:00",
                                        "22:00-07:00 ",
                                        " 2:00-07:00",
                                        "22:00-7:00"};
    struct quiet quiet;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(quiet_parse(wrong[i], &quiet), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_night_ends_in_the_morning),
        cmocka_unit_test(a_siesta_ends_on_the_same_day),
        cmocka_unit_test(it_ends_by_the_clock_on_the_wall_when_that_is_put_back),
        cmocka_unit_test(nothing_written_is_never_quiet),
        cmocka_unit_test(what_is_no_pair_of_times_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
