#include "adapters/modbus/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void without_pauses_a_request_may_go_at_any_time(void **state)
{
    const struct mb_bus_options options = {0};
    struct mb_pace pace = {.ended_ms = 5000};

    (void)state;
    mb_pace_up(&pace, 4000);
    assert_int_equal(mb_pace_ready_ms(&pace, &options, 1), 0);
}

static void the_first_request_waits_for_the_pause_after_connect(void **state)
{
    const struct mb_bus_options options = {.pause_connect_ms = 300, .pause_units_ms = 50};
    struct mb_pace pace = {.ended_ms = 5000, .last_unit = 7};

    (void)state;
    mb_pace_up(&pace, 4000);
    assert_int_equal(mb_pace_ready_ms(&pace, &options, 1), 4300);
}

static void another_unit_waits_longer_than_the_same(void **state)
{
    const struct mb_bus_options options = {.pause_requests_ms = 5, .pause_units_ms = 50};
    struct mb_pace pace = {.up_ms = 1, .ended_ms = 5000, .last_unit = 7};

    (void)state;
    assert_int_equal(mb_pace_ready_ms(&pace, &options, 7), 5005);
    assert_int_equal(mb_pace_ready_ms(&pace, &options, 8), 5050);
}

static void attempts_come_soon_at_first_and_each_minute_in_the_end(void **state)
{
    struct mb_pace pace = {.random = 1};
    int64_t until_third = 0, pause = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        until_third += mb_pace_retry_ms(&pace);
    assert_in_range(until_third, 2800, 4200);
    for (int i = 0; i < 20; i++)
        pause = mb_pace_retry_ms(&pace);
    assert_in_range(pause, 48000, 72000);
}

static void two_connections_do_not_come_back_in_one_instant(void **state)
{
    struct mb_pace a = {.random = 1}, b = {.random = 2};

    (void)state;
    assert_int_not_equal(mb_pace_retry_ms(&a), mb_pace_retry_ms(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_pauses_a_request_may_go_at_any_time),
        cmocka_unit_test(the_first_request_waits_for_the_pause_after_connect),
        cmocka_unit_test(another_unit_waits_longer_than_the_same),
        cmocka_unit_test(attempts_come_soon_at_first_and_each_minute_in_the_end),
        cmocka_unit_test(two_connections_do_not_come_back_in_one_instant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
