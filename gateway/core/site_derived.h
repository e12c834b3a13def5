/* Site derived: what stands under `derived`: devices of their own, or more channels for others.
 * Private to the room. */
#pragma once

#include "gateway/core/site_device.h"

/* Adds to the `*n_devices` devices of the site, behind which there is room for one each that
 * stands under `derived`. What is wrong goes to `problems`. 0 or -ENOMEM. */
int site_derived_read(const struct section *root, struct site_device *devices, size_t *n_devices,
                      struct problems *problems);
