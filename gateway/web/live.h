/* Live: the newest of everything, as the pipeline tells it; readings are asked of it, since it has
 * them anyway. Private to the room. */
#pragma once

#include "gateway/core/inventory.h"
#include "gateway/core/sink.h"

struct web_context;

struct live_device {
    int64_t at_ms; /* of the last change; CLOCK_NEVER: nothing was heard yet */
    uint8_t why;   /* QUALITY_GOOD: online */
};

/* `inventory` is NULL before the first one, and when there was no memory for one. */
struct live {
    struct inventory *inventory;
    struct instance_state *states; /* by instance */
    struct live_device *devices;   /* by device */
    const struct web_context *context;
};

/* at_ms is CLOCK_NEVER before the first. */
const struct reading *live_reading(const struct live *live, uint32_t sensor);

/* Goes over to `inventory`; what is known of devices that are still there stays. */
void live_use(struct live *live, struct inventory *inventory);
void live_free(struct live *live);
