#include "rules/minutes.h"

#include "gateway/base/clock.h"

#include <time.h>

static uint64_t begin(const struct minutes *minutes)
{
    return minutes->end > minutes->capacity ? minutes->end - minutes->capacity : 0;
}

static struct minute *at(const struct minutes *minutes, uint64_t number)
{
    return &minutes->ring[number % minutes->capacity];
}

static int64_t start_of(int64_t at_ms)
{
    int64_t clock_ms = clock_wall_is_good() ? clock_wall_ms(at_ms) : at_ms;
    int64_t over = clock_ms % MINUTE_MS;
    return at_ms - (over < 0 ? over + MINUTE_MS : over);
}

static struct minute *open_minute(struct minutes *minutes, const struct entry *entry)
{
    struct minute *newest = minutes->end ? at(minutes, minutes->end - 1) : NULL;
    if (newest && entry->at_ms < newest->start_ms + MINUTE_MS)
        return newest;
    struct minute *next = at(minutes, minutes->end++);
    *next = (struct minute){
        .start_ms = start_of(entry->at_ms), .min = entry->number, .max = entry->number};
    if (newest) {
        next->on_ms = newest->on_ms;
        next->seen_ms = newest->seen_ms;
    }
    return next;
}

static struct sums sums_of_minute(const struct minute *minute)
{
    return (struct sums){.n = minute->n,
                         .sum = minute->sum,
                         .low = minute->low,
                         .xx = minute->xx,
                         .min = minute->min,
                         .max = minute->max,
                         .growth = minute->growth};
}

void minutes_push(struct minutes *minutes, const struct series *series, const struct entry *before,
                  const struct entry *entry)
{
    double value = series->text ? 0 : entry->number;
    struct minute *minute = open_minute(minutes, entry);
    struct sums sums = sums_of_minute(minute), one = sums_of(value, 0);
    if (before) {
        int64_t held_ms = series_held_ms(series, entry->at_ms - before->at_ms);
        minute->seen_ms += held_ms;
        if (!series->text && before->number != 0)
            minute->on_ms += held_ms;
        if (!series->text)
            one.growth = series_growth(before->number, value);
    }
    sums_join(&sums, &one, SUMS_SPREAD);
    minute->n = sums.n;
    minute->sum = sums.sum;
    minute->low = sums.low;
    minute->xx = sums.xx;
    minute->min = sums.min;
    minute->max = sums.max;
    minute->growth = sums.growth;
    minute->last = value;
    minute->last_ms = entry->at_ms;
}

/* The first minute whose middle is after `edge_ms`. */
static uint64_t first_after(const struct minutes *minutes, int64_t edge_ms)
{
    uint64_t low = begin(minutes), high = minutes->end;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (at(minutes, middle)->start_ms + MINUTE_MS / 2 > edge_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The minute that is still open is joined each time, those before it once. */
struct sums minutes_sums(const struct minutes *minutes, int64_t from_ms, int64_t to_ms,
                         struct minutes_cache *cache)
{
    uint64_t from = first_after(minutes, from_ms), to = first_after(minutes, to_ms);
    bool open = minutes->end && at(minutes, minutes->end - 1)->last_ms <= to_ms;
    uint64_t closed = open ? minutes->end - 1 : to;
    struct sums sums = {0}, one;
    if (closed < from)
        closed = from;
    if (cache->from != from || cache->to != closed) {
        for (uint64_t i = from; i < closed; i++) {
            one = sums_of_minute(at(minutes, i));
            sums_join(&sums, &one, SUMS_SPREAD);
        }
        *cache = (struct minutes_cache){from, closed, sums};
    }
    sums = cache->sums;
    if (open && minutes->end - 1 >= from) {
        one = sums_of_minute(at(minutes, minutes->end - 1));
        sums_join(&sums, &one, SUMS_SPREAD);
    }
    return sums;
}

/* The newest minute that was over with its samples at `at_ms`; NULL when there is none. */
static const struct minute *known_at(const struct minutes *minutes, int64_t at_ms)
{
    uint64_t low = begin(minutes), high = minutes->end;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (at(minutes, middle)->last_ms > at_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low > begin(minutes) ? at(minutes, low - 1) : NULL;
}

static int64_t on_until(const struct minutes *minutes, const struct series *series, int64_t at_ms)
{
    const struct minute *minute = known_at(minutes, at_ms);
    if (!minute)
        return 0;
    int64_t held_ms = minute->last != 0 ? series_held_ms(series, at_ms - minute->last_ms) : 0;
    return minute->on_ms + held_ms;
}

static int64_t seen_until(const struct minutes *minutes, const struct series *series, int64_t at_ms)
{
    const struct minute *minute = known_at(minutes, at_ms);
    return minute ? minute->seen_ms + series_held_ms(series, at_ms - minute->last_ms) : 0;
}

int64_t minutes_on_ms(const struct minutes *minutes, const struct series *series, int64_t from_ms,
                      int64_t to_ms)
{
    return on_until(minutes, series, to_ms) - on_until(minutes, series, from_ms);
}

int64_t minutes_seen_ms(const struct minutes *minutes, const struct series *series, int64_t from_ms,
                        int64_t to_ms)
{
    return seen_until(minutes, series, to_ms) - seen_until(minutes, series, from_ms);
}

static bool civil_start(int64_t now_ms, int days, bool month, int64_t *ret_ms)
{
    struct tm tm;
    int64_t wall_ms = clock_wall_ms(now_ms);
    time_t seconds = (time_t)(wall_ms / 1000);
    if (!clock_wall_is_good() || !localtime_r(&seconds, &tm))
        return false;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday = month ? 1 : tm.tm_mday - days;
    tm.tm_isdst = -1;
    *ret_ms = now_ms - (wall_ms - (int64_t)mktime(&tm) * 1000);
    return true;
}

bool minutes_day_start(int64_t now_ms, int days, int64_t *ret_ms)
{
    return civil_start(now_ms, days, false, ret_ms);
}

bool minutes_month_start(int64_t now_ms, int64_t *ret_ms)
{
    return civil_start(now_ms, 0, true, ret_ms);
}
