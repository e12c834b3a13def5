/* Site device: one device of the config, from its section to what adapters, inventory and rules
 * want to know of it. Private to the room: site.c puts the devices together. */
#pragma once

#include "adapters/adapters.h"
#include "gateway/core/inventory.h"

struct arena;

struct site_device {
    struct section *section;
    const struct section *bus; /* NULL: a device that is reckoned */
    uint32_t bus_index;        /* in `buses`; INVENTORY_NO_BUS */
    const struct adapter *adapter;
    const char *connect; /* borrowed from the sections or the adapter */
    int64_t every_ms;
    const struct section **channels; /* those that are read, then those that are derived */
    size_t n_read, n_channels;
};

/* Says when the name under which `section` stands is reserved; `what` is "bus" or "device". */
void site_check_name(const struct section *section, const char *what, struct problems *problems);

/* Says when `adapter` of a bus is none; then false: nobody knows what its options would mean. */
bool site_check_word(const struct section *bus, struct problems *problems);

/* Reads and checks a device of `root`. false when it is too broken to go on with; said in
 * `problems`. */
bool site_device_read(struct site_device *device, const struct section *root,
                      struct section *section, struct problems *problems);

/* The device that `section` of `derived` describes, without its channels. */
void site_device_start_derived(struct site_device *device, struct section *section,
                               struct problems *problems);

/* One more channel that is derived. -EEXIST: it has one of that name; -ENOMEM. */
int site_device_add_derived(struct site_device *device, const struct section *channel,
                            struct problems *problems);
bool site_device_is_derived(const struct site_device *device, size_t channel);

void site_device_clear(struct site_device *device);

const struct section *site_device_channel(const struct site_device *device, size_t channel);

/* Fills the inventory's description as device `index`, whose sensors begin at `first_sensor`. */
void site_device_describe(const struct site_device *device, struct arena *arena, uint32_t index,
                          uint32_t first_sensor, struct inventory_device *ret_device,
                          struct inventory_sensor *ret_sensors);

/* A number for all that the config says of it: its name, address, interval, options. */
uint64_t site_device_hash(const struct site_device *device);

/* Fills what its adapter is given: of its channels from an arena that lives until it is open. */
void site_device_configure(const struct site_device *device, struct arena *arena,
                           struct arena *until_open, struct device_config *ret_config);
