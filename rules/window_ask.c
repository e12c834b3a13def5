/* The functions over windows: each a row of a table, from what a window keeps to one number. */
#include "gateway/base/clock.h"
#include "rules/window_set.h"

#include <math.h>

/* A window as it stands at one instant. */
struct view {
    struct windows *windows;
    struct window *window;
    const struct series *series;
    int64_t now_ms;
    uint64_t n;
    const struct entry *first, *newest; /* inside; NULL when it is empty */
    const struct entry *before;         /* the entry sample */
    double argument;
    bool sums_made;
    struct sums sums; /* when sums_made */
};

/* -- functions: false when there is nothing to say -- */

static const struct entry *oldest_known(const struct view *view)
{
    return view->before ? view->before : view->first;
}

static const struct entry *newest_known(const struct view *view)
{
    return view->newest ? view->newest : view->before;
}

static const struct sums *sums_of_view(struct view *view)
{
    if (!view->sums_made) {
        const struct slide *slide = &view->window->slide;
        slide_sums(slide, &view->sums);
        sums_join_one(&view->sums, view->newest->number, slide_time(slide, view->newest->at_ms),
                      slide->depth);
        view->sums_made = true;
    }
    return &view->sums;
}

static bool avg(struct view *view, double *ret)
{
    *ret = sums_mean(sums_of_view(view));
    return true;
}

static bool lowest(struct view *view, double *ret)
{
    *ret = sums_of_view(view)->min;
    return true;
}

static bool highest(struct view *view, double *ret)
{
    *ret = sums_of_view(view)->max;
    return true;
}

static bool sum(struct view *view, double *ret)
{
    *ret = sums_total(sums_of_view(view));
    return true;
}

static bool count(struct view *view, double *ret)
{
    *ret = (double)view->n;
    return true;
}

static bool count_text(struct view *view, double *ret)
{
    *ret = (double)view->window->matches;
    return true;
}

static bool median(struct view *view, double *ret)
{
    *ret = sorted_quantile(&view->window->sorted, view->series, 0.5);
    return true;
}

static bool percentile(struct view *view, double *ret)
{
    *ret = sorted_quantile(&view->window->sorted, view->series, view->argument / 100);
    return true;
}

static bool deviation(struct view *view, double *ret)
{
    *ret = view->n < 2 ? 0 : sums_stddev(sums_of_view(view));
    return view->n >= 2;
}

static bool delta(struct view *view, double *ret)
{
    *ret = newest_known(view)->number - oldest_known(view)->number;
    return view->before || view->n >= 2;
}

static bool rate(struct view *view, double *ret)
{
    int64_t ms = newest_known(view)->at_ms - oldest_known(view)->at_ms;
    if (newest_known(view) == oldest_known(view)) { /* nothing came: it stood still */
        *ret = 0;
        return view->before != NULL;
    }
    *ret = (newest_known(view)->number - oldest_known(view)->number) / ((double)ms / 1000);
    return ms > 0;
}

static bool slope(struct view *view, double *ret)
{
    *ret = view->n < 2 ? (double)NAN : sums_slope(sums_of_view(view)) * 1000;
    return true;
}

static bool forecast(struct view *view, double *ret)
{
    const struct sums *sums = sums_of_view(view);
    double at = slide_time(&view->window->slide, view->now_ms) + view->argument * 1000;
    *ret = view->n < 2 ? (double)NAN : sums_mean(sums) + sums_slope(sums) * (at - sums->t);
    return true;
}

static bool rising(struct view *view, double *ret)
{
    *ret = view->window->ups == view->n - 1;
    return view->n >= 2;
}

static bool falling(struct view *view, double *ret)
{
    *ret = view->window->downs == view->n - 1;
    return view->n >= 2;
}

static uint64_t changes_of(const struct view *view)
{
    bool entered =
        view->before && view->first && !series_same(view->series, view->before, view->first);
    return view->window->changes + entered;
}

static bool changes(struct view *view, double *ret)
{
    *ret = (double)changes_of(view);
    return true;
}

/* Without an entry sample it cannot be told whether it was so over the whole of the window. */
static bool stuck(struct view *view, double *ret)
{
    *ret = changes_of(view) == 0;
    return changes_of(view) > 0 || view->before || view->window->span.kind == SPAN_COUNT;
}

static bool increase(struct view *view, double *ret)
{
    *ret = 0;
    if (view->n > 0)
        *ret = sums_of_view(view)->growth;
    if (view->n > 0 && view->before)
        *ret += series_growth(view->before->number, view->first->number);
    return view->before || view->n >= 2;
}

/* A value holds until the next one, the newest until now; none longer than it is believed. */
static bool on_time(struct view *view, double *ret)
{
    const struct series *series = view->series;
    int64_t ms = view->window->on_ms, edge_ms = view->now_ms - view->window->span.length;
    if (view->before && view->before->number != 0) {
        int64_t until_ms = view->first ? view->first->at_ms : view->now_ms;
        int64_t held_ms = series_held_ms(series, until_ms - view->before->at_ms);
        ms += view->before->at_ms + held_ms - edge_ms;
    }
    if (view->newest && view->newest->number != 0)
        ms += series_held_ms(series, view->now_ms - view->newest->at_ms);
    *ret = (double)ms / 1000;
    return true;
}

/* Of the trapezoid that reaches into the window, the part inside. */
static double entering_area(const struct view *view)
{
    const struct entry *a = view->before, *b = view->first;
    double ms = (double)(b->at_ms - a->at_ms);
    double inside = (double)(b->at_ms - (view->now_ms - view->window->span.length));
    double at_edge = b->number + (a->number - b->number) * (inside / ms);
    return (at_edge + b->number) / 2 * (inside / 1000);
}

static bool integral(struct view *view, double *ret)
{
    bool enters = view->before && view->first &&
                  view->first->at_ms - view->before->at_ms <= view->series->stale_ms;
    *ret = view->n > 0 ? sums_of_view(view)->area / 1000 : 0;
    if (enters)
        *ret += entering_area(view);
    return enters || view->n >= 2;
}

/* Against the earlier ones, so that one outlier does not hide itself. */
static bool zscore(struct view *view, double *ret)
{
    if (view->n < 3)
        return false;
    struct sums earlier;
    slide_sums(&view->window->slide, &earlier);
    double away = view->newest->number - sums_mean(&earlier);
    double spread = sums_stddev(&earlier);
    *ret = spread > 0 ? fmax(-1000, fmin(1000, away / spread))
                      : (away > 0) * 1000.0 - (away < 0) * 1000.0;
    return true;
}

static bool rise(struct view *view, double *ret)
{
    double low = view->before ? view->before->number : view->first->number;
    if (view->n > 0)
        low = fmin(low, sums_of_view(view)->min);
    *ret = newest_known(view)->number - low;
    return view->before || view->n >= 2;
}

static bool fall(struct view *view, double *ret)
{
    double high = view->before ? view->before->number : view->first->number;
    if (view->n > 0)
        high = fmax(high, sums_of_view(view)->max);
    *ret = high - newest_known(view)->number;
    return view->before || view->n >= 2;
}

/* `least`: samples with which half a window is enough; `entry`: it takes the entry sample, and so
 * is known without any inside; `when`: how time alone changes it, beside samples that leave. */
enum {
    CHANGES_BY_LEAVING,
    CHANGES_STEADILY,
    CHANGES_WHILE_ON,
    CHANGES_WITH_EDGE,
    CHANGES_AFTER_RUN
};
static const struct function {
    bool (*call)(struct view *, double *);
    uint8_t least;
    bool entry, empty, truth;
    uint8_t when;
} functions[WINDOW_WHATS] = {
    [WINDOW_FIRST] = {NULL, 1, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_LAST] = {NULL, 1, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_AVG] = {avg, 2, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_MIN] = {lowest, 1, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_MAX] = {highest, 1, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_SUM] = {sum, 1, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_COUNT] = {count, 2, false, true, false, CHANGES_BY_LEAVING},
    [WINDOW_COUNT_TEXT] = {count_text, 2, false, true, false, CHANGES_BY_LEAVING},
    [WINDOW_MEDIAN] = {median, 2, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_PERCENTILE] = {percentile, 2, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_STDDEV] = {deviation, 2, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_DELTA] = {delta, 2, true, false, false, CHANGES_BY_LEAVING},
    [WINDOW_RATE] = {rate, 2, true, false, false, CHANGES_BY_LEAVING},
    [WINDOW_SLOPE] = {slope, 2, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_RISING] = {rising, 2, false, false, true, CHANGES_BY_LEAVING},
    [WINDOW_FALLING] = {falling, 2, false, false, true, CHANGES_BY_LEAVING},
    [WINDOW_CHANGES] = {changes, 2, true, false, false, CHANGES_BY_LEAVING},
    [WINDOW_STUCK] = {stuck, 2, true, false, true, CHANGES_AFTER_RUN},
    [WINDOW_INCREASE] = {increase, 2, true, false, false, CHANGES_BY_LEAVING},
    [WINDOW_ON_TIME] = {on_time, 2, true, false, false, CHANGES_WHILE_ON},
    [WINDOW_INTEGRAL] = {integral, 2, true, false, false, CHANGES_WITH_EDGE},
    [WINDOW_ZSCORE] = {zscore, 2, false, false, false, CHANGES_BY_LEAVING},
    [WINDOW_FORECAST] = {forecast, 2, false, false, false, CHANGES_STEADILY},
    [WINDOW_RISE] = {rise, 2, true, false, false, CHANGES_BY_LEAVING},
    [WINDOW_FALL] = {fall, 2, true, false, false, CHANGES_BY_LEAVING},
};

/* -- whether it is known -- */

static struct cell unknown_cell(void)
{
    return (struct cell){.kind = CELL_UNKNOWN};
}

static struct cell number_cell(double number)
{
    return isfinite(number) ? (struct cell){.kind = CELL_NUMBER, .number = number} : unknown_cell();
}

static bool is_stale(const struct series *series, int64_t now_ms)
{
    const struct entry *newest = series_newest(series);
    return series_is_away(series, now_ms) || (newest && now_ms - newest->at_ms >= series->stale_ms);
}

/* Before the first sample a sensor has the time of its staleness to bring one. */
static void note_unknown(const struct windows *windows, const struct series *series, int64_t now_ms,
                         struct outlook *outlook)
{
    bool stale = series->end > 0 || series->absence
                     ? is_stale(series, now_ms)
                     : now_ms - windows->started_ms >= series->stale_ms;
    outlook->stale |= stale;
    outlook->waiting |= !stale;
}

static bool is_enough(int64_t seen_ms, int64_t length_ms, uint64_t n, uint64_t least)
{
    return seen_ms >= length_ms || (2 * seen_ms >= length_ms && n >= least);
}

static void change_at(struct outlook *outlook, int64_t at_ms)
{
    if (at_ms < outlook->next_ms)
        outlook->next_ms = at_ms;
}

/* -- exact windows -- */

/* While it is away a window is observed less and less, then more and more, though nothing comes. */
static bool sight_changes(const struct view *view, int64_t seen_ms)
{
    if (series_is_away(view->series, view->now_ms))
        return seen_ms > 0;
    return view->series->absence && seen_ms < view->window->span.length;
}

static void look_ahead(const struct view *view, const struct function *function, int64_t seen_ms,
                       struct outlook *outlook)
{
    int64_t length_ms = view->window->span.length, second_ms = view->now_ms + 1000;
    bool on =
        (view->newest && view->newest->number != 0) || (view->before && view->before->number != 0);
    bool steadily = function->when == CHANGES_STEADILY ||
                    (function->when == CHANGES_WHILE_ON && on) ||
                    (function->when == CHANGES_WITH_EDGE && view->before && view->first);
    if (steadily || (seen_ms < length_ms && (seen_ms > 0 || view->n > 0)) ||
        sight_changes(view, seen_ms))
        change_at(outlook, second_ms);
    if (view->first) {
        int64_t leaves_ms = view->first->at_ms + length_ms;
        change_at(outlook, leaves_ms > second_ms ? leaves_ms : second_ms);
    }
    if (function->when == CHANGES_AFTER_RUN && view->series->end > 0 &&
        view->series->run_ms + length_ms > view->now_ms)
        change_at(outlook, view->series->run_ms + length_ms);
}

/* Field by field: to clear the sums, which few functions ask for, would cost more than most of
 * them.
 */
static void look(struct view *view, struct windows *windows, struct window *window, int64_t now_ms)
{
    const struct series *series = &windows->series[window->sensor];
    window_expire(windows, window, now_ms);
    view->windows = windows;
    view->window = window;
    view->series = series;
    view->now_ms = now_ms;
    view->n = window->end - window->first;
    view->first = view->n > 0 ? series_at(series, window->first) : NULL;
    view->newest = view->n > 0 ? series_at(series, window->end - 1) : NULL;
    view->before = window_before(windows, window, now_ms);
    view->sums_made = false;
}

static struct cell cell_of_entry(const struct view *view, const struct entry *entry)
{
    if (!view->series->text)
        return number_cell(entry->number);
    return (struct cell){.kind = CELL_TEXT,
                         .text = text_table_get(view->windows->texts, entry->text)};
}

static bool is_known(const struct view *view, const struct function *function,
                     const struct instruction *instruction, struct outlook *outlook)
{
    const struct window *window = view->window;
    if (window->span.kind == SPAN_COUNT && function->when != CHANGES_BY_LEAVING)
        change_at(outlook, view->now_ms + 1000);
    if (window->span.kind == SPAN_COUNT)
        return view->n >= (uint64_t)window->span.length && !is_stale(view->series, view->now_ms);
    int64_t seen_ms = window_observed_ms(view->windows, window, view->now_ms);
    uint64_t least = instruction->needs ? instruction->needs : function->least;
    look_ahead(view, function, seen_ms, outlook);
    return is_enough(seen_ms, window->span.length, view->n, least);
}

static struct cell ask_exact(struct windows *windows, struct window *window,
                             const struct instruction *instruction, int64_t now_ms,
                             struct outlook *outlook)
{
    const struct function *function = &functions[instruction->what];
    struct view view;
    look(&view, windows, window, now_ms);
    bool something = function->empty || view.n > 0 || (function->entry && view.before);
    double number;
    view.argument = instruction->number;
    if (!is_known(&view, function, instruction, outlook) || !something) {
        note_unknown(windows, view.series, now_ms, outlook);
        return unknown_cell();
    }
    if (!function->call)
        return cell_of_entry(&view, instruction->what == WINDOW_FIRST ? view.first : view.newest);
    if (!function->call(&view, &number)) {
        note_unknown(windows, view.series, now_ms, outlook);
        return unknown_cell();
    }
    return function->truth ? (struct cell){.kind = CELL_BOOL, .is = number != 0}
                           : number_cell(number);
}

/* -- windows on minutes -- */

static bool range_of(const struct span *span, int64_t now_ms, int64_t *from_ms, int64_t *to_ms)
{
    *to_ms = now_ms - span->shift_ms;
    *from_ms = *to_ms - span->length;
    switch (span->kind) {
    case SPAN_TODAY:
        return minutes_day_start(now_ms, 0, from_ms);
    case SPAN_YESTERDAY:
        return minutes_day_start(now_ms, 0, to_ms) && minutes_day_start(now_ms, 1, from_ms);
    case SPAN_MONTH:
        return minutes_month_start(now_ms, from_ms);
    default:
        return true;
    }
}

static int64_t seen_ms(const struct windows *windows, const struct window *window, int64_t from_ms,
                       int64_t to_ms)
{
    const struct series *series = &windows->series[window->sensor];
    if (series->stale_ms != CLOCK_NEVER)
        return minutes_seen_ms(&windows->minutes[window->sensor], series, from_ms, to_ms);
    int64_t since_ms = windows->started_ms > from_ms ? windows->started_ms : from_ms;
    return to_ms > since_ms ? to_ms - since_ms - series_away_ms(series, since_ms, to_ms) : 0;
}

static double minutes_result(uint8_t what, const struct sums *sums)
{
    switch (what) {
    case WINDOW_AVG:
        return sums_mean(sums);
    case WINDOW_MIN:
        return sums->min;
    case WINDOW_MAX:
        return sums->max;
    case WINDOW_SUM:
        return sums_total(sums);
    case WINDOW_STDDEV:
        return sums->n < 2 ? (double)NAN : sums_stddev(sums);
    case WINDOW_INCREASE:
        return sums->growth;
    default:
        return sums->n;
    }
}

static struct cell ask_minutes(struct windows *windows, struct window *window,
                               const struct instruction *instruction, int64_t now_ms,
                               struct outlook *outlook)
{
    const struct function *function = &functions[instruction->what];
    const struct series *series = &windows->series[window->sensor];
    const struct minutes *minutes = &windows->minutes[window->sensor];
    int64_t from_ms, to_ms;
    change_at(outlook, now_ms + 1000);
    if (!range_of(&window->span, now_ms, &from_ms, &to_ms)) {
        outlook->waiting = true;
        return unknown_cell();
    }
    struct sums sums = minutes_sums(minutes, from_ms, to_ms, &window->cache);
    bool on_time = instruction->what == WINDOW_ON_TIME;
    uint64_t least = instruction->needs ? instruction->needs : function->least;
    bool something = function->empty || on_time || sums.n > 0;
    if (!something || !is_enough(seen_ms(windows, window, from_ms, to_ms), to_ms - from_ms,
                                 (uint64_t)sums.n, least)) {
        note_unknown(windows, series, now_ms, outlook);
        return unknown_cell();
    }
    return number_cell(on_time ? (double)minutes_on_ms(minutes, series, from_ms, to_ms) / 1000
                               : minutes_result(instruction->what, &sums));
}

/* -- what has no window -- */

static struct cell ask_series(const struct windows *windows, const struct window *window,
                              uint8_t what, int64_t now_ms, struct outlook *outlook)
{
    const struct series *series = &windows->series[window->sensor];
    uint64_t least = what == WINDOW_PREV ? 2 : 1;
    if (series->end < least || (what != WINDOW_TOTAL && is_stale(series, now_ms))) {
        note_unknown(windows, series, now_ms, outlook);
        return unknown_cell();
    }
    if (what == WINDOW_PREV) {
        struct view view = {.windows = (struct windows *)windows, .series = series};
        return cell_of_entry(&view, series_at(series, series->end - 2));
    }
    return number_cell(what == WINDOW_EWMA ? window->ewma : series->total + series->low);
}

struct cell windows_ask(struct windows *windows, uint32_t number,
                        const struct instruction *instruction, int64_t now_ms,
                        struct outlook *outlook)
{
    struct window *window = &windows->list[number];
    uint8_t kind = window->span.kind;
    if (kind == SPAN_EWMA || kind == SPAN_SERIES)
        return ask_series(windows, window, instruction->what, now_ms, outlook);
    if (span_is_long(&window->span))
        return ask_minutes(windows, window, instruction, now_ms, outlook);
    return ask_exact(windows, window, instruction, now_ms, outlook);
}
