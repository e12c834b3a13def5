/* A history.db for tests, without loop and threads, on a clock that the test turns. */
#pragma once

#include "gateway/store/history_db.h"
#include "gateway/store/history_query.h"
#include "gateway/store/history_range.h"

#include "tests/unit/store_world.h"

/* 2026-06-01T00:00:00Z less what the machine has been up: where boot time 0 lies. */
#define HISTORY_EPOCH_MS INT64_C(1780272000000)

struct history_world {
    char folder[64];
    struct history_db history;
    struct database reader;
    struct text_table *texts;
    struct inventory *inventory;
    struct intake intake;
};

static inline void history_open(struct history_world *world)
{
    world->history.file = (struct database){.kind = &history_db_kind, .folder = world->folder};
    world->history.options = world_options(world->folder);
    world->history.this_run = 4711;
    world->reader = world->history.file;
    assert_int_equal(history_db_open(&world->history), 0);
    assert_int_equal(database_open_reader(&world->reader), 0);
}

static inline int history_start(void **state)
{
    struct history_world *world = calloc(1, sizeof(*world));

    log_set_level(LOG_LEVEL_ERROR);
    clock_use_fixed(1000, HISTORY_EPOCH_MS);
    folder_new(world->folder);
    world->texts = text_table_new();
    world->inventory = world_inventory(20, world->texts);
    intake_use(&world->intake, world->inventory);
    history_open(world);
    *state = world;
    return 0;
}

static inline void history_close(struct history_world *world)
{
    database_close(&world->reader);
    history_db_close(&world->history);
}

static inline int history_stop(void **state)
{
    struct history_world *world = *state;

    history_close(world);
    intake_clear(&world->intake);
    inventory_release(world->inventory);
    text_table_free(world->texts);
    folder_free(world->folder);
    free(world);
    clock_use_system();
    return 0;
}

/* What intake has, to disk. */
static inline void history_flush(struct history_world *world)
{
    const struct intake_block *blocks;

    while ((blocks = intake_take_batch(&world->intake))) {
        assert_int_equal(history_db_stage(&world->history, blocks, world->intake.batch), 0);
        intake_end_batch(&world->intake, true);
    }
}

static inline void history_tidy(struct history_world *world)
{
    int r;

    while ((r = history_db_tidy(&world->history)) > 0)
        ;
    assert_int_equal(r, 0);
}

static inline int64_t history_number(struct history_world *world, const char *sql)
{
    int64_t number = -1;

    assert_int_equal(database_number(&world->history.file, sql, -1, &number), 0);
    return number;
}

/* Asks for one sensor; `memory` from what intake has. The caller clears it. */
static inline void history_ask(struct history_world *world, struct history_query *query,
                               const char *sensor, int64_t from_ms, int64_t to_ms, size_t max)
{
    struct intake_wish wish = {.from_ms = from_ms - HISTORY_EPOCH_MS,
                               .to_ms = to_ms - HISTORY_EPOCH_MS,
                               .sensor = inventory_find_sensor(world->inventory, sensor)};

    *query = (struct history_query){.query = {sensor, from_ms, to_ms, max},
                                    .offset_ms = HISTORY_EPOCH_MS,
                                    .now_ms = HISTORY_EPOCH_MS + clock_boot_ms(),
                                    .texts = world->texts};
    if (wish.sensor != UINT32_MAX)
        assert_int_equal(intake_copy(&world->intake, &wish, &query->parts, &query->n_parts), 0);
    history_query_run(query, &world->reader, world->history.this_run);
}

static inline void history_answered(struct history_query *query)
{
    arena_free(&query->memory);
    free(query->parts);
}
