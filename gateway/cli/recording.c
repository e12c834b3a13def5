#include "gateway/cli/recording.h"

#include "gateway/base/csv.h"
#include "gateway/base/reading.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TIME, SENSOR, VALUE, UNIT, QUALITY, COLUMNS };

static int find_quality(const char *name, uint8_t *ret_quality)
{
    for (unsigned q = QUALITY_GOOD; q <= QUALITY_MAX; q++) {
        if (strcmp(quality_name((uint8_t)q), name) != 0)
            continue;
        *ret_quality = (uint8_t)q;
        return 0;
    }
    return -EINVAL;
}

/* What is wrong with a line; NULL: nothing. */
static const char *read_row(char *const fields[], int n, struct recorded *row)
{
    if (n <= VALUE)
        return "time,sensor,value,unit,quality is what a line must have";
    row->sensor = fields[SENSOR];
    row->value = fields[VALUE];
    row->quality = QUALITY_GOOD;
    if (text_to_wall(fields[TIME], &row->at_ms) < 0)
        return "the time is none";
    if (n > QUALITY && fields[QUALITY][0] && find_quality(fields[QUALITY], &row->quality) < 0)
        return "there is no such quality";
    return row->quality == QUALITY_GOOD && !row->value[0] ? "the value is missing" : NULL;
}

static int append(struct recording *recording, const struct recorded *row)
{
    size_t n = recording->count;

    if ((n & (n - 1)) == 0) { /* room doubles at each power of two */
        struct recorded *grown = reallocarray(recording->rows, n == 0 ? 1 : 2 * n, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        recording->rows = grown;
    }
    recording->rows[n] = *row;
    recording->rows[n].order = n;
    recording->count++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct recorded *x = a, *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static int read_rows(struct csv *csv, int64_t from_ms, int64_t to_ms, struct recording *recording,
                     struct error *reterr)
{
    char *fields[COLUMNS];
    int n, r = 0;

    while (r == 0 && (n = csv_next(csv, fields, COLUMNS)) > 0) {
        struct recorded row;
        const char *why;

        if (strcmp(fields[TIME], "time") == 0)
            continue; /* a header, of which there are several where files were put together */
        why = read_row(fields, n, &row);
        if (why)
            return error_set(reterr, -EINVAL, "line %zu: %s", csv->line, why);
        if (row.at_ms >= from_ms && row.at_ms <= to_ms)
            r = append(recording, &row);
    }
    if (r == 0 && n < 0)
        return error_set(reterr, -EINVAL, "line %zu: a quote is not closed", csv->line);
    return r == 0 ? 0 : error_set(reterr, r, "out of memory");
}

int recording_read(char *text, int64_t from_ms, int64_t to_ms, struct recording *ret_recording,
                   struct error *reterr)
{
    struct csv csv;
    int r;

    *ret_recording = (struct recording){.text = text};
    csv_start(&csv, text, 0);
    r = read_rows(&csv, from_ms, to_ms, ret_recording, reterr);
    if (r == 0 && ret_recording->count > 0)
        qsort(ret_recording->rows, ret_recording->count, sizeof(*ret_recording->rows), compare);
    return r;
}

void recording_free(struct recording *recording)
{
    free(recording->text);
    free(recording->rows);
    *recording = (struct recording){0};
}
