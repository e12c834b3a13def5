#include "gateway/store/history_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_history.h"

#include <errno.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)

/* Everything that was ever given of one sensor, for naive answers; wall times. */
struct all {
    struct reading *readings;
    size_t count;
};

static void feed(struct history_world *world, struct all *all, const struct reading *reading)
{
    all->readings = realloc(all->readings, (all->count + 1) * sizeof(*all->readings));
    all->readings[all->count] = *reading;
    all->readings[all->count++].at_ms += HISTORY_EPOCH_MS;
    intake_take(&world->intake, reading, 1);
}

/* Days of readings of the sensor d0.c0, some 10 s apart, with gaps, written each `commit_ms`. What
 * came last stays in memory. */
static void live(struct history_world *world, struct all *all, int64_t from_ms, int64_t to_ms,
                 int64_t every_ms, int64_t commit_ms)
{
    uint64_t seed = 21;
    int64_t next_ms = from_ms + commit_ms;
    double number = 200;

    for (int64_t at_ms = from_ms; at_ms < to_ms;
         at_ms += every_ms / 2 + (int64_t)(world_random(&seed) % (uint64_t)every_ms)) {
        struct reading reading = world_number(0, at_ms, number / 10);

        number += (double)(world_random(&seed) % 11) - 5;
        if (world_random(&seed) % 50 == 0)
            reading = world_bad(0, at_ms, QUALITY_TIMEOUT + world_random(&seed) % 3);
        feed(world, all, &reading);
        if (at_ms >= next_ms) {
            clock_use_fixed(at_ms, HISTORY_EPOCH_MS);
            history_flush(world);
            history_tidy(world);
            next_ms += commit_ms;
        }
    }
    clock_use_fixed(to_ms, HISTORY_EPOCH_MS);
}

/* Bad readings in a row for one reason are one gap, so only numbers are compared. */
static void check_naive(const struct all *all, const struct store_answer *answer, int64_t from_ms,
                        int64_t to_ms)
{
    int64_t step_ms = answer->step_ms ? answer->step_ms : 1;
    uint64_t counted = 0, expected = 0;

    for (size_t i = 0; i < all->count; i++)
        expected += all->readings[i].quality == QUALITY_GOOD && all->readings[i].at_ms >= from_ms &&
                    all->readings[i].at_ms <= to_ms;
    for (size_t p = 0; p < answer->count; p++) {
        const struct store_point *point = &answer->points[p];
        double min = INFINITY, max = -INFINITY, sum = 0;
        uint32_t n = 0;

        if (p > 0)
            assert_true(point->at_ms >= answer->points[p - 1].at_ms);
        if (point->count == 0)
            continue;
        for (size_t i = 0; i < all->count; i++) {
            const struct reading *reading = &all->readings[i];

            if (reading->quality != QUALITY_GOOD || reading->at_ms < point->at_ms ||
                reading->at_ms >= point->at_ms + step_ms || reading->at_ms < from_ms ||
                reading->at_ms > to_ms)
                continue;
            min = fmin(min, reading->number);
            max = fmax(max, reading->number);
            sum += reading->number;
            n++;
        }
        assert_int_equal(point->count, n);
        assert_true(point->min == min && point->max == max);
        assert_true(fabs(point->mean - sum / n) < 0.0001);
        counted += n;
    }
    assert_int_equal(counted, expected);
}

static void ask_and_check(struct history_world *world, const struct all *all, int64_t from_ms,
                          int64_t to_ms, size_t max, int64_t step_ms)
{
    struct history_query query;

    history_ask(world, &query, "d0.c0", HISTORY_EPOCH_MS + from_ms, HISTORY_EPOCH_MS + to_ms, max);
    assert_int_equal(query.answer.status, 0);
    assert_int_equal(query.answer.step_ms, step_ms);
    assert_string_equal(query.answer.unit, "°C");
    check_naive(all, &query.answer, HISTORY_EPOCH_MS + from_ms, HISTORY_EPOCH_MS + to_ms);
    history_answered(&query);
}

static void test_answers_are_what_a_naive_reckoning_says(void **state)
{
    struct history_world *world = *state;
    struct all all = {0};

    live(world, &all, 0, 40 * HOUR_MS, 10000, 10 * MINUTE_MS);
    /* Few: as they are. From memory, staged rows, chunks, over all of them. */
    ask_and_check(world, &all, 40 * HOUR_MS - 30 * MINUTE_MS, 40 * HOUR_MS, 2000, 0);
    ask_and_check(world, &all, 0, HOUR_MS, 2000, 0);
    ask_and_check(world, &all, 33 * HOUR_MS, 36 * HOUR_MS, 2000, 0);
    /* Stretches of readings. */
    ask_and_check(world, &all, HOUR_MS, 3 * HOUR_MS - 1, 500, 15000);
    ask_and_check(world, &all, 34 * HOUR_MS, 40 * HOUR_MS - 1, 1000, 30000);
    /* Of minutes: rolled up ones and what is not yet. */
    ask_and_check(world, &all, 0, 40 * HOUR_MS - 1, 2000, 2 * MINUTE_MS);
    ask_and_check(world, &all, 2 * HOUR_MS, 30 * HOUR_MS - 1, 2000, MINUTE_MS);
    /* Of hours. */
    ask_and_check(world, &all, 0, 40 * HOUR_MS - 1, 42, HOUR_MS);
    ask_and_check(world, &all, 0, 40 * HOUR_MS - 1, 12, 4 * HOUR_MS);
    free(all.readings);
}

static void test_ranges_in_the_middle_of_nothing_are_empty(void **state)
{
    struct history_world *world = *state;
    struct history_query query;
    struct all all = {0};

    live(world, &all, 0, HOUR_MS, 10000, 10 * MINUTE_MS);
    history_ask(world, &query, "d0.c0", 0, HISTORY_EPOCH_MS - 1, 100);
    assert_int_equal(query.answer.status, 0);
    assert_int_equal(query.answer.count, 0);
    history_answered(&query);
    history_ask(world, &query, "d0.c0", HISTORY_EPOCH_MS + 5 * HOUR_MS, HISTORY_EPOCH_MS, 100);
    assert_int_equal(query.answer.status, 0);
    assert_int_equal(query.answer.count, 0);
    history_answered(&query);
    history_ask(world, &query, "who.knows", 0, INT64_MAX / 2, 100);
    assert_int_equal(query.answer.status, -ENOENT);
    history_answered(&query);
    free(all.readings);
}

static void test_a_wide_range_costs_no_resolution(void **state)
{
    struct history_world *world = *state;
    struct history_query query;
    struct all all = {0};

    live(world, &all, 0, HOUR_MS, 10000, 10 * MINUTE_MS);
    history_ask(world, &query, "d0.c0", 0, HISTORY_EPOCH_MS + HOUR_MS, 100);
    assert_int_equal(query.answer.step_ms, MINUTE_MS); /* of the hour, not of 56 years */
    history_answered(&query);
    free(all.readings);
}

static void test_what_is_in_memory_and_on_disk_comes_once(void **state)
{
    struct history_world *world = *state;
    struct reading reading = world_number(0, 1000, 1);
    struct intake_part *parts;
    struct history_query query;
    size_t n;

    intake_take(&world->intake, &reading, 1);
    intake_copy(&world->intake, &(struct intake_wish){.to_ms = 9999}, &parts, &n);
    assert_int_equal(n, 1);
    history_flush(world); /* between the question and its answer */
    history_ask(world, &query, "d0.c0", 0, INT64_MAX / 2, 100);
    free(query.parts);
    query.parts = parts;
    query.n_parts = n;
    history_query_run(&query, &world->reader, world->history.this_run);
    assert_int_equal(query.answer.count, 1);
    history_query_run(&query, &world->reader, 4712); /* the file is not of this run */
    assert_int_equal(query.answer.count, 2);
    history_query_without(&query);
    assert_int_equal(query.answer.status, -EAGAIN);
    assert_int_equal(query.answer.count, 1);
    history_answered(&query);
}

static void test_gaps_have_their_reason_and_begin_once(void **state)
{
    struct history_world *world = *state;
    struct history_query query;
    struct reading readings[] = {world_number(0, 1000, 1), world_bad(0, 2000, QUALITY_TIMEOUT),
                                 world_bad(0, 3000, QUALITY_TIMEOUT),
                                 world_bad(0, 4000, QUALITY_CRC), world_number(0, 4500, 2)};

    intake_take(&world->intake, readings, 5);
    clock_use_fixed(4500, HISTORY_EPOCH_MS);
    history_flush(world);
    history_ask(world, &query, "d0.c0", 0, INT64_MAX / 2, 100);
    assert_int_equal(query.answer.count, 4);
    assert_int_equal(query.answer.points[1].count, 0);
    assert_int_equal(query.answer.points[1].quality, QUALITY_TIMEOUT);
    assert_int_equal(query.answer.points[1].at_ms, HISTORY_EPOCH_MS + 2000);
    assert_int_equal(query.answer.points[2].quality, QUALITY_CRC);
    history_answered(&query);
    history_ask(world, &query, "d0.c0", 0, INT64_MAX / 2, 2);
    assert_int_equal(query.answer.count, 1); /* the gap is over within the stretch */
    assert_int_equal(query.answer.points[0].count, 2);
    history_answered(&query);
}

static void test_texts_are_counted_in_stretches(void **state)
{
    struct history_world *world = *state;
    const char *words[] = {"open", "shut"};
    struct history_query query;
    uint64_t open = 0, total = 0;

    for (int i = 0; i < 3000; i++) {
        struct reading reading = {.at_ms = i * MINUTE_MS, .sensor = 2, .kind = VALUE_TEXT};

        reading.text = text_table_add(world->texts, words[i % 3 == 0]);
        intake_take(&world->intake, &reading, 1);
        if (i % 100 == 99) {
            clock_use_fixed(reading.at_ms, HISTORY_EPOCH_MS);
            history_flush(world);
            history_tidy(world);
        }
    }
    assert_true(history_number(world, "SELECT count(*) FROM chunk WHERE level=2") > 0);
    history_ask(world, &query, "d0.c2", 0, INT64_MAX / 2, 52);
    assert_int_equal(query.answer.step_ms, HOUR_MS);
    for (size_t i = 0; i < query.answer.count; i++) {
        assert_int_equal(query.answer.points[i].kind, VALUE_TEXT);
        total += query.answer.points[i].count;
        if (strcmp(query.answer.points[i].text, "open") == 0)
            open += query.answer.points[i].count;
    }
    assert_int_equal(total, 3000);
    assert_int_equal(open, 2000);
    history_answered(&query);
    history_ask(world, &query, "d0.c2", 0, INT64_MAX / 2, 20000);
    assert_int_equal(query.answer.count, 3000);
    assert_string_equal(query.answer.points[0].text, "shut");
    assert_string_equal(query.answer.points[1].text, "open");
    history_answered(&query);
}

static void test_coarser_ones_fill_in_for_what_was_dropped(void **state)
{
    struct history_world *world = *state;
    struct history_query query;
    struct all all = {0};
    uint64_t counted = 0;

    world->history.options.keep_ms = DAY_MS;
    live(world, &all, 0, 4 * DAY_MS, 60000, HOUR_MS);
    assert_true(history_number(world, "SELECT min(start_ms) FROM chunk WHERE level=0") >
                HISTORY_EPOCH_MS + 2 * DAY_MS);
    ask_and_check(world, &all, 0, 4 * DAY_MS - 1, 2000, 3 * MINUTE_MS);
    /* Fine stretches are asked for where there are only minutes. */
    history_ask(world, &query, "d0.c0", HISTORY_EPOCH_MS, HISTORY_EPOCH_MS + 4 * HOUR_MS - 1, 2000);
    assert_int_equal(query.answer.step_ms, 10000);
    for (size_t i = 0; i < query.answer.count; i++)
        counted += query.answer.points[i].count;
    assert_in_range(counted, 200, 260);
    history_answered(&query);
    /* Minutes are gone as well: hours are left. */
    world->history.options.keep_minutes_ms = DAY_MS;
    clock_use_fixed(4 * DAY_MS + HOUR_MS, HISTORY_EPOCH_MS);
    history_tidy(world);
    ask_and_check(world, &all, 0, 4 * DAY_MS - 1, 100, HOUR_MS);
    history_ask(world, &query, "d0.c0", HISTORY_EPOCH_MS, HISTORY_EPOCH_MS + DAY_MS - 1, 2000);
    assert_in_range(query.answer.count, 24, 30);
    history_answered(&query);
    free(all.readings);
}

static void test_clocks_that_go_back_are_sorted_out(void **state)
{
    struct history_world *world = *state;
    struct history_query query;

    for (int i = 0; i < 10; i++) {
        struct reading reading = world_number(0, 100000 + (i % 2 ? i : -i) * 1000, i);

        intake_take(&world->intake, &reading, 1);
        history_flush(world);
    }
    history_ask(world, &query, "d0.c0", 0, INT64_MAX / 2, 100);
    assert_int_equal(query.answer.count, 10);
    for (size_t i = 1; i < 10; i++)
        assert_true(query.answer.points[i].at_ms > query.answer.points[i - 1].at_ms);
    history_answered(&query);
}

static void test_steps_never_give_more_points_than_asked_for(void **state)
{
    uint64_t seed = 22;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        int64_t from_ms = (int64_t)(world_random(&seed) % 1000000000000);
        int64_t to_ms = from_ms + (int64_t)(world_random(&seed) >> (world_random(&seed) % 40 + 22));
        size_t max = world_random(&seed) % 3000 + 2;
        int64_t step_ms = history_query_step(from_ms, to_ms, max);

        assert_true(rollup_start(to_ms, step_ms) / step_ms -
                        rollup_start(from_ms, step_ms) / step_ms <
                    (int64_t)max);
    }
    assert_int_equal(history_query_step(0, DAY_MS - 1, 2000), MINUTE_MS);
    assert_int_equal(history_query_step(0, 365 * DAY_MS, 2000), 6 * HOUR_MS);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, history_start, history_stop)
    const struct CMUnitTest tests[] = {
        CASE(test_answers_are_what_a_naive_reckoning_says),
        CASE(test_ranges_in_the_middle_of_nothing_are_empty),
        CASE(test_a_wide_range_costs_no_resolution),
        CASE(test_what_is_in_memory_and_on_disk_comes_once),
        CASE(test_gaps_have_their_reason_and_begin_once),
        CASE(test_texts_are_counted_in_stretches),
        CASE(test_coarser_ones_fill_in_for_what_was_dropped),
        CASE(test_clocks_that_go_back_are_sorted_out),
        CASE(test_steps_never_give_more_points_than_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
