/* Pace: when a notifier may speak - not more than so many texts in an hour, and after a failure not
 * at once again. Pure; times are boot times. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PACE_PER_HOUR_MAX 1000
#define PACE_URGENT_MS    60000 /* that urgent texts keep apart beyond the limit */

struct pace {
    uint16_t per_hour, next;
    int64_t last_ms;                    /* text; CLOCK_NEVER: none yet */
    int64_t sent_ms[PACE_PER_HOUR_MAX]; /* a ring of per_hour; CLOCK_NEVER: none */
    int64_t delay_ms;                   /* before the next try; 0: nothing has failed */
    int64_t try_ms;                     /* not before */
    int64_t failing_ms;                 /* since; CLOCK_NEVER: not */
};

void pace_init(struct pace *pace, uint16_t per_hour);

/* Another limit; the texts of the last hour count for nothing then. */
void pace_limit(struct pace *pace, uint16_t per_hour);

/* The earliest time at which one more text is within the limit. */
int64_t pace_free_at(const struct pace *pace, int64_t now_ms, bool urgent);

void pace_sent(struct pace *pace, int64_t now_ms);

/* `retry_after_ms`: what the server asked for, or 0; believed up to an hour. */
void pace_failed(struct pace *pace, int64_t now_ms, int64_t retry_after_ms);

/* It works: the pause is over, and so is the failure. */
void pace_worked(struct pace *pace);
