#include "gateway/cli/alarms.h"

#include <errno.h>
#include <stdlib.h>

int alarms_add(struct alarms *alarms, const struct alarm *alarm)
{
    size_t n = alarms->count;

    if (n == ALARMS_MAX) {
        alarms->left_out++;
        return 0;
    }
    if ((n & (n - 1)) == 0) { /* room doubles at each power of two */
        struct alarm *grown = reallocarray(alarms->list, n == 0 ? 1 : 2 * n, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        alarms->list = grown;
    }
    alarms->list[alarms->count++] = *alarm;
    return 0;
}

void alarms_clear(struct alarms *alarms)
{
    free(alarms->list);
    *alarms = (struct alarms){0};
}

static int compare(const void *a, const void *b)
{
    const struct alarm *x = a, *y = b;

    if (x->sensor != y->sensor)
        return x->sensor < y->sensor ? -1 : 1;
    return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

void alarms_sort(struct alarms *alarms)
{
    if (alarms->count > 0)
        qsort(alarms->list, alarms->count, sizeof(*alarms->list), compare);
}

static bool is_flap(const struct alarms *alarms, size_t i)
{
    const struct alarm *alarm = &alarms->list[i];

    return i > 0 && alarm[-1].sensor == alarm->sensor &&
           alarm->from_ms - alarm[-1].to_ms < ALARMS_FLAP_MS;
}

size_t alarms_flaps(const struct alarms *alarms)
{
    size_t flaps = 0;

    for (size_t i = 0; i < alarms->count; i++)
        flaps += is_flap(alarms, i);
    return flaps;
}

static int compare_ms(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t alarms_median_ms(const struct alarms *alarms)
{
    int64_t *lengths = calloc(alarms->count + 1, sizeof(*lengths)), median = 0;

    for (size_t i = 0; lengths && i < alarms->count; i++)
        lengths[i] = alarms->list[i].to_ms - alarms->list[i].from_ms;
    if (lengths && alarms->count > 0) {
        qsort(lengths, alarms->count, sizeof(*lengths), compare_ms);
        median = lengths[alarms->count / 2];
    }
    free(lengths);
    return median;
}

size_t alarms_episodes(const struct alarms *alarms)
{
    return alarms->count - alarms_flaps(alarms);
}

/* Whether one of `by`, from `*next` on, lies in the span; leaves what ends before it behind. */
static bool is_seen(const struct alarms *by, const struct alarm *span, size_t *next)
{
    while (*next < by->count &&
           (by->list[*next].sensor < span->sensor ||
            (by->list[*next].sensor == span->sensor && by->list[*next].to_ms < span->from_ms)))
        ++*next;
    return *next < by->count && by->list[*next].sensor == span->sensor &&
           by->list[*next].from_ms <= span->to_ms;
}

size_t alarms_missed(const struct alarms *alarms, const struct alarms *by)
{
    size_t missed = 0, next = 0;

    for (size_t i = 0; i < alarms->count;) {
        struct alarm span = alarms->list[i++];

        for (; i < alarms->count && is_flap(alarms, i); i++)
            span.to_ms = alarms->list[i].to_ms;
        missed += !is_seen(by, &span, &next);
    }
    return missed;
}
