#include "gateway/base/clock.h"
#include "gateway/store/history_db.h"
#include "gateway/store/pack.h"

#include <errno.h>
#include <stdlib.h>

/* Roll-ups are made of so much at once: a question for a year then reads a row a day. What has not
 * been rolled up costs who asks for it; that is a day of readings at most, some milliseconds. */
#define ROLL_AGE_MS (24 * INT64_C(3600000))

/* What one transaction takes of the time of the desk. */
#define PIECE_MS 50

/* Rows that are dropped in one transaction. */
#define DROP_ROWS 256

/* How often the desk looks for what is too old. */
#define RETAIN_EVERY_MS (15 * INT64_C(60000))

/* What must stay of what the file may take: for the next cut. */
#define SPARE_BYTES 4000000

/* -- roll-ups ------------------------------------------------------------------------------------
 */

struct rolling {
    struct rollups levels[HISTORY_LEVELS]; /* minutes and hours; the first is not used */
    struct text_table *texts;
    int64_t series, rolled;
};

static void add_chunk(struct history_db *history, struct rolling *rolling, sqlite3_stmt *row)
{
    int count = pack_decode(sqlite3_column_blob(row, 3), (size_t)sqlite3_column_bytes(row, 3),
                            sqlite3_column_int64(row, 1), history->readings, rolling->texts);

    history->damaged += count < 0;
    for (int i = 0; i < count; i++) {
        rollups_add_reading(&rolling->levels[LEVEL_MINUTE], &history->readings[i]);
        rollups_add_reading(&rolling->levels[LEVEL_HOUR], &history->readings[i]);
    }
}

/* Those whose times are still guesses wait: a stretch that is rolled up cannot be moved. */
static int read_chunks(struct history_db *history, struct rolling *rolling)
{
    sqlite3_stmt *rows = history->run.unrolled;
    int code;

    sqlite3_bind_int64(rows, 1, rolling->series);
    sqlite3_bind_int64(rows, 2, rolling->rolled);
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t boot = sqlite3_column_int64(rows, 2);

        if (boot != 0 && boot == history->stamp.row)
            break;
        add_chunk(history, rolling, rows);
        rolling->rolled = sqlite3_column_int64(rows, 0);
    }
    sqlite3_reset(rows);
    return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : database_error(&history->file);
}

static int write_level(struct history_db *history, const struct rolling *rolling, int level)
{
    const struct rollups *rollups = &rolling->levels[level];
    int64_t step_ms = history_step_ms(level);
    int r = rollups->failed ? -ENOMEM : 0;

    for (size_t at = 0, n; at < rollups->count && r == 0; at += n) {
        const struct rollup *first = &rollups->items[at];
        struct history_chunk chunk = {
            .series = rolling->series, .level = level, .start_ms = first->at_ms};

        n = rollups->count - at < ROLLUP_MAX ? rollups->count - at : ROLLUP_MAX;
        chunk.end_ms = first[n - 1].at_ms + step_ms - 1;
        chunk.count = n;
        history->blob.length = 0;
        rollup_encode(&history->blob, first, n, step_ms, rolling->texts);
        r = history_add_chunk(history, &chunk, &history->blob);
    }
    return r;
}

static int roll_series(struct history_db *history, int64_t series, int64_t rolled)
{
    struct rolling rolling = {.series = series, .rolled = rolled, .texts = text_table_new()};
    int r;

    for (int level = LEVEL_MINUTE; level < HISTORY_LEVELS; level++)
        rolling.levels[level].step_ms = history_step_ms(level);
    r = rolling.texts ? read_chunks(history, &rolling) : -ENOMEM;
    for (int level = LEVEL_MINUTE; level < HISTORY_LEVELS && r == 0; level++)
        r = write_level(history, &rolling, level);
    if (r == 0 && rolling.rolled != rolled) {
        sqlite3_bind_int64(history->run.set_rolled, 1, series);
        sqlite3_bind_int64(history->run.set_rolled, 2, rolling.rolled);
        r = database_step(&history->file, history->run.set_rolled);
    }
    for (int level = LEVEL_MINUTE; level < HISTORY_LEVELS; level++)
        rollups_free(&rolling.levels[level]);
    text_table_free(rolling.texts);
    return r;
}

/* The series behind the one that the pass has come to; 0 when there is none. */
static int next_series(struct history_db *history, int64_t *ret_series, int64_t *ret_rolled)
{
    sqlite3_stmt *next = NULL;
    int r = database_prepare(
        &history->file, "SELECT id, rolled FROM series WHERE id > ?1 ORDER BY id LIMIT 1", &next);
    int code;

    if (r < 0)
        return r;
    sqlite3_bind_int64(next, 1, history->rolling);
    code = sqlite3_step(next);
    *ret_series = code == SQLITE_ROW ? sqlite3_column_int64(next, 0) : 0;
    *ret_rolled = code == SQLITE_ROW ? sqlite3_column_int64(next, 1) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        r = database_error(&history->file);
    sqlite3_finalize(next);
    return r;
}

static int roll_piece(struct history_db *history)
{
    int64_t until_ms = clock_boot_ms() + PIECE_MS, series = 0, rolled = 0;
    int r;

    do {
        r = next_series(history, &series, &rolled);
        if (r == 0 && series)
            r = roll_series(history, series, rolled);
        if (r == 0)
            history->rolling = series;
    } while (r == 0 && series && clock_boot_ms() < until_ms);
    return r;
}

/* A pass begins when what came after the last one is old enough. */
static int is_due(struct history_db *history, bool *ret_due)
{
    int64_t age_ms = 0;
    int r = database_number(&history->file,
                            "SELECT max((SELECT ifnull(max(end_ms), 0) FROM staged),"
                            " (SELECT max(end_ms) FROM chunk WHERE level=0)) - start_ms FROM chunk"
                            " WHERE id > (SELECT max(rolled) FROM series) AND +level=0"
                            " ORDER BY id LIMIT 1",
                            0, &age_ms);

    *ret_due = age_ms > ROLL_AGE_MS;
    return r;
}

int history_roll(struct history_db *history)
{
    bool due = history->rolling != 0;
    int r = history_begin(history);

    if (r == 0 && !due)
        r = is_due(history, &due);
    if (r == 0 && due)
        r = roll_piece(history);
    r = history_end(history, r);
    if (r < 0)
        history->rolling = 0;
    return r < 0 ? r : history->rolling != 0;
}

/* -- what is too old or too much ------------------------------------------------------------- */

static int drop(struct history_db *history, const char *sql, int level, int64_t before_ms)
{
    sqlite3_stmt *statement = NULL;
    int r = database_prepare(&history->file, sql, &statement);

    if (r < 0)
        return r;
    sqlite3_bind_int(statement, 1, level);
    sqlite3_bind_int64(statement, 2, before_ms);
    sqlite3_bind_int(statement, 3, DROP_ROWS);
    r = database_step(&history->file, statement);
    sqlite3_finalize(statement);
    return r < 0 ? r : sqlite3_changes(history->file.db);
}

/* By age, while the clock can be trusted. The number of rows that went, or -Exxx. */
static int drop_old(struct history_db *history)
{
    const int64_t keep_ms[HISTORY_LEVELS] = {
        history->options.keep_ms, history->options.keep_minutes_ms, history->options.keep_hours_ms};
    struct stamp_clock clock = stamp_clock();
    int64_t now_ms = clock_boot_ms() + clock.offset_ms;
    int dropped = 0, r = 0;

    for (int level = 0; level < HISTORY_LEVELS && clock.good && r >= 0; level++) {
        r = drop(history,
                 "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE level=?1 AND"
                 " end_ms < ?2 ORDER BY end_ms LIMIT ?3)",
                 level, now_ms - keep_ms[level]);
        dropped += r;
    }
    return r < 0 ? r : dropped;
}

static int measure(struct history_db *history)
{
    int64_t pages = 0, unused = 0, page_size = 0;
    int r = database_number(&history->file, "PRAGMA page_count", 0, &pages);

    if (r == 0)
        r = database_number(&history->file, "PRAGMA freelist_count", 0, &unused);
    if (r == 0)
        r = database_number(&history->file, "PRAGMA page_size", 0, &page_size);
    history->size = (pages - unused) * page_size;
    return r;
}

/* By size: the oldest, readings before minutes and those before hours. */
static int drop_much(struct history_db *history)
{
    int r = measure(history);

    if (r < 0 || history->size <= history->options.max_size - SPARE_BYTES)
        return r;
    for (int level = 0; level < HISTORY_LEVELS && r == 0; level++)
        r = drop(history,
                 "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE level=?1 AND"
                 " end_ms < ?2 ORDER BY end_ms LIMIT ?3)",
                 level, INT64_MAX);
    return r;
}

int history_retain(struct history_db *history)
{
    int64_t now_ms = clock_boot_ms();
    int r = history_begin(history), dropped = 0;

    if (r == 0)
        r = dropped = drop_much(history);
    if (r == 0 && now_ms >= history->tidy_ms) {
        r = dropped = drop_old(history);
        if (r == 0)
            history->tidy_ms = now_ms + RETAIN_EVERY_MS;
    }
    r = history_end(history, r > 0 ? 0 : r);
    return r < 0 ? r : dropped > 0;
}
