#include "gateway/notify/pace.h"

#include "gateway/base/clock.h"

#define HOUR_MS     INT64_C(3600000)
#define DELAY_FIRST 5000
#define DELAY_LAST  300000

void pace_limit(struct pace *pace, uint16_t per_hour)
{
    pace->per_hour = per_hour;
    pace->next = 0;
    for (int i = 0; i < PACE_PER_HOUR_MAX; i++)
        pace->sent_ms[i] = CLOCK_NEVER;
}

void pace_init(struct pace *pace, uint16_t per_hour)
{
    pace_limit(pace, per_hour);
    pace->last_ms = CLOCK_NEVER;
    pace_worked(pace);
}

int64_t pace_free_at(const struct pace *pace, int64_t now_ms, bool urgent)
{
    int64_t oldest_ms = pace->sent_ms[pace->next];
    int64_t free_ms = oldest_ms == CLOCK_NEVER ? now_ms : oldest_ms + HOUR_MS;

    if (urgent && pace->last_ms != CLOCK_NEVER && pace->last_ms + PACE_URGENT_MS < free_ms)
        free_ms = pace->last_ms + PACE_URGENT_MS;
    return free_ms > now_ms ? free_ms : now_ms;
}

void pace_sent(struct pace *pace, int64_t now_ms)
{
    pace->sent_ms[pace->next] = now_ms;
    pace->next = (uint16_t)((pace->next + 1) % pace->per_hour);
    pace->last_ms = now_ms;
}

void pace_failed(struct pace *pace, int64_t now_ms, int64_t retry_after_ms)
{
    int64_t wait_ms;

    if (pace->failing_ms == CLOCK_NEVER)
        pace->failing_ms = now_ms;
    pace->delay_ms = pace->delay_ms ? pace->delay_ms * 2 : DELAY_FIRST;
    if (pace->delay_ms > DELAY_LAST)
        pace->delay_ms = DELAY_LAST;
    wait_ms = retry_after_ms > HOUR_MS ? HOUR_MS : retry_after_ms;
    pace->try_ms = now_ms + (wait_ms > pace->delay_ms ? wait_ms : pace->delay_ms);
}

void pace_worked(struct pace *pace)
{
    pace->delay_ms = 0;
    pace->try_ms = 0;
    pace->failing_ms = CLOCK_NEVER;
}
