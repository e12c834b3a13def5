/* Hass: what Home Assistant (2024.11 and later) must be told to show a device: one retained message
 * with all of its entities. Pure; any thread.
 *
 * Unknown keys at the top, in `device` or in `origin` make it refuse the whole device, so there is
 * nothing there that its documentation does not name. What people may rename or move (labels,
 * areas, ports) is no part of an identity: entities keep their history. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan;

/* The gateway's own device, which others name as the one they hang on, stands behind the last
 * device of the inventory: n_devices. It must be published first. */

/* Whether a device is to be shown at all; the gateway always is. */
bool hass_shows(const struct plan *plan, uint32_t device);

/* The message; its length, or 0 when it does not fit into `size`. */
size_t hass_message(const struct plan *plan, uint32_t device, char *to, size_t size);
