#include "gateway/base/reading.h"

#include "gateway/base/text.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [QUALITY_GOOD] = "good",
    [QUALITY_STALE] = "stale",
    [QUALITY_TIMEOUT] = "timeout",
    [QUALITY_DISCONNECTED] = "disconnected",
    [QUALITY_CRC] = "crc",
    [QUALITY_PROTOCOL] = "protocol",
    [QUALITY_POWER_ON] = "power_on",
    [QUALITY_LOW_POWER] = "low_power",
    [QUALITY_NO_SENSOR] = "no_sensor",
    [QUALITY_IMPLAUSIBLE] = "implausible",
    [QUALITY_OUT_OF_RANGE] = "out_of_range",
    [QUALITY_UNMAPPED] = "unmapped",
    [QUALITY_NOT_READ] = "not_read",
    [QUALITY_ERROR] = "error",
    [QUALITY_QUIET] = "quiet",
};

/* "exception_0" to "exception_63"; every name has a home of its own, since it is borrowed for ever.
 */
static char exceptions[QUALITY_MAX - QUALITY_EXCEPTION + 1][16];
static pthread_once_t exceptions_once = PTHREAD_ONCE_INIT;

static void name_exceptions(void)
{
    for (int n = 0; n <= QUALITY_MAX - QUALITY_EXCEPTION; n++)
        snprintf(exceptions[n], sizeof(exceptions[n]), "exception_%d", n);
}

const char *quality_name(uint8_t quality)
{
    if (quality < sizeof(names) / sizeof(names[0]))
        return names[quality];
    if (quality < QUALITY_EXCEPTION || quality > QUALITY_MAX)
        return names[QUALITY_ERROR];
    pthread_once(&exceptions_once, name_exceptions);
    return exceptions[quality - QUALITY_EXCEPTION];
}

struct sample sample_number(uint32_t channel, int64_t at_ms, double number)
{
    struct sample sample = {.at_ms = at_ms, .channel = channel, .kind = VALUE_NUMBER};

    if (!isfinite(number))
        return sample_bad(channel, at_ms, QUALITY_OUT_OF_RANGE);
    sample.number = number;
    return sample;
}

struct sample sample_text(uint32_t channel, int64_t at_ms, const char *text)
{
    struct sample sample = {.at_ms = at_ms, .channel = channel, .kind = VALUE_TEXT};

    text_copy(sample.text, sizeof(sample.text), text);
    return sample;
}

struct sample sample_bad(uint32_t channel, int64_t at_ms, uint8_t quality)
{
    return (struct sample){.at_ms = at_ms, .channel = channel, .quality = quality};
}

/* -- interned texts ------------------------------------------------------------------------- */

#define SLOTS (TEXT_TABLE_MAX * 2) /* open addressing, at most half full */

/* Entry 0 is "other". Readers get a number through a queue, whose lock orders the write of the
 * entry before it; `texts` never moves. */
struct text_table {
    char *texts[TEXT_TABLE_MAX + 1];
    uint16_t slots[SLOTS]; /* entry + 1, 0 = free */
    uint32_t count;
    atomic_ullong overflows;
};

struct text_table *text_table_new(void)
{
    struct text_table *table = calloc(1, sizeof(*table));

    if (!table)
        return NULL;
    table->texts[0] = strdup("other");
    if (!table->texts[0]) {
        free(table);
        return NULL;
    }
    table->count = 1;
    return table;
}

void text_table_free(struct text_table *table)
{
    if (!table)
        return;
    for (uint32_t i = 0; i < table->count; i++)
        free(table->texts[i]);
    free(table);
}

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    while (*text)
        hash = (hash ^ (uint8_t)*text++) * 16777619u;
    return hash;
}

uint32_t text_table_add(struct text_table *table, const char *text)
{
    uint32_t slot = hash_of(text) % SLOTS;

    for (; table->slots[slot]; slot = (slot + 1) % SLOTS) {
        uint32_t entry = table->slots[slot] - 1u;

        if (strcmp(table->texts[entry], text) == 0)
            return entry;
    }
    if (table->count > TEXT_TABLE_MAX || !(table->texts[table->count] = strdup(text))) {
        atomic_fetch_add(&table->overflows, 1);
        return 0;
    }
    table->slots[slot] = (uint16_t)(table->count + 1);
    return table->count++;
}

const char *text_table_get(const struct text_table *table, uint32_t id)
{
    return id <= TEXT_TABLE_MAX && table->texts[id] ? table->texts[id] : table->texts[0];
}

uint64_t text_table_overflows(const struct text_table *table)
{
    return atomic_load(&table->overflows);
}
