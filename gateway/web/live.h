/* Live: the newest of everything, as the pipeline tells it. Private to the room. */
#pragma once

#include "gateway/core/inventory.h"
#include "gateway/core/sink.h"

struct live_device {
    int64_t at_ms; /* of the last change; CLOCK_NEVER: nothing was heard yet */
    uint8_t why;   /* QUALITY_GOOD: online */
};

/* `inventory` is NULL before the first one, and when there was no memory for one. */
struct live {
    struct inventory *inventory;
    struct reading *readings;      /* by sensor; at_ms CLOCK_NEVER before the first */
    struct instance_state *states; /* by instance */
    struct live_device *devices;   /* by device */
};

/* Goes over to `inventory`; values of sensors and devices that are still there stay. */
void live_use(struct live *live, struct inventory *inventory);
void live_free(struct live *live);
