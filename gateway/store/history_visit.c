#include "gateway/store/history_visit.h"

#include "gateway/base/text.h"
#include "gateway/store/history_db.h"
#include "gateway/store/pack.h"

#include <errno.h>
#include <stdlib.h>

/* The newest staged row says what of this run is there: the first to be read, so that all that is
 * read later belongs to it. */
static int find_serial(struct visit *visit, int64_t this_run)
{
    sqlite3_stmt *newest = NULL;
    int r = database_prepare(visit->file,
                             "SELECT run, serial FROM staged ORDER BY seq DESC LIMIT 1", &newest);
    int code;

    if (r < 0)
        return r;
    code = sqlite3_step(newest);
    if (code == SQLITE_ROW && sqlite3_column_int64(newest, 0) == this_run)
        visit->serial = (uint64_t)sqlite3_column_int64(newest, 1);
    else if (code != SQLITE_ROW && code != SQLITE_DONE)
        r = database_error(visit->file);
    sqlite3_finalize(newest);
    return r;
}

static int prepare(struct visit *visit)
{
    int r = database_prepare(visit->file,
                             "SELECT start_ms, data FROM chunk INDEXED BY chunk_time"
                             " WHERE series=?1 AND level=?2 AND start_ms <= ?3 AND end_ms >= ?4"
                             " AND id > ?5 ORDER BY start_ms",
                             &visit->chunks);

    if (r == 0)
        r = database_prepare(visit->file,
                             "SELECT base_ms, data FROM staged WHERE start_ms <= ?1 AND"
                             " end_ms >= ?2 ORDER BY seq",
                             &visit->staged);
    if (r == 0)
        r = database_prepare(visit->file,
                             "SELECT min(start_ms) FROM chunk INDEXED BY chunk_time"
                             " WHERE series=?1 AND level=?2",
                             &visit->start);
    return r;
}

int visit_prepare(struct visit *visit, struct database *file)
{
    *visit = (struct visit){.file = file};
    visit->scratch = malloc(PACK_MAX * sizeof(*visit->scratch));
    visit->rollups = malloc(ROLLUP_MAX * sizeof(*visit->rollups));
    visit->texts = text_table_new();
    if (!visit->scratch || !visit->rollups || !visit->texts)
        return -ENOMEM;
    return prepare(visit);
}

int visit_begin(struct visit *visit, struct database *file, int64_t this_run)
{
    int r = visit_prepare(visit, file);

    if (r == 0)
        r = database_run(file, "BEGIN");
    return r < 0 ? r : find_serial(visit, this_run);
}

void visit_release(struct visit *visit)
{
    sqlite3_finalize(visit->chunks);
    sqlite3_finalize(visit->staged);
    sqlite3_finalize(visit->start);
    free(visit->scratch);
    free(visit->rollups);
    text_table_free(visit->texts);
}

void visit_end(struct visit *visit)
{
    visit_release(visit);
    if (visit->file->db)
        sqlite3_exec(visit->file->db, "ROLLBACK", NULL, NULL, NULL);
}

int visit_find(struct visit *visit, const char *name, int64_t *ret_series, int64_t *ret_rolled,
               char *unit, size_t size)
{
    sqlite3_stmt *find = NULL;
    int r =
        database_prepare(visit->file, "SELECT id, rolled, unit FROM series WHERE name=?1", &find);
    int code;

    if (r < 0)
        return r;
    sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    code = sqlite3_step(find);
    *ret_series = 0;
    if (code == SQLITE_ROW) {
        *ret_series = sqlite3_column_int64(find, 0);
        *ret_rolled = sqlite3_column_int64(find, 1);
        text_copy(unit, size, database_text(find, 2));
    } else if (code != SQLITE_DONE) {
        r = database_error(visit->file);
    }
    sqlite3_finalize(find);
    return r;
}

static void bind_range(sqlite3_stmt *chunks, const struct visit_range *range, int level)
{
    sqlite3_bind_int64(chunks, 1, range->series);
    sqlite3_bind_int(chunks, 2, level);
    sqlite3_bind_int64(chunks, 3, range->to_ms);
    sqlite3_bind_int64(chunks, 4, range->from_ms);
    sqlite3_bind_int64(chunks, 5, range->after);
}

/* What a walk ends with. */
static int finish(struct visit *visit, sqlite3_stmt *statement, int r, int code)
{
    if (r == 0 && code != SQLITE_DONE)
        r = database_error(visit->file);
    sqlite3_reset(statement);
    return r;
}

int visit_chunks(struct visit *visit, const struct visit_range *range, visit_readings take,
                 void *owner)
{
    sqlite3_stmt *rows = visit->chunks;
    int r = 0, code = SQLITE_DONE;

    bind_range(rows, range, LEVEL_RAW);
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        int count = pack_decode(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1),
                                sqlite3_column_int64(rows, 0), visit->scratch, visit->texts);

        if (count > 0)
            r = take(owner, range->series, visit->scratch, (size_t)count);
        else
            visit->damaged++;
    }
    return finish(visit, rows, r, code);
}

int visit_level(struct visit *visit, const struct visit_range *range, int level, visit_rollups take,
                void *owner)
{
    sqlite3_stmt *rows = visit->chunks;
    int r = 0, code = SQLITE_DONE;

    bind_range(rows, range, level);
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        int count = rollup_decode(
            sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1),
            sqlite3_column_int64(rows, 0), history_step_ms(level), visit->rollups, visit->texts);

        if (count > 0)
            r = take(owner, visit->rollups, (size_t)count);
        else
            visit->damaged++;
    }
    return finish(visit, rows, r, code);
}

static int take_staged(struct visit *visit, const struct visit_range *range, visit_readings take,
                       void *owner)
{
    struct staged_section section;
    struct staged_reader reader;
    int r = 0, count;

    staged_open(&reader, sqlite3_column_blob(visit->staged, 1),
                (size_t)sqlite3_column_bytes(visit->staged, 1));
    while (r == 0 && staged_next(&reader, &section)) {
        if (range->series != 0 && section.series != range->series)
            continue;
        count = pack_decode(section.data, section.size, sqlite3_column_int64(visit->staged, 0),
                            visit->scratch, visit->texts);
        if (count > 0)
            r = take(owner, section.series, visit->scratch, (size_t)count);
        else
            visit->damaged++;
    }
    return r;
}

int visit_staged(struct visit *visit, const struct visit_range *range, visit_readings take,
                 void *owner)
{
    int r = 0, code = SQLITE_DONE;

    sqlite3_bind_int64(visit->staged, 1, range->to_ms);
    sqlite3_bind_int64(visit->staged, 2, range->from_ms);
    while (r == 0 && (code = sqlite3_step(visit->staged)) == SQLITE_ROW)
        r = take_staged(visit, range, take, owner);
    return finish(visit, visit->staged, r, code);
}

int visit_start(struct visit *visit, int64_t series, int level, int64_t *ret_ms)
{
    int r = 0, code;

    sqlite3_bind_int64(visit->start, 1, series);
    sqlite3_bind_int(visit->start, 2, level);
    code = sqlite3_step(visit->start);
    *ret_ms = INT64_MAX;
    if (code == SQLITE_ROW && sqlite3_column_type(visit->start, 0) != SQLITE_NULL)
        *ret_ms = sqlite3_column_int64(visit->start, 0);
    else if (code != SQLITE_ROW)
        r = database_error(visit->file);
    sqlite3_reset(visit->start);
    return r;
}
