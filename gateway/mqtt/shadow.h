/* Shadow: the newest of everything that is published retained, as the MQTT thread knows it. It is
 * what makes a broker whole again that lost its memory. The MQTT thread only. */
#pragma once

#include "gateway/core/sink.h"

#include <stdbool.h>
#include <stdint.h>

struct plan;

struct shadow_device {
    int64_t at_ms; /* of the newest reading; CLOCK_NEVER: none yet */
    bool heard;    /* it was said whether it is there */
    bool online;
};

/* Of the instances of a rule; one that fires although it is blind counts as firing. */
struct shadow_group {
    uint32_t firing, blind;
};

struct shadow {
    const struct plan *plan; /* borrowed; NULL before the first shadow_adopt() */
    struct reading *readings;
    struct shadow_device *devices;
    struct instance_state *instances; /* .instance PLAN_NONE: nothing was said yet */
    struct shadow_group *groups;
};

/* Goes over to a new inventory; what bears the same name at the same index is kept. The old plan
 * must still be there. 0 or -ENOMEM (nothing changed). */
int shadow_adopt(struct shadow *shadow, const struct plan *plan);
void shadow_release(struct shadow *shadow);

/* Each takes news and returns whether it is about something known. */
bool shadow_reading(struct shadow *shadow, const struct reading *reading);
bool shadow_instance(struct shadow *shadow, const struct instance_state *state);
/* Returns whether the availability changed. */
bool shadow_device(struct shadow *shadow, uint32_t device, bool online);
