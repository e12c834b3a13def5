/* Series: the newest good samples of one sensor, in a ring. For the files of windows.
 *
 * A sample is known by its number since the beginning, so that nothing moves when the ring goes
 * round. */
#pragma once

#include "rules/absence.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct entry {
    int64_t at_ms;
    union {
        double number;
        uint32_t text;
    };
};

struct series {
    struct entry *ring;
    uint32_t capacity;
    bool text;
    uint64_t end;      /* number of the next sample */
    uint64_t base;     /* number of the sample in the first place of the ring */
    int64_t stale_ms;  /* CLOCK_NEVER: does not age */
    int64_t run_ms;    /* since when the newest value has been what it is */
    bool totals;       /* somebody may ask for the following: */
    double total, low; /* the integral for ever */
    int64_t total_ms;  /* what is older is in it already: of a run before, or of no interest */
    struct absence *absence; /* of an event sensor; else NULL */
};

static inline uint64_t series_begin(const struct series *series)
{
    return series->end > series->capacity ? series->end - series->capacity : 0;
}

static inline uint32_t series_place(const struct series *series, uint64_t number)
{
    return (uint32_t)(number >= series->base ? number - series->base
                                             : series->capacity - (series->base - number));
}

/* `number` from series_begin() to before `end`. */
static inline const struct entry *series_at(const struct series *series, uint64_t number)
{
    return &series->ring[series_place(series, number)];
}

static inline const struct entry *series_newest(const struct series *series)
{
    return series->end ? series_at(series, series->end - 1) : (const struct entry *)0;
}

static inline bool series_same(const struct series *series, const struct entry *a,
                               const struct entry *b)
{
    return series->text ? a->text == b->text : a->number == b->number;
}

/* The part of the time from a sample to the next one, or to now, in which it was believed. */
static inline int64_t series_held_ms(const struct series *series, int64_t ms)
{
    return ms < series->stale_ms ? ms : series->stale_ms;
}

/* What a counter grew from one value to the next: one that fell began anew. */
static inline double series_growth(double from, double to)
{
    return to >= from ? to - from : to;
}

/* Only an event sensor is away; others are stale by their samples. */
static inline int64_t series_away_ms(const struct series *series, int64_t from_ms, int64_t to_ms)
{
    return series->absence ? absence_ms(series->absence, from_ms, to_ms) : 0;
}

static inline bool series_is_away(const struct series *series, int64_t now_ms)
{
    return series->absence && absence_is_on(series->absence, now_ms);
}

static inline void series_release(struct series *series)
{
    free(series->ring);
    free(series->absence);
}

static inline void series_push(struct series *series, struct entry entry)
{
    if (series->end - series->base == series->capacity)
        series->base = series->end;
    series->ring[series->end - series->base] = entry;
    series->end++;
}
