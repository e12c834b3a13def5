/* Windows: what is remembered of the past of a sensor, for the functions over time.
 *
 * A *series* is the ring of a sensor's newest good samples; a *window* looks at the end of it. Each
 * (sensor, span) is there once, however many rules share it. Spans up to six hours and counted ones
 * are exact; longer, shifted and calendar ones live on partial results of a minute (minutes.h).
 *
 * A window of length w holds at time t the samples in (t-w, t], and knows the *entry sample*: the
 * newest at or before t-w, as long as it was not stale at t-w. A time window is known when it has
 * been observed for all of w, or for half of it with enough samples; *observed* is time in which
 * the sensor was not stale.
 *
 * Made in two steps: windows_want() while rules are compiled, then windows_build() once. After that
 * nothing is allocated. Loop thread only. */
#pragma once

#include "rules/code.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_EXACT_MS (6 * 3600000LL) /* longer ones live on minutes */

enum span_kind {
    SPAN_TIME,  /* `length` ms */
    SPAN_COUNT, /* `length` samples */
    SPAN_TODAY,
    SPAN_YESTERDAY,
    SPAN_MONTH,
    SPAN_EWMA,   /* `length` ms is the time constant */
    SPAN_SERIES, /* nothing but the newest two samples and the total */
};

struct span {
    uint8_t kind; /* enum span_kind */
    int64_t length;
    int64_t shift_ms;
    const char *text; /* samples equal to it are counted; NULL: none. Outlives the windows */
};

/* Whether it lives on minutes, where only some functions are possible. */
bool span_is_long(const struct span *span);

enum window_what {
    WINDOW_FIRST,
    WINDOW_LAST,
    WINDOW_AVG,
    WINDOW_MIN,
    WINDOW_MAX,
    WINDOW_SUM,
    WINDOW_COUNT,
    WINDOW_COUNT_TEXT,
    WINDOW_MEDIAN,
    WINDOW_PERCENTILE, /* argument: 0..100 */
    WINDOW_STDDEV,
    WINDOW_DELTA,
    WINDOW_RATE,
    WINDOW_SLOPE,
    WINDOW_RISING,
    WINDOW_FALLING,
    WINDOW_CHANGES,
    WINDOW_STUCK,
    WINDOW_INCREASE,
    WINDOW_ON_TIME,
    WINDOW_INTEGRAL,
    WINDOW_ZSCORE,
    WINDOW_FORECAST, /* argument: seconds ahead */
    WINDOW_RISE,     /* how far the newest is above the lowest, entry sample included */
    WINDOW_FALL,
    WINDOW_EWMA,
    WINDOW_PREV,
    WINDOW_TOTAL,
    WINDOW_WHATS
};

/* What a window must keep for them; the rest is always there. */
#define WINDOW_NEEDS_SUMS   1u
#define WINDOW_NEEDS_ORDER  2u
#define WINDOW_NEEDS_SPREAD 4u  /* with SUMS: how far they are from the mean */
#define WINDOW_NEEDS_LINE   8u  /* with SUMS: the line through them */
#define WINDOW_NEEDS_PAIRS  16u /* of neighbours: changes, time on; with SUMS: area and growth */

/* What is unknown may be so for reasons that a person is told; and it may change by itself. */
struct outlook {
    bool stale;   /* a sensor that is read gives nothing */
    bool waiting; /* a sensor was not yet read, a window still fills, the clock is not known */
    int64_t
        next_ms; /* when time alone may change the result, staleness apart; CLOCK_NEVER: never */
};

struct windows;
struct rules_sensor;
struct text_table;

/* For sensors 0 .. count-1, which are borrowed, as the texts. One that does not age is observed as
 * long as we run. NULL when memory is out. */
struct windows *windows_new(const struct rules_sensor *sensors, uint32_t count,
                            const struct text_table *texts);
void windows_free(struct windows *windows);

/* The number of the window of that sensor and span, made when it is not there. -ENOMEM; -E2BIG when
 * it would hold more samples than can be counted. */
int64_t windows_want(struct windows *windows, uint32_t sensor, const struct span *span,
                     unsigned needs);

/* Bytes that all windows wanted so far take. */
size_t windows_bytes(const struct windows *windows);
uint32_t windows_sensor(const struct windows *windows, uint32_t window);
const struct span *windows_span(const struct windows *windows, uint32_t window);

/* Takes the memory. 0 or -ENOMEM. */
int windows_build(struct windows *windows);

/* From when on the gateway has been looking: an event sensor is observed since then. */
void windows_start(struct windows *windows, int64_t now_ms);

/* An event sensor is not observed from `from_ms` on, which may be later than now; it is again. */
void windows_away(struct windows *windows, uint32_t sensor, int64_t from_ms);
void windows_back(struct windows *windows, uint32_t sensor, int64_t at_ms);

/* A good sample; times never decrease. Costs nothing for a sensor without windows. */
void windows_push_number(struct windows *windows, uint32_t sensor, int64_t at_ms, double number);
void windows_push_text(struct windows *windows, uint32_t sensor, int64_t at_ms, uint32_t text);

/* Whether a sample has come yet. */
bool windows_has_past(const struct windows *windows, uint32_t sensor);

/* How much of the past of a sensor its windows can use; 0: it has none. */
int64_t windows_past_ms(const struct windows *windows, uint32_t sensor, int64_t now_ms);

/* Takes over what `old` remembers of its sensor `from`, as the past of sensor `to`; after
 * windows_start(), before the first sample of that sensor. */
void windows_adopt(struct windows *fresh, uint32_t to, const struct windows *old, uint32_t from);

/* The value of a function at `now_ms`, which never decreases; tells in `outlook` why it is unknown
 * and when it may change. */
struct cell windows_ask(struct windows *windows, uint32_t window,
                        const struct instruction *instruction, int64_t now_ms,
                        struct outlook *outlook);

/* Whether samples that belong into it had to go before their time, because more came than there is
 * room for. */
bool windows_cut(const struct windows *windows, uint32_t window, int64_t now_ms);

/* The integral of a sensor for ever, and the time of its newest sample: false when nothing asks for
 * it, or nothing came yet. Set, it is that up to there, and samples of before add nothing. */
bool windows_total(const struct windows *windows, uint32_t sensor, double *ret_total,
                   int64_t *ret_until_ms);
void windows_set_total(struct windows *windows, uint32_t sensor, double total, int64_t until_ms);
