/* Windows over a reload: what the old ones remember of a sensor becomes the past of the new ones.
 */
#include "gateway/base/clock.h"
#include "rules/window_set.h"

/* The newest minutes for which there is room; they keep their numbers, which is where they stand.
 */
static void adopt_minutes(struct minutes *to, const struct minutes *from)
{
    uint32_t room = to->capacity < from->capacity ? to->capacity : from->capacity;
    uint64_t first = from->end > room ? from->end - room : 0;
    for (uint64_t n = first; n < from->end; n++)
        to->ring[n % to->capacity] = from->ring[n % from->capacity];
    to->end = from->end;
}

/* Samples go in as they came, which fills whatever windows there are now. */
static void adopt_samples(struct windows *fresh, uint32_t to, const struct series *from)
{
    for (uint64_t n = series_begin(from); n < from->end; n++) {
        const struct entry *entry = series_at(from, n);
        if (from->text)
            windows_push_text(fresh, to, entry->at_ms, entry->text);
        else
            windows_push_number(fresh, to, entry->at_ms, entry->number);
    }
}

/* What has no end in the past: a value that is smoothed was so by more than the ring still has. */
static void adopt_smoothed(struct windows *fresh, uint32_t to, const struct windows *old,
                           uint32_t from)
{
    for (uint32_t i = fresh->first[to]; i != WINDOW_NONE; i = fresh->list[i].next)
        for (uint32_t k = old->first[from]; k != WINDOW_NONE; k = old->list[k].next)
            if (fresh->list[i].span.kind == SPAN_EWMA && old->list[k].span.kind == SPAN_EWMA &&
                fresh->list[i].span.length == old->list[k].span.length)
                fresh->list[i].ewma = old->list[k].ewma;
}

void windows_adopt(struct windows *fresh, uint32_t to, const struct windows *old, uint32_t from)
{
    const struct series *past = &old->series[from];
    struct minutes *minutes = &fresh->minutes[to];
    bool kept = minutes->capacity > 0 && old->minutes[from].capacity > 0;
    fresh->started_ms = old->started_ms;
    if (past->absence && fresh->series[to].absence)
        *fresh->series[to].absence = *past->absence;
    if (past->end == 0 || past->text != fresh->series[to].text || fresh->first[to] == WINDOW_NONE)
        return;
    uint32_t capacity = minutes->capacity;
    if (kept)
        minutes->capacity = 0; /* the samples are in them already */
    adopt_samples(fresh, to, past);
    minutes->capacity = capacity;
    if (kept)
        adopt_minutes(minutes, &old->minutes[from]);
    adopt_smoothed(fresh, to, old, from);
    fresh->series[to].run_ms = past->run_ms;
    fresh->series[to].total = past->total;
    fresh->series[to].low = past->low;
    fresh->series[to].total_ms = past->total_ms;
}
