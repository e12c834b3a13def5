/* Minutes: the past of a sensor in partial results of a minute, for windows that are longer than
 * six hours, shifted, or of the calendar. Only minutes with samples are kept.
 *
 * A minute is one of the wall clock where that is known, so that days begin with one. Edges of
 * windows are rounded to the nearest minute. */
#pragma once

#include "rules/series.h"
#include "rules/sums.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MINUTE_MS 60000

struct minute {
    int64_t start_ms, last_ms; /* last_ms: of the newest sample inside */
    int64_t on_ms, seen_ms;    /* since ever, up to last_ms: not 0; not stale */
    double last;
    double n, sum, low, xx, min, max;
    double growth; /* up to the newest sample inside, from the one before */
};

struct minutes {
    struct minute *ring;
    uint32_t capacity;
    uint64_t end; /* number of the next minute */
};

/* Adds a sample; `before` (may be NULL) is the one before it. */
void minutes_push(struct minutes *minutes, const struct series *series, const struct entry *before,
                  const struct entry *entry);

/* What a window has kept of its last look. */
struct minutes_cache {
    uint64_t from, to;
    struct sums sums;
};

/* All that lies in (from_ms, to_ms], rounded to minutes. */
struct sums minutes_sums(const struct minutes *minutes, int64_t from_ms, int64_t to_ms,
                         struct minutes_cache *cache);

/* Milliseconds in (from_ms, to_ms] in which the value was not 0; in which the sensor was not stale.
 */
int64_t minutes_on_ms(const struct minutes *minutes, const struct series *series, int64_t from_ms,
                      int64_t to_ms);
int64_t minutes_seen_ms(const struct minutes *minutes, const struct series *series, int64_t from_ms,
                        int64_t to_ms);

/* Local midnight at the beginning of the day of `now_ms`, `days` before it; the beginning of its
 * month. False while the wall clock is not known. */
bool minutes_day_start(int64_t now_ms, int days, int64_t *ret_ms);
bool minutes_month_start(int64_t now_ms, int64_t *ret_ms);
