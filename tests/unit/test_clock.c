#include "gateway/base/clock.h"

#include "tests/unit/made_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* Clocks that differ by `ahead_ns` from the system's, and a thread that must wait after a look at
 * one of them, as often as `waits` says. */
static int64_t ahead_ns, waits, waited_ns;

/* Where time_t has 64 bits beside an ABI with 32, the call has another name. */
#if __TIMESIZE == 32
#define real_clock_gettime __real___clock_gettime64
#define made_clock_gettime __wrap___clock_gettime64
#else
#define real_clock_gettime __real_clock_gettime
#define made_clock_gettime __wrap_clock_gettime
#endif

int real_clock_gettime(clockid_t id, struct timespec *ret);
int made_clock_gettime(clockid_t id, struct timespec *ret);

int made_clock_gettime(clockid_t id, struct timespec *ret)
{
    int r = real_clock_gettime(id, ret);
    int64_t ns = (int64_t)ret->tv_sec * 1000000000 + ret->tv_nsec + waited_ns;

    ns += id == CLOCK_REALTIME ? ahead_ns : 0;
    ret->tv_sec = (time_t)(ns / 1000000000);
    ret->tv_nsec = (long)(ns % 1000000000);
    if (waits > 0) {
        waits--;
        waited_ns += 7000000;
    }
    return r;
}

/* 2026-11-21T13:02:05.123Z */
#define WALL_MS INT64_C(1795266125123)

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static int back_to_system(void **state)
{
    (void)state;
    clock_use_system();
    return 0;
}

static void boot_time_never_goes_back(void **state)
{
    int64_t before_us = clock_boot_us();
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now_us = clock_boot_us();
        assert_true(now_us >= before_us);
        before_us = now_us;
    }
}

static void milliseconds_and_microseconds_are_of_one_clock(void **state)
{
    int64_t before_us = clock_boot_us(), ms = clock_boot_ms(), after_us = clock_boot_us();
    (void)state;
    assert_in_range(ms, before_us / 1000, after_us / 1000);
}

static void a_fixed_clock_stands_still_until_it_is_turned(void **state)
{
    (void)state;
    clock_use_fixed(5000, 0);
    assert_int_equal(clock_boot_ms(), 5000);
    assert_int_equal(clock_boot_us(), 5000000);
    clock_use_fixed(5001, 0);
    assert_int_equal(clock_boot_ms(), 5001);
}

static void wall_time_is_boot_time_and_the_offset(void **state)
{
    (void)state;
    clock_use_fixed(1000, WALL_MS - 1000);
    assert_int_equal(clock_wall_ms(1000), WALL_MS);
    assert_int_equal(clock_wall_ms(0), WALL_MS - 1000);
    assert_true(clock_wall_is_good());
}

/* The only test that asks about the system's clock: the answer stays once it is yes. */
static void a_file_can_say_that_the_wall_clock_is_good(void **state)
{
    struct files files;
    char path[FILES_PATH_MAX], text[CLOCK_TEXT_SIZE];
    (void)state;
    files_init(&files);
    setenv(CLOCK_FILE_VARIABLE, files_path(&files, "synchronised", path), 1);
    assert_false(clock_wall_is_good());
    assert_string_equal(clock_text(clock_boot_ms(), text), "");
    files_put(&files, "synchronised", "");
    assert_true(clock_wall_is_good());
    assert_int_equal(strlen(clock_text(clock_boot_ms(), text)), CLOCK_TEXT_SIZE - 3);
    files_remove(&files, "");
    assert_true(clock_wall_is_good());
}

static void wall_time_of_the_system_is_that_of_time(void **state)
{
    int64_t before_ms = (int64_t)time(NULL) * 1000, wall_ms = clock_wall_ms(clock_boot_ms());
    (void)state;
    assert_true(wall_ms >= before_ms - 1000 && wall_ms <= before_ms + 60000);
}

static void a_moment_has_one_wall_time_however_long_the_look_at_the_clocks_took(void **state)
{
    int64_t wall_ms = clock_wall_ms(0);
    (void)state;
    for (int i = 1; i < 7; i++) {
        waits = i;
        assert_int_equal(clock_wall_ms(0), wall_ms);
    }
    waits = 0;
}

static void a_wall_clock_that_runs_a_little_faster_moves_nothing_at_once(void **state)
{
    int64_t wall_ms = clock_wall_ms(0);
    (void)state;
    for (; ahead_ns < 800000; ahead_ns += 50000)
        assert_int_equal(clock_wall_ms(0), wall_ms);
    ahead_ns = 3200000;
    assert_in_range(clock_wall_ms(0), wall_ms + 2, wall_ms + 4);
    ahead_ns = INT64_C(3600000000000);
    assert_in_range(clock_wall_ms(0), wall_ms + 3599999, wall_ms + 3600001);
    ahead_ns = 0;
    assert_in_range(clock_wall_ms(0), wall_ms - 1, wall_ms + 1);
}

static void a_stamp_has_milliseconds_and_the_local_zone(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    (void)state;
    clock_use_fixed(0, WALL_MS);
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_string_equal(clock_text(0, text), "2026-11-21T14:02:05.123+01:00");
    use_zone("UTC0");
    assert_string_equal(clock_text(0, text), "2026-11-21T13:02:05.123+00:00");
    use_zone("NST3:30");
    assert_string_equal(clock_text(0, text), "2026-11-21T09:32:05.123-03:30");
    use_zone("IST-5:30");
    assert_string_equal(clock_text(0, text), "2026-11-21T18:32:05.123+05:30");
}

static void a_stamp_follows_summer_time(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    (void)state;
    clock_use_fixed(0, INT64_C(1782046800007)); /* 2026-06-21T13:00:00.007Z */
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_string_equal(clock_text(0, text), "2026-06-21T15:00:00.007+02:00");
}

static void a_time_of_today_is_short_and_another_has_its_day(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    (void)state;
    use_zone("UTC0");
    clock_use_fixed(INT64_C(86400000) * 40, WALL_MS - INT64_C(86400000) * 40);
    assert_string_equal(clock_text_short(clock_boot_ms(), text), "13:02");
    assert_string_equal(clock_text_short(clock_boot_ms() - 86400000, text), "20 Nov 13:02");
    assert_string_equal(clock_text_short(clock_boot_ms() - INT64_C(86400000) * 20, text),
                        " 1 Nov 13:02");
}

static void the_same_day_of_another_year_is_not_today(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t year_ms = INT64_C(86400000) * 365;
    (void)state;
    use_zone("UTC0");
    clock_use_fixed(year_ms, WALL_MS - year_ms);
    assert_string_equal(clock_text_short(0, text), "21 Nov 13:02");
}

static int64_t until_ms(struct timespec at)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)at.tv_sec - now.tv_sec) * 1000 + (at.tv_nsec - now.tv_nsec) / 1000000;
}

static void a_wait_for_a_passed_time_ends_now(void **state)
{
    (void)state;
    assert_true(until_ms(clock_monotonic_at(clock_boot_ms() - 5000)) <= 0);
    assert_true(until_ms(clock_monotonic_at(0)) > -1000);
}

static void a_wait_is_as_long_as_asked(void **state)
{
    int64_t wait_ms = until_ms(clock_monotonic_at(clock_boot_ms() + 10000));
    (void)state;
    assert_in_range(wait_ms, 9000, 10001);
}

static void no_wait_is_longer_than_an_hour(void **state)
{
    (void)state;
    assert_in_range(until_ms(clock_monotonic_at(CLOCK_NEVER)), 3590000, 3600001);
    assert_in_range(until_ms(clock_monotonic_at(clock_boot_ms() + INT64_C(86400000))), 3590000,
                    3600001);
}

static void this_boot_has_a_name(void **state)
{
    (void)state;
    assert_true(strlen(clock_boot_id()) > 10);
    assert_ptr_equal(clock_boot_id(), clock_boot_id());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(boot_time_never_goes_back, back_to_system),
        cmocka_unit_test_teardown(milliseconds_and_microseconds_are_of_one_clock, back_to_system),
        cmocka_unit_test_teardown(a_fixed_clock_stands_still_until_it_is_turned, back_to_system),
        cmocka_unit_test_teardown(wall_time_is_boot_time_and_the_offset, back_to_system),
        cmocka_unit_test_teardown(a_file_can_say_that_the_wall_clock_is_good, back_to_system),
        cmocka_unit_test_teardown(wall_time_of_the_system_is_that_of_time, back_to_system),
        cmocka_unit_test(a_moment_has_one_wall_time_however_long_the_look_at_the_clocks_took),
        cmocka_unit_test(a_wall_clock_that_runs_a_little_faster_moves_nothing_at_once),
        cmocka_unit_test_teardown(a_stamp_has_milliseconds_and_the_local_zone, back_to_system),
        cmocka_unit_test_teardown(a_stamp_follows_summer_time, back_to_system),
        cmocka_unit_test_teardown(a_time_of_today_is_short_and_another_has_its_day, back_to_system),
        cmocka_unit_test_teardown(the_same_day_of_another_year_is_not_today, back_to_system),
        cmocka_unit_test_teardown(a_wait_for_a_passed_time_ends_now, back_to_system),
        cmocka_unit_test_teardown(a_wait_is_as_long_as_asked, back_to_system),
        cmocka_unit_test_teardown(no_wait_is_longer_than_an_hour, back_to_system),
        cmocka_unit_test_teardown(this_boot_has_a_name, back_to_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
