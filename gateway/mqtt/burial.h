/* Burial: how entities that are no longer configured leave Home Assistant. They are announced with
 * the rest, and two seconds after all of that is out they are removed; another two seconds later
 * their devices are announced without them, with what has their keys on another platform by now.
 * What was announced in the other form, device or entity, or at another device, is first told to
 * move; two seconds later all is announced, and the other form is removed with the rest. So are, at
 * the end, retained messages of what is no longer configured: nobody reads them any more. The MQTT
 * thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ghost_list;
struct publisher;

struct burial {
    struct ghost_list *list; /* owned; NULL: none yet */
    uint8_t stage;           /* enum burial_stage */
    bool for_birth;          /* Home Assistant is listening for sure */
    bool next_for_birth;
    int64_t at_ms; /* of the removal */
};

enum burial_stage {
    BURIAL_IDLE,
    BURIAL_MOVING,     /* messages are going out */
    BURIAL_MOVED,      /* waiting */
    BURIAL_ANNOUNCING, /* messages are going out */
    BURIAL_WAITING,
    BURIAL_REMOVING,  /* messages are going out */
    BURIAL_REMOVED,   /* waiting */
    BURIAL_REPLACING, /* messages are going out: of devices that are there, without their ghosts */
};

/* Takes ownership. Whether it has to be announced now: what was announced before did not have it.
 */
bool burial_take(struct publisher *p, struct ghost_list *list);
void burial_release(struct publisher *p);

/* Announces all devices; the rest follows from burial_run(). */
void burial_announce(struct publisher *p);
void burial_run(struct publisher *p, int64_t now_ms);
int64_t burial_next_ms(const struct publisher *p);

/* The ghosts of a device that is there, by slug; false: it has none. */
struct hass_ghosts;
bool burial_ghosts_of(const struct publisher *p, const char *device,
                      struct hass_ghosts *ret_ghosts);
