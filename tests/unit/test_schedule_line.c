/* What the devices of one line have to do with each other. */
#include "tests/unit/schedule_devices.h"

#define MAX_ROUNDS 1000000

/* Runs `n` devices of one line that never answer for an hour, each probe costing the line
 * `cost_ms`; returns the share of its time that they took. */
static double share_of_dead(uint32_t n, int64_t cost_ms)
{
    struct schedule *schedule = devices(n, EVERY_MS, 0);
    int64_t at_ms = START_MS, spent_ms = 0;
    for (uint32_t i = 0; i < n; i++)
        schedule_share(schedule, i, 0);
    for (int round = 0; at_ms < START_MS + HOUR_MS; round++) {
        uint32_t i;
        int64_t due_ms = schedule_next_ms(schedule);
        at_ms = due_ms > at_ms ? due_ms : at_ms;
        assert_true(round < MAX_ROUNDS && schedule_take(schedule, at_ms, &i));
        at_ms += cost_ms; /* one after another: it is one line */
        spent_ms += cost_ms;
        schedule_cost(schedule, i, cost_ms);
        schedule_end(schedule, i, QUALITY_TIMEOUT, at_ms);
    }
    schedule_free(schedule);
    return (double)spent_ms / HOUR_MS;
}

static void all_dead_devices_of_a_line_together_take_less_than_a_tenth_of_it(void **state)
{
    (void)state;
    assert_true(share_of_dead(1, 1000) < 0.03);
    assert_true(share_of_dead(2, 1000) < 0.05);
    assert_true(share_of_dead(30, 1000) < 0.1 && share_of_dead(30, 1000) > 0.07);
    assert_true(share_of_dead(200, 1000) < 0.15); /* a minute of it was the first poll of each */
    assert_true(share_of_dead(30, 60) < 0.1);
}

static void when_one_device_of_a_line_finds_it_down_the_others_are_asked_at_once(void **state)
{
    struct schedule *schedule = devices(4, HOUR_MS, 0);
    uint32_t i;
    int64_t at_ms = START_MS;
    (void)state;
    for (uint32_t k = 0; k < 3; k++)
        schedule_share(schedule, k, 0); /* the last one is alone */
    for (int k = 0; k < 4; k++) {
        at_ms = take(schedule, &i);
        schedule_end(schedule, i, QUALITY_GOOD, at_ms);
    }
    schedule_hurry(schedule, 1, at_ms);
    assert_true(schedule_take(schedule, at_ms, &i));
    assert_int_equal(schedule_end(schedule, i, QUALITY_DISCONNECTED, at_ms).change, SCHEDULE_WENT);
    assert_int_equal(schedule_doubt(schedule, 1, at_ms), 2);
    assert_true(schedule_take(schedule, at_ms, &i) && i != 1 && i != 3);
    schedule_end(schedule, i, QUALITY_DISCONNECTED, at_ms);
    assert_int_equal(schedule_doubt(schedule, i, at_ms), 1);
    assert_true(schedule_take(schedule, at_ms, &i) && i != 1 && i != 3);
    schedule_end(schedule, i, QUALITY_GOOD, at_ms);
    assert_false(schedule_take(schedule, at_ms, &i));
    assert_int_equal(schedule_doubt(schedule, 3, at_ms), 0);
    schedule_free(schedule);
}

static void one_that_is_away_already_is_asked_and_told_of_too(void **state)
{
    struct schedule *schedule = devices(2, HOUR_MS, 0);
    struct schedule_end end;
    uint32_t i;
    int64_t at_ms;
    (void)state;
    schedule_share(schedule, 0, 0);
    schedule_share(schedule, 1, 0);
    at_ms = take(schedule, &i);
    assert_int_equal(schedule_end(schedule, i, QUALITY_TIMEOUT, at_ms).change, SCHEDULE_WENT);
    at_ms = take(schedule, &i);
    assert_int_equal(schedule_end(schedule, i, QUALITY_DISCONNECTED, at_ms).change, SCHEDULE_WENT);
    assert_int_equal(schedule_doubt(schedule, i, at_ms), 1);
    assert_true(schedule_take(schedule, at_ms, &i));
    end = schedule_end(schedule, i, QUALITY_DISCONNECTED, at_ms);
    assert_int_equal(end.change, SCHEDULE_STAYS);
    assert_int_equal(schedule_doubt(schedule, i, at_ms), 0);
    schedule_hurry(schedule, i, at_ms);
    assert_true(schedule_take(schedule, at_ms, &i));
    assert_int_equal(schedule_end(schedule, i, QUALITY_DISCONNECTED, at_ms).change, SCHEDULE_SAME);
    schedule_hurry(schedule, i, at_ms);
    assert_true(schedule_take(schedule, at_ms, &i));
    assert_int_equal(schedule_end(schedule, i, QUALITY_TIMEOUT, at_ms).change, SCHEDULE_STAYS);
    schedule_free(schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_dead_devices_of_a_line_together_take_less_than_a_tenth_of_it),
        cmocka_unit_test(when_one_device_of_a_line_finds_it_down_the_others_are_asked_at_once),
        cmocka_unit_test(one_that_is_away_already_is_asked_and_told_of_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
