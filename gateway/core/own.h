/* Own sensors: what the gateway knows of itself and of its buses and devices, as sensors that rules
 * read like any other: "boiler.online", "rs485.load", "gateway.broker". In the numbers of the rules
 * they stand behind the sensors of the inventory, of which they are none: sinks show the same
 * things in their own ways. Private to the room. */
#pragma once

#include "gateway/core/pipeline.h"

struct arena;
struct inventory;

uint32_t own_count(const struct inventory *inventory);

/* Their numbers in the rules. */
uint32_t own_device_online(const struct inventory *inventory, uint32_t device);
uint32_t own_bus_online(const struct inventory *inventory, uint32_t bus);
uint32_t own_bus_load(const struct inventory *inventory, uint32_t bus);
uint32_t own_gateway(const struct inventory *inventory, enum own_sensor which);

/* Fills own_count() descriptions and their origins, in the order of their numbers. Texts are NULL
 * without memory. */
void own_describe(const struct inventory *inventory, struct arena *arena, struct rules_sensor *to,
                  struct rules_origin *origins);
