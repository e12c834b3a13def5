#include "rules/absence.h"

#include "gateway/base/clock.h"

#include <string.h>

static bool is_open(const struct absence *absence)
{
    return absence->n > 0 && absence->list[absence->n - 1].to_ms == CLOCK_NEVER;
}

static void join_oldest(struct absence *absence)
{
    absence->list[1].from_ms = absence->list[0].from_ms;
    memmove(absence->list, absence->list + 1, (absence->n - 1) * sizeof absence->list[0]);
    absence->n--;
}

void absence_begin(struct absence *absence, int64_t from_ms)
{
    if (is_open(absence))
        return;
    if (absence->n == ABSENCES_MAX)
        join_oldest(absence);
    absence->list[absence->n].from_ms = from_ms;
    absence->list[absence->n++].to_ms = CLOCK_NEVER;
}

void absence_end(struct absence *absence, int64_t at_ms)
{
    if (!is_open(absence))
        return;
    if (absence->list[absence->n - 1].from_ms >= at_ms)
        absence->n--;
    else
        absence->list[absence->n - 1].to_ms = at_ms;
}

bool absence_is_on(const struct absence *absence, int64_t now_ms)
{
    return is_open(absence) && absence->list[absence->n - 1].from_ms <= now_ms;
}

int64_t absence_ms(const struct absence *absence, int64_t from_ms, int64_t to_ms)
{
    int64_t ms = 0;
    for (uint32_t i = 0; i < absence->n; i++) {
        int64_t start_ms = absence->list[i].from_ms, end_ms = absence->list[i].to_ms;
        start_ms = start_ms > from_ms ? start_ms : from_ms;
        end_ms = end_ms < to_ms ? end_ms : to_ms;
        ms += end_ms > start_ms ? end_ms - start_ms : 0;
    }
    return ms;
}
