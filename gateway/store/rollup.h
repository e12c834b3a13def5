/* Rollup: what is known of stretches of time of one sensor - least, greatest, mean and how many; of
 * texts how often each. Pure. Added to in any order, they stay in order of time; what was counted
 * in parts comes together again.
 *
 * Packed, as a table by columns:
 *
 *   varint  count
 *   times   signed varint: steps since the one before; the first since the base
 *   marks   varint: quality * 4 + kind
 *   counts  signed varint: less the one before
 *   texts   of those that are texts, as texts.h has it
 *   numbers of those that are numbers: the least, the greatest, the means, as numbers.h has it
 */
#pragma once

#include "gateway/base/reading.h"
#include "gateway/store/bytes.h"

#define ROLLUP_MAX 4096 /* packed in one piece */

/* Different texts that a stretch tells apart; the others count as "other". */
#define ROLLUP_TEXTS_MAX 32

struct rollup {
    int64_t at_ms;   /* where the stretch begins */
    uint32_t count;  /* good readings; 0: none, only `quality` says something */
    uint8_t kind;    /* enum value_kind; VALUE_NONE: no value in it */
    uint8_t quality; /* how it stood at its end */
    uint32_t text;
    double min, max, sum;
};

struct rollups {
    struct rollup *items;
    size_t count, size;
    int64_t step_ms;
    bool failed; /* memory was out */
};

/* The beginning of the stretch that `at_ms` is in. */
int64_t rollup_start(int64_t at_ms, int64_t step_ms);

void rollups_add_reading(struct rollups *rollups, const struct reading *reading);
/* A stretch that is no longer than ours. */
void rollups_add(struct rollups *rollups, const struct rollup *rollup);
void rollups_free(struct rollups *rollups);

/* Appends `count` (1 to ROLLUP_MAX) with stretches of `step_ms`; base_ms is the first one's. A mean
 * keeps three decimals more than the values have. */
void rollup_encode(struct bytes *to, const struct rollup *items, size_t count, int64_t step_ms,
                   const struct text_table *texts);

/* `items` has room for ROLLUP_MAX. Their number, or -EBADMSG. */
int rollup_decode(const void *from, size_t size, int64_t base_ms, int64_t step_ms,
                  struct rollup *items, struct text_table *texts);
