/* Options of 1-Wire sensors: their table, what is added to it, what is wrong with them, whatever
 * the way to the wire. Loop or reload thread. */
#pragma once

#include "adapters/adapter.h"

extern const struct setting onewire_device_settings[];

/* Gives a device model and serial number, and the channel `temp` when it has none; its channel the
 * unit and class of a temperature. What a person wrote wins. */
void onewire_complete(struct section *device, struct problems *problems);

/* Addresses, and what a thermometer cannot have. */
void onewire_check_devices(const struct bus_config *config, struct problems *problems);

struct channel_traits onewire_traits(const struct section *channel);
