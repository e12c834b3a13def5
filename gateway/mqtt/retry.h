/* Retry: how long to wait before the next attempt to connect. Soon at first, and often while an
 * outage is young: most are a broker that starts anew. */
#pragma once

#include <stdint.h>

struct retry {
    int64_t since_ms; /* the outage */
    int64_t delay_ms; /* the last one; 0: none yet */
};

/* A connection that had lasted `lasted_ms` was lost. One that did not last is no end of the outage
 * before it: a broker that throws everybody out is not asked ever so often. */
void retry_lost(struct retry *retry, int64_t lasted_ms, int64_t now_ms);

/* After that, and after each attempt that failed: how long to wait. */
int64_t retry_delay(struct retry *retry, int64_t now_ms);
