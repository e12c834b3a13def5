#include "gateway/store/rollup.h"

#include "gateway/store/numbers.h"
#include "gateway/store/texts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* How many decimals a mean has more than what it is the mean of. */
#define MEAN_DECIMALS 3
#define DECIMALS_MAX  9

int64_t rollup_start(int64_t at_ms, int64_t step_ms)
{
    int64_t rest = at_ms % step_ms;

    return at_ms - (rest < 0 ? rest + step_ms : rest);
}

/* -- adding ---------------------------------------------------------------------------------- */

/* The first item of the stretch at `at_ms`, or where it would stand. Mostly that is the end. */
static size_t find_stretch(const struct rollups *rollups, int64_t at_ms)
{
    size_t low = 0, high = rollups->count;

    if (high == 0 || rollups->items[high - 1].at_ms < at_ms)
        return high;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (rollups->items[middle].at_ms < at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool grow(struct rollups *rollups)
{
    size_t size = rollups->size ? rollups->size * 2 : 64;
    struct rollup *items;

    if (rollups->count < rollups->size)
        return true;
    items = realloc(rollups->items, size * sizeof(*items));
    if (!items) {
        rollups->failed = true;
        return false;
    }
    rollups->items = items;
    rollups->size = size;
    return true;
}

/* A stretch has one item for numbers and gaps, and one for each text. */
static bool same_item(const struct rollup *a, const struct rollup *b)
{
    if (a->kind == VALUE_TEXT || b->kind == VALUE_TEXT)
        return a->kind == b->kind && a->text == b->text;
    return true;
}

static void join(struct rollup *to, const struct rollup *from)
{
    to->quality = from->quality;
    if (from->count == 0)
        return;
    if (to->count == 0 || from->min < to->min)
        to->min = from->min;
    if (to->count == 0 || from->max > to->max)
        to->max = from->max;
    to->kind = from->kind;
    to->sum = (to->count ? to->sum : 0) + from->sum;
    to->count += from->count;
}

/* The item of the stretch that begins at `at` which `item` belongs to; *ret_end is behind the
 * stretch. */
static struct rollup *find_item(struct rollups *rollups, size_t at, const struct rollup *item,
                                size_t *ret_end)
{
    for (; at < rollups->count && rollups->items[at].at_ms == item->at_ms; at++) {
        if (same_item(&rollups->items[at], item))
            return &rollups->items[at];
    }
    *ret_end = at;
    return NULL;
}

void rollups_add(struct rollups *rollups, const struct rollup *from)
{
    struct rollup item = *from, *same;
    size_t at, end = 0;

    item.at_ms = rollup_start(from->at_ms, rollups->step_ms);
    at = find_stretch(rollups, item.at_ms);
    same = find_item(rollups, at, &item, &end);
    if (!same && item.kind == VALUE_TEXT && end - at >= ROLLUP_TEXTS_MAX) {
        item.text = 0; /* a table of texts begins with "other" */
        same = find_item(rollups, at, &item, &end);
    }
    if (same) {
        join(same, &item);
        return;
    }
    if (!grow(rollups))
        return;
    memmove(rollups->items + end + 1, rollups->items + end,
            (rollups->count - end) * sizeof(*rollups->items));
    rollups->items[end] = item;
    rollups->count++;
}

void rollups_add_reading(struct rollups *rollups, const struct reading *reading)
{
    struct rollup item = {
        .at_ms = reading->at_ms, .kind = reading->kind, .quality = reading->quality};

    if (reading->quality != QUALITY_GOOD)
        item.kind = VALUE_NONE;
    item.count = item.kind != VALUE_NONE;
    if (item.kind == VALUE_TEXT)
        item.text = reading->text;
    else if (item.kind == VALUE_NUMBER)
        item.min = item.max = item.sum = reading->number;
    rollups_add(rollups, &item);
}

void rollups_free(struct rollups *rollups)
{
    free(rollups->items);
    memset(rollups, 0, sizeof(*rollups));
}

/* -- packing --------------------------------------------------------------------------------- */

/* Columns of a piece; too large for a stack that is not ours to fill twice over. */
struct columns {
    double min[ROLLUP_MAX], max[ROLLUP_MAX], mean[ROLLUP_MAX];
    uint32_t texts[ROLLUP_MAX];
    size_t numbers, n_texts;
};

static void fill_columns(struct columns *columns, const struct rollup *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = columns->numbers;

        if (items[i].kind == VALUE_TEXT)
            columns->texts[columns->n_texts++] = items[i].text;
        if (items[i].kind != VALUE_NUMBER)
            continue;
        columns->min[n] = items[i].min;
        columns->max[n] = items[i].max;
        columns->mean[n] = items[i].sum / items[i].count;
        columns->numbers++;
    }
}

/* A mean has as many digits as a double can hold; rounded it takes a quarter of the room. */
static void round_means(struct columns *columns)
{
    int low = numbers_decimals(columns->min, columns->numbers);
    int high = numbers_decimals(columns->max, columns->numbers);
    int decimals = (low > high ? low : high) + MEAN_DECIMALS;
    double scale;

    if (low < 0 || high < 0)
        return;
    scale = pow(10, decimals < DECIMALS_MAX ? decimals : DECIMALS_MAX);
    for (size_t i = 0; i < columns->numbers; i++)
        columns->mean[i] = round(columns->mean[i] * scale) / scale;
}

static void put_heads(struct bytes *to, const struct rollup *items, size_t count, int64_t step_ms)
{
    int64_t before_ms = items[0].at_ms, before = 0;

    for (size_t i = 0; i < count; i++) {
        bytes_put_signed(to, (items[i].at_ms - before_ms) / step_ms);
        before_ms = items[i].at_ms;
    }
    for (size_t i = 0; i < count; i++)
        bytes_put_unsigned(to, items[i].quality * 4u + items[i].kind);
    for (size_t i = 0; i < count; i++) {
        bytes_put_signed(to, (int64_t)items[i].count - before);
        before = items[i].count;
    }
}

void rollup_encode(struct bytes *to, const struct rollup *items, size_t count, int64_t step_ms,
                   const struct text_table *texts)
{
    struct columns *columns = calloc(1, sizeof(*columns));

    if (!columns) {
        to->failed = true;
        return;
    }
    bytes_put_unsigned(to, count);
    put_heads(to, items, count, step_ms);
    fill_columns(columns, items, count);
    if (columns->n_texts > 0)
        texts_encode(to, columns->texts, columns->n_texts, texts);
    if (columns->numbers > 0) {
        round_means(columns);
        numbers_encode(to, columns->min, columns->numbers);
        numbers_encode(to, columns->max, columns->numbers);
        numbers_encode(to, columns->mean, columns->numbers);
    }
    free(columns);
}

static void get_heads(struct bytes_reader *from, struct rollup *items, size_t count,
                      int64_t base_ms, int64_t step_ms)
{
    uint64_t at = (uint64_t)base_ms; /* unsigned: damaged bytes may make it overflow */
    uint64_t n = 0;

    for (size_t i = 0; i < count; i++) {
        at += (uint64_t)bytes_get_signed(from) * (uint64_t)step_ms;
        items[i] = (struct rollup){.at_ms = (int64_t)at};
        if (at + BYTES_TIME_MAX > 2 * BYTES_TIME_MAX)
            from->failed = true;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t mark = bytes_get_unsigned(from);

        if (mark % 4 > VALUE_TEXT || mark / 4 > QUALITY_MAX)
            from->failed = true;
        items[i].kind = mark % 4;
        items[i].quality = (uint8_t)(mark / 4);
    }
    for (size_t i = 0; i < count; i++) {
        n += (uint64_t)bytes_get_signed(from);
        items[i].count = (uint32_t)n;
        if ((items[i].count == 0) != (items[i].kind == VALUE_NONE))
            from->failed = true;
    }
}

static void take_columns(struct rollup *items, size_t count, const struct columns *columns)
{
    size_t n = 0, t = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i].kind == VALUE_TEXT)
            items[i].text = columns->texts[t++];
        if (items[i].kind != VALUE_NUMBER)
            continue;
        items[i].min = columns->min[n];
        items[i].max = columns->max[n];
        items[i].sum = columns->mean[n++] * items[i].count;
    }
}

static void get_columns(struct bytes_reader *from, struct rollup *items, size_t count,
                        struct text_table *texts)
{
    struct columns *columns = calloc(1, sizeof(*columns));

    for (size_t i = 0; i < count && columns; i++) {
        columns->n_texts += items[i].kind == VALUE_TEXT;
        columns->numbers += items[i].kind == VALUE_NUMBER;
    }
    if (!columns ||
        (columns->n_texts > 0 && !texts_decode(from, columns->texts, columns->n_texts, texts)) ||
        (columns->numbers > 0 && (!numbers_decode(from, columns->min, columns->numbers) ||
                                  !numbers_decode(from, columns->max, columns->numbers) ||
                                  !numbers_decode(from, columns->mean, columns->numbers))))
        from->failed = true;
    else
        take_columns(items, count, columns);
    free(columns);
}

int rollup_decode(const void *from, size_t size, int64_t base_ms, int64_t step_ms,
                  struct rollup *items, struct text_table *texts)
{
    struct bytes_reader reader = {.at = from, .end = (const uint8_t *)from + size};
    size_t count = bytes_get_count(&reader);

    if (count == 0 || count > ROLLUP_MAX)
        return -EBADMSG;
    get_heads(&reader, items, count, base_ms, step_ms);
    if (!reader.failed)
        get_columns(&reader, items, count, texts);
    return reader.failed || reader.at != reader.end ? -EBADMSG : (int)count;
}
