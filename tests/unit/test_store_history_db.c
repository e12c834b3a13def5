#include "gateway/store/history_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_history.h"

#include <errno.h>

#define HOUR_MS INT64_C(3600000)

/* `count` readings of every sensor from boot time `at_ms` on, a minute between them. */
static void feed(struct history_world *world, int64_t at_ms, int count)
{
    for (int i = 0; i < count; i++) {
        for (uint32_t s = 0; s < world->inventory->n_sensors; s++) {
            struct reading reading = world_number(s, at_ms + i * 60000, (double)(i % 100) / 10 + s);

            intake_take(&world->intake, &reading, 1);
        }
    }
    clock_use_fixed(at_ms + (int64_t)count * 60000, HISTORY_EPOCH_MS);
    history_flush(world);
}

/* An hour at a time, as a gateway does. */
static void feed_hours(struct history_world *world, int from, int to)
{
    for (int hour = from; hour < to; hour++) {
        feed(world, hour * HOUR_MS, 60);
        history_tidy(world);
    }
}

static size_t count_of(struct history_world *world, const char *sensor)
{
    struct history_query query;
    size_t count;

    history_ask(world, &query, sensor, 0, INT64_MAX / 2, 20000);
    assert_int_equal(query.answer.status, 0);
    assert_int_equal(query.answer.step_ms, 0);
    count = query.answer.count;
    history_answered(&query);
    return count;
}

static void ignore_line(void *owner, enum log_level level, const char *line)
{
    (void)owner;
    (void)level;
    (void)line;
}

static void test_a_batch_is_one_row_whatever_the_number_of_sensors(void **state)
{
    struct history_world *world = *state;

    feed(world, 0, 3);
    assert_int_equal(history_number(world, "SELECT count(*) FROM staged"), 1);
    assert_int_equal(history_number(world, "SELECT count FROM staged"), 60);
    assert_int_equal(history_number(world, "SELECT start_ms FROM staged"), HISTORY_EPOCH_MS);
    assert_int_equal(history_number(world, "SELECT end_ms FROM staged"), HISTORY_EPOCH_MS + 120000);
    assert_int_equal(history_number(world, "SELECT boot FROM staged"), -1);
    assert_int_equal(history_number(world, "SELECT count(*) FROM series"), 20);
    assert_int_equal(count_of(world, "d1.c7"), 3);
}

static void test_what_is_staged_is_cut_after_hours_and_nothing_is_lost(void **state)
{
    struct history_world *world = *state;

    feed_hours(world, 0, 4);
    assert_int_equal(history_number(world, "SELECT count(*) FROM chunk"), 0);
    feed_hours(world, 4, 5);
    assert_int_equal(history_number(world, "SELECT count(*) FROM chunk WHERE level=0"), 20);
    assert_int_equal(history_number(world, "SELECT count(*) FROM staged"), 1);
    for (uint32_t s = 0; s < 20; s++)
        assert_int_equal(count_of(world, world->inventory->sensors[s].id), 300);
}

static void test_chunks_are_rolled_up_once(void **state)
{
    struct history_world *world = *state;

    feed_hours(world, 0, 26);
    assert_true(history_number(world, "SELECT count(*) FROM chunk WHERE level=1") > 0);
    assert_int_equal(history_number(world, "SELECT sum(count) FROM chunk WHERE level=0 AND"
                                           " series=3 AND id <= (SELECT rolled FROM series"
                                           " WHERE id=3)"),
                     history_number(world, "SELECT sum(count) FROM chunk WHERE level=1"
                                           " AND series=3"));
    assert_int_equal(history_db_tidy(&world->history), 0);
    assert_int_equal(count_of(world, "d0.c0"), 26 * 60);
}

static void test_what_is_too_old_goes_and_the_coarser_stays(void **state)
{
    struct history_world *world = *state;

    world->history.options.keep_ms = DAY_MS;
    feed_hours(world, 0, 72);
    clock_use_fixed(73 * HOUR_MS, HISTORY_EPOCH_MS);
    history_tidy(world);
    assert_true(history_number(world, "SELECT min(end_ms) FROM chunk WHERE level=0") >=
                HISTORY_EPOCH_MS + 48 * HOUR_MS);
    assert_int_equal(history_number(world, "SELECT min(start_ms) FROM chunk WHERE level=1"),
                     HISTORY_EPOCH_MS);
    world->history.options.keep_minutes_ms = 2 * DAY_MS;
    clock_use_fixed(74 * HOUR_MS, HISTORY_EPOCH_MS);
    history_tidy(world);
    assert_true(history_number(world, "SELECT min(end_ms) FROM chunk WHERE level=1") >=
                HISTORY_EPOCH_MS + 26 * HOUR_MS);
    assert_int_equal(history_number(world, "SELECT min(start_ms) FROM chunk WHERE level=2"),
                     HISTORY_EPOCH_MS);
}

static void test_the_file_keeps_within_its_size_readings_first(void **state)
{
    struct history_world *world = *state;
    uint64_t seed = 1;

    world->history.options.max_size = 6000000; /* of which 4 MB are spare */
    for (int hour = 0; hour < 120; hour++) {
        for (int i = 0; i < 3600; i++) {
            struct reading reading =
                world_number(0, hour * HOUR_MS + i * 1000, (double)world_random(&seed) / 1e9);

            intake_take(&world->intake, &reading, 1);
        }
        clock_use_fixed((hour + 1) * HOUR_MS, HISTORY_EPOCH_MS);
        history_flush(world);
        history_tidy(world);
    }
    assert_true(world->history.size < 3500000);
    assert_true(history_number(world, "SELECT min(start_ms) FROM chunk WHERE level=0") >
                HISTORY_EPOCH_MS + 24 * HOUR_MS);
    assert_int_equal(history_number(world, "SELECT min(start_ms) FROM chunk WHERE level=1"),
                     HISTORY_EPOCH_MS);
    assert_true(history_number(world, "SELECT count(*) FROM chunk WHERE level=0") > 0);
}

static void test_a_piece_that_cannot_be_read_is_left_out_and_counted(void **state)
{
    struct history_world *world = *state;

    feed_hours(world, 0, 4);
    assert_int_equal(
        database_run(&world->history.file, "UPDATE staged SET data=substr(data,1,200) WHERE seq=2"),
        0);
    feed_hours(world, 4, 5);
    assert_true(world->history.damaged > 0 ||
                history_number(world, "SELECT sum(count) FROM chunk WHERE level=0") < 240 * 20);
    assert_int_equal(count_of(world, "d1.c9"), 240);
}

static void test_a_damaged_file_is_replaced_and_goes_on(void **state)
{
    struct history_world *world = *state;

    feed_hours(world, 0, 5);
    assert_int_equal(database_run(&world->history.file,
                                  "PRAGMA writable_schema=ON;"
                                  "UPDATE sqlite_schema SET rootpage=2000 WHERE name='staged'"),
                     0);
    history_close(world);
    world->history.file.db = NULL;
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(history_db_open(&world->history), 0);
    feed(world, 6 * HOUR_MS, 1);
    assert_true(world->history.file.replaced);
    assert_int_equal(history_number(world, "SELECT count(*) FROM staged"), 1);
    assert_int_equal(database_open_reader(&world->reader), 0);
}

/* What a failing card makes of a file: any bytes may be different. */
static void spoil(struct history_world *world, uint64_t *seed)
{
    char path[96];
    FILE *file;
    long size;

    snprintf(path, sizeof(path), "%s/history.db", world->folder);
    file = fopen(path, "r+");
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    for (int i = 0; i < 40; i++) {
        fseek(file, (long)(world_random(seed) % (uint64_t)size), SEEK_SET);
        fputc((int)(world_random(seed) & 0xff), file);
    }
    fclose(file);
}

static void use_spoilt(struct history_world *world)
{
    struct history_range range = {.range = {NULL, 0, INT64_MAX / 2, 1000}};
    struct history_query query;
    int64_t day_ms = clock_boot_ms() + DAY_MS;
    struct store_import import = {0};
    char csv[] = "1780272000500,d0.c1,5\n";

    clock_use_fixed(day_ms, HISTORY_EPOCH_MS);
    if (database_open_reader(&world->reader) == 0) {
        history_ask(world, &query, "d0.c1", 0, INT64_MAX / 2, 100);
        history_answered(&query);
        history_ask(world, &query, "d0.c2", 0, INT64_MAX / 2, 5);
        history_answered(&query);
        history_range_run(&range, &world->reader, 1);
        arena_free(&range.memory);
    }
    for (int i = 0; i < 200 && history_db_tidy(&world->history) > 0; i++)
        ;
    history_db_import(&world->history, csv, &import);
    database_close(&world->reader);
    history_db_close(&world->history);
}

static void test_a_file_with_any_bytes_different_does_no_harm(void **state)
{
    struct history_world *world = *state;
    uint64_t seed = 31;

    log_set_sink(ignore_line, NULL); /* there is much to say */
    for (int round = 0; round < 60; round++) {
        feed_hours(world, round * 30, round * 30 + 2 + round % 28);
        history_close(world);
        if (history_db_open(&world->history) == 0) /* folds the log in */
            history_db_close(&world->history);
        spoil(world, &seed);
        if (history_db_open(&world->history) == 0)
            use_spoilt(world);
        folder_free(world->folder);
        mkdir(world->folder, 0755);
        history_open(world);
    }
    log_set_sink(NULL, NULL);
}

static void test_the_series_of_a_renamed_sensor_goes_on(void **state)
{
    struct history_world *world = *state;
    struct inventory *other = world_inventory(20, world->texts);
    struct inventory_sensor *sensor = (struct inventory_sensor *)(uintptr_t)&other->sensors[1];
    struct reading reading = world_number(1, 4 * 60000, 7);
    const char *was = sensor->id;

    feed(world, 0, 3);
    sensor->was = strchr(was, '.') + 1;
    sensor->id = "d0.renamed";
    sensor->channel = "renamed";
    assert_int_equal(inventory_finish(other), 0);
    intake_use(&world->intake, other);
    inventory_release(world->inventory);
    world->inventory = other;
    intake_take(&world->intake, &reading, 1);
    history_flush(world);
    assert_int_equal(count_of(world, "d0.renamed"), 4);
    assert_int_equal(history_number(world, "SELECT count(*) FROM series"), 20);
}

static void test_a_changed_unit_and_a_new_inventory_keep_the_series(void **state)
{
    struct history_world *world = *state;
    struct inventory *other = world_inventory(3, world->texts);
    struct inventory_sensor *sensor = (struct inventory_sensor *)(uintptr_t)&other->sensors[1];

    feed(world, 0, 2);
    sensor->unit = "K";
    intake_use(&world->intake, other);
    inventory_release(world->inventory);
    world->inventory = other;
    feed(world, HOUR_MS, 2);
    assert_int_equal(history_number(world, "SELECT count(*) FROM series"), 20);
    assert_int_equal(history_number(world, "SELECT count(*) FROM series WHERE unit='K'"), 1);
    assert_int_equal(count_of(world, "d0.c1"), 4);
}

static void test_a_failed_batch_leaves_nothing(void **state)
{
    struct history_world *world = *state;
    struct reading reading = world_number(0, 5, 1);
    const struct intake_block *blocks;

    assert_int_equal(
        database_run(
            &world->history.file,
            "CREATE TRIGGER no BEFORE INSERT ON staged BEGIN SELECT raise(ABORT, 'no'); END"),
        0);
    intake_take(&world->intake, &reading, 1);
    blocks = intake_take_batch(&world->intake);
    assert_true(history_db_stage(&world->history, blocks, 1) < 0);
    intake_end_batch(&world->intake, false);
    assert_int_equal(history_number(world, "SELECT count(*) FROM series"), 0);
    assert_int_equal(database_run(&world->history.file, "DROP TRIGGER no"), 0);
    history_flush(world);
    assert_int_equal(count_of(world, "d0.c0"), 1);
}

static void test_guessed_times_move_when_the_clock_becomes_good(void **state)
{
    struct history_world *world = *state;
    struct stamp_clock bad = {.offset_ms = 1000},
                       good = {.offset_ms = HISTORY_EPOCH_MS, .good = true};
    int64_t offset_ms, boot;

    feed(world, 0, 1); /* of an earlier start, in this year */
    assert_int_equal(history_begin(&world->history), 0);
    assert_int_equal(stamp_now(&world->history.stamp, &world->history.file, bad, &offset_ms, &boot),
                     0);
    assert_true(boot > 0);
    assert_true(offset_ms + clock_boot_ms() > HISTORY_EPOCH_MS); /* behind what is there */
    world->history.blob.length = 0;
    {
        struct reading reading = world_number(0, 777000 + offset_ms, 5);

        assert_int_equal(history_add_readings(&world->history, 1, boot, &reading, 1, world->texts),
                         0);
    }
    assert_int_equal(history_end(&world->history, 0), 0);
    assert_int_equal(history_begin(&world->history), 0);
    assert_int_equal(
        stamp_now(&world->history.stamp, &world->history.file, good, &offset_ms, &boot), 0);
    assert_int_equal(boot, 0);
    assert_int_equal(history_end(&world->history, 0), 0);
    assert_int_equal(history_number(world, "SELECT start_ms FROM chunk"),
                     HISTORY_EPOCH_MS + 777000);
    assert_int_equal(history_number(world, "SELECT end_ms FROM chunk"), HISTORY_EPOCH_MS + 777000);
    assert_int_equal(history_number(world, "SELECT count(*) FROM chunk WHERE boot IS NULL"), 1);
    assert_int_equal(history_number(world, "SELECT count(*) FROM boot"), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, history_start, history_stop)
    const struct CMUnitTest tests[] = {
        CASE(test_a_batch_is_one_row_whatever_the_number_of_sensors),
        CASE(test_what_is_staged_is_cut_after_hours_and_nothing_is_lost),
        CASE(test_chunks_are_rolled_up_once),
        CASE(test_what_is_too_old_goes_and_the_coarser_stays),
        CASE(test_the_file_keeps_within_its_size_readings_first),
        CASE(test_a_piece_that_cannot_be_read_is_left_out_and_counted),
        CASE(test_a_damaged_file_is_replaced_and_goes_on),
        CASE(test_a_file_with_any_bytes_different_does_no_harm),
        CASE(test_the_series_of_a_renamed_sensor_goes_on),
        CASE(test_a_changed_unit_and_a_new_inventory_keep_the_series),
        CASE(test_a_failed_batch_leaves_nothing),
        CASE(test_guessed_times_move_when_the_clock_becomes_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
