/* Hass: what Home Assistant must be told to show a device: one retained message with all of its
 * entities (from 2024.11 on), or one for each (also before). Pure; any thread.
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

#define HASS_STATUS "status" /* key of the entity that says whether we are there */

/* Whether a device is to be shown at all; the gateway always is. */
bool hass_shows(const struct plan *plan, uint32_t device);

/* Entities of the device that are no longer configured: announced as if they were, or removed. */
struct ghost;
struct hass_ghosts {
    const struct ghost *ghosts;
    size_t count;
    bool removed;
};

/* The message; its length, or 0 when it does not fit into `size`. `ghosts` NULL: there are none. */
size_t hass_message(const struct plan *plan, uint32_t device, const struct hass_ghosts *ghosts,
                    char *to, size_t size);

/* The same of a device that is no longer configured at all; its removal is an empty message. */
size_t hass_ghost_message(const struct plan *plan, const struct hass_ghosts *ghosts, char *to,
                          size_t size);

/* -- the other form: a message for each entity ----------------------------------------------- */

struct hass_entity {
    const char *platform, *key;
    const char *text; /* NULL: it is to be removed */
    size_t length;    /* 0 with a text: it did not fit */
};
typedef int (*hass_put)(void *owner, const struct hass_entity *entity);

/* Calls `put` for each entity of a device, in an order that depends on nothing but the arguments,
 * until it fails; texts are written to `to`, one after the other, and borrowed for the call. 0, or
 * what `put` has failed with. */
int hass_entities(const struct plan *plan, uint32_t device, const struct hass_ghosts *ghosts,
                  char *to, size_t size, hass_put put, void *owner);
/* Of a device that is no longer configured at all. */
int hass_ghost_entities(const struct plan *plan, const struct hass_ghosts *ghosts, char *to,
                        size_t size, hass_put put, void *owner);
