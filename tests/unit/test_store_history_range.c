#include "gateway/store/history_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_history.h"

#include <errno.h>

#define HOUR_MS INT64_C(3600000)

static int64_t now_ms(void)
{
    return HISTORY_EPOCH_MS + clock_boot_ms();
}

static void ask(struct history_world *world, struct history_range *range, const char *sensors,
                int64_t from_ms, size_t max)
{
    bool wanted[64] = {false};
    struct intake_wish wish = {.from_ms = from_ms - HISTORY_EPOCH_MS,
                               .to_ms = clock_boot_ms(),
                               .sensor = UINT32_MAX,
                               .wanted = wanted};

    for (uint32_t i = 0; i < world->inventory->n_sensors; i++)
        wanted[i] = !sensors || strcmp(world->inventory->sensors[i].id, sensors) == 0;
    *range = (struct history_range){.range = {sensors, from_ms, now_ms(), max},
                                    .offset_ms = HISTORY_EPOCH_MS,
                                    .inventory = world->inventory};
    assert_int_equal(intake_copy(&world->intake, &wish, &range->parts, &range->n_parts), 0);
    history_range_run(range, &world->reader, world->history.this_run);
    assert_int_equal(range->answer.status, 0);
}

static void answered(struct history_range *range)
{
    arena_free(&range->memory);
    free(range->parts);
}

/* Twenty sensors each minute, stored each 20 minutes; the last stay in memory. */
static void feed(struct history_world *world, int from, int to)
{
    for (int i = from; i < to; i++) {
        for (uint32_t s = 0; s < 20; s++) {
            struct reading reading = world_number(s, i * INT64_C(60000) + s, i);

            if (s == 2)
                reading =
                    (struct reading){.at_ms = reading.at_ms,
                                     .sensor = s,
                                     .kind = VALUE_TEXT,
                                     .text = text_table_add(world->texts, i % 2 ? "on" : "off")};
            intake_take(&world->intake, &reading, 1);
        }
        clock_use_fixed((i + 1) * INT64_C(60000), HISTORY_EPOCH_MS);
        if (i % 20 == 10) {
            history_flush(world);
            history_tidy(world);
        }
    }
}

static void test_pages_hold_everything_once_in_order_of_time(void **state)
{
    struct history_world *world = *state;
    struct history_range range;
    int64_t from_ms = 0, last_ms = 0;
    size_t total = 0, pages = 0;

    feed(world, 0, 600);
    while (from_ms != CLOCK_NEVER) {
        ask(world, &range, NULL, from_ms, 777);
        assert_true(range.answer.count <= 777 + 20);
        for (size_t i = 0; i < range.answer.count; i++) {
            const struct store_row *row = &range.answer.rows[i];
            int64_t boot_ms = row->at_ms - HISTORY_EPOCH_MS;

            assert_true(row->at_ms > last_ms);
            last_ms = row->at_ms;
            assert_string_equal(row->sensor, world->inventory->sensors[boot_ms % 60000].id);
            assert_string_equal(row->unit, "°C");
            if (row->kind == VALUE_TEXT)
                assert_string_equal(row->text, boot_ms / 60000 % 2 ? "on" : "off");
            else
                assert_true(row->number == (double)(boot_ms / 60000));
        }
        total += range.answer.count;
        from_ms = range.answer.next_ms;
        pages++;
        answered(&range);
    }
    assert_int_equal(total, 600 * 20);
    assert_in_range(pages, 15, 30);
}

static void test_one_sensor_can_be_asked_for(void **state)
{
    struct history_world *world = *state;
    struct history_range range;

    feed(world, 0, 300);
    ask(world, &range, "d0.c3", 0, 10000);
    assert_int_equal(range.answer.count, 300);
    assert_int_equal(range.answer.next_ms, CLOCK_NEVER);
    answered(&range);
    ask(world, &range, "no.such", 0, 10000);
    assert_int_equal(range.answer.count, 0);
    answered(&range);
}

static void test_a_crowd_after_a_long_silence_is_cut_into_pages(void **state)
{
    struct history_world *world = *state;
    struct history_range range;
    int64_t from_ms = 0;
    size_t total = 0;

    feed(world, 0, 20);
    for (int i = 0; i < 30000; i++) {
        struct reading reading = world_number(0, 200 * DAY_MS + i, i);

        intake_take(&world->intake, &reading, 1);
    }
    clock_use_fixed(201 * DAY_MS, HISTORY_EPOCH_MS);
    history_flush(world);
    while (from_ms != CLOCK_NEVER) {
        ask(world, &range, NULL, from_ms, 1000);
        assert_true(range.answer.count <= 1000);
        total += range.answer.count;
        from_ms = range.answer.next_ms;
        answered(&range);
    }
    assert_int_equal(total, 30000 + 400);
}

static void test_readings_of_one_time_stay_together(void **state)
{
    struct history_world *world = *state;
    struct history_range range;

    for (int t = 0; t < 3; t++) {
        for (uint32_t s = 0; s < 20; s++) {
            struct reading reading = world_number(s, t * 1000, t);

            intake_take(&world->intake, &reading, 1);
        }
    }
    clock_use_fixed(3000, HISTORY_EPOCH_MS);
    ask(world, &range, NULL, 0, 10);
    assert_int_equal(range.answer.count, 20);
    assert_in_range(range.answer.next_ms, HISTORY_EPOCH_MS + 1, HISTORY_EPOCH_MS + 1000);
    answered(&range);
}

static void test_without_a_file_memory_answers(void **state)
{
    struct history_world *world = *state;
    struct history_range range;
    struct reading reading = world_number(5, 500, 1.5);

    intake_take(&world->intake, &reading, 1);
    ask(world, &range, NULL, 0, 10);
    assert_int_equal(range.answer.count, 1); /* a sensor that the file does not know yet */
    history_range_without(&range);
    assert_int_equal(range.answer.status, -EAGAIN);
    assert_int_equal(range.answer.count, 1);
    assert_string_equal(range.answer.rows[0].sensor, "d0.c5");
    answered(&range);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, history_start, history_stop)
    const struct CMUnitTest tests[] = {
        CASE(test_pages_hold_everything_once_in_order_of_time),
        CASE(test_one_sensor_can_be_asked_for),
        CASE(test_a_crowd_after_a_long_silence_is_cut_into_pages),
        CASE(test_readings_of_one_time_stay_together),
        CASE(test_without_a_file_memory_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
