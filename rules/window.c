#include "rules/window.h"

#include "gateway/base/clock.h"
#include "rules/window_set.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX (1u << 30)
#define DAY_MS      86400000LL

/* So much of what a total has already is asked for again, since times may be a little off. */
#define TOTAL_OVERLAP_MS 1000

bool span_is_long(const struct span *span)
{
    bool calendar =
        span->kind == SPAN_TODAY || span->kind == SPAN_YESTERDAY || span->kind == SPAN_MONTH;
    return calendar || span->shift_ms > 0 ||
           (span->kind == SPAN_TIME && span->length > WINDOW_EXACT_MS);
}

/* -- what is wanted -- */

struct windows *windows_new(const struct rules_sensor *sensors, uint32_t count,
                            const struct text_table *texts)
{
    struct windows *windows = calloc(1, sizeof *windows);
    if (!windows)
        return NULL;
    windows->n_sensors = count;
    windows->texts = texts;
    windows->sensors = sensors;
    windows->first = calloc((size_t)count + 1, sizeof *windows->first);
    windows->series = calloc((size_t)count + 1, sizeof *windows->series);
    windows->minutes = calloc((size_t)count + 1, sizeof *windows->minutes);
    if (!windows->first || !windows->series || !windows->minutes) {
        windows_free(windows);
        return NULL;
    }
    memset(windows->first, 0xff, ((size_t)count + 1) * sizeof *windows->first);
    return windows;
}

void windows_free(struct windows *windows)
{
    if (!windows)
        return;
    for (uint32_t i = 0; i < windows->count; i++)
        free(windows->list[i].memory);
    for (uint32_t i = 0; windows->series && i < windows->n_sensors; i++)
        series_release(&windows->series[i]);
    for (uint32_t i = 0; windows->minutes && i < windows->n_sensors; i++)
        free(windows->minutes[i].ring);
    free(windows->first);
    free(windows->series);
    free(windows->minutes);
    free(windows->list);
    free(windows);
}

/* From one sample to the next. */
static double pace_ms(const struct rules_sensor *sensor)
{
    if (sensor->every_ms > 0)
        return (double)sensor->every_ms;
    return sensor->max_rate > 0 ? 1000 / sensor->max_rate : 1000;
}

/* How many samples come in so much time, with some room. */
static double expected(const struct rules_sensor *sensor, double ms)
{
    double samples = ceil(ms / pace_ms(sensor));
    return ceil(samples * 1.25) + 4;
}

static int64_t reach_ms(const struct span *span)
{
    switch (span->kind) {
    case SPAN_TODAY:
        return DAY_MS + 3600000; /* a day may have 25 hours */
    case SPAN_YESTERDAY:
        return 2 * DAY_MS + 3600000;
    case SPAN_MONTH:
        return 31 * DAY_MS + 3600000;
    default:
        return span->length + span->shift_ms;
    }
}

/* Samples, or minutes, that the window needs. */
static double capacity_of(const struct rules_sensor *sensor, const struct span *span)
{
    if (span_is_long(span)) {
        double ms = (double)reach_ms(span);
        return fmin(ms / MINUTE_MS + 3, expected(sensor, ms));
    }
    if (span->kind == SPAN_TIME)
        return expected(sensor, (double)span->length);
    return span->kind == SPAN_COUNT ? (double)span->length : 1;
}

static size_t window_bytes(const struct windows *windows, const struct window *window)
{
    uint32_t ring = windows->series[window->sensor].capacity;
    return ((window->needs & WINDOW_NEEDS_SUMS) ? slide_bytes(window->capacity) : 0) +
           ((window->needs & WINDOW_NEEDS_ORDER) ? sorted_bytes(ring) : 0);
}

static size_t sensor_bytes(const struct windows *windows, uint32_t sensor)
{
    size_t bytes = (size_t)windows->series[sensor].capacity * sizeof(struct entry) +
                   (size_t)windows->minutes[sensor].capacity * sizeof(struct minute);
    for (uint32_t i = windows->first[sensor]; i != WINDOW_NONE; i = windows->list[i].next)
        bytes += sizeof(struct window) + window_bytes(windows, &windows->list[i]);
    if (windows->first[sensor] != WINDOW_NONE && windows->sensors[sensor].event)
        bytes += sizeof(struct absence);
    return bytes;
}

static bool is_same_span(const struct span *a, const struct span *b)
{
    return a->kind == b->kind && a->length == b->length && a->shift_ms == b->shift_ms &&
           !a->text == !b->text && (!a->text || strcmp(a->text, b->text) == 0);
}

static int grow(struct windows *windows)
{
    if (windows->count < windows->room)
        return 0;
    uint32_t room = windows->room ? windows->room * 2 : 16;
    struct window *list = reallocarray(windows->list, room, sizeof *list);
    if (!list)
        return -ENOMEM;
    windows->list = list;
    windows->room = room;
    return 0;
}

static int64_t add_window(struct windows *windows, uint32_t sensor, const struct span *span)
{
    const struct rules_sensor *about = &windows->sensors[sensor];
    double capacity = capacity_of(about, span);
    struct series *series = &windows->series[sensor];
    struct minutes *minutes = &windows->minutes[sensor];
    if (capacity > SAMPLES_MAX)
        return -E2BIG;
    if (grow(windows))
        return -ENOMEM;
    uint32_t samples = span_is_long(span) ? 0 : (uint32_t)capacity;
    if (span_is_long(span) && capacity > minutes->capacity)
        minutes->capacity = (uint32_t)capacity;
    if (windows->first[sensor] == WINDOW_NONE) { /* what nobody wants takes no memory */
        series->text = about->text;
        bool ages = about->stale_ms > 0 && !about->event;
        series->stale_ms = ages ? about->stale_ms : CLOCK_NEVER;
    }
    series->totals = series->totals || span->kind == SPAN_SERIES;
    if (samples + 2 > series->capacity) /* the entry sample, and one that is on its way out */
        series->capacity = samples + 2;
    windows->list[windows->count] = (struct window){
        .span = *span, .sensor = sensor, .next = windows->first[sensor], .capacity = samples};
    windows->first[sensor] = windows->count;
    return windows->count++;
}

int64_t windows_want(struct windows *windows, uint32_t sensor, const struct span *span,
                     unsigned needs)
{
    uint32_t i = windows->first[sensor];
    while (i != WINDOW_NONE && !is_same_span(&windows->list[i].span, span))
        i = windows->list[i].next;
    size_t before = sensor_bytes(windows, sensor);
    int64_t window = i != WINDOW_NONE ? i : add_window(windows, sensor, span);
    if (window < 0)
        return window;
    if (!span_is_long(span))
        windows->list[window].needs |= needs;
    windows->bytes += sensor_bytes(windows, sensor) - before;
    return window;
}

size_t windows_bytes(const struct windows *windows)
{
    return windows->bytes;
}

const struct span *windows_span(const struct windows *windows, uint32_t window)
{
    return &windows->list[window].span;
}

uint32_t windows_sensor(const struct windows *windows, uint32_t window)
{
    return windows->list[window].sensor;
}

/* -- memory -- */

static enum sums_depth depth_of(unsigned needs)
{
    if (needs & WINDOW_NEEDS_LINE)
        return SUMS_LINE;
    return needs & WINDOW_NEEDS_SPREAD ? SUMS_SPREAD : SUMS_PLAIN;
}

static int build_window(struct windows *windows, struct window *window)
{
    size_t bytes = window_bytes(windows, window);
    if (bytes == 0)
        return 0;
    window->memory = malloc(bytes);
    if (!window->memory)
        return -ENOMEM;
    unsigned char *memory = window->memory;
    if (window->needs & WINDOW_NEEDS_SUMS) {
        slide_init(&window->slide, window->capacity, depth_of(window->needs),
                   window->needs & WINDOW_NEEDS_PAIRS, memory);
        memory += slide_bytes(window->capacity);
    }
    window->sorted.nodes = (void *)memory;
    return 0;
}

int windows_build(struct windows *windows)
{
    for (uint32_t i = 0; i < windows->n_sensors; i++) {
        struct series *series = &windows->series[i];
        struct minutes *minutes = &windows->minutes[i];
        if (series->capacity)
            series->ring = calloc(series->capacity, sizeof *series->ring);
        if (minutes->capacity)
            minutes->ring = calloc(minutes->capacity, sizeof *minutes->ring);
        bool has_absence = windows->first[i] != WINDOW_NONE && windows->sensors[i].event;
        if (has_absence)
            series->absence = calloc(1, sizeof *series->absence);
        if ((series->capacity && !series->ring) || (minutes->capacity && !minutes->ring) ||
            (has_absence && !series->absence))
            return -ENOMEM;
    }
    for (uint32_t i = 0; i < windows->count; i++)
        if (build_window(windows, &windows->list[i]))
            return -ENOMEM;
    return 0;
}

void windows_start(struct windows *windows, int64_t now_ms)
{
    windows->started_ms = now_ms;
}

void windows_away(struct windows *windows, uint32_t sensor, int64_t from_ms)
{
    if (windows->series[sensor].absence)
        absence_begin(windows->series[sensor].absence, from_ms);
}

void windows_back(struct windows *windows, uint32_t sensor, int64_t at_ms)
{
    if (windows->series[sensor].absence)
        absence_end(windows->series[sensor].absence, at_ms);
}

/* -- samples come and go -- */

/* Holes are of windows of time. */
static void count_pair(const struct series *series, struct window *window, uint64_t number, int by)
{
    bool pairs = window->needs & WINDOW_NEEDS_PAIRS;
    if (!pairs && window->span.kind != SPAN_TIME)
        return;
    const struct entry *a = series_at(series, number), *b = series_at(series, number + 1);
    int64_t ms = b->at_ms - a->at_ms, held_ms = series_held_ms(series, ms);
    uint64_t step = (uint64_t)(int64_t)by; /* -1 goes round, and the sum comes back */
    window->hole_ms += by * (ms - held_ms);
    if (!pairs)
        return;
    if (series_same(series, a, b))
        step = 0;
    window->changes += step;
    if (series->text)
        return;
    if (b->number > a->number)
        window->ups += step;
    else
        window->downs += step;
    if (a->number != 0)
        window->on_ms += by * held_ms;
}

static bool matches(const struct windows *windows, const struct window *window,
                    const struct entry *entry)
{
    return window->span.text &&
           strcmp(text_table_get(windows->texts, entry->text), window->span.text) == 0;
}

static void drop(struct windows *windows, struct window *window)
{
    const struct series *series = &windows->series[window->sensor];
    uint64_t oldest = window->first++;
    if (window->needs & WINDOW_NEEDS_ORDER)
        sorted_remove(&window->sorted, series, oldest);
    window->matches -= matches(windows, window, series_at(series, oldest));
    if (window->first == window->end) /* it has no pair inside */
        return;
    count_pair(series, window, oldest, -1);
    if (window->needs & WINDOW_NEEDS_SUMS)
        slide_drop(&window->slide, series, oldest, window->end - 1);
}

void window_expire(struct windows *windows, struct window *window, int64_t now_ms)
{
    const struct series *series = &windows->series[window->sensor];
    if (window->span.kind != SPAN_TIME)
        return;
    int64_t edge_ms = now_ms - window->span.length;
    while (window->first < window->end && series_at(series, window->first)->at_ms <= edge_ms)
        drop(windows, window);
}

static void enter(struct windows *windows, struct window *window)
{
    const struct series *series = &windows->series[window->sensor];
    uint64_t number = series->end - 1;
    bool empty = window->first == window->end;
    window->end = series->end;
    if (empty) {
        window->first = number;
        if (window->needs & WINDOW_NEEDS_SUMS)
            slide_reset(&window->slide, series, number);
    } else {
        count_pair(series, window, number - 1, 1);
        if (window->needs & WINDOW_NEEDS_SUMS)
            slide_fold(&window->slide, series, number - 1);
    }
    if (window->needs & WINDOW_NEEDS_ORDER)
        sorted_add(&window->sorted, series, number);
    window->matches += matches(windows, window, series_at(series, number));
    if (window->end - window->first > window->capacity)
        drop(windows, window);
    window_expire(windows, window, series_at(series, number)->at_ms);
}

static void smooth(const struct series *series, struct window *window, const struct entry *before)
{
    const struct entry *entry = series_newest(series);
    int64_t ms = before ? entry->at_ms - before->at_ms : 0;
    if (!before || ms > series->stale_ms)
        window->ewma = entry->number;
    else
        window->ewma +=
            -expm1(-(double)ms / (double)window->span.length) * (entry->number - window->ewma);
}

/* Of what comes out of the history a time may be off by some milliseconds: the middle between two
 * samples tells whether the time from one to the other was counted. */
static void add_total(struct series *series, const struct entry *before, const struct entry *entry)
{
    int64_t ms = entry->at_ms - before->at_ms;
    double area = (before->number + entry->number) / 2 * ((double)ms / 1000);
    if (before->at_ms + ms / 2 < series->total_ms)
        return;
    if (!series->text && ms <= series->stale_ms && isfinite(area))
        sums_add(&series->total, &series->low, area);
}

static void push(struct windows *windows, uint32_t sensor, struct entry entry)
{
    struct series *series = &windows->series[sensor];
    struct minutes *minutes = &windows->minutes[sensor];
    struct entry old = {0};
    const struct entry *before = NULL;
    if (series->end > 0) {
        old = *series_newest(series);
        before = &old;
        if (series->totals)
            add_total(series, before, &entry);
    }
    if (!before || !series_same(series, before, &entry))
        series->run_ms = entry.at_ms;
    series_push(series, entry);
    if (minutes->capacity)
        minutes_push(minutes, series, before, &entry);
    for (uint32_t i = windows->first[sensor]; i != WINDOW_NONE; i = windows->list[i].next) {
        struct window *window = &windows->list[i];
        if (window->span.kind == SPAN_EWMA)
            smooth(series, window, before);
        else if (window->capacity && window->span.kind != SPAN_SERIES)
            enter(windows, window);
    }
}

void windows_push_number(struct windows *windows, uint32_t sensor, int64_t at_ms, double number)
{
    if (windows->first[sensor] != WINDOW_NONE)
        push(windows, sensor, (struct entry){.at_ms = at_ms, .number = number});
}

void windows_push_text(struct windows *windows, uint32_t sensor, int64_t at_ms, uint32_t text)
{
    if (windows->first[sensor] != WINDOW_NONE)
        push(windows, sensor, (struct entry){.at_ms = at_ms, .text = text});
}

bool windows_has_past(const struct windows *windows, uint32_t sensor)
{
    return windows->series[sensor].end > 0;
}

/* Twice the time that a counted window, and five times what a smoothed value, takes on average. */
int64_t windows_past_ms(const struct windows *windows, uint32_t sensor, int64_t now_ms)
{
    const struct series *series = &windows->series[sensor];
    int64_t every_ms = (int64_t)pace_ms(&windows->sensors[sensor]);
    int64_t past_ms = 0;
    for (uint32_t i = windows->first[sensor]; i != WINDOW_NONE; i = windows->list[i].next) {
        const struct span *span = &windows->list[i].span;
        int64_t ms = span->kind == SPAN_COUNT  ? 2 * span->length * every_ms
                     : span->kind == SPAN_EWMA ? 5 * span->length
                     : span->kind == SPAN_SERIES && series->total_ms != 0
                         ? now_ms - series->total_ms + TOTAL_OVERLAP_MS
                         : reach_ms(span);
        past_ms = ms > past_ms ? ms : past_ms;
    }
    return past_ms;
}

bool windows_total(const struct windows *windows, uint32_t sensor, double *ret_total,
                   int64_t *ret_until_ms)
{
    const struct series *series = &windows->series[sensor];
    if (!series->totals || series->end == 0)
        return false;
    *ret_total = series->total + series->low;
    *ret_until_ms = series_newest(series)->at_ms;
    return true;
}

void windows_set_total(struct windows *windows, uint32_t sensor, double total, int64_t until_ms)
{
    windows->series[sensor].total = total;
    windows->series[sensor].low = 0;
    windows->series[sensor].total_ms = until_ms;
}

/* -- what was seen of the window -- */

/* The sample before the first one inside, whatever its age. */
static const struct entry *predecessor(const struct windows *windows, const struct window *window)
{
    const struct series *series = &windows->series[window->sensor];
    return window->first > series_begin(series) ? series_at(series, window->first - 1) : NULL;
}

static int64_t end_of(const struct series *series, const struct entry *entry)
{
    return entry->at_ms > 0 && series->stale_ms > CLOCK_NEVER - entry->at_ms
               ? CLOCK_NEVER
               : entry->at_ms + series->stale_ms;
}

const struct entry *window_before(const struct windows *windows, const struct window *window,
                                  int64_t now_ms)
{
    if (window->span.kind != SPAN_TIME)
        return NULL;
    const struct entry *entry = predecessor(windows, window);
    int64_t edge_ms = now_ms - window->span.length;
    bool held = entry && entry->at_ms <= edge_ms &&
                end_of(&windows->series[window->sensor], entry) > edge_ms;
    return held ? entry : NULL;
}

bool windows_cut(const struct windows *windows, uint32_t number, int64_t now_ms)
{
    const struct window *window = &windows->list[number];
    const struct entry *entry = predecessor(windows, window);
    return window->span.kind == SPAN_TIME && !span_is_long(&window->span) && entry &&
           entry->at_ms > now_ms - window->span.length;
}

static int64_t part(int64_t from_ms, int64_t to_ms)
{
    return to_ms > from_ms ? to_ms - from_ms : 0;
}

/* From the window's beginning to its first sample, or to now when it has none. */
static int64_t unseen_at_head(const struct windows *windows, const struct window *window,
                              int64_t edge_ms, int64_t until_ms)
{
    const struct series *series = &windows->series[window->sensor];
    const struct entry *before = predecessor(windows, window);
    if (before && before->at_ms > edge_ms)
        return 0;                        /* cut: there was something */
    if (series->stale_ms == CLOCK_NEVER) /* the past that a history brought counts too */
        return before
                   ? 0
                   : part(edge_ms, windows->started_ms < until_ms ? windows->started_ms : until_ms);
    int64_t seen_until_ms = before ? end_of(series, before) : edge_ms;
    return part(seen_until_ms > edge_ms ? seen_until_ms : edge_ms, until_ms);
}

int64_t window_observed_ms(const struct windows *windows, const struct window *window,
                           int64_t now_ms)
{
    const struct series *series = &windows->series[window->sensor];
    int64_t edge_ms = now_ms - window->span.length;
    int64_t length_ms = window->span.length - series_away_ms(series, edge_ms, now_ms);
    if (window->first == window->end)
        return length_ms - unseen_at_head(windows, window, edge_ms, now_ms);
    const struct entry *first = series_at(series, window->first);
    int64_t tail_ms = part(end_of(series, series_at(series, window->end - 1)), now_ms);
    return length_ms - window->hole_ms - tail_ms -
           unseen_at_head(windows, window, edge_ms, first->at_ms);
}
