/* When: a point in time as people write it. Pure. */
#pragma once

#include <stdint.h>

/* Unix milliseconds ("1763728925123"), a duration before `now_ms` ("24h"), or a date with or
 * without a time of day, local or with Z ("2026-11-21", "2026-11-21T13:02",
 * "2026-11-21T13:02:05Z"). 0 or -EINVAL. */
int when_parse(const char *text, int64_t now_ms, int64_t *ret_ms);
