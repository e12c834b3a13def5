/* Options of sensors in files of the kernel: their tables, what is added, what is wrong with them.
 */
#pragma once

#include "adapters/adapter.h"
#include "adapters/sysfs/chip.h"

extern const struct setting sysfs_device_settings[];
extern const struct setting sysfs_channel_settings[];

void sysfs_complete(struct section *device, struct problems *problems);
void sysfs_check(const struct bus_config *config, struct problems *problems);
struct channel_traits sysfs_traits(const struct section *channel);

/* The chip that a device names; false when it names none. Borrowed from the section. */
bool sysfs_chip(const struct section *device, struct chip *ret_chip);

/* Which of the chip's inputs a channel is: its `input`, else its name. */
const char *sysfs_input(const struct section *channel);
