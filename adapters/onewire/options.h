/* Options of 1-Wire sensors: their table, what is added to it, what is wrong with them, whatever
 * the way to the wire. Loop or reload thread. */
#pragma once

#include "adapters/adapter.h"
#include "adapters/onewire/decode.h"

extern const struct setting onewire_bus_settings[];
extern const struct setting onewire_device_settings[];

/* Gives a device model and serial number, and the channel `temp` when it has none; its channel the
 * unit and class of a temperature. What a person wrote wins. */
void onewire_complete(struct section *device, struct problems *problems);

/* Addresses, and what a thermometer cannot have. */
void onewire_check_devices(const struct bus_config *config, struct problems *problems);

struct channel_traits onewire_traits(const struct section *channel);

/* -- of an owserver, whose sensors may be of any family -----------------------------------------
 */

#define ONEWIRE_OWSERVER_PORT 4304

extern const struct setting onewire_owserver_device_settings[];
extern const struct setting onewire_owserver_channel_settings[];

void onewire_owserver_complete(struct section *device, struct problems *problems);
void onewire_owserver_check(const struct bus_config *config, struct problems *problems);
struct channel_traits onewire_owserver_traits(const struct section *channel);

/* The property of a channel. Borrowed from the section. */
const char *onewire_property(const struct section *channel);

/* Whether the property at the end of `path` is the temperature of a thermometer. */
bool onewire_is_temperature(uint8_t family, const char *path);

/* -- for both -----------------------------------------------------------------------------------
 */

typedef int (*onewire_parse)(const char *text, struct onewire_address *ret, struct error *reterr);

/* Says when the address of device `i` is none for `parse`, or that of an earlier device. */
void onewire_check_address(const struct bus_config *config, size_t i, onewire_parse parse,
                           struct problems *problems);

/* Tells the host that a thermometer was found, as device "w1_28_0316a2794aff". */
void onewire_appear(struct adapter_host *host, const struct onewire_address *address);

/* Adds a text that nobody wrote; a channel `temp` to a device without channels. */
void onewire_add_text(struct section *section, const char *key, const char *text);
void onewire_add_temp(struct section *device);
