#include "gateway/store/stamp.h"

#include "gateway/base/clock.h"

struct stamp_clock stamp_clock(void)
{
    return (struct stamp_clock){.offset_ms = clock_wall_ms(0), .good = clock_wall_is_good()};
}

void stamp_forget(struct stamp *stamp)
{
    stamp->row = 0;
    stamp->settled = false;
}

int64_t stamp_offset(struct stamp *stamp)
{
    struct stamp_clock clock = stamp_clock();
    int64_t guess_ms = atomic_load(&stamp->offset_ms);

    return clock.good || guess_ms == 0 ? clock.offset_ms : guess_ms;
}

void stamp_bind(sqlite3_stmt *statement, int column, int64_t boot)
{
    if (boot)
        sqlite3_bind_int64(statement, column, boot);
    else
        sqlite3_bind_null(statement, column);
}

/* The row of this boot, if it has written guessed times. */
static int find_row(struct stamp *stamp, struct database *database)
{
    sqlite3_stmt *statement = NULL;
    int r = database_prepare(database, "SELECT id, offset_ms FROM boot WHERE kernel=?", &statement);
    int code;

    if (r < 0)
        return r;
    sqlite3_bind_text(statement, 1, stamp->boot, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        stamp->row = sqlite3_column_int64(statement, 0);
        atomic_store(&stamp->offset_ms, sqlite3_column_int64(statement, 1));
    } else if (code != SQLITE_DONE) {
        r = database_error(database);
    }
    sqlite3_finalize(statement);
    return r;
}

static int run_with(struct database *database, const char *sql, int64_t first, int64_t second)
{
    sqlite3_stmt *statement = NULL;
    const char *rest = sql;
    int r = 0;

    while (r == 0 && *rest) {
        if (sqlite3_prepare_v2(database->db, rest, -1, &statement, &rest) != SQLITE_OK)
            return database_error(database);
        if (!statement)
            break; /* only blanks were left */
        sqlite3_bind_int64(statement, 1, first);
        if (sqlite3_bind_parameter_count(statement) > 1)
            sqlite3_bind_int64(statement, 2, second);
        r = database_step(database, statement);
        sqlite3_finalize(statement);
    }
    return r;
}

/* The clock is good: what was guessed becomes right. */
static int settle(struct stamp *stamp, struct database *database, int64_t offset_ms)
{
    int r = stamp->row ? 0 : find_row(stamp, database);

    if (r == 0 && stamp->row) {
        r = run_with(database, stamp->moves, stamp->row,
                     offset_ms - atomic_load(&stamp->offset_ms));
        if (r == 0)
            r = run_with(database, "DELETE FROM boot WHERE id=?1", stamp->row, 0);
    }
    if (r < 0)
        return r;
    stamp->row = 0;
    stamp->settled = true;
    atomic_store(&stamp->offset_ms, 0);
    return 0;
}

/* A guess that continues what is there: time must not seem to run backwards over a power cut. */
static int guess(struct stamp *stamp, struct database *database, int64_t offset_ms)
{
    sqlite3_stmt *statement = NULL;
    int64_t newest_ms = 0, first_ms = offset_ms + clock_boot_ms();
    int r = database_number(database, stamp->newest, INT64_MIN, &newest_ms);

    if (r == 0)
        r = database_prepare(database, "INSERT INTO boot(kernel, offset_ms) VALUES(?, ?)",
                             &statement);
    if (r < 0)
        return r;
    if (first_ms <= newest_ms)
        offset_ms += newest_ms + 1 - first_ms;
    sqlite3_bind_text(statement, 1, stamp->boot, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, offset_ms);
    r = database_step(database, statement);
    sqlite3_finalize(statement);
    if (r == 0) {
        stamp->row = sqlite3_last_insert_rowid(database->db);
        stamp->settled = false;
        atomic_store(&stamp->offset_ms, offset_ms);
    }
    return r;
}

int stamp_now(struct stamp *stamp, struct database *database, struct stamp_clock clock,
              int64_t *ret_offset_ms, int64_t *ret_boot)
{
    int r = 0;

    if (clock.good) {
        r = stamp->settled ? 0 : settle(stamp, database, clock.offset_ms);
    } else if (!stamp->row) {
        r = find_row(stamp, database);
        if (r == 0 && !stamp->row)
            r = guess(stamp, database, clock.offset_ms);
    }
    *ret_offset_ms = clock.good ? clock.offset_ms : atomic_load(&stamp->offset_ms);
    *ret_boot = clock.good ? 0 : stamp->row;
    return r;
}
