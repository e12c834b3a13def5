/* Devices of a schedule that are all alike, taken one after the other. */
#pragma once

#include "adapters/schedule.h"

#include "gateway/base/clock.h"
#include "gateway/base/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START_MS  INT64_C(7654321)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define EVERY_MS  1000

/* `n` devices that all have the same interval. */
static inline struct schedule *devices(uint32_t n, int64_t every_ms, int64_t grid_ms)
{
    struct schedule *schedule = schedule_new(n, 1);
    assert_non_null(schedule);
    for (uint32_t i = 0; i < n; i++)
        schedule_add(schedule, i, i, every_ms, grid_ms, START_MS);
    return schedule;
}

/* Goes to the next due time and takes the device that is due then; returns that time. */
static inline int64_t take(struct schedule *schedule, uint32_t *ret_i)
{
    int64_t at_ms = schedule_next_ms(schedule);
    assert_true(at_ms != CLOCK_NEVER);
    assert_false(schedule_take(schedule, at_ms - 1, ret_i));
    assert_true(schedule_take(schedule, at_ms, ret_i));
    return at_ms;
}
