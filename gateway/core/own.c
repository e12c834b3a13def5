#include "gateway/core/own.h"

#include "gateway/base/arena.h"
#include "gateway/core/inventory.h"

/* Of each device whether it is online; of each bus that and its load; then the gateway's. */

uint32_t own_device_online(const struct inventory *inventory, uint32_t device)
{
    return inventory->n_sensors + device;
}

uint32_t own_bus_online(const struct inventory *inventory, uint32_t bus)
{
    return inventory->n_sensors + inventory->n_devices + 2 * bus;
}

uint32_t own_bus_load(const struct inventory *inventory, uint32_t bus)
{
    return own_bus_online(inventory, bus) + 1;
}

uint32_t own_gateway(const struct inventory *inventory, enum own_sensor which)
{
    return own_bus_online(inventory, inventory->n_buses) + which;
}

uint32_t own_count(const struct inventory *inventory)
{
    return own_gateway(inventory, OWN_SENSORS) - inventory->n_sensors;
}

static struct rules_sensor describe(struct arena *arena, const char *of, const char *label,
                                    const char *what, const char *unit)
{
    return (struct rules_sensor){.id = arena_format(arena, "%s.%s", of, what),
                                 .label = arena_format(arena, "%s %s", label, what),
                                 .unit = unit,
                                 .decimals = unit[0] ? 1 : 0};
}

void own_describe(const struct inventory *inventory, struct arena *arena, struct rules_sensor *to,
                  struct rules_origin *origins)
{
    static const struct {
        const char *what, *unit;
    } gateway[] = {[OWN_BROKER] = {"broker", ""},
                   [OWN_CLOCK] = {"clock", ""},
                   [OWN_DISK_FREE] = {"disk_free", "%"},
                   [OWN_UNDERVOLTAGE] = {"undervoltage", ""}};
    struct rules_sensor *first = to;

    for (uint32_t i = 0; i < inventory->n_devices; i++) {
        const struct inventory_device *device = &inventory->devices[i];

        *to++ = describe(arena, device->name, device->label, "online", "");
    }
    for (uint32_t i = 0; i < inventory->n_buses; i++) {
        const struct inventory_bus *bus = &inventory->buses[i];

        *to++ = describe(arena, bus->name, bus->label, "online", "");
        *to++ = describe(arena, bus->name, bus->label, "load", "%");
    }
    for (int i = 0; i < OWN_SENSORS; i++)
        *to++ = describe(arena, "gateway", inventory->label, gateway[i].what, gateway[i].unit);
    for (uint32_t i = 0; i < inventory->n_devices; i++) {
        if (inventory->devices[i].bus != INVENTORY_NO_BUS)
            origins[i].bus = first[inventory->n_devices + 2 * inventory->devices[i].bus].id;
    }
}
