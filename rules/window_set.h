/* The inside of windows: for window.c (what is kept) and window_ask.c (what is asked). */
#pragma once

#include "gateway/base/reading.h"
#include "rules/minutes.h"
#include "rules/rules.h"
#include "rules/slide.h"
#include "rules/sorted.h"
#include "rules/window.h"

#define WINDOW_NONE UINT32_MAX

struct window {
    struct span span;
    uint32_t sensor;
    uint32_t next; /* the next window of the sensor */
    uint32_t capacity;
    unsigned needs;
    uint64_t first, end; /* samples inside: first <= number < end */
    /* Of the pairs of neighbours inside; whole numbers, so adding and taking away is exact. All but
     * the last with WINDOW_NEEDS_PAIRS. */
    uint64_t changes, ups, downs;
    int64_t on_ms, hole_ms;
    uint64_t matches; /* samples equal to span.text */
    struct slide slide;
    struct sorted sorted;
    struct minutes_cache cache;
    double ewma;
    void *memory;
};

struct windows {
    const struct rules_sensor *sensors;
    uint32_t n_sensors;
    const struct text_table *texts;
    uint32_t *first;         /* by sensor: its first window */
    struct series *series;   /* by sensor */
    struct minutes *minutes; /* by sensor */
    struct window *list;
    uint32_t count, room;
    size_t bytes;
    int64_t started_ms;
};

/* Lets go what is too old. */
void window_expire(struct windows *windows, struct window *window, int64_t now_ms);

/* The entry sample at `now_ms`, NULL when there is none. After window_expire(). */
const struct entry *window_before(const struct windows *windows, const struct window *window,
                                  int64_t now_ms);

/* How long the sensor was not stale in the window of time that ends now. After window_expire(). */
int64_t window_observed_ms(const struct windows *windows, const struct window *window,
                           int64_t now_ms);
