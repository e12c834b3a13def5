#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/notify/pace.h"

#define MINUTE INT64_C(60000)

static void pauses_double_from_five_seconds_to_five_minutes(void **state)
{
    static const int64_t pauses_s[] = {5, 10, 20, 40, 80, 160, 300, 300};
    struct pace pace;

    (void)state;
    pace_init(&pace, 20);
    for (int i = 0; i < 8; i++) {
        pace_failed(&pace, 1000000, 0);
        assert_int_equal(pace.try_ms, 1000000 + pauses_s[i] * 1000);
    }
}

static void success_ends_the_pause_and_the_failure(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 20);
    assert_int_equal(pace.failing_ms, CLOCK_NEVER);
    pace_failed(&pace, 7000, 0);
    pace_failed(&pace, 9000, 0);
    assert_int_equal(pace.failing_ms, 7000);
    pace_worked(&pace);
    assert_int_equal(pace.failing_ms, CLOCK_NEVER);
    pace_failed(&pace, 20000, 0);
    assert_int_equal(pace.try_ms, 25000);
}

static void a_server_may_ask_for_a_longer_pause_but_not_for_any(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 20);
    pace_failed(&pace, 0, 90000);
    assert_int_equal(pace.try_ms, 90000);
    pace_failed(&pace, 0, 1);
    assert_int_equal(pace.try_ms, 10000);
    pace_failed(&pace, 0, INT32_MAX);
    assert_int_equal(pace.try_ms, 60 * MINUTE);
}

static void within_the_limit_texts_go_at_once(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pace_free_at(&pace, i * MINUTE, false), i * MINUTE);
        pace_sent(&pace, i * MINUTE);
    }
    assert_int_equal(pace_free_at(&pace, 3 * MINUTE, false), 60 * MINUTE);
    pace_sent(&pace, 60 * MINUTE);
    assert_int_equal(pace_free_at(&pace, 60 * MINUTE, false), 61 * MINUTE);
}

static void what_is_urgent_waits_a_minute_at_most(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 1);
    pace_sent(&pace, 5000);
    assert_int_equal(pace_free_at(&pace, 6000, true), 5000 + MINUTE);
    assert_int_equal(pace_free_at(&pace, 6000, false), 5000 + 60 * MINUTE);
    assert_int_equal(pace_free_at(&pace, 5000 + 2 * MINUTE, true), 5000 + 2 * MINUTE);
}

static void another_limit_starts_anew(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 1);
    pace_sent(&pace, 5000);
    pace_limit(&pace, PACE_PER_HOUR_MAX);
    for (int i = 0; i < PACE_PER_HOUR_MAX; i++) {
        assert_int_equal(pace_free_at(&pace, 6000, false), 6000);
        pace_sent(&pace, 6000);
    }
    assert_int_equal(pace_free_at(&pace, 6000, false), 6000 + 60 * MINUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_from_five_seconds_to_five_minutes),
        cmocka_unit_test(success_ends_the_pause_and_the_failure),
        cmocka_unit_test(a_server_may_ask_for_a_longer_pause_but_not_for_any),
        cmocka_unit_test(within_the_limit_texts_go_at_once),
        cmocka_unit_test(what_is_urgent_waits_a_minute_at_most),
        cmocka_unit_test(another_limit_starts_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
