/* What the pipeline knows of the gateway itself goes to the rules as readings of its own sensors.
 */
#include "gateway/core/pipeline_inside.h"

#include "gateway/base/clock.h"
#include "gateway/core/inventory.h"
#include "gateway/core/own.h"
#include "gateway/core/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Time for all devices of a connection to be asked. */
#define DOUBT_MS 5000

/* Each change once: these sensors do not age. */
static void tell_own(struct pipeline *pipeline, uint32_t sensor, double number, int64_t at_ms)
{
    double *last = &pipeline->own[sensor - pipeline->site->inventory->n_sensors];
    struct reading reading = {
        .at_ms = at_ms, .sensor = sensor, .kind = VALUE_NUMBER, .number = number};

    if (*last == number)
        return;
    *last = number;
    pipeline_spread_own(pipeline, &reading);
}

/* It is down when the connections of all its devices are; while one of them was not yet heard of,
 * that is not known. */
static void tell_bus(struct pipeline *pipeline, uint32_t bus, int64_t at_ms)
{
    const struct inventory *inventory = pipeline->site->inventory;
    bool up = false, known = true;

    for (uint32_t i = 0; i < inventory->n_devices && !up; i++) {
        if (inventory->devices[i].bus != bus)
            continue;
        known = known && pipeline->why[i] != QUALITY_NOT_READ;
        up = pipeline->why[i] != QUALITY_NOT_READ && pipeline->why[i] != QUALITY_DISCONNECTED;
    }
    if (up || known)
        tell_own(pipeline, own_bus_online(inventory, bus), up, at_ms);
}

void pipeline_doubt(void *owner, uint32_t device)
{
    struct pipeline *pipeline = owner;
    const struct inventory *inventory = pipeline->site->inventory;
    uint32_t bus = inventory->devices[device].bus;

    rules_doubt_bus(pipeline->site->rules, own_bus_online(inventory, bus),
                    clock_boot_ms() + DOUBT_MS);
}

void pipeline_device(void *owner, uint32_t device, uint8_t why, int64_t at_ms)
{
    struct pipeline *pipeline = owner;
    const struct inventory *inventory = pipeline->site->inventory;
    uint8_t before = pipeline->why[device];

    TELL(pipeline, device, device, why, at_ms);
    pipeline->why[device] = why;
    if (inventory->devices[device].bus != INVENTORY_NO_BUS &&
        (before == QUALITY_NOT_READ ||
         (before == QUALITY_DISCONNECTED) != (why == QUALITY_DISCONNECTED)))
        tell_bus(pipeline, inventory->devices[device].bus, at_ms);
    tell_own(pipeline, own_device_online(inventory, device), why == QUALITY_GOOD, at_ms);
}

void pipeline_own(struct pipeline *pipeline, enum own_sensor which, double number)
{
    tell_own(pipeline, own_gateway(pipeline->site->inventory, which), number, clock_boot_ms());
}

void pipeline_bus_load(struct pipeline *pipeline, uint32_t bus, double percent)
{
    tell_own(pipeline, own_bus_load(pipeline->site->inventory, bus), percent, clock_boot_ms());
}

void pipeline_on_clock(struct pipeline *pipeline)
{
    int64_t now_ms = clock_boot_ms();

    rules_on_clock(pipeline->site->rules, now_ms, clock_wall_ms(now_ms));
    pipeline_own(pipeline, OWN_CLOCK, 1);
}
