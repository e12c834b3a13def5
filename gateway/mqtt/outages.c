#include "gateway/mqtt/outages.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void remove_at(struct outages *outages, size_t i)
{
    outages->count--;
    memmove(&outages->list[i], &outages->list[i + 1],
            (outages->count - i) * sizeof(outages->list[0]));
}

/* Makes one of number `i` and the one behind it. */
static void join(struct outages *outages, size_t i)
{
    if (outages->list[i + 1].to_ms > outages->list[i].to_ms)
        outages->list[i].to_ms = outages->list[i + 1].to_ms;
    remove_at(outages, i + 1);
}

void outages_add(struct outages *outages, int64_t from_ms, int64_t to_ms)
{
    struct outage *list = outages->list;
    size_t i = 0;

    while (i < outages->count && list[i].from_ms <= from_ms)
        i++;
    memmove(&list[i + 1], &list[i], (outages->count - i) * sizeof(list[0]));
    list[i] = (struct outage){from_ms, to_ms};
    outages->count++;
    if (i > 0 && list[i - 1].to_ms >= from_ms)
        join(outages, --i);
    while (i + 1 < outages->count && list[i].to_ms >= list[i + 1].from_ms)
        join(outages, i);
    if (outages->count > OUTAGES_MAX)
        join(outages, outages->count - 2);
}

void outages_end(struct outages *outages, int64_t to_ms)
{
    struct outage *last = outages->count > 0 ? &outages->list[outages->count - 1] : NULL;

    if (last && last->to_ms == CLOCK_NEVER)
        last->to_ms = to_ms > last->from_ms ? to_ms : last->from_ms;
}

const struct outage *outages_first(const struct outages *outages)
{
    return outages->count > 0 && outages->list[0].to_ms != CLOCK_NEVER ? &outages->list[0] : NULL;
}

void outages_done(struct outages *outages, int64_t until_ms)
{
    while (outages->count > 0 && outages->list[0].to_ms < until_ms)
        remove_at(outages, 0);
    if (outages->count > 0 && outages->list[0].from_ms < until_ms)
        outages->list[0].from_ms = until_ms;
}

void outages_write(const struct outages *outages, int64_t offset_ms, char text[OUTAGES_TEXT_SIZE])
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < outages->count; i++) {
        const struct outage *it = &outages->list[i];
        bool open = it->to_ms == CLOCK_NEVER;

        text_append(text, OUTAGES_TEXT_SIZE, &length, "%" PRId64 " %" PRId64 "\n",
                    it->from_ms + offset_ms, open ? CLOCK_NEVER : it->to_ms + offset_ms);
    }
}

void outages_read(struct outages *outages, int64_t offset_ms, int64_t now_ms, const char *text)
{
    int64_t from_ms, to_ms;
    int used;

    while (sscanf(text, "%" SCNd64 " %" SCNd64 "%n", &from_ms, &to_ms, &used) == 2) {
        text += used;
        if (from_ms < 0 || to_ms < from_ms)
            continue;
        outages_add(outages, from_ms - offset_ms,
                    to_ms == CLOCK_NEVER ? now_ms : to_ms - offset_ms);
    }
}
