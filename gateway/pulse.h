/* Pulse: signs of life for systemd's watchdog. They come from a timer on the loop, and only while
 * every thread gets on, so that a gateway of which a part hangs is started anew.
 *
 * Patience is long: a slow disk, a broker that cannot be resolved or a sensor that takes its time
 * stop nothing else and heal by themselves. Only what has been at one thing for PULSE_PATIENCE_MS
 * has most likely met something that a restart cures. Without a watchdog nothing is done. */
#pragma once

#include "gateway/base/error.h"

#include <stdint.h>

#define PULSE_PATIENCE_MS (5 * 60000)

struct loop;
struct pulse;

/* A part of the program with a thread of its own. */
struct pulse_part {
    const char *name;                 /* for the log: "the disk" */
    int64_t (*stuck_ms)(void *owner); /* for how long it has been at one thing; 0: it is idle */
};

/* `parts` ends with a name NULL and is borrowed. `interval_us` is what systemd asks for (0:
 * nothing), see sd_watchdog_enabled(3). 0, also when nobody asks (then *ret_pulse is NULL), or
 * -ENOMEM. */
int pulse_start(struct loop *loop, uint64_t interval_us, const struct pulse_part *parts,
                void *owner, struct pulse **ret_pulse);
void pulse_stop(struct pulse *pulse); /* NULL is legal */

/* The part that has been at one thing for too long; NULL: none. */
const struct pulse_part *pulse_find_stuck(const struct pulse_part *parts, void *owner);
