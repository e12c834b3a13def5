/* Retry: how long to wait before the next attempt to connect. Soon at first, and often while an
 * outage is young: most are a broker that starts anew. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct retry {
    int64_t since_ms; /* the outage */
    int64_t delay_ms; /* the last one; 0: none yet */
    int short_ones;   /* connections in a row that did not last */
};

/* A connection that had lasted `lasted_ms` was lost: a new outage, and a young one. After one that
 * did not last the delay goes on growing: a broker that throws everybody out is not asked each
 * second. */
void retry_lost(struct retry *retry, int64_t lasted_ms, int64_t now_ms);

/* An attempt failed: the broker was away. */
void retry_failed(struct retry *retry);

/* Once, when it is the third time in a row that the broker took us and ended it right after. That
 * is how two clients of one id look, which throw each other off for ever. */
bool retry_is_thrown_out(const struct retry *retry);

/* After a loss, and after each attempt that failed: how long to wait. */
int64_t retry_delay(struct retry *retry, int64_t now_ms);
