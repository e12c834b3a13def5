#include "gateway/web/live.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"

#include <stdlib.h>

void live_free(struct live *live)
{
    inventory_release(live->inventory);
    free(live->readings);
    free(live->states);
    free(live->devices);
    *live = (struct live){0};
}

static void start_empty(struct live *live)
{
    const struct inventory *inventory = live->inventory;

    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        live->readings[i] =
            (struct reading){.sensor = i, .at_ms = CLOCK_NEVER, .quality = QUALITY_NOT_READ};
    for (uint32_t i = 0; i < inventory->n_rules; i++)
        live->states[i] = (struct instance_state){.instance = i, .since_ms = CLOCK_NEVER};
    for (uint32_t i = 0; i < inventory->n_devices; i++)
        live->devices[i] = (struct live_device){CLOCK_NEVER, QUALITY_NOT_READ};
}

/* Devices are found by their sensors: a device that has kept one is the same to people. */
static void carry_over(struct live *to, const struct live *from)
{
    for (uint32_t i = 0; i < to->inventory->n_sensors; i++) {
        const struct inventory_sensor *sensor = &to->inventory->sensors[i];
        uint32_t old = inventory_was(to->inventory, i, from->inventory);

        if (old == UINT32_MAX)
            continue;
        to->readings[i] = from->readings[old];
        to->readings[i].sensor = i;
        to->devices[sensor->device] = from->devices[from->inventory->sensors[old].device];
    }
}

void live_use(struct live *live, struct inventory *inventory)
{
    struct live next = {
        .inventory = inventory_hold(inventory),
        .readings = calloc(inventory->n_sensors + 1, sizeof(*next.readings)),
        .states = calloc(inventory->n_rules + 1, sizeof(*next.states)),
        .devices = calloc(inventory->n_devices + 1, sizeof(*next.devices)),
    };

    if (next.readings && next.states && next.devices) {
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
