#include "gateway/store/pack.h"

#include "gateway/store/numbers.h"
#include "gateway/store/texts.h"

#include <errno.h>

/* -- times ----------------------------------------------------------------------------------- */

static void put_times(struct bytes *to, const struct reading *readings, size_t count,
                      int64_t base_ms)
{
    int64_t before = base_ms, step = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t now = readings[i].at_ms - before;

        bytes_put_signed(to, now - step);
        before = readings[i].at_ms;
        step = i > 0 ? now : 0; /* the base is not one of them */
    }
}

static void get_times(struct bytes_reader *from, struct reading *readings, size_t count,
                      int64_t base_ms)
{
    uint64_t at = (uint64_t)base_ms, step = 0; /* unsigned: damaged bytes may make it overflow */

    for (size_t i = 0; i < count; i++) {
        uint64_t now = step + (uint64_t)bytes_get_signed(from);

        at += now;
        step = i > 0 ? now : 0;
        if (at + BYTES_TIME_MAX > 2 * BYTES_TIME_MAX)
            from->failed = true;
        readings[i] = (struct reading){.at_ms = (int64_t)at};
    }
}

/* -- which of them --------------------------------------------------------------------------- */

static bool is_bad(const struct reading *reading)
{
    return reading->quality != QUALITY_GOOD;
}

static bool is_text(const struct reading *reading)
{
    return reading->quality == QUALITY_GOOD && reading->kind == VALUE_TEXT;
}

/* The readings that `are`: how many, and for each how many others stand before it. */
static size_t put_places(struct bytes *to, const struct reading *readings, size_t count,
                         bool (*are)(const struct reading *))
{
    size_t n = 0, skipped = 0;

    for (size_t i = 0; i < count; i++)
        n += are(&readings[i]);
    bytes_put_unsigned(to, n);
    for (size_t i = 0; i < count && n > 0; i++) {
        if (!are(&readings[i])) {
            skipped++;
            continue;
        }
        bytes_put_unsigned(to, skipped);
        skipped = 0;
    }
    return n;
}

static size_t get_places(struct bytes_reader *from, size_t count, uint16_t *places)
{
    size_t n = bytes_get_count(from), at = 0;

    for (size_t i = 0; i < n; i++, at++) {
        uint64_t skipped = bytes_get_unsigned(from);

        if (at >= count || skipped >= count - at) {
            from->failed = true;
            return 0;
        }
        at += skipped;
        places[i] = (uint16_t)at;
    }
    return n;
}

/* -- bad readings, texts, numbers ------------------------------------------------------------ */

static void put_bad(struct bytes *to, const struct reading *readings, size_t count)
{
    if (put_places(to, readings, count, is_bad) == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (is_bad(&readings[i]))
            bytes_put_byte(to, readings[i].quality);
    }
}

static void get_bad(struct bytes_reader *from, struct reading *readings, size_t count)
{
    uint16_t places[PACK_MAX];
    size_t n = get_places(from, count, places);

    for (size_t i = 0; i < n; i++) {
        readings[places[i]].quality = bytes_get_byte(from);
        if (readings[places[i]].quality == QUALITY_GOOD)
            from->failed = true;
    }
}

static void put_texts(struct bytes *to, const struct reading *readings, size_t count,
                      const struct text_table *table)
{
    uint32_t texts[PACK_MAX];
    size_t n = 0;

    if (put_places(to, readings, count, is_text) == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (is_text(&readings[i]))
            texts[n++] = readings[i].text;
    }
    texts_encode(to, texts, n, table);
}

static void get_texts(struct bytes_reader *from, struct reading *readings, size_t count,
                      struct text_table *table)
{
    uint16_t places[PACK_MAX];
    uint32_t texts[PACK_MAX];
    size_t n = get_places(from, count, places);

    if (n == 0 || !texts_decode(from, texts, n, table))
        return;
    for (size_t i = 0; i < n; i++) {
        if (is_bad(&readings[places[i]]))
            from->failed = true;
        readings[places[i]].kind = VALUE_TEXT;
        readings[places[i]].text = texts[i];
    }
}

static void put_numbers(struct bytes *to, const struct reading *readings, size_t count)
{
    double numbers[PACK_MAX];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_bad(&readings[i]) && !is_text(&readings[i]))
            numbers[n++] = readings[i].number;
    }
    if (n > 0)
        numbers_encode(to, numbers, n);
}

/* The numbers belong to whatever is neither bad nor a text. */
static void get_numbers(struct bytes_reader *from, struct reading *readings, size_t count)
{
    double numbers[PACK_MAX];
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += !is_bad(&readings[i]) && !is_text(&readings[i]);
    if (n == 0 || !numbers_decode(from, numbers, n))
        return;
    n = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_bad(&readings[i]) || is_text(&readings[i]))
            continue;
        readings[i].kind = VALUE_NUMBER;
        readings[i].number = numbers[n++];
    }
}

/* -- door ------------------------------------------------------------------------------------ */

void pack_encode(struct bytes *to, const struct reading *readings, size_t count, int64_t base_ms,
                 const struct text_table *texts)
{
    bytes_put_unsigned(to, count);
    put_times(to, readings, count, base_ms);
    put_bad(to, readings, count);
    put_texts(to, readings, count, texts);
    put_numbers(to, readings, count);
}

int pack_decode(const void *from, size_t size, int64_t base_ms, struct reading *readings,
                struct text_table *texts)
{
    struct bytes_reader reader = {.at = from, .end = (const uint8_t *)from + size};
    size_t count = bytes_get_count(&reader);

    if (count == 0 || count > PACK_MAX)
        return -EBADMSG;
    get_times(&reader, readings, count, base_ms);
    get_bad(&reader, readings, count);
    get_texts(&reader, readings, count, texts);
    get_numbers(&reader, readings, count);
    return reader.failed || reader.at != reader.end ? -EBADMSG : (int)count;
}
