#include "gateway/store/history_db.h"

#include "gateway/base/clock.h"
#include "gateway/core/inventory.h"
#include "gateway/store/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Pages of the log from which on it is folded in at rest. */
#define LOG_PAGES_REST 1000

static const char *const steps[] = {
    STAMP_TABLE
    "CREATE TABLE series(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " unit TEXT NOT NULL, rolled INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE staged(seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, serial INTEGER NOT NULL,"
    " start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, base_ms INTEGER NOT NULL, boot INTEGER,"
    " count INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL,"
    " level INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, boot INTEGER,"
    " count INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE INDEX chunk_time ON chunk(series, level, start_ms, end_ms);"
    "CREATE INDEX chunk_age ON chunk(level, end_ms);",
};

const struct database_kind history_db_kind = {
    .name = "history.db",
    .steps = steps,
    .versions = sizeof(steps) / sizeof(steps[0]),
    .mark = 0x54474801,
    .sync = "FULL",
};

static const char moves[] =
    "UPDATE staged SET start_ms=start_ms+?2, end_ms=end_ms+?2, base_ms=base_ms+?2, boot=NULL"
    " WHERE boot=?1;"
    "UPDATE chunk SET start_ms=start_ms+?2, end_ms=end_ms+?2, boot=NULL WHERE boot=?1;";

static const char newest[] = "SELECT max((SELECT ifnull(max(end_ms), 0) FROM chunk WHERE level=0),"
                             " (SELECT ifnull(max(end_ms), 0) FROM staged))";

/* Of times that are no guesses. */
static const char newest_good[] =
    "SELECT max(ifnull((SELECT end_ms FROM chunk INDEXED BY chunk_age WHERE level=0 AND boot IS"
    " NULL ORDER BY end_ms DESC LIMIT 1), 0),"
    " (SELECT ifnull(max(end_ms), 0) FROM staged WHERE boot IS NULL))";

int64_t history_step_ms(int level)
{
    return level == LEVEL_HOUR ? 3600000 : level == LEVEL_MINUTE ? 60000 : 1;
}

/* -- opening --------------------------------------------------------------------------------- */

static int prepare_statements(struct history_db *history)
{
    struct history_statements *run = &history->run;
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&run->stage,
         "INSERT INTO staged(run, serial, start_ms, end_ms, base_ms, boot, count, data)"
         " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)"},
        {&run->find_series, "SELECT id, unit FROM series WHERE name=?1"},
        {&run->add_series, "INSERT INTO series(name, unit) VALUES(?1,?2)"},
        {&run->rename, "UPDATE OR IGNORE series SET name=?2 WHERE name=?1"},
        {&run->set_unit, "UPDATE series SET unit=?2 WHERE id=?1"},
        {&run->set_rolled, "UPDATE series SET rolled=?2 WHERE id=?1"},
        {&run->add_chunk, "INSERT INTO chunk(series, level, start_ms, end_ms, boot, count, data)"
                          " VALUES(?1,?2,?3,?4,?5,?6,?7)"},
        {&run->unrolled, "SELECT id, start_ms, boot, data FROM chunk INDEXED BY chunk_time"
                         " WHERE series=?1 AND level=0 AND id > ?2 ORDER BY id"},
    };
    int r = 0;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && r == 0; i++)
        r = database_prepare(&history->file, all[i].sql, all[i].statement);
    return r;
}

static void forget_series(struct history_db *history)
{
    inventory_release(history->inventory);
    free(history->series);
    history->inventory = NULL;
    history->series = NULL;
}

static int note_log(void *owner, sqlite3 *db, const char *name, int pages)
{
    struct history_db *history = owner;

    (void)db;
    (void)name;
    history->log_pages = pages;
    return SQLITE_OK;
}

int history_db_open(struct history_db *history)
{
    int r;

    if (history->file.db)
        return 0;
    if (!history->readings)
        history->readings = malloc(2 * PACK_MAX * sizeof(*history->readings));
    if (!history->readings)
        return error_set(&history->file.why, -ENOMEM, "history.db: out of memory");
    history->stamp.boot = clock_boot_id();
    history->stamp.moves = moves;
    history->stamp.newest = newest;
    stamp_forget(&history->stamp);
    forget_series(history);
    history->rolling = 0;
    r = database_open(&history->file);
    if (r == 0)
        r = prepare_statements(history);
    if (r == 0 && !history->has_found)
        r = database_number(&history->file, newest_good, 0, &history->found_ms);
    history->has_found = history->has_found || r == 0;
    if (r < 0)
        database_close(&history->file);
    else
        sqlite3_wal_hook(history->file.db, note_log, history);
    return r;
}

void history_db_close(struct history_db *history)
{
    database_close(&history->file);
    forget_series(history);
    staged_free(&history->writer);
    bytes_free(&history->blob);
    free(history->readings);
    history->readings = NULL;
}

void history_db_rest(struct history_db *history)
{
    if (!history->file.db || history->log_pages < LOG_PAGES_REST)
        return;
    sqlite3_wal_checkpoint_v2(history->file.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    history->log_pages = 0;
}

int history_begin(struct history_db *history)
{
    int r;

    database_check_moved(&history->file);
    r = history_db_open(history);
    return r < 0 ? r : database_run(&history->file, "BEGIN IMMEDIATE");
}

int history_end(struct history_db *history, int r)
{
    if (!history->file.db)
        return r;
    if (r == 0)
        r = database_run(&history->file, "COMMIT");
    if (r == 0)
        return 0;
    sqlite3_exec(history->file.db, "ROLLBACK", NULL, NULL, NULL);
    stamp_forget(&history->stamp);
    forget_series(history);
    if (r == -EBADMSG)
        database_set_aside(&history->file);
    else if (r == -ENOMEM)
        error_set(&history->file.why, r, "history.db: out of memory");
    return r;
}

/* -- series ---------------------------------------------------------------------------------- */

static int set_unit(struct history_db *history, int64_t series, const char *unit)
{
    sqlite3_bind_int64(history->run.set_unit, 1, series);
    sqlite3_bind_text(history->run.set_unit, 2, unit, -1, SQLITE_STATIC);
    return database_step(&history->file, history->run.set_unit);
}

static int add_series(struct history_db *history, const char *name, const char *unit,
                      int64_t *ret_series)
{
    int r;

    sqlite3_bind_text(history->run.add_series, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(history->run.add_series, 2, unit, -1, SQLITE_STATIC);
    r = database_step(&history->file, history->run.add_series);
    *ret_series = sqlite3_last_insert_rowid(history->file.db);
    return r;
}

int history_series(struct history_db *history, const char *name, const char *unit,
                   int64_t *ret_series)
{
    sqlite3_stmt *find = history->run.find_series;
    bool other_unit = false;
    int code;

    sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    code = sqlite3_step(find);
    if (code == SQLITE_ROW) {
        *ret_series = sqlite3_column_int64(find, 0);
        other_unit = unit && strcmp(database_text(find, 1), unit) != 0;
    }
    sqlite3_reset(find);
    if (code == SQLITE_ROW)
        return other_unit ? set_unit(history, *ret_series, unit) : 0;
    return code == SQLITE_DONE ? add_series(history, name, unit ? unit : "", ret_series)
                               : database_error(&history->file);
}

/* What was renamed goes on; a series that has the new name already stays, and so does the old one.
 */
static int rename_series(struct history_db *history, uint32_t sensor)
{
    sqlite3_stmt *run = history->run.rename;
    char id[INVENTORY_ID_SIZE];
    int r = 0;

    for (int number = 0; r == 0 && inventory_former_id(history->inventory, sensor, number, id);
         number++) {
        sqlite3_bind_text(run, 1, id, -1, SQLITE_STATIC);
        sqlite3_bind_text(run, 2, history->inventory->sensors[sensor].id, -1, SQLITE_STATIC);
        r = database_step(&history->file, run);
    }
    return r;
}

static int use_inventory(struct history_db *history, struct inventory *inventory)
{
    int r = 0;

    if (history->inventory == inventory)
        return 0;
    forget_series(history);
    history->series = calloc(inventory->n_sensors + 1, sizeof(*history->series));
    if (!history->series)
        return -ENOMEM;
    history->inventory = inventory_hold(inventory);
    for (uint32_t i = 0; r == 0 && i < inventory->n_sensors; i++)
        r = rename_series(history, i);
    return r;
}

static int series_of(struct history_db *history, uint32_t sensor, int64_t *ret_series)
{
    const struct inventory_sensor *about = &history->inventory->sensors[sensor];
    int r = 0;

    if (history->series[sensor] == 0)
        r = history_series(history, about->id, about->unit, &history->series[sensor]);
    *ret_series = history->series[sensor];
    return r;
}

/* -- chunks ---------------------------------------------------------------------------------- */

int history_add_chunk(struct history_db *history, const struct history_chunk *chunk,
                      const struct bytes *data)
{
    sqlite3_stmt *add = history->run.add_chunk;

    if (data->failed)
        return -ENOMEM;
    sqlite3_bind_int64(add, 1, chunk->series);
    sqlite3_bind_int(add, 2, chunk->level);
    sqlite3_bind_int64(add, 3, chunk->start_ms);
    sqlite3_bind_int64(add, 4, chunk->end_ms);
    stamp_bind(add, 5, chunk->boot);
    sqlite3_bind_int64(add, 6, (int64_t)chunk->count);
    sqlite3_bind_blob64(add, 7, data->data, data->length, SQLITE_STATIC);
    return database_step(&history->file, add);
}

int history_add_readings(struct history_db *history, int64_t series, int64_t boot,
                         const struct reading *readings, size_t count,
                         const struct text_table *texts)
{
    struct history_chunk chunk = {.series = series,
                                  .boot = boot,
                                  .start_ms = readings[0].at_ms,
                                  .end_ms = readings[0].at_ms,
                                  .count = count};

    for (size_t i = 1; i < count; i++) {
        if (readings[i].at_ms < chunk.start_ms)
            chunk.start_ms = readings[i].at_ms;
        if (readings[i].at_ms > chunk.end_ms)
            chunk.end_ms = readings[i].at_ms;
    }
    history->blob.length = 0;
    pack_encode(&history->blob, readings, count, chunk.start_ms, texts);
    return history_add_chunk(history, &chunk, &history->blob);
}

/* -- staging --------------------------------------------------------------------------------- */

/* A batch in order of sensors: first[s] is where those of sensor s begin. */
struct sorted {
    const struct reading **readings;
    uint32_t *first;
    size_t count;
    int64_t start_ms, end_ms;
};

static void note_times(struct sorted *sorted, const struct intake_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        if (block->readings[i].at_ms < sorted->start_ms)
            sorted->start_ms = block->readings[i].at_ms;
        if (block->readings[i].at_ms > sorted->end_ms)
            sorted->end_ms = block->readings[i].at_ms;
        sorted->first[block->readings[i].sensor + 2]++;
    }
    sorted->count += block->count;
}

/* The next of a batch of which `*left` are left with this one: what the last one points to belongs
 * to the loop. */
static const struct intake_block *next_of(const struct intake_block *block, size_t *left)
{
    return --*left > 0 ? block->next : NULL;
}

/* Counting sort: two passes, whatever the number of sensors. first[] is shifted by one while it is
 * filled, so that afterwards it is right without a copy. */
static int sort_batch(struct sorted *sorted, const struct intake_block *blocks, size_t count)
{
    size_t left = count;
    uint32_t n = blocks->inventory->n_sensors;
    const struct intake_block *block;

    *sorted = (struct sorted){.start_ms = INT64_MAX, .end_ms = INT64_MIN};
    sorted->first = calloc(n + 3, sizeof(*sorted->first));
    if (!sorted->first)
        return -ENOMEM;
    for (block = blocks; block; block = next_of(block, &left))
        note_times(sorted, block);
    for (uint32_t s = 2; s < n + 3; s++)
        sorted->first[s] += sorted->first[s - 1];
    sorted->readings = malloc((sorted->count + 1) * sizeof(struct reading *));
    if (!sorted->readings)
        return -ENOMEM;
    left = count;
    for (block = blocks; block; block = next_of(block, &left)) {
        for (size_t k = 0; k < block->count; k++)
            sorted->readings[sorted->first[block->readings[k].sensor + 1]++] = &block->readings[k];
    }
    return 0;
}

static int pack_sensor(struct history_db *history, const struct sorted *sorted, uint32_t sensor)
{
    struct bytes *to = staged_begin(&history->writer);
    uint32_t at = sorted->first[sensor], end = sorted->first[sensor + 1];
    int64_t series = 0;
    int r = at < end ? series_of(history, sensor, &series) : 0;

    while (at < end && r == 0) {
        size_t length = to->length, n = 0;

        while (at < end && n < PACK_MAX)
            history->readings[n++] = *sorted->readings[at++];
        pack_encode(to, history->readings, n, sorted->start_ms, history->inventory->texts);
        staged_end(&history->writer, series, length);
    }
    return r;
}

static int write_staged(struct history_db *history, const struct sorted *sorted, uint64_t serial)
{
    sqlite3_stmt *stage = history->run.stage;
    int64_t offset_ms, boot;
    int r = stamp_now(&history->stamp, &history->file, stamp_clock(), &offset_ms, &boot);

    if (r < 0)
        return r;
    sqlite3_bind_int64(stage, 1, history->this_run);
    sqlite3_bind_int64(stage, 2, (int64_t)serial);
    sqlite3_bind_int64(stage, 3, sorted->start_ms + offset_ms);
    sqlite3_bind_int64(stage, 4, sorted->end_ms + offset_ms);
    sqlite3_bind_int64(stage, 5, sorted->start_ms + offset_ms);
    stamp_bind(stage, 6, boot);
    sqlite3_bind_int64(stage, 7, (int64_t)sorted->count);
    sqlite3_bind_blob64(stage, 8, history->blob.data, history->blob.length, SQLITE_STATIC);
    return database_step(&history->file, stage);
}

static int stage(struct history_db *history, const struct sorted *sorted, uint64_t serial)
{
    int r = 0;

    for (uint32_t s = 0; s < history->inventory->n_sensors && r == 0; s++)
        r = pack_sensor(history, sorted, s);
    history->blob.length = 0;
    staged_finish(&history->writer, &history->blob);
    if (history->blob.failed) {
        bytes_free(&history->blob);
        return -ENOMEM;
    }
    return r < 0 ? r : write_staged(history, sorted, serial);
}

int history_db_stage(struct history_db *history, const struct intake_block *blocks, size_t count)
{
    const struct intake_block *last = blocks;
    struct sorted sorted = {0};
    int r = history_begin(history);

    if (r < 0)
        return r;
    for (size_t i = 1; i < count; i++)
        last = last->next;
    r = use_inventory(history, blocks->inventory);
    if (r == 0)
        r = sort_batch(&sorted, blocks, count);
    if (r == 0)
        r = stage(history, &sorted, last->serial);
    free(sorted.readings);
    free(sorted.first);
    return history_end(history, r);
}

int history_db_tidy(struct history_db *history)
{
    int r = history_cut(history);

    if (r == 0)
        r = history_roll(history);
    if (r == 0)
        r = history_retain(history);
    return r;
}
