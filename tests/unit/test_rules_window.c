/* Every function of windows against the same thing computed anew from all samples, straight from
 * the definition, over random series with gaps, equal times and equal values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/reading.h"
#include "rules/rules.h"
#include "rules/window.h"

#include "tests/unit/steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STALE_MS 15000
#define STEPS    STEPS_OF(1000000)
#define KEEP     1024 /* samples that the naive side remembers */

struct point {
    int64_t at_ms;
    double value;
};

/* -- the naive side -- */

struct past {
    struct point points[KEEP];
    size_t count;
};

static void remember(struct past *past, int64_t at_ms, double value)
{
    if (past->count == KEEP) {
        past->count = KEEP / 2;
        memmove(past->points, past->points + KEEP / 2, sizeof past->points / 2);
    }
    past->points[past->count++] = (struct point){at_ms, value};
}

/* A window by its definition. */
struct naive {
    const struct point *at; /* the samples inside */
    size_t n;
    const struct point *entry; /* NULL: none */
    int64_t now_ms, edge_ms, seen_ms;
};

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t higher(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t seen(const struct past *past, int64_t from_ms, int64_t to_ms, int64_t stale_ms)
{
    int64_t total = 0;
    for (size_t i = 0; i < past->count; i++) {
        int64_t next = i + 1 < past->count ? past->points[i + 1].at_ms : to_ms;
        int64_t from = higher(past->points[i].at_ms, from_ms);
        int64_t to = lower(lower(next, past->points[i].at_ms + stale_ms), to_ms);
        total += to > from ? to - from : 0;
    }
    return total;
}

static struct naive look(const struct past *past, const struct span *span, int64_t now_ms)
{
    struct naive naive = {.now_ms = now_ms, .edge_ms = now_ms - span->length};
    size_t first = past->count;
    if (span->kind == SPAN_COUNT) {
        naive.n = past->count < (size_t)span->length ? past->count : (size_t)span->length;
        naive.at = past->points + past->count - naive.n;
        return naive;
    }
    while (first > 0 && past->points[first - 1].at_ms > naive.edge_ms)
        first--;
    naive.at = past->points + first;
    naive.n = past->count - first;
    if (first > 0 && past->points[first - 1].at_ms + STALE_MS > naive.edge_ms)
        naive.entry = &past->points[first - 1];
    naive.seen_ms = seen(past, naive.edge_ms, now_ms, STALE_MS);
    return naive;
}

static double mean(const struct point *at, size_t n)
{
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += at[i].value;
    return (double)(sum / n);
}

static double spread(const struct point *at, size_t n)
{
    long double sum = 0, m = 0;
    bool same = true;
    for (size_t i = 0; i < n; i++) {
        m += at[i].value;
        same = same && at[i].value == at[0].value;
    }
    m /= n;
    for (size_t i = 0; i < n; i++)
        sum += (at[i].value - m) * (at[i].value - m);
    return same ? 0 : sqrt((double)(sum / (n - 1)));
}

/* Slope, and the line's value at a time. */
static double line(const struct naive *naive, double *ret_at, double seconds)
{
    long double t = 0, x = 0, tt = 0, tx = 0;
    for (size_t i = 0; i < naive->n; i++) {
        t += (naive->at[i].at_ms - naive->at[0].at_ms) / 1000.0L;
        x += naive->at[i].value;
    }
    t /= naive->n;
    x /= naive->n;
    for (size_t i = 0; i < naive->n; i++) {
        long double dt = (naive->at[i].at_ms - naive->at[0].at_ms) / 1000.0L - t;
        tt += dt * dt;
        tx += dt * (naive->at[i].value - x);
    }
    double now = (double)(naive->now_ms - naive->at[0].at_ms) / 1000;
    *ret_at = tt > 0 ? (double)(x + tx / tt * (now + seconds - t)) : (double)NAN;
    return tt > 0 ? (double)(tx / tt) : (double)NAN;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const struct naive *naive, double share)
{
    double sorted[KEEP];
    for (size_t i = 0; i < naive->n; i++)
        sorted[i] = naive->at[i].value;
    qsort(sorted, naive->n, sizeof *sorted, compare);
    double rank = share * (double)(naive->n - 1);
    size_t low = (size_t)rank;
    if (low + 1 >= naive->n)
        return sorted[low];
    return sorted[low] + (sorted[low + 1] - sorted[low]) * (rank - (double)low);
}

/* The entry sample and those inside, as one list. */
static size_t join(const struct naive *naive, struct point *list)
{
    size_t n = 0;
    if (naive->entry)
        list[n++] = *naive->entry;
    memcpy(list + n, naive->at, naive->n * sizeof *list);
    return n + naive->n;
}

static bool monotone(const struct naive *naive, int sign)
{
    for (size_t i = 1; i < naive->n; i++)
        if (!((naive->at[i].value - naive->at[i - 1].value) * sign > 0))
            return false;
    return true;
}

static double on_seconds(const struct naive *naive, const struct point *list, size_t n)
{
    int64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t next = i + 1 < n ? list[i + 1].at_ms : naive->now_ms;
        int64_t to = lower(next, list[i].at_ms + STALE_MS);
        int64_t from = naive->entry ? higher(list[i].at_ms, naive->edge_ms) : list[i].at_ms;
        total += list[i].value != 0 ? to - from : 0;
    }
    return (double)total / 1000;
}

static double area(const struct naive *naive, const struct point *list, size_t n, bool *ret_any)
{
    double total = 0;
    *ret_any = naive->n >= 2;
    for (size_t i = 1; i < n; i++) {
        double a = list[i - 1].value, b = list[i].value;
        double ms = (double)(list[i].at_ms - list[i - 1].at_ms), left = ms;
        if (ms > STALE_MS)
            continue;
        *ret_any = true;
        if (naive->entry && list[i - 1].at_ms < naive->edge_ms) {
            left = (double)(list[i].at_ms - naive->edge_ms);
            a = b + (a - b) * left / ms;
        }
        total += (a + b) / 2 * left / 1000;
    }
    return total;
}

static double zscore(const struct naive *naive)
{
    size_t n = naive->n - 1;
    double s = spread(naive->at, n), away = naive->at[n].value;
    bool same = s == 0;
    away -= same ? naive->at[0].value : mean(naive->at, n);
    double z = same ? (away > 0 ? 1000 : away < 0 ? -1000 : 0) : away / s;
    return z > 1000 ? 1000 : z < -1000 ? -1000 : z;
}

/* NAN: unknown. */
static double expect(const struct naive *naive, const struct span *span, uint8_t what,
                     unsigned least, double argument)
{
    static struct point list[KEEP];
    size_t n = join(naive, list);
    bool takes_entry = what == WINDOW_DELTA || what == WINDOW_RATE || what == WINDOW_CHANGES ||
                       what == WINDOW_STUCK || what == WINDOW_INCREASE || what == WINDOW_ON_TIME ||
                       what == WINDOW_INTEGRAL || what == WINDOW_RISE || what == WINDOW_FALL;
    bool one = what == WINDOW_FIRST || what == WINDOW_LAST || what == WINDOW_MIN ||
               what == WINDOW_MAX || what == WINDOW_SUM;
    bool any = false;
    double result = 0, at;
    if (span->kind == SPAN_COUNT) {
        if (naive->n < (size_t)span->length ||
            naive->now_ms - naive->at[naive->n - 1].at_ms >= STALE_MS)
            return (double)NAN;
    } else if (naive->seen_ms < span->length &&
               (2 * naive->seen_ms < span->length || naive->n < (least ? least
                                                                 : one ? 1
                                                                       : 2))) {
        return (double)NAN;
    }
    if (naive->n == 0 && what != WINDOW_COUNT && !(takes_entry && naive->entry))
        return (double)NAN;
    switch (what) {
    case WINDOW_FIRST:
        return naive->at[0].value;
    case WINDOW_LAST:
        return naive->at[naive->n - 1].value;
    case WINDOW_AVG:
        return mean(naive->at, naive->n);
    case WINDOW_MIN:
        return quantile(naive, 0);
    case WINDOW_MAX:
        return quantile(naive, 1);
    case WINDOW_SUM:
        return mean(naive->at, naive->n) * (double)naive->n;
    case WINDOW_COUNT:
        return (double)naive->n;
    case WINDOW_MEDIAN:
        return quantile(naive, 0.5);
    case WINDOW_PERCENTILE:
        return quantile(naive, argument / 100);
    case WINDOW_STDDEV:
        return naive->n < 2 ? (double)NAN : spread(naive->at, naive->n);
    case WINDOW_DELTA:
        return n < 2 && !naive->entry ? (double)NAN : list[n - 1].value - list[0].value;
    case WINDOW_RATE:
        if (n == 1)
            return naive->entry ? 0 : (double)NAN;
        at = (double)(list[n - 1].at_ms - list[0].at_ms) / 1000;
        return at == 0 ? (double)NAN : (list[n - 1].value - list[0].value) / at;
    case WINDOW_SLOPE:
        return naive->n < 2 ? (double)NAN : line(naive, &at, 0);
    case WINDOW_FORECAST:
        line(naive, &at, argument);
        return naive->n < 2 ? (double)NAN : at;
    case WINDOW_RISING:
        return naive->n < 2 ? (double)NAN : monotone(naive, 1);
    case WINDOW_FALLING:
        return naive->n < 2 ? (double)NAN : monotone(naive, -1);
    case WINDOW_CHANGES:
    case WINDOW_STUCK:
        for (size_t i = 1; i < n; i++)
            result += list[i].value != list[i - 1].value;
        if (what == WINDOW_CHANGES)
            return result;
        return result == 0 && !naive->entry && span->kind != SPAN_COUNT ? (double)NAN : result == 0;
    case WINDOW_INCREASE:
        for (size_t i = 1; i < n; i++)
            result += list[i].value >= list[i - 1].value ? list[i].value - list[i - 1].value
                                                         : list[i].value;
        return naive->entry || n >= 2 ? result : (double)NAN;
    case WINDOW_ON_TIME:
        return on_seconds(naive, list, n);
    case WINDOW_INTEGRAL:
        result = area(naive, list, n, &any);
        return any ? result : (double)NAN;
    case WINDOW_ZSCORE:
        return naive->n < 3 ? (double)NAN : zscore(naive);
    case WINDOW_RISE:
    case WINDOW_FALL:
        if (n < 2 && !naive->entry)
            return (double)NAN;
        for (size_t i = 0; i < n; i++)
            result = fmax(result, what == WINDOW_RISE ? list[n - 1].value - list[i].value
                                                      : list[i].value - list[n - 1].value);
        return result;
    default:
        return (double)NAN;
    }
}

/* -- both sides through the same random past -- */

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % below);
}

static int64_t draw_step_ms(void)
{
    switch (draw(12)) {
    case 0:
        return 0; /* equal times */
    case 1:
        return STALE_MS - 1 + draw(3); /* around the edge of staleness */
    case 2:
        return draw(50) == 0 ? 20000 + draw(200000) : 5000; /* a gap, seldom a long one */
    default:
        return 1 + draw(6000);
    }
}

static double draw_value(double before)
{
    switch (draw(8)) {
    case 0:
    case 1:
        return before;
    case 2:
        return 0;
    case 3:
        return (double)draw(5);
    case 4:
        return before + (double)draw(100) / 7;
    case 5:
        return draw(2000) ? before : 1e9 * draw(10);
    default:
        return (double)draw(200000) / 1000 - 100;
    }
}

static const struct span spans[] = {
    {SPAN_TIME, 1000, 0, NULL}, {SPAN_TIME, 15000, 0, NULL},  {SPAN_TIME, 60000, 0, NULL},
    {SPAN_TIME, 61, 0, NULL},   {SPAN_TIME, 300000, 0, NULL}, {SPAN_COUNT, 1, 0, NULL},
    {SPAN_COUNT, 5, 0, NULL},   {SPAN_COUNT, 100, 0, NULL},
};
#define N_SPANS (sizeof spans / sizeof spans[0])

struct duel {
    struct windows *windows;
    int64_t id[N_SPANS];
    struct past past;
    int64_t now_ms;
    double value;
};

static struct duel *open_duel(void)
{
    static const struct rules_sensor sensor = {.every_ms = 250, .stale_ms = STALE_MS};
    struct duel *duel = calloc(1, sizeof *duel);
    duel->windows = windows_new(&sensor, 1, NULL);
    for (size_t i = 0; i < N_SPANS; i++)
        duel->id[i] = windows_want(duel->windows, 0, &spans[i],
                                   WINDOW_NEEDS_SUMS | WINDOW_NEEDS_LINE | WINDOW_NEEDS_ORDER |
                                       WINDOW_NEEDS_PAIRS);
    assert_int_equal(windows_build(duel->windows), 0);
    windows_start(duel->windows, 0);
    return duel;
}

static void step(struct duel *duel)
{
    duel->now_ms += draw_step_ms();
    if (draw(10) == 0)
        return; /* only time goes on */
    duel->value = draw_value(duel->value);
    remember(&duel->past, duel->now_ms, duel->value);
    windows_push_number(duel->windows, 0, duel->now_ms, duel->value);
    if (draw(10) == 0)
        duel->now_ms += draw(3000);
}

static double scale_of(const struct naive *naive)
{
    double scale = 1;
    for (size_t i = 0; i < naive->n; i++)
        scale = fmax(scale, fabs(naive->at[i].value));
    return scale;
}

/* Cancellation may cost digits on either side; what is left is measured by the largest value. */
static bool agrees(const struct naive *naive, uint8_t what, double expected,
                   const struct cell *cell)
{
    double got = cell->kind == CELL_BOOL ? cell->is : cell->number;
    double scale = fmax(scale_of(naive), fabs(expected));
    if (cell->kind == CELL_UNKNOWN || isnan(expected))
        return cell->kind == CELL_UNKNOWN && isnan(expected);
    switch (what) {
    case WINDOW_SUM:
    case WINDOW_INCREASE:
        scale *= (double)naive->n + 1;
        break;
    case WINDOW_INTEGRAL:
        scale *= 300;
        break;
    case WINDOW_FORECAST:
        scale *= 100000; /* far ahead of samples that lie close together */
        break;
    case WINDOW_SLOPE:
    case WINDOW_ZSCORE:
        scale *= 1000;
        break;
    case WINDOW_FIRST:
    case WINDOW_LAST:
    case WINDOW_MIN:
    case WINDOW_MAX:
    case WINDOW_COUNT:
    case WINDOW_DELTA:
    case WINDOW_RISING:
    case WINDOW_FALLING:
    case WINDOW_CHANGES:
    case WINDOW_STUCK:
    case WINDOW_ON_TIME:
    case WINDOW_RISE:
    case WINDOW_FALL:
        return got == expected;
    default:
        break;
    }
    return fabs(got - expected) <= 1e-9 * scale;
}

static void check(struct duel *duel, size_t i, uint8_t what)
{
    struct instruction instruction = {
        .op = OP_WINDOW, .what = what, .needs = draw(3) ? 0 : 1 + draw(20)};
    struct naive naive = look(&duel->past, &spans[i], duel->now_ms);
    struct outlook outlook = {.next_ms = CLOCK_NEVER};
    if (what == WINDOW_COUNT_TEXT || (what == WINDOW_STUCK && naive.n == 0 && !naive.entry))
        return;
    instruction.number = what == WINDOW_PERCENTILE ? draw(101) : what == WINDOW_FORECAST ? 60 : 0;
    double expected = expect(&naive, &spans[i], what, instruction.needs, instruction.number);
    struct cell cell =
        windows_ask(duel->windows, (uint32_t)duel->id[i], &instruction, duel->now_ms, &outlook);
    if (agrees(&naive, what, expected, &cell))
        return;
    fail_msg("function %d of span %zu at %lld: %.17g instead of %.17g (kind %d, n %zu, seen %lld)",
             what, i, (long long)duel->now_ms, cell.kind ? cell.number : (double)NAN, expected,
             cell.kind, naive.n, (long long)naive.seen_ms);
}

static void every_function_agrees_with_what_is_computed_anew(void **state)
{
    (void)state;
    struct duel *duel = open_duel();
    random_state = 20261121;
    for (int i = 0; i < STEPS; i++) {
        step(duel);
        check(duel, draw(N_SPANS), (uint8_t)draw(WINDOW_EWMA));
    }
    windows_free(duel->windows);
    free(duel);
}

/* -- they do not drift -- */

#define MANY   STEPS_OF(10000000)
#define INSIDE 1000

struct fresh {
    long double sum, around, line, times, area, growth;
};

/* From the definitions, of samples that are 100 ms apart. */
static struct fresh reckon(const double *values)
{
    struct fresh fresh = {0};
    for (int i = 0; i < INSIDE; i++)
        fresh.sum += values[i];
    for (int i = 0; i < INSIDE; i++) {
        long double away = values[i] - fresh.sum / INSIDE, time = (i - (INSIDE - 1) / 2.0L) / 10;
        fresh.around += away * away;
        fresh.line += away * time;
        fresh.times += time * time;
    }
    for (int i = 1; i < INSIDE; i++) {
        fresh.area += ((long double)values[i - 1] + values[i]) / 2 / 10;
        fresh.growth += values[i] >= values[i - 1] ? (long double)values[i] - values[i - 1]
                                                   : (long double)values[i];
    }
    return fresh;
}

static void expect_now(struct windows *windows, int64_t window, uint8_t what, long double wanted)
{
    struct instruction instruction = {.op = OP_WINDOW, .what = what};
    struct outlook outlook = {.next_ms = CLOCK_NEVER};
    struct cell cell =
        windows_ask(windows, (uint32_t)window, &instruction, (MANY - 1) * 100LL, &outlook);
    assert_int_equal(cell.kind, CELL_NUMBER);
    if (fabsl(cell.number - wanted) > 1e-9L * fabsl(wanted))
        fail_msg("function %d: %.17g instead of %.17Lg", what, cell.number, wanted);
}

/* Large values and small ones take turns, so that what large ones leave behind shows; the last are
 * small. */
static void after_ten_million_readings_sums_are_as_fresh(void **state)
{
    static const struct rules_sensor sensor = {.every_ms = 100, .stale_ms = 1000};
    static const struct span inside = {.kind = SPAN_COUNT, .length = INSIDE},
                             ever = {.kind = SPAN_SERIES};
    static double last[INSIDE];
    struct windows *windows = windows_new(&sensor, 1, NULL);
    int64_t window = windows_want(windows, 0, &inside,
                                  WINDOW_NEEDS_SUMS | WINDOW_NEEDS_LINE | WINDOW_NEEDS_PAIRS);
    int64_t series = windows_want(windows, 0, &ever, 0);
    long double total = 0;
    double before = 0, value;
    (void)state;
    assert_int_equal(windows_build(windows), 0);
    windows_start(windows, 0);
    for (int i = 0; i < MANY; i++, before = value) {
        value = i / 5000 % 2 == 0 ? 1e6 * (double)draw(1000) : 20 + (double)draw(1000) / 100;
        windows_push_number(windows, 0, i * 100LL, value);
        last[i % INSIDE] = value;
        total += i > 0 ? ((long double)before + value) / 2 / 10 : 0;
    }
    struct fresh fresh = reckon(last); /* MANY is whole times INSIDE: the oldest is the first */
    expect_now(windows, window, WINDOW_SUM, fresh.sum);
    expect_now(windows, window, WINDOW_AVG, fresh.sum / INSIDE);
    expect_now(windows, window, WINDOW_STDDEV, sqrtl(fresh.around / (INSIDE - 1)));
    expect_now(windows, window, WINDOW_SLOPE, fresh.line / fresh.times);
    expect_now(windows, window, WINDOW_INTEGRAL, fresh.area);
    expect_now(windows, window, WINDOW_INCREASE, fresh.growth);
    expect_now(windows, series, WINDOW_TOTAL, total);
    windows_free(windows);
}

/* -- how many there may be -- */

/* Four samples a second into a window of ten seconds. */
static bool cuts(double max_rate)
{
    const struct rules_sensor sensor = {.max_rate = max_rate};
    const struct span span = {.kind = SPAN_TIME, .length = 10000};
    struct windows *windows = windows_new(&sensor, 1, NULL);
    int64_t window = windows_want(windows, 0, &span, 0), at_ms;
    assert_int_equal(windows_build(windows), 0);
    for (at_ms = 0; at_ms < 60000; at_ms += 250)
        windows_push_number(windows, 0, at_ms, 1);
    bool cut = windows_cut(windows, (uint32_t)window, at_ms);
    windows_free(windows);
    return cut;
}

static void there_is_room_for_as_many_a_second_as_is_said(void **state)
{
    (void)state;
    assert_true(cuts(0)); /* one */
    assert_true(cuts(2));
    assert_false(cuts(4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_agrees_with_what_is_computed_anew),
        cmocka_unit_test(after_ten_million_readings_sums_are_as_fresh),
        cmocka_unit_test(there_is_room_for_as_many_a_second_as_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
