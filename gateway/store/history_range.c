#include "gateway/store/history_range.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/store/history_db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first slice of time that is looked at; it then doubles until it has enough, so that a chunk
 * is unpacked few times however much or little there is. */
#define SLICE_MS INT64_C(600000)

struct range_series {
    int64_t id;
    const char *name, *unit;
};

/* A row before its texts are looked up. */
struct found {
    struct reading reading; /* `sensor`: index of range_series */
    uint32_t order;
};

struct collect {
    struct history_range *range;
    struct range_series *series; /* in order of id; behind them those of memory alone, without */
    size_t n_series, n_stored;
    uint32_t *of_sensor; /* an index of the inventory: its series */
    struct found *found;
    size_t count, size, most;
    int64_t from_ms, to_ms; /* of the slice */
    struct text_table *texts;
};

/* -- which series ---------------------------------------------------------------------------- */

static bool is_wanted(const struct history_range *range, const char *name)
{
    return !range->range.sensors || text_glob(range->range.sensors, name);
}

static int add_series(struct collect *collect, int64_t id, const char *name, const char *unit)
{
    struct range_series *series = collect->series;

    if (collect->n_series % 64 == 0) {
        series = realloc(series, (collect->n_series + 64) * sizeof(*series));
        if (!series)
            return -ENOMEM;
        collect->series = series;
    }
    series += collect->n_series++;
    series->id = id;
    series->name = arena_text(&collect->range->memory, name);
    series->unit = arena_text(&collect->range->memory, unit);
    return series->name && series->unit ? 0 : -ENOMEM;
}

static int read_series(struct collect *collect, struct database *file)
{
    sqlite3_stmt *rows = NULL;
    int r = database_prepare(file, "SELECT id, name, unit FROM series ORDER BY id", &rows);
    int code = SQLITE_DONE;

    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *name = database_text(rows, 1);

        if (is_wanted(collect->range, name))
            r = add_series(collect, sqlite3_column_int64(rows, 0), name, database_text(rows, 2));
    }
    if (r == 0 && code != SQLITE_DONE)
        r = database_error(file);
    sqlite3_finalize(rows);
    return r;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t left = ((const struct range_series *)a)->id,
            right = ((const struct range_series *)b)->id;

    return left < right ? -1 : left > right;
}

/* NULL when it is not asked for. */
static const struct range_series *find_series(const struct collect *collect, int64_t id)
{
    struct range_series wanted = {.id = id};

    return collect->n_stored == 0
               ? NULL
               : bsearch(&wanted, collect->series, collect->n_stored, sizeof(wanted), compare_ids);
}

/* One sensor of what is in memory; when it is not in the file yet, it comes behind those. */
static int map_sensor(struct collect *collect, struct visit *visit, uint32_t sensor)
{
    const struct inventory_sensor *about = &collect->range->inventory->sensors[sensor];
    const struct range_series *series;
    int64_t id = 0, rolled;
    char unit[8];
    int r = visit ? visit_find(visit, about->id, &id, &rolled, unit, sizeof(unit)) : 0;

    if (r < 0)
        return r;
    series = find_series(collect, id);
    collect->of_sensor[sensor] =
        series ? (uint32_t)(series - collect->series) : (uint32_t)collect->n_series;
    return series ? 0 : add_series(collect, 0, about->id, about->unit);
}

static int map_sensors(struct collect *collect, struct visit *visit)
{
    const struct inventory *inventory = collect->range->inventory;
    int r = 0;

    collect->n_stored = collect->n_series;
    if (!inventory)
        return 0;
    collect->of_sensor = malloc((inventory->n_sensors + 1) * sizeof(*collect->of_sensor));
    if (!collect->of_sensor)
        return -ENOMEM;
    memset(collect->of_sensor, 0xff, (inventory->n_sensors + 1) * sizeof(*collect->of_sensor));
    for (size_t i = 0; i < collect->range->n_parts && r == 0; i++) {
        uint32_t sensor = collect->range->parts[i].reading.sensor;

        if (collect->of_sensor[sensor] == UINT32_MAX)
            r = map_sensor(collect, visit, sensor);
    }
    return r;
}

/* -- collecting ------------------------------------------------------------------------------ */

/* 1 when there is too much of it: the slice was too long. */
static int add_found(struct collect *collect, uint32_t series, const struct reading *reading)
{
    struct found *found = collect->found;

    if (reading->at_ms < collect->from_ms || reading->at_ms > collect->to_ms)
        return 0;
    if (collect->count == collect->most && collect->to_ms > collect->from_ms)
        return 1;
    if (collect->count == collect->size) {
        collect->size = collect->size ? collect->size * 2 : 1024;
        found = realloc(found, collect->size * sizeof(*found));
        if (!found)
            return -ENOMEM;
        collect->found = found;
    }
    found += collect->count;
    found->reading = *reading;
    found->reading.sensor = series;
    found->order = (uint32_t)collect->count++;
    return 0;
}

static int take(void *owner, int64_t id, const struct reading *readings, size_t count)
{
    struct collect *collect = owner;
    const struct range_series *series = find_series(collect, id);
    int r = 0;

    for (size_t i = 0; i < count && r == 0 && series; i++)
        r = add_found(collect, (uint32_t)(series - collect->series), &readings[i]);
    return r;
}

static int take_memory(struct collect *collect, uint64_t serial)
{
    const struct history_range *range = collect->range;
    int r = 0;

    for (size_t i = 0; i < range->n_parts && r == 0; i++) {
        struct reading reading = range->parts[i].reading;

        if (range->parts[i].serial <= serial)
            continue;
        reading.at_ms += range->offset_ms;
        if (reading.quality == QUALITY_GOOD && reading.kind == VALUE_TEXT)
            reading.text = text_table_add(collect->texts,
                                          text_table_get(range->inventory->texts, reading.text));
        r = add_found(collect, collect->of_sensor[reading.sensor], &reading);
    }
    return r;
}

static int collect_slice(struct collect *collect, struct visit *visit)
{
    struct visit_range range = {.from_ms = collect->from_ms, .to_ms = collect->to_ms};
    int r = 0;

    for (size_t i = 0; i < collect->n_stored && r == 0; i++) {
        range.series = collect->series[i].id;
        r = visit_chunks(visit, &range, take, collect);
    }
    range.series = 0; /* of all */
    if (r == 0)
        r = visit_staged(visit, &range, take, collect);
    return r != 0 ? r : take_memory(collect, visit->serial);
}

/* Where the first reading of all may be; INT64_MAX when there is none. */
static int find_start(struct collect *collect, struct visit *visit, int64_t *ret_ms)
{
    int64_t start_ms;
    int r = database_number(visit->file, "SELECT min(start_ms) FROM staged", INT64_MAX, ret_ms);

    for (size_t i = 0; i < collect->n_stored && r == 0; i++) {
        r = visit_start(visit, collect->series[i].id, LEVEL_RAW, &start_ms);
        if (r == 0 && start_ms < *ret_ms)
            *ret_ms = start_ms;
    }
    for (size_t i = 0; i < collect->range->n_parts; i++) {
        start_ms = collect->range->parts[i].reading.at_ms + collect->range->offset_ms;
        if (start_ms < *ret_ms)
            *ret_ms = start_ms;
    }
    return r;
}

/* Slices of time until the page is full or the range at its end; from_ms is then where to go on. */
static int collect_page(struct collect *collect, struct visit *visit, int64_t *from_ms)
{
    int64_t slice_ms = SLICE_MS, to_ms = collect->range->range.to_ms;
    size_t before;
    int r = 0;

    while (*from_ms <= to_ms && collect->count < collect->range->range.max_rows) {
        before = collect->count;
        collect->most = before + 2 * collect->range->range.max_rows;
        collect->from_ms = *from_ms;
        collect->to_ms = to_ms - *from_ms < slice_ms ? to_ms : *from_ms + slice_ms - 1;
        r = collect_slice(collect, visit);
        if (r < 0)
            return r;
        if (r > 0) {
            collect->count = before;
            slice_ms = slice_ms > 8 ? slice_ms / 8 : 1;
            continue;
        }
        *from_ms = collect->to_ms + 1;
        slice_ms *= 2;
    }
    return 0;
}

/* -- the answer ------------------------------------------------------------------------------ */

static int compare_found(const void *a, const void *b)
{
    const struct found *left = a, *right = b;

    if (left->reading.at_ms != right->reading.at_ms)
        return left->reading.at_ms < right->reading.at_ms ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

static bool make_row(struct collect *collect, const struct found *found, struct store_row *row)
{
    const struct reading *reading = &found->reading;

    row->at_ms = reading->at_ms;
    row->sensor = collect->series[reading->sensor].name;
    row->unit = collect->series[reading->sensor].unit;
    row->quality = reading->quality;
    row->kind = reading->quality == QUALITY_GOOD ? reading->kind : VALUE_NONE;
    if (row->kind == VALUE_NUMBER)
        row->number = reading->number;
    else if (row->kind == VALUE_TEXT)
        row->text =
            arena_text(&collect->range->memory, text_table_get(collect->texts, reading->text));
    return row->kind != VALUE_TEXT || row->text;
}

/* Rows of one time are not torn: where to go on is a time. */
static int answer(struct collect *collect, int64_t next_ms)
{
    struct history_range *range = collect->range;
    size_t n = range->range.max_rows;
    struct store_row *rows;

    if (collect->count > 0)
        qsort(collect->found, collect->count, sizeof(*collect->found), compare_found);
    while (n > 0 && n < collect->count &&
           collect->found[n].reading.at_ms == collect->found[n - 1].reading.at_ms)
        n++;
    if (n >= collect->count)
        n = collect->count;
    else
        next_ms = collect->found[n].reading.at_ms;
    rows = arena_take(&range->memory, (n + 1) * sizeof(*rows));
    for (size_t i = 0; i < n && rows; i++) {
        if (!make_row(collect, &collect->found[i], &rows[i]))
            return -ENOMEM;
    }
    range->answer.rows = rows;
    range->answer.count = rows ? n : 0;
    range->answer.next_ms = next_ms > range->range.to_ms ? CLOCK_NEVER : next_ms;
    return rows ? 0 : -ENOMEM;
}

static void collect_start(struct collect *collect, struct history_range *range)
{
    *collect = (struct collect){.range = range};
    if (range->range.max_rows == 0 || range->range.max_rows > HISTORY_ROWS_MAX)
        range->range.max_rows = HISTORY_ROWS_MAX;
    range->answer.next_ms = CLOCK_NEVER;
}

static void collect_end(struct collect *collect)
{
    free(collect->series);
    free(collect->of_sensor);
    free(collect->found);
}

void history_range_run(struct history_range *range, struct database *file, int64_t this_run)
{
    int64_t from_ms = range->range.from_ms, start_ms = INT64_MAX;
    struct collect collect;
    struct visit visit;
    int r = visit_begin(&visit, file, this_run);

    collect_start(&collect, range);
    collect.texts = visit.texts;
    if (r == 0)
        r = read_series(&collect, file);
    if (r == 0)
        r = map_sensors(&collect, &visit);
    if (r == 0)
        r = find_start(&collect, &visit, &start_ms);
    if (from_ms < start_ms)
        from_ms = start_ms;
    if (r == 0)
        r = collect_page(&collect, &visit, &from_ms);
    if (r == 0)
        r = answer(&collect, from_ms);
    visit_end(&visit);
    collect_end(&collect);
    range->answer.status = r;
}

void history_range_without(struct history_range *range)
{
    struct collect collect;
    int r;

    collect_start(&collect, range);
    collect.from_ms = range->range.from_ms;
    collect.to_ms = range->range.to_ms;
    collect.most = SIZE_MAX;
    collect.texts = text_table_new();
    r = collect.texts ? map_sensors(&collect, NULL) : -ENOMEM;
    if (r == 0)
        r = take_memory(&collect, 0);
    if (r == 0)
        r = answer(&collect, CLOCK_NEVER);
    text_table_free(collect.texts);
    collect_end(&collect);
    range->answer.status = r < 0 ? r : -EAGAIN;
}
