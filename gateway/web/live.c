#include "gateway/web/live.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/web/web.h"

#include <stdlib.h>

void live_free(struct live *live)
{
    inventory_release(live->inventory);
    free(live->states);
    free(live->devices);
    *live = (struct live){.context = live->context};
}

const struct reading *live_reading(const struct live *live, uint32_t sensor)
{
    return live->context->newest(live->context->owner, sensor);
}

static void start_empty(struct live *live)
{
    const struct inventory *inventory = live->inventory;

    for (uint32_t i = 0; i < inventory->n_rules; i++)
        live->states[i] = (struct instance_state){.instance = i, .since_ms = CLOCK_NEVER};
    for (uint32_t i = 0; i < inventory->n_devices; i++)
        live->devices[i] = (struct live_device){CLOCK_NEVER, QUALITY_NOT_READ};
}

/* A device that has kept a sensor is the same to people. */
static const struct live_device *find_before(const struct live *live, uint32_t device,
                                             const struct live *before)
{
    const struct inventory_device *about = &live->inventory->devices[device];

    for (uint32_t i = 0; i < about->n_sensors; i++) {
        uint32_t was = inventory_was(live->inventory, about->first_sensor + i, before->inventory);

        if (was != UINT32_MAX)
            return &before->devices[before->inventory->sensors[was].device];
    }
    return NULL;
}

static void carry_over(struct live *to, const struct live *from)
{
    for (uint32_t i = 0; i < to->inventory->n_devices; i++) {
        const struct live_device *before = find_before(to, i, from);

        if (before)
            to->devices[i] = *before;
    }
}

void live_use(struct live *live, struct inventory *inventory)
{
    struct live next = {
        .inventory = inventory_hold(inventory),
        .states = calloc(inventory->n_rules + 1, sizeof(*next.states)),
        .devices = calloc(inventory->n_devices + 1, sizeof(*next.devices)),
        .context = live->context,
    };

    if (next.states && next.devices) {
        start_empty(&next);
        if (live->inventory)
            carry_over(&next, live);
    } else {
        log_error("web: no memory for the newest values; nothing can be asked");
        live_free(&next);
    }
    live_free(live);
    *live = next;
}
