#include "gateway/base/csv.h"
#include "gateway/base/text.h"
#include "gateway/store/csv_row.h"
#include "gateway/store/history_db.h"
#include "gateway/store/history_visit.h"
#include "gateway/store/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_TIME, COLUMN_SENSOR, COLUMN_VALUE, COLUMN_UNIT, COLUMN_QUALITY, COLUMNS };

/* Lines of one piece, read. */
struct import {
    struct reading *readings; /* `sensor`: number of its name in `names` */
    size_t count, size;
    struct text_table *names, *texts;
    const char *units[TEXT_TABLE_MAX + 1]; /* a name: its unit, in the text of the file */
    struct store_import *result;
};

/* -- lines ----------------------------------------------------------------------------------- */

static bool is_sensor(const char *id)
{
    const char *dot = strchr(id, '.');
    char device[TEXT_SLUG_MAX + 1];

    if (!dot || (size_t)(dot - id) >= sizeof(device))
        return false;
    memcpy(device, id, (size_t)(dot - id));
    device[dot - id] = '\0';
    return text_is_slug(device) && text_is_slug(dot + 1);
}

static bool is_header(char *const fields[])
{
    return strcmp(fields[COLUMN_TIME], "time") == 0;
}

/* What is wrong with a line; NULL: nothing, and `reading` is filled but for its sensor. */
static const char *read_line(struct import *import, char *const fields[], int n,
                             struct reading *reading)
{
    const char *value = n > COLUMN_VALUE ? fields[COLUMN_VALUE] : "";

    *reading = (struct reading){0};
    if (n <= COLUMN_VALUE)
        return "time,sensor,value,unit,quality is what a line must have";
    if (text_to_wall(fields[COLUMN_TIME], &reading->at_ms) < 0)
        return "the time is none";
    if (!is_sensor(fields[COLUMN_SENSOR]))
        return "the sensor is no device.channel";
    if (csv_to_quality(n > COLUMN_QUALITY ? fields[COLUMN_QUALITY] : "", &reading->quality) < 0)
        return "there is no such quality";
    if (reading->quality != QUALITY_GOOD)
        return NULL;
    if (!*value || strlen(value) >= SAMPLE_TEXT_SIZE)
        return "the value is missing or too long";
    reading->kind = VALUE_NUMBER;
    if (text_to_number(value, &reading->number) == 0)
        return NULL;
    reading->kind = VALUE_TEXT;
    reading->text = text_table_add(import->texts, value);
    return NULL;
}

static int keep(struct import *import, const struct reading *reading)
{
    if (import->count == import->size) {
        size_t size = import->size ? import->size * 2 : 1024;
        struct reading *readings = realloc(import->readings, size * sizeof(*readings));

        if (!readings)
            return -ENOMEM;
        import->readings = readings;
        import->size = size;
    }
    import->readings[import->count++] = *reading;
    return 0;
}

static void note_wrong(struct import *import, size_t line, const char *why)
{
    if (import->result->wrong++ == 0)
        error_set(&import->result->first_wrong, -EINVAL, "line %zu: %s", line, why);
}

static int take_fields(struct import *import, size_t line, char *const fields[], int n)
{
    struct reading reading;
    const char *why = read_line(import, fields, n, &reading);

    if (!why) {
        reading.sensor = text_table_add(import->names, fields[COLUMN_SENSOR]);
        if (reading.sensor == 0)
            why = "too many different sensors";
    }
    if (why) {
        note_wrong(import, line, why);
        return 0;
    }
    if (!import->units[reading.sensor] && n > COLUMN_UNIT && *fields[COLUMN_UNIT])
        import->units[reading.sensor] = fields[COLUMN_UNIT];
    return keep(import, &reading);
}

/* Each line by itself: a quote that is not closed then spoils no other. */
static int take_line(struct import *import, size_t line, char *text)
{
    char *fields[COLUMNS] = {0};
    struct csv csv;
    int n;

    csv_start(&csv, text, 0);
    n = csv_next(&csv, fields, COLUMNS);
    if (n < 0)
        note_wrong(import, line, "a quote is not closed");
    if (n <= 0 || is_header(fields))
        return 0;
    return take_fields(import, line, fields, n < COLUMNS ? n : COLUMNS);
}

static int read_lines(struct import *import, char *text)
{
    int r = 0;

    for (size_t line = 1; text && r == 0; line++) {
        char *end = strchr(text, '\n');

        if (end)
            *end++ = '\0';
        r = take_line(import, line, text);
        text = end;
    }
    return r;
}

/* -- what is known already ------------------------------------------------------------------- */

/* Times of one series that are in the file. */
struct known {
    int64_t *times;
    size_t count, size;
    int64_t from_ms, to_ms;
};

static int take_times(void *owner, int64_t series, const struct reading *readings, size_t count)
{
    struct known *known = owner;

    (void)series;
    for (size_t i = 0; i < count; i++) {
        if (readings[i].at_ms < known->from_ms || readings[i].at_ms > known->to_ms)
            continue;
        if (known->count == known->size) {
            size_t size = known->size ? known->size * 2 : 1024;
            int64_t *times = realloc(known->times, size * sizeof(*times));

            if (!times)
                return -ENOMEM;
            known->times = times;
            known->size = size;
        }
        known->times[known->count++] = readings[i].at_ms;
    }
    return 0;
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

static int read_known(struct visit *visit, struct known *known, int64_t series)
{
    struct visit_range range = {.series = series, .from_ms = known->from_ms, .to_ms = known->to_ms};
    int r = visit_chunks(visit, &range, take_times, known);

    if (r == 0)
        r = visit_staged(visit, &range, take_times, known);
    if (r == 0 && known->count > 0)
        qsort(known->times, known->count, sizeof(*known->times), compare_times);
    return r;
}

/* Packs those that are new to the front. */
static size_t drop_known(const struct known *known, struct reading *readings, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (n > 0 && readings[n - 1].at_ms == readings[i].at_ms)
            continue;
        if (known->count > 0 && bsearch(&readings[i].at_ms, known->times, known->count,
                                        sizeof(*known->times), compare_times))
            continue;
        readings[n++] = readings[i];
    }
    return n;
}

/* -- storing --------------------------------------------------------------------------------- */

static int store_new(struct history_db *history, struct import *import, int64_t series,
                     const struct reading *readings, size_t count)
{
    int r = 0;

    for (size_t at = 0, n; at < count && r == 0; at += n) {
        n = count - at < PACK_MAX ? count - at : PACK_MAX;
        r = history_add_readings(history, series, 0, readings + at, n, import->texts);
    }
    import->result->taken += r == 0 ? count : 0;
    return r;
}

static int store_series(struct history_db *history, struct import *import, struct visit *visit,
                        struct reading *readings, size_t count)
{
    struct known known = {.from_ms = readings[0].at_ms, .to_ms = readings[count - 1].at_ms};
    uint32_t name = readings[0].sensor;
    int64_t series = 0;
    size_t n = 0;
    int r =
        history_series(history, text_table_get(import->names, name), import->units[name], &series);

    if (r == 0)
        r = read_known(visit, &known, series);
    if (r == 0) {
        n = drop_known(&known, readings, count);
        import->result->known += count - n;
        r = store_new(history, import, series, readings, n);
    }
    free(known.times);
    return r;
}

static int compare_readings(const void *a, const void *b)
{
    const struct reading *left = a, *right = b;

    if (left->sensor != right->sensor)
        return left->sensor < right->sensor ? -1 : 1;
    return left->at_ms < right->at_ms ? -1 : left->at_ms > right->at_ms;
}

static int store_all(struct history_db *history, struct import *import, struct visit *visit)
{
    int r = 0;

    if (import->count > 0)
        qsort(import->readings, import->count, sizeof(*import->readings), compare_readings);
    for (size_t from = 0, to; from < import->count && r == 0; from = to) {
        for (to = from + 1;
             to < import->count && import->readings[to].sensor == import->readings[from].sensor;)
            to++;
        r = store_series(history, import, visit, import->readings + from, to - from);
    }
    return r;
}

int history_db_import(struct history_db *history, char *csv, struct store_import *result)
{
    struct import *import = calloc(1, sizeof(*import));
    struct visit visit;
    int r = history_begin(history);

    if (r < 0) {
        free(import);
        return r;
    }
    r = visit_prepare(&visit, &history->file);
    if (r == 0 && import) {
        import->result = result;
        import->names = text_table_new();
        import->texts = text_table_new();
    }
    if (r == 0 && (!import || !import->names || !import->texts))
        r = -ENOMEM;
    if (r == 0)
        r = read_lines(import, csv);
    if (r == 0)
        r = store_all(history, import, &visit);
    visit_release(&visit);
    if (import) {
        text_table_free(import->names);
        text_table_free(import->texts);
        free(import->readings);
    }
    free(import);
    r = history_end(history, r);
    if (r < 0)
        result->taken = result->known = 0;
    return r;
}
