/* A loop with a guard, for tests that wait for events: one whose event never comes fails instead of
 * hanging. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

#include <stdbool.h>

#define GUARD_MS 20000

struct guard {
    struct loop *loop;
    struct timer *timer;
    bool timed_out;
};

static inline void guard_give_up(void *owner)
{
    struct guard *guard = owner;
    guard->timed_out = true;
    loop_stop(guard->loop);
}

static inline void guard_open(struct guard *guard)
{
    *guard = (struct guard){.loop = loop_new()};
    assert_non_null(guard->loop);
    guard->timer = timer_new(guard->loop, guard_give_up, guard);
    timer_at(guard->timer, clock_boot_ms() + GUARD_MS);
}

/* Until somebody calls loop_stop(). */
static inline void guard_run(struct guard *guard)
{
    loop_run(guard->loop);
    assert_false(guard->timed_out);
}

static inline void guard_close(struct guard *guard)
{
    timer_free(guard->timer);
    loop_free(guard->loop);
}
