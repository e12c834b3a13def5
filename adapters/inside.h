/* Inside: what adapters.c and traffic.c share. Private to the room, loop thread only. */
#pragma once

#include "adapters/adapters.h"

struct runner;
struct schedule;
struct timer;

#define NO_SLOT UINT32_MAX

/* One device in the schedule: where it lives. */
struct slot {
    uint32_t bus, device;
};

struct adapters {
    struct loop *loop;
    const struct adapters_bus *buses;
    size_t n_buses;
    const struct adapters_events *events;
    void *owner;
    struct runner **runners;
    struct schedule *schedule;
    struct slot *slots;
    uint32_t *first_slot; /* by bus */
    uint32_t *slot_of;    /* by id; NO_SLOT: there is none */
    size_t n_ids;
    struct gather_pool *pool;
    struct sample *bad; /* room for one sample a channel of the largest device */
    size_t n_slots;
    struct timer *timer, *mark_timer;
    bool polling; /* inside poll_due(): the timer is set once, at its end */

    /* Left over by reloads, until their workers have come back. */
    struct runner **retired;
    size_t n_retired;
    struct timer *retire_timer;
};

/* Where the device with this id lives; false when there is none. */
static inline bool adapters_find_slot(const struct adapters *adapters, uint32_t id,
                                      struct slot *ret_slot)
{
    if (id >= adapters->n_ids || adapters->slot_of[id] == NO_SLOT)
        return false;
    *ret_slot = adapters->slots[adapters->slot_of[id]];
    return true;
}
