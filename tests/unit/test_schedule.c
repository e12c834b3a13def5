#include "tests/unit/schedule_devices.h"

#include <stdlib.h>

#define GRID_MS    20
#define ANSWER_MS  10
#define MAX_ROUNDS 1000000

/* One poll of the only device, which ends ANSWER_MS later; returns when it began. */
static int64_t poll_once(struct schedule *schedule, uint8_t quality, struct schedule_end *ret_end)
{
    uint32_t i;
    int64_t at_ms = take(schedule, &i);
    *ret_end = schedule_end(schedule, i, quality, at_ms + ANSWER_MS);
    return at_ms;
}

/* -- due times ----------------------------------------------------------------------------------
 */

static void nothing_is_due_before_a_device_joins(void **state)
{
    struct schedule *schedule = schedule_new(3, 1);
    uint32_t i;
    (void)state;
    assert_true(schedule_next_ms(schedule) == CLOCK_NEVER);
    assert_false(schedule_take(schedule, INT64_MAX - 1, &i));
    schedule_free(schedule);
    schedule_free(NULL);
}

static void a_schedule_of_no_devices_is_legal(void **state)
{
    struct schedule *schedule = schedule_new(0, 0);
    (void)state;
    assert_non_null(schedule);
    assert_true(schedule_next_ms(schedule) == CLOCK_NEVER);
    schedule_free(schedule);
}

static void first_polls_come_within(int64_t every_ms, int64_t grid_ms, int64_t within_ms)
{
    enum { N = 100 };
    struct schedule *schedule = devices(N, every_ms, grid_ms);
    uint32_t i;
    for (int k = 0; k < N; k++)
        assert_in_range(take(schedule, &i), START_MS, START_MS + within_ms + grid_ms);
    assert_true(schedule_next_ms(schedule) == CLOCK_NEVER);
    schedule_free(schedule);
}

static void all_first_polls_come_within_the_interval_or_two_seconds(void **state)
{
    (void)state;
    first_polls_come_within(100, 0, 100);
    first_polls_come_within(1000, 0, 1000);
    first_polls_come_within(1000, GRID_MS, 1000);
    first_polls_come_within(10000, 0, 2000);
    first_polls_come_within(HOUR_MS, GRID_MS, 2000);
    first_polls_come_within(0, 0, 2000);
}

static void devices_of_one_place_are_due_at_one_time(void **state)
{
    struct schedule *schedule = schedule_new(4, 1);
    uint32_t i;
    int64_t at_ms;
    (void)state;
    for (uint32_t d = 0; d < 4; d++)
        schedule_add(schedule, d, d < 3 ? 1 : d, EVERY_MS, 0, START_MS);
    for (int round = 0; round < 3; round++) {
        at_ms = take(schedule, &i);
        assert_true(schedule_take(schedule, at_ms, &i) && schedule_take(schedule, at_ms, &i));
        assert_false(schedule_take(schedule, at_ms, &i));
        for (uint32_t d = 0; d < 3; d++)
            schedule_end(schedule, d, QUALITY_GOOD, at_ms + ANSWER_MS);
        assert_true(take(schedule, &i) > at_ms && i == 3);
        schedule_end(schedule, 3, QUALITY_GOOD, at_ms + EVERY_MS / 2);
    }
    schedule_free(schedule);
}

static void phases_are_spread_over_the_interval(void **state)
{
    enum { N = 1000 };
    struct schedule *schedule = devices(N, EVERY_MS, 0);
    int polls[EVERY_MS] = {0};
    uint32_t i;
    (void)state;
    for (int k = 0; k < N; k++)
        polls[take(schedule, &i) - START_MS]++;
    for (int ms = 0; ms < EVERY_MS; ms++)
        assert_in_range(polls[ms], 0, 2);
    schedule_free(schedule);
}

static void phases_of_long_intervals_are_spread_after_the_first_poll(void **state)
{
    enum { N = 100 };
    struct schedule *schedule = devices(N, 100000, 0);
    int polls[100] = {0};
    uint32_t i;
    (void)state;
    for (int k = 0; k < 2 * N; k++) {
        int64_t at_ms = take(schedule, &i);
        schedule_end(schedule, i, QUALITY_GOOD, at_ms + 1);
        if (k >= N)
            polls[(at_ms - START_MS) / 1000 % 100]++;
    }
    for (int s = 0; s < 100; s++)
        assert_in_range(polls[s], 0, 2);
    schedule_free(schedule);
}

/* Polls with answers of all lengths up to `most_ms` for hours: every device comes exactly each
 * interval. */
static void keeps_raster(uint32_t n, int64_t every_ms, int64_t grid_ms, int64_t most_ms)
{
    struct schedule *schedule = devices(n, every_ms, grid_ms);
    int64_t *last_ms = calloc(n, sizeof(*last_ms)), now_ms = START_MS;
    int *polls = calloc(n, sizeof(*polls)), rounds = 0;
    unsigned random = 1;
    while (now_ms < START_MS + 5 * HOUR_MS && rounds++ < MAX_ROUNDS) {
        uint32_t i;
        now_ms = take(schedule, &i);
        if (polls[i] > 1)
            assert_int_equal(now_ms - last_ms[i], every_ms);
        if (grid_ms > 0)
            assert_int_equal(now_ms % grid_ms, 0);
        last_ms[i] = now_ms;
        polls[i]++;
        random = random * 1103515245 + 12345;
        schedule_end(schedule, i, QUALITY_GOOD, now_ms + 1 + (int64_t)(random >> 8) % most_ms);
    }
    assert_true(polls[0] > 2);
    assert_int_equal(schedule_counts(schedule).late, 0);
    assert_int_equal(schedule_counts(schedule).lost, 0);
    free(last_ms);
    free(polls);
    schedule_free(schedule);
}

static void the_raster_is_kept_over_hours(void **state)
{
    (void)state;
    keeps_raster(1, 1000, 0, 900);
    keeps_raster(7, 1000, GRID_MS, 900);
    keeps_raster(3, 777, 0, 500);
}

static void the_raster_of_a_long_interval_is_kept_and_its_first_poll_is_not_late(void **state)
{
    (void)state;
    keeps_raster(1, 10000, 0, 900);
    keeps_raster(1, 10000, GRID_MS, 900);
    keeps_raster(1, HOUR_MS, 0, 900);
}

static void an_interval_off_the_grid_keeps_its_own_raster(void **state)
{
    struct schedule *schedule = devices(1, 1010, GRID_MS);
    struct schedule_end end;
    int64_t first_ms = poll_once(schedule, QUALITY_GOOD, &end);
    (void)state;
    for (int k = 1; k < 100; k++)
        assert_int_equal(poll_once(schedule, QUALITY_GOOD, &end), first_ms + k * 1010);
    schedule_free(schedule);
}

static void what_is_under_way_is_not_taken_again(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    uint32_t i;
    (void)state;
    take(schedule, &i);
    assert_true(schedule_next_ms(schedule) == CLOCK_NEVER);
    assert_false(schedule_take(schedule, START_MS + HOUR_MS, &i));
    schedule_free(schedule);
}

static void due_times_that_pass_during_a_poll_are_counted_and_not_made_up_for(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    uint32_t i;
    int64_t first_ms = take(schedule, &i);
    (void)state;
    schedule_end(schedule, i, QUALITY_GOOD, first_ms + 3500);
    assert_int_equal(schedule_counts(schedule).late, 3);
    assert_int_equal(take(schedule, &i), first_ms + 4000);
    schedule_end(schedule, i, QUALITY_GOOD, first_ms + 4010);
    assert_int_equal(take(schedule, &i), first_ms + 5000);
    assert_int_equal(schedule_counts(schedule).late, 3);
    schedule_free(schedule);
}

static void a_poll_that_is_taken_late_does_not_move_the_raster(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    uint32_t i;
    int64_t first_ms = take(schedule, &i);
    (void)state;
    schedule_end(schedule, i, QUALITY_GOOD, first_ms + 5);
    assert_true(schedule_take(schedule, first_ms + 1300, &i));
    schedule_end(schedule, i, QUALITY_GOOD, first_ms + 1305);
    assert_int_equal(schedule_next_ms(schedule), first_ms + 2000);
    schedule_free(schedule);
}

static void without_an_interval_a_device_is_due_when_it_has_answered(void **state)
{
    struct schedule *schedule = devices(1, 0, GRID_MS);
    uint32_t i;
    int64_t now_ms = take(schedule, &i);
    (void)state;
    for (int k = 0; k < 1000; k++) {
        schedule_end(schedule, i, QUALITY_GOOD, now_ms += 3);
        assert_int_equal(take(schedule, &i), now_ms);
    }
    assert_int_equal(schedule_counts(schedule).late, 0);
    schedule_free(schedule);
}

/* -- away and back ------------------------------------------------------------------------------
 */

static void the_first_good_poll_says_that_a_device_came(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    (void)state;
    poll_once(schedule, QUALITY_GOOD, &end);
    assert_int_equal(end.change, SCHEDULE_CAME);
    assert_int_equal(end.away_ms, 0);
    assert_int_equal(end.lost, 0);
    assert_int_equal(schedule_counts(schedule).online, 1);
    poll_once(schedule, QUALITY_GOOD, &end);
    assert_int_equal(end.change, SCHEDULE_SAME);
    schedule_free(schedule);
}

static void a_device_is_away_after_three_failures_in_a_row(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    (void)state;
    poll_once(schedule, QUALITY_GOOD, &end);
    for (int round = 0; round < 3; round++) {
        poll_once(schedule, QUALITY_TIMEOUT, &end);
        assert_int_equal(end.change, SCHEDULE_SAME);
        poll_once(schedule, QUALITY_CRC, &end);
        assert_int_equal(end.change, SCHEDULE_SAME);
        if (round < 2)
            poll_once(schedule, QUALITY_GOOD, &end);
    }
    assert_int_equal(schedule_counts(schedule).online, 1);
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    assert_int_equal(end.change, SCHEDULE_WENT);
    assert_int_equal(schedule_counts(schedule).online, 0);
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    assert_int_equal(end.change, SCHEDULE_SAME);
    schedule_free(schedule);
}

static void a_failure_that_is_no_absence_keeps_the_raster(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    int64_t first_ms = poll_once(schedule, QUALITY_GOOD, &end);
    (void)state;
    assert_int_equal(poll_once(schedule, QUALITY_TIMEOUT, &end), first_ms + 1000);
    assert_int_equal(poll_once(schedule, QUALITY_TIMEOUT, &end), first_ms + 2000);
    assert_int_equal(poll_once(schedule, QUALITY_GOOD, &end), first_ms + 3000);
    assert_int_equal(schedule_counts(schedule).lost, 0);
    schedule_free(schedule);
}

static void a_device_that_never_answered_is_away_at_once(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    (void)state;
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    assert_int_equal(end.change, SCHEDULE_WENT);
    assert_int_equal(schedule_counts(schedule).online, 0);
    schedule_free(schedule);
}

static void a_device_whose_connection_is_down_is_away_at_once(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    (void)state;
    poll_once(schedule, QUALITY_GOOD, &end);
    poll_once(schedule, QUALITY_DISCONNECTED, &end);
    assert_int_equal(end.change, SCHEDULE_WENT);
    assert_int_equal(schedule_counts(schedule).online, 0);
    schedule_free(schedule);
}

/* Fails on and on; the n-th pause is `first_ms` doubled n times, at most `most_ms`, +-20 %. */
static void pauses_double(struct schedule *schedule, uint8_t quality, int64_t first_ms,
                          int64_t most_ms)
{
    struct schedule_end end;
    int64_t pause_ms = first_ms, at_ms = poll_once(schedule, quality, &end);
    for (int n = 0; n < 12; n++) {
        int64_t next_ms = poll_once(schedule, quality, &end);
        assert_in_range(next_ms - at_ms - ANSWER_MS, pause_ms * 80 / 100,
                        pause_ms * 120 / 100 + GRID_MS);
        at_ms = next_ms;
        pause_ms = 2 * pause_ms < most_ms ? 2 * pause_ms : most_ms;
    }
}

static void probes_come_at_pauses_that_double_up_to_a_minute(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    (void)state;
    poll_once(schedule, QUALITY_GOOD, &end);
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    pauses_double(schedule, QUALITY_TIMEOUT, EVERY_MS, MINUTE_MS);
    schedule_free(schedule);
}

static void pauses_double_for_a_device_that_never_answered_too(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, GRID_MS);
    (void)state;
    pauses_double(schedule, QUALITY_TIMEOUT, EVERY_MS, MINUTE_MS);
    schedule_free(schedule);
}

static void pauses_start_at_the_interval(void **state)
{
    struct schedule *schedule = devices(1, 10000, 0);
    (void)state;
    pauses_double(schedule, QUALITY_TIMEOUT, 10000, MINUTE_MS);
    schedule_free(schedule);
    schedule = devices(1, HOUR_MS, 0);
    pauses_double(schedule, QUALITY_TIMEOUT, MINUTE_MS, MINUTE_MS);
    schedule_free(schedule);
}

static void without_a_connection_pauses_end_at_two_seconds(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    (void)state;
    pauses_double(schedule, QUALITY_DISCONNECTED, EVERY_MS, 2000);
    schedule_free(schedule);
    schedule = devices(1, HOUR_MS, 0);
    pauses_double(schedule, QUALITY_DISCONNECTED, 2000, 2000);
    schedule_free(schedule);
}

static void who_asks_for_it_has_those_that_are_away_probed_with_the_rests_of_their_line(
    void **state)
{
    struct schedule *schedule = devices(2, EVERY_MS, 0);
    int64_t now_ms = START_MS + HOUR_MS;
    uint32_t i;
    (void)state;
    for (int n = 0; n < 2; n++) {
        int64_t at_ms = take(schedule, &i);
        schedule_share(schedule, i, 0);
        schedule_cost(schedule, i, 100);
        schedule_end(schedule, i, QUALITY_TIMEOUT, at_ms);
    }
    schedule_probe(schedule, now_ms);
    assert_int_equal(take(schedule, &i), now_ms);
    assert_int_equal(take(schedule, &i), now_ms + 1200);
    schedule_probe(schedule, now_ms); /* those that are under way are asked already */
    assert_true(schedule_next_ms(schedule) == CLOCK_NEVER);
    schedule_free(schedule);
}

static void a_dead_device_without_an_interval_is_not_asked_all_the_time(void **state)
{
    struct schedule *schedule = devices(1, 0, 0);
    (void)state;
    pauses_double(schedule, QUALITY_TIMEOUT, 1000, MINUTE_MS);
    schedule_free(schedule);
}

static void pauses_of_several_devices_differ(void **state)
{
    enum { N = 50 };
    struct schedule *schedule = devices(N, 10000, 0);
    int64_t pauses[N];
    uint32_t i, same = 0;
    (void)state;
    for (int k = 0; k < N; k++) {
        int64_t at_ms = take(schedule, &i);
        schedule_end(schedule, i, QUALITY_TIMEOUT, at_ms);
        pauses[i] = -at_ms;
    }
    for (int k = 0; k < N; k++) {
        int64_t at_ms = take(schedule, &i);
        pauses[i] += at_ms;
        same += i > 0 && pauses[i] == pauses[0];
    }
    assert_true(same < N / 2);
    schedule_free(schedule);
}

static void a_device_that_is_back_says_how_long_and_what_was_lost(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    int64_t went_ms, failed_ms, at_ms, probes = 0, due_times;
    (void)state;
    poll_once(schedule, QUALITY_GOOD, &end);
    failed_ms = poll_once(schedule, QUALITY_TIMEOUT, &end);
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    went_ms = poll_once(schedule, QUALITY_TIMEOUT, &end) + ANSWER_MS;
    while (schedule_next_ms(schedule) < went_ms + 100 * EVERY_MS) {
        poll_once(schedule, QUALITY_TIMEOUT, &end);
        probes++;
    }
    at_ms = poll_once(schedule, QUALITY_GOOD, &end);
    assert_int_equal(end.change, SCHEDULE_CAME);
    assert_int_equal(end.away_ms, at_ms + ANSWER_MS - went_ms);
    due_times = (at_ms - failed_ms) / EVERY_MS;
    assert_in_range((int64_t)end.lost, due_times - 1, due_times + probes + 1);
    assert_true(schedule_counts(schedule).lost > 90);
    schedule_free(schedule);
}

static void a_device_that_is_back_is_on_its_raster_again(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    int64_t first_ms = poll_once(schedule, QUALITY_GOOD, &end), at_ms;
    (void)state;
    for (int k = 0; k < 9; k++)
        poll_once(schedule, QUALITY_TIMEOUT, &end);
    at_ms = poll_once(schedule, QUALITY_GOOD, &end);
    for (int k = 0; k < 10; k++) {
        int64_t next_ms = poll_once(schedule, QUALITY_GOOD, &end);
        assert_int_equal((next_ms - first_ms) % EVERY_MS, 0);
        assert_in_range(next_ms - at_ms, 1, k == 0 ? EVERY_MS * 2 : EVERY_MS);
        at_ms = next_ms;
    }
    assert_int_equal(schedule_counts(schedule).late, 0);
    schedule_free(schedule);
}

static void after_a_return_three_failures_count_anew(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    (void)state;
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    poll_once(schedule, QUALITY_GOOD, &end);
    assert_int_equal(end.change, SCHEDULE_CAME);
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    assert_int_equal(end.change, SCHEDULE_SAME);
    poll_once(schedule, QUALITY_TIMEOUT, &end);
    assert_int_equal(end.change, SCHEDULE_WENT);
    schedule_free(schedule);
}

static void a_dead_device_does_not_move_the_others(void **state)
{
    struct schedule *schedule = devices(2, EVERY_MS, GRID_MS);
    int64_t last_ms = 0;
    (void)state;
    for (int k = 0; k < 2000; k++) {
        uint32_t i;
        int64_t at_ms = take(schedule, &i);
        schedule_end(schedule, i, i == 0 ? QUALITY_TIMEOUT : QUALITY_GOOD, at_ms + ANSWER_MS);
        if (i == 0)
            continue;
        if (last_ms)
            assert_int_equal(at_ms - last_ms, EVERY_MS);
        last_ms = at_ms;
    }
    schedule_free(schedule);
}

static void polls_and_failures_are_counted(void **state)
{
    struct schedule *schedule = devices(1, EVERY_MS, 0);
    struct schedule_end end;
    (void)state;
    poll_once(schedule, QUALITY_GOOD, &end);
    poll_once(schedule, QUALITY_EXCEPTION + 2, &end);
    poll_once(schedule, QUALITY_GOOD, &end);
    assert_int_equal(schedule_counts(schedule).polls, 3);
    assert_int_equal(schedule_counts(schedule).failed, 1);
    schedule_free(schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_before_a_device_joins),
        cmocka_unit_test(a_schedule_of_no_devices_is_legal),
        cmocka_unit_test(all_first_polls_come_within_the_interval_or_two_seconds),
        cmocka_unit_test(devices_of_one_place_are_due_at_one_time),
        cmocka_unit_test(phases_are_spread_over_the_interval),
        cmocka_unit_test(phases_of_long_intervals_are_spread_after_the_first_poll),
        cmocka_unit_test(the_raster_is_kept_over_hours),
        cmocka_unit_test(the_raster_of_a_long_interval_is_kept_and_its_first_poll_is_not_late),
        cmocka_unit_test(an_interval_off_the_grid_keeps_its_own_raster),
        cmocka_unit_test(what_is_under_way_is_not_taken_again),
        cmocka_unit_test(due_times_that_pass_during_a_poll_are_counted_and_not_made_up_for),
        cmocka_unit_test(a_poll_that_is_taken_late_does_not_move_the_raster),
        cmocka_unit_test(without_an_interval_a_device_is_due_when_it_has_answered),
        cmocka_unit_test(the_first_good_poll_says_that_a_device_came),
        cmocka_unit_test(a_device_is_away_after_three_failures_in_a_row),
        cmocka_unit_test(a_failure_that_is_no_absence_keeps_the_raster),
        cmocka_unit_test(a_device_that_never_answered_is_away_at_once),
        cmocka_unit_test(a_device_whose_connection_is_down_is_away_at_once),
        cmocka_unit_test(probes_come_at_pauses_that_double_up_to_a_minute),
        cmocka_unit_test(pauses_double_for_a_device_that_never_answered_too),
        cmocka_unit_test(pauses_start_at_the_interval),
        cmocka_unit_test(without_a_connection_pauses_end_at_two_seconds),
        cmocka_unit_test(
            who_asks_for_it_has_those_that_are_away_probed_with_the_rests_of_their_line),
        cmocka_unit_test(a_dead_device_without_an_interval_is_not_asked_all_the_time),
        cmocka_unit_test(pauses_of_several_devices_differ),
        cmocka_unit_test(a_device_that_is_back_says_how_long_and_what_was_lost),
        cmocka_unit_test(a_device_that_is_back_is_on_its_raster_again),
        cmocka_unit_test(after_a_return_three_failures_count_anew),
        cmocka_unit_test(a_dead_device_does_not_move_the_others),
        cmocka_unit_test(polls_and_failures_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
