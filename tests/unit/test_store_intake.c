#include "gateway/store/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_world.h"

struct world {
    struct text_table *texts;
    struct inventory *inventory;
    struct intake intake;
};

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    world->texts = text_table_new();
    world->inventory = world_inventory(10, world->texts);
    assert_int_equal(intake_use(&world->intake, world->inventory), 0);
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;

    intake_clear(&world->intake);
    inventory_release(world->inventory);
    text_table_free(world->texts);
    free(world);
    return 0;
}

static void take(struct world *world, uint32_t sensor, int64_t at_ms, double number)
{
    struct reading reading = world_number(sensor, at_ms, number);

    intake_take(&world->intake, &reading, 1);
}

static size_t count_of(struct world *world, uint32_t sensor, int64_t from_ms, int64_t to_ms)
{
    struct intake_wish wish = {.from_ms = from_ms, .to_ms = to_ms, .sensor = sensor};
    struct intake_part *parts;
    size_t count;

    assert_int_equal(intake_copy(&world->intake, &wish, &parts, &count), 0);
    for (size_t i = 1; i < count; i++)
        assert_true(parts[i].reading.at_ms >= parts[i - 1].reading.at_ms);
    free(parts);
    return count;
}

static void test_batches_leave_when_they_are_stored_and_stay_when_not(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 3000; i++)
        take(world, 0, i, i);
    assert_non_null(intake_take_batch(&world->intake));
    assert_int_equal(world->intake.batch, 3);
    assert_null(intake_take_batch(&world->intake)); /* one at a time */
    take(world, 0, 3000, 0);                        /* not into a block that is under way */
    assert_int_equal(world->intake.blocks, 4);
    intake_end_batch(&world->intake, false);
    assert_int_equal(count_of(world, 0, 0, 5000), 3001);
    intake_take_batch(&world->intake);
    intake_end_batch(&world->intake, true);
    assert_int_equal(count_of(world, 0, 0, 5000), 0);
    assert_int_equal(world->intake.waiting, 0);
    assert_int_equal(intake_bytes(&world->intake), 0);
}

static void test_a_gap_is_kept_once(void **state)
{
    struct world *world = *state;
    struct reading bad = world_bad(0, 2, QUALITY_TIMEOUT), worse = world_bad(0, 4, QUALITY_CRC);

    take(world, 0, 1, 1);
    for (int i = 0; i < 5; i++)
        intake_take(&world->intake, &bad, 1);
    for (int i = 0; i < 5; i++)
        intake_take(&world->intake, &worse, 1);
    take(world, 0, 5, 1);
    worse.at_ms = 6;
    intake_take(&world->intake, &worse, 1);
    assert_int_equal(count_of(world, 0, 0, 10), 5);
}

static void test_what_makes_no_sense_does_no_harm(void **state)
{
    struct world *world = *state;
    struct reading nothing = {.at_ms = 1};

    take(world, 10, 1, 1); /* there are ten */
    take(world, UINT32_MAX, 1, 1);
    assert_int_equal(world->intake.waiting, 0);
    intake_take(&world->intake, &nothing, 1);
    assert_int_equal(world->intake.first->readings[0].quality, QUALITY_ERROR);
}

static void test_copies_are_of_the_sensor_and_the_time(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 5000; i++)
        take(world, (uint32_t)i % 10, i, i);
    assert_int_equal(count_of(world, 3, 0, 4999), 500);
    assert_int_equal(count_of(world, 3, 1000, 1999), 100);
}

static void test_when_it_is_full_the_old_becomes_coarser(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 1000000; i++)
        take(world, (uint32_t)i % 10, i, i);
    assert_true(intake_bytes(&world->intake) <= INTAKE_MAX);
    assert_int_equal(world->intake.waiting + world->intake.dropped, 1000000);
    assert_int_equal(count_of(world, 3, 950000, 999999), 5000); /* the newest is whole */
    assert_in_range(count_of(world, 3, 0, 499999), 1000, 30000);
    for (uint32_t s = 0; s < 10; s++)
        assert_true(count_of(world, s, 0, 200000) > 50);
}

static void test_a_batch_under_way_is_never_thinned(void **state)
{
    struct world *world = *state;
    const struct intake_block *batch;
    int64_t last = -1;
    size_t count;

    for (int i = 0; i < 100000; i++)
        take(world, 0, i, i);
    batch = intake_take_batch(&world->intake);
    count = world->intake.batch;
    assert_int_equal(count, INTAKE_BATCH_MAX);
    for (int i = 100000; i < 2000000; i++)
        take(world, 0, i, i);
    for (; count > 0; count--, batch = batch->next) {
        assert_int_equal(batch->count, INTAKE_BLOCK);
        for (size_t i = 0; i < batch->count; i++)
            assert_int_equal(batch->readings[i].at_ms, ++last);
    }
    intake_end_batch(&world->intake, true);
    assert_true(world->intake.waiting > 0);
}

static void test_gaps_alone_are_dropped_by_the_block(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 1000000; i++) {
        struct reading bad =
            world_bad((uint32_t)i % 10, i, i / 10 % 2 ? QUALITY_CRC : QUALITY_STALE);

        intake_take(&world->intake, &bad, 1);
    }
    assert_true(intake_bytes(&world->intake) <= INTAKE_MAX);
    assert_int_equal(world->intake.waiting + world->intake.dropped, 1000000);
}

static void test_a_batch_has_sensors_of_one_inventory(void **state)
{
    struct world *world = *state;
    struct inventory *other = world_inventory(2, world->texts);
    const struct intake_block *batch;

    take(world, 9, 1, 1);
    assert_int_equal(intake_use(&world->intake, other), 0);
    take(world, 1, 2, 1);
    take(world, 9, 2, 1);
    batch = intake_take_batch(&world->intake);
    assert_int_equal(world->intake.batch, 1);
    assert_ptr_equal(batch->inventory, world->inventory);
    intake_end_batch(&world->intake, true);
    batch = intake_take_batch(&world->intake);
    assert_ptr_equal(batch->inventory, other);
    assert_int_equal(batch->count, 1);
    inventory_release(other);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_batches_leave_when_they_are_stored_and_stay_when_not),
        CASE(test_a_gap_is_kept_once),
        CASE(test_what_makes_no_sense_does_no_harm),
        CASE(test_copies_are_of_the_sensor_and_the_time),
        CASE(test_when_it_is_full_the_old_becomes_coarser),
        CASE(test_a_batch_under_way_is_never_thinned),
        CASE(test_gaps_alone_are_dropped_by_the_block),
        CASE(test_a_batch_has_sensors_of_one_inventory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
