#include "gateway/mqtt/retry.h"

#define FIRST_MS  1000
#define YOUNG_MS  120000 /* so long an outage is young, */
#define OFTEN_MS  4000   /* and this the longest delay: with jitter below 5 s */
#define SELDOM_MS 60000  /* of an old one */
#define STEADY_MS 10000  /* a connection that lasted so long was a good one */
#define THROWN    3      /* so many in a row that did not are no accident */

void retry_lost(struct retry *retry, int64_t lasted_ms, int64_t now_ms)
{
    retry->since_ms = now_ms;
    retry->short_ones++;
    if (lasted_ms >= STEADY_MS)
        retry->delay_ms = retry->short_ones = 0;
}

void retry_failed(struct retry *retry)
{
    retry->short_ones = 0;
}

bool retry_is_thrown_out(const struct retry *retry)
{
    return retry->short_ones == THROWN;
}

int64_t retry_delay(struct retry *retry, int64_t now_ms)
{
    int64_t most_ms = now_ms - retry->since_ms < YOUNG_MS ? OFTEN_MS : SELDOM_MS;

    retry->delay_ms = retry->delay_ms ? retry->delay_ms * 2 : FIRST_MS;
    if (retry->delay_ms > most_ms)
        retry->delay_ms = most_ms;
    return retry->delay_ms;
}
