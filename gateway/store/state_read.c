#include "gateway/store/state_read.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* What one page of the outbox may take, in bytes of payload. */
#define PAGE_BYTES_MAX 1000000

/* -- the log: what waits --------------------------------------------------------------------- */

static bool fits(const char *pattern, const char *text)
{
    return !pattern || text_glob(pattern, text);
}

/* The bare name of a rule means all its instances. */
static bool fits_rule(const char *pattern, const char *rule)
{
    char bare[2 * TEXT_SLUG_MAX];
    const char *at = strchr(rule, '@');

    if (fits(pattern, rule))
        return true;
    if (!at || (size_t)(at - rule) >= sizeof(bare))
        return false;
    memcpy(bare, rule, (size_t)(at - rule));
    bare[at - rule] = '\0';
    return text_glob(pattern, bare);
}

static bool is_asked_for(const struct store_log_query *query, const struct store_log_entry *entry)
{
    return (query->before == 0 || entry->row < query->before) && entry->wall_ms >= query->from_ms &&
           entry->wall_ms <= query->to_ms && entry->event.severity >= query->min_severity &&
           fits(query->type, entry->event.type) && fits_rule(query->rule, entry->event.rule) &&
           fits(query->sensor, entry->event.sensor);
}

static const char *keep(struct log_page *page, const char *text)
{
    return arena_text(&page->memory, text);
}

/* Into the memory of the page: an entry of the ledger may go at any time. */
static bool keep_texts(struct log_page *page, struct store_event *event)
{
    event->type = keep(page, event->type);
    event->rule = keep(page, event->rule);
    event->sensor = keep(page, event->sensor);
    event->unit = keep(page, event->unit);
    event->text = keep(page, event->text);
    event->by = keep(page, event->by);
    event->via = keep(page, event->via);
    event->result = keep(page, event->result);
    event->note = keep(page, event->note);
    return event->note != NULL;
}

static struct store_log_entry entry_of(const struct entry *from, int64_t row_base,
                                       int64_t offset_ms)
{
    struct store_log_entry entry = {.row = row_base + from->row,
                                    .wall_ms = from->event.at_ms + offset_ms,
                                    .since_wall_ms = CLOCK_NEVER,
                                    .clock_good = clock_wall_is_good(),
                                    .event = from->event};

    if (from->event.since_ms != CLOCK_NEVER)
        entry.since_wall_ms = from->event.since_ms + offset_ms;
    entry.event.at_ms = entry.event.since_ms = 0;
    return entry;
}

/* The newest `max` of what waits, newest first. */
static int take_waiting(struct log_page *page, const struct ledger *ledger, int64_t row_base,
                        int64_t offset_ms)
{
    size_t max = ledger->count < page->query.max ? ledger->count + 1 : page->query.max, met = 0;
    struct store_log_entry *ring = arena_take(&page->memory, max * sizeof(*ring));

    if (!ring)
        return -ENOMEM;
    for (const struct entry *from = ledger->first; from; from = from->next) {
        struct store_log_entry entry = entry_of(from, row_base, offset_ms);

        if (from->record.event && is_asked_for(&page->query, &entry))
            ring[met++ % max] = entry;
    }
    page->n_waiting = met < max ? met : max;
    page->waiting = arena_take(&page->memory, (page->n_waiting + 1) * sizeof(*ring));
    if (!page->waiting)
        return -ENOMEM;
    for (size_t i = 0; i < page->n_waiting; i++) {
        page->waiting[i] = ring[(met - 1 - i) % max];
        if (!keep_texts(page, &page->waiting[i].event))
            return -ENOMEM;
    }
    return 0;
}

int log_page_start(struct log_page *page, const struct store_log_query *query,
                   const struct ledger *ledger, int64_t row_base, int64_t offset_ms)
{
    struct store_log_query *own = &page->query;

    *own = *query;
    if (own->max == 0 || own->max > STATE_PAGE_MAX)
        own->max = STATE_PAGE_MAX;
    if (own->to_ms == 0)
        own->to_ms = INT64_MAX;
    own->type = keep(page, query->type);
    own->rule = keep(page, query->rule);
    own->sensor = keep(page, query->sensor);
    page->entries = arena_take(&page->memory, own->max * sizeof(*page->entries));
    if (!page->entries || (query->type && !own->type) || (query->rule && !own->rule) ||
        (query->sensor && !own->sensor))
        return -ENOMEM;
    return take_waiting(page, ledger, row_base, offset_ms);
}

/* -- the log: what is on disk ---------------------------------------------------------------- */

static void take_value(struct store_event *event, sqlite3_stmt *row)
{
    int type = sqlite3_column_type(row, 10);

    event->text = "";
    event->kind = VALUE_NONE;
    if (type == SQLITE_TEXT) {
        event->kind = VALUE_TEXT;
        event->text = database_text(row, 10);
    } else if (type != SQLITE_NULL) {
        event->kind = VALUE_NUMBER;
        event->number = sqlite3_column_double(row, 10);
    }
    event->limit =
        sqlite3_column_type(row, 12) == SQLITE_NULL ? NAN : sqlite3_column_double(row, 12);
}

static struct store_log_entry read_entry(sqlite3_stmt *row)
{
    struct store_log_entry entry = {.row = sqlite3_column_int64(row, 0),
                                    .wall_ms = sqlite3_column_int64(row, 3),
                                    .since_wall_ms = CLOCK_NEVER,
                                    .clock_good = sqlite3_column_type(row, 4) == SQLITE_NULL,
                                    .durable = true};
    struct store_event *event = &entry.event;

    if (sqlite3_column_type(row, 5) != SQLITE_NULL)
        entry.since_wall_ms = sqlite3_column_int64(row, 5);
    event->boot = (uint64_t)sqlite3_column_int64(row, 1);
    event->sequence = (uint64_t)sqlite3_column_int64(row, 2);
    event->type = database_text(row, 6);
    event->severity = (uint8_t)sqlite3_column_int(row, 7);
    event->rule = database_text(row, 8);
    event->sensor = database_text(row, 9);
    take_value(event, row);
    event->unit = database_text(row, 11);
    event->by = database_text(row, 13);
    event->via = database_text(row, 14);
    event->result = database_text(row, 15);
    event->note = database_text(row, 16);
    event->merged = (uint32_t)sqlite3_column_int64(row, 17);
    return entry;
}

/* One more than fits only says that there is more. false when it is full. */
static bool add_entry(struct log_page *page, const struct store_log_entry *entry)
{
    if (page->count == page->query.max) {
        page->more = true;
        return false;
    }
    page->entries[page->count++] = *entry;
    return true;
}

static int read_rows(struct log_page *page, struct database *file, sqlite3_stmt *rows)
{
    int code;

    sqlite3_bind_int64(rows, 1, page->query.before ? page->query.before : INT64_MAX);
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct store_log_entry entry = read_entry(rows);

        if (!is_asked_for(&page->query, &entry))
            continue;
        if (!keep_texts(page, &entry.event))
            return -ENOMEM;
        if (!add_entry(page, &entry))
            return 0;
    }
    return code == SQLITE_DONE ? 0 : database_error(file);
}

/* What waited when it was asked for may have come to disk meanwhile. */
static void add_waiting(struct log_page *page, int64_t newest)
{
    for (size_t i = 0; i < page->n_waiting; i++) {
        if (page->waiting[i].row > newest)
            add_entry(page, &page->waiting[i]);
    }
}

int log_page_read(struct log_page *page, struct database *file)
{
    sqlite3_stmt *rows = NULL;
    int64_t newest = 0;
    int r = database_run(file, "BEGIN");

    if (r == 0)
        r = database_number(file, "SELECT max(row) FROM event", INT64_MIN, &newest);
    if (r == 0)
        r = database_prepare(file, "SELECT * FROM event WHERE row < ?1 ORDER BY row DESC", &rows);
    if (r == 0) {
        add_waiting(page, newest);
        r = read_rows(page, file, rows);
    }
    sqlite3_finalize(rows);
    sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

int log_page_without(struct log_page *page)
{
    page->count = 0;
    add_waiting(page, INT64_MIN);
    return -EAGAIN;
}

/* -- the outbox ------------------------------------------------------------------------------ */

static int take_message(struct outbox_page *page, sqlite3_stmt *row, int64_t row_base)
{
    struct store_outbox_row *to = &page->rows[page->count];
    const void *payload = sqlite3_column_blob(row, 2);

    to->row = sqlite3_column_int64(row, 0) - row_base;
    to->wall_ms = sqlite3_column_int64(row, 1);
    to->size = (size_t)sqlite3_column_bytes(row, 2);
    to->payload = arena_copy(&page->memory, payload ? payload : "", to->size + (to->size == 0), 1);
    if (!to->payload)
        return -ENOMEM;
    page->count++;
    return 0;
}

static int read_messages(struct outbox_page *page, struct database *file, sqlite3_stmt *rows,
                         int64_t row_base)
{
    size_t bytes = 0;
    int r = 0, code = SQLITE_DONE;

    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        bytes += (size_t)sqlite3_column_bytes(rows, 2);
        if (page->count == page->max || (page->count > 0 && bytes > PAGE_BYTES_MAX)) {
            page->more = true;
            return 0;
        }
        r = take_message(page, rows, row_base);
    }
    return r < 0 || code == SQLITE_DONE ? r : database_error(file);
}

int outbox_page_read(struct outbox_page *page, struct database *file, int64_t row_base)
{
    sqlite3_stmt *rows = NULL;
    int64_t after = page->after < -row_base ? 0 : page->after + row_base;
    int r = database_prepare(file,
                             "SELECT row, at_ms, payload FROM outbox WHERE target=?1 AND row > ?2"
                             " ORDER BY row",
                             &rows);

    page->rows = arena_take(&page->memory, page->max * sizeof(*page->rows));
    if (r == 0 && !page->rows)
        r = -ENOMEM;
    if (r == 0) {
        sqlite3_bind_text(rows, 1, page->target, -1, SQLITE_STATIC);
        sqlite3_bind_int64(rows, 2, after);
        r = read_messages(page, file, rows, row_base);
    }
    sqlite3_finalize(rows);
    return r;
}
