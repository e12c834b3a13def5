#include "gateway/store/state_db.h"

#include "gateway/base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The log of a file is folded in at rest from here on (two syncs, which then hold up nobody), and
 * in any case when it has become long. */
#define LOG_PAGES_REST 256
#define LOG_PAGES_MAX  4000

/* After so many new events the oldest are dropped. */
#define EVENTS_BETWEEN 256

static const char *const steps[] = {
    STAMP_TABLE
    "CREATE TABLE event(row INTEGER PRIMARY KEY, run INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, boot INTEGER, since_ms INTEGER, type TEXT NOT NULL,"
    " severity INTEGER NOT NULL, rule TEXT NOT NULL, sensor TEXT NOT NULL, value, unit TEXT NOT "
    "NULL,"
    " value_limit REAL, by TEXT NOT NULL, via TEXT NOT NULL, result TEXT NOT NULL,"
    " note TEXT NOT NULL, merged INTEGER NOT NULL);"
    "CREATE TABLE state(kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY(kind, key))"
    " WITHOUT ROWID;"
    "CREATE TABLE outbox(row INTEGER PRIMARY KEY, target TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " boot INTEGER, about TEXT NOT NULL, resolved INTEGER NOT NULL, payload BLOB NOT NULL);",
};

const struct database_kind state_db_kind = {
    .name = "state.db",
    .steps = steps,
    .versions = sizeof(steps) / sizeof(steps[0]),
    .mark = 0x54475301,
    .sync = "FULL",
    .check = true,
};

static const char moves[] =
    "UPDATE event SET at_ms=at_ms+?2, since_ms=since_ms+?2, boot=NULL WHERE boot=?1;"
    "UPDATE outbox SET at_ms=at_ms+?2, boot=NULL WHERE boot=?1;";

/* -- opening --------------------------------------------------------------------------------- */

static int prepare_statements(struct state_db *state)
{
    struct state_statements *run = &state->run;
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&run->event, "INSERT OR REPLACE INTO event"
                      " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)"},
        {&run->put_state, "INSERT OR REPLACE INTO state VALUES(?1,?2,?3)"},
        {&run->drop_state, "DELETE FROM state WHERE kind=?1 AND key=?2"},
        {&run->put_message, "INSERT OR REPLACE INTO outbox VALUES(?1,?2,?3,?4,?5,?6,?7)"},
        {&run->drop_message, "DELETE FROM outbox WHERE row=?1 RETURNING length(payload)"},
        {&run->resolve, "UPDATE outbox SET resolved=1 WHERE about=?1 AND resolved=0"},
        {&run->crowded, "SELECT row FROM outbox ORDER BY resolved DESC, row"},
    };
    int r = 0;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && r == 0; i++)
        r = database_prepare(&state->file, all[i].sql, all[i].statement);
    return r;
}

void saved_free(struct saved_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].kind);
    free(list->items);
    *list = (struct saved_list){0};
}

static int take_saved(struct saved_list *list, sqlite3_stmt *row)
{
    size_t kind = (size_t)sqlite3_column_bytes(row, 0) + 1;
    size_t key = (size_t)sqlite3_column_bytes(row, 1) + 1;
    size_t size = (size_t)sqlite3_column_bytes(row, 2);
    struct saved *items, *item;
    char *memory;

    if (list->count % 64 == 0) {
        items = realloc(list->items, (list->count + 64) * sizeof(*items));
        if (!items)
            return -ENOMEM;
        list->items = items;
    }
    memory = calloc(1, kind + key + size);
    if (!memory)
        return -ENOMEM;
    item = &list->items[list->count++];
    *item = (struct saved){memory, memory + kind, memory + kind + key, size};
    memcpy(item->kind, sqlite3_column_text(row, 0), kind - 1);
    memcpy(item->key, sqlite3_column_text(row, 1), key - 1);
    if (size > 0)
        memcpy(item->value, sqlite3_column_blob(row, 2), size);
    return 0;
}

static int read_saved(struct state_db *state, struct saved_list *list)
{
    sqlite3_stmt *statement = NULL;
    int r = database_prepare(&state->file, "SELECT kind, key, value FROM state ORDER BY 1, 2",
                             &statement);
    int code = SQLITE_DONE;

    while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
        r = take_saved(list, statement);
    if (r == 0 && code != SQLITE_DONE)
        r = database_error(&state->file);
    sqlite3_finalize(statement);
    if (r < 0)
        saved_free(list);
    return r;
}

static int note_log(void *owner, sqlite3 *db, const char *name, int pages)
{
    struct state_db *state = owner;

    (void)db;
    (void)name;
    state->log_pages = pages;
    return SQLITE_OK;
}

static int find_row_base(struct state_db *state)
{
    int64_t highest = 0;
    int r = database_number(&state->file,
                            "SELECT max((SELECT ifnull(max(row), 0) FROM event),"
                            " (SELECT ifnull(max(row), 0) FROM outbox))",
                            0, &highest);

    if (r == 0 && !state->has_row_base) {
        state->row_base = highest;
        state->has_row_base = true;
    }
    return r;
}

int state_db_open(struct state_db *state, struct saved_list *ret_saved)
{
    int r;

    if (state->file.db)
        return 0;
    state->stamp.boot = clock_boot_id();
    state->stamp.moves = moves;
    state->stamp.newest = "SELECT max(at_ms) FROM event";
    stamp_forget(&state->stamp);
    r = database_open(&state->file);
    if (r == 0)
        r = prepare_statements(state);
    if (r == 0)
        r = find_row_base(state);
    if (r == 0)
        r = database_number(&state->file, "SELECT total(length(payload)) FROM outbox", 0,
                            &state->outbox_bytes);
    if (r == 0 && ret_saved)
        r = read_saved(state, ret_saved);
    if (r < 0)
        state_db_close(state);
    else
        sqlite3_wal_hook(state->file.db, note_log, state);
    return r;
}

void state_db_close(struct state_db *state)
{
    database_close(&state->file);
    state->run = (struct state_statements){0};
}

void state_db_rest(struct state_db *state)
{
    if (!state->file.db || state->log_pages < LOG_PAGES_REST)
        return;
    sqlite3_wal_checkpoint_v2(state->file.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    state->log_pages = 0;
}

/* -- writing --------------------------------------------------------------------------------- */

/* Where and when a record is written. */
struct writing {
    struct state_db *state;
    int64_t offset_ms, boot;
};

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

static void bind_value(sqlite3_stmt *statement, int column, const struct store_event *event)
{
    if (event->kind == VALUE_NUMBER)
        sqlite3_bind_double(statement, column, event->number);
    else if (event->kind == VALUE_TEXT)
        bind_text(statement, column, event->text);
    else
        sqlite3_bind_null(statement, column);
}

static int write_event(const struct writing *writing, const struct entry *entry)
{
    const struct store_event *event = &entry->event;
    sqlite3_stmt *to = writing->state->run.event;

    sqlite3_bind_int64(to, 1, writing->state->row_base + entry->row);
    sqlite3_bind_int64(to, 2, (int64_t)event->boot);
    sqlite3_bind_int64(to, 3, (int64_t)event->sequence);
    sqlite3_bind_int64(to, 4, event->at_ms + writing->offset_ms);
    stamp_bind(to, 5, writing->boot);
    if (event->since_ms == CLOCK_NEVER)
        sqlite3_bind_null(to, 6);
    else
        sqlite3_bind_int64(to, 6, event->since_ms + writing->offset_ms);
    bind_text(to, 7, event->type);
    sqlite3_bind_int(to, 8, event->severity);
    bind_text(to, 9, event->rule);
    bind_text(to, 10, event->sensor);
    bind_value(to, 11, event);
    bind_text(to, 12, event->unit);
    sqlite3_bind_double(to, 13, event->limit); /* NAN becomes NULL */
    bind_text(to, 14, event->by);
    bind_text(to, 15, event->via);
    bind_text(to, 16, event->result);
    bind_text(to, 17, event->note);
    sqlite3_bind_int64(to, 18, event->merged);
    writing->state->events_written++;
    return database_step(&writing->state->file, to);
}

static int write_state(const struct writing *writing, const struct store_state *state)
{
    struct state_statements *run = &writing->state->run;
    sqlite3_stmt *statement = state->value ? run->put_state : run->drop_state;

    bind_text(statement, 1, state->kind);
    bind_text(statement, 2, state->key);
    if (state->value && state->size == 0)
        sqlite3_bind_zeroblob(statement, 3, 0);
    else if (state->value)
        sqlite3_bind_blob64(statement, 3, state->value, state->size, SQLITE_STATIC);
    return database_step(&writing->state->file, statement);
}

static int write_message(const struct writing *writing, const struct entry *entry, size_t i)
{
    const struct store_message *message = &entry->record.messages[i];
    sqlite3_stmt *to = writing->state->run.put_message;

    if (!message->target)
        return 0; /* it has arrived before it was here */
    sqlite3_bind_int64(to, 1, writing->state->row_base + entry_messages_row(entry) + (int64_t)i);
    bind_text(to, 2, message->target);
    sqlite3_bind_int64(to, 3, entry->taken_ms + writing->offset_ms);
    stamp_bind(to, 4, writing->boot);
    bind_text(to, 5, entry->record.event ? entry->event.rule : "");
    sqlite3_bind_int(to, 6, entry->resolved);
    if (message->size == 0)
        sqlite3_bind_zeroblob(to, 7, 0);
    else
        sqlite3_bind_blob64(to, 7, message->payload, message->size, SQLITE_STATIC);
    writing->state->outbox_bytes += (int64_t)message->size;
    return database_step(&writing->state->file, to);
}

static int resolve(const struct writing *writing, const struct entry *entry)
{
    if (!entry->record.resolves || !entry->record.event)
        return 0;
    bind_text(writing->state->run.resolve, 1, entry->event.rule);
    return database_step(&writing->state->file, writing->state->run.resolve);
}

static int write_entry(const struct writing *writing, const struct entry *entry)
{
    int r = entry->record.event ? write_event(writing, entry) : 0;

    for (size_t i = 0; i < entry->record.n_states && r == 0; i++)
        r = write_state(writing, &entry->record.states[i]);
    for (size_t i = 0; i < entry->record.n_messages && r == 0; i++)
        r = write_message(writing, entry, i);
    return r < 0 ? r : resolve(writing, entry);
}

/* -- keeping within limits ------------------------------------------------------------------- */

static int drop_message(struct state_db *state, int64_t row)
{
    sqlite3_stmt *drop = state->run.drop_message;
    int code;

    sqlite3_bind_int64(drop, 1, row);
    code = sqlite3_step(drop);
    if (code == SQLITE_ROW) {
        state->outbox_bytes -= sqlite3_column_int64(drop, 0);
        code = sqlite3_step(drop);
    }
    sqlite3_reset(drop);
    return code == SQLITE_DONE ? 0 : database_error(&state->file);
}

/* The oldest of what is resolved goes first, then the oldest; some more at once than needed,
 * because they have to be sorted for it. */
static int shorten_outbox(struct state_db *state)
{
    int64_t rows[256];
    int r = 0, n = 0, code = SQLITE_DONE;

    while (r == 0 && state->outbox_bytes > STORE_OUTBOX_MAX) {
        n = 0;
        while (n < 256 && (code = sqlite3_step(state->run.crowded)) == SQLITE_ROW)
            rows[n++] = sqlite3_column_int64(state->run.crowded, 0);
        sqlite3_reset(state->run.crowded);
        if (n == 0)
            return code == SQLITE_DONE ? 0 : database_error(&state->file);
        for (int i = 0;
             i < n && r == 0 && state->outbox_bytes > STORE_OUTBOX_MAX - STORE_OUTBOX_MAX / 16;
             i++) {
            r = drop_message(state, rows[i]);
            state->outbox_dropped += r == 0;
        }
    }
    return r;
}

static int shorten_log(struct state_db *state, const struct writing *writing)
{
    char sql[320];

    if (state->events_written < EVENTS_BETWEEN)
        return 0;
    state->events_written = 0;
    sqlite3_snprintf(sizeof(sql), sql,
                     "DELETE FROM event WHERE row <= (SELECT row FROM event ORDER BY row DESC"
                     " LIMIT 1 OFFSET %d); DELETE FROM event WHERE row < (SELECT min(row) + 1000"
                     " FROM event) AND boot IS NULL AND at_ms < %lld",
                     STATE_LOG_MAX,
                     writing->boot ? INT64_MIN
                                   : clock_boot_ms() + writing->offset_ms - STATE_LOG_AGE_MS);
    return database_run(&state->file, sql);
}

/* -- a group --------------------------------------------------------------------------------- */

static int write_all(struct writing *writing, const struct entry *entries, size_t count,
                     const int64_t *arrived, size_t n_arrived)
{
    struct state_db *state = writing->state;
    int r =
        stamp_now(&state->stamp, &state->file, stamp_clock(), &writing->offset_ms, &writing->boot);

    for (size_t i = 0; i < count && r == 0; i++) {
        if (i > 0)
            entries = entries->next; /* that of the last one belongs to the loop */
        r = write_entry(writing, entries);
    }
    for (size_t i = 0; i < n_arrived && r == 0; i++)
        r = drop_message(state, state->row_base + arrived[i]);
    if (r == 0)
        r = shorten_outbox(state);
    if (r == 0)
        r = shorten_log(state, writing);
    return r;
}

/* That a message has arrived may be forgotten by a power cut: it is then sent twice, which its
 * receivers know by its id. A sync for it alone would wear a card for nothing. */
static int begin(struct state_db *state, size_t count)
{
    return database_run(&state->file, count > 0 ? "PRAGMA synchronous=FULL; BEGIN IMMEDIATE"
                                                : "PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE");
}

int state_db_write(struct state_db *state, const struct entry *entries, size_t count,
                   const int64_t *arrived, size_t n_arrived)
{
    struct writing writing = {.state = state};
    int64_t outbox_bytes;
    uint64_t outbox_dropped = state->outbox_dropped;
    int r;

    database_check_moved(&state->file);
    r = state_db_open(state, NULL);
    if (r < 0)
        return r;
    outbox_bytes = state->outbox_bytes;
    r = begin(state, count);
    if (r == 0)
        r = write_all(&writing, entries, count, arrived, n_arrived);
    if (r == 0)
        r = database_run(&state->file, "COMMIT");
    if (r < 0) {
        sqlite3_exec(state->file.db, "ROLLBACK", NULL, NULL, NULL);
        stamp_forget(&state->stamp);
        state->outbox_bytes = outbox_bytes;
        state->outbox_dropped = outbox_dropped;
        if (r == -EBADMSG)
            database_set_aside(&state->file);
    } else if (state->log_pages > LOG_PAGES_MAX) {
        state_db_rest(state);
    }
    return r;
}
