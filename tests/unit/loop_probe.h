/* A guarded loop as a test's world, and timers that write down when they fired. */
#pragma once

#include "tests/unit/loop_guard.h"

#include <stdlib.h>

static inline int open_world(void **state)
{
    struct guard *world = calloc(1, sizeof(*world));
    guard_open(world);
    *state = world;
    return 0;
}

static inline int close_world(void **state)
{
    struct guard *world = *state;
    guard_close(world);
    free(world);
    return 0;
}

/* A timer that writes down when it fired. */
struct probe {
    struct guard *world;
    struct timer *timer;
    int64_t at_ms, fired_us;
    int fired;
    bool stops;
    int *order, place; /* its number in the order of firing */
};

static inline void note(void *owner)
{
    struct probe *probe = owner;
    probe->fired_us = clock_boot_us();
    probe->fired++;
    if (probe->order)
        probe->place = (*probe->order)++;
    if (probe->stops)
        loop_stop(probe->world->loop);
}

static inline void probe_open(struct probe *probe, struct guard *world, int64_t at_ms, bool stops)
{
    *probe = (struct probe){.world = world, .at_ms = at_ms, .stops = stops};
    probe->timer = timer_new(world->loop, note, probe);
    assert_non_null(probe->timer);
    timer_at(probe->timer, at_ms);
}
