/* Parts of a discovery message, shared by those who write it: hass.c the whole, hass_sensor.c
 * channels, hass_rule.c rules, hass_ghost.c what is gone. Private to the four. */
#pragma once

#include "gateway/base/json.h"
#include "gateway/mqtt/hass.h"

#include <stdint.h>

struct inventory;
struct inventory_device;
struct inventory_rule;
struct inventory_sensor;

#define HASS_ID_SIZE  512
#define HASS_KEY_SIZE 320 /* of a rule's entity: its names, and what joins them */

/* Each entity is a message of its own. */
struct alone {
    char *to;
    size_t size;
    hass_put put;
    void *owner;
    int result; /* of the last one */

    /* The entity that is being written. */
    const char *platform;
    char key[HASS_KEY_SIZE];
    bool has_availability;
};

/* What a message is made of. */
struct message {
    struct json json;
    const struct plan *plan;
    const struct inventory *inventory;
    const struct inventory_device *device; /* NULL: the gateway */
    struct alone *alone;                   /* NULL: all are components of one message */
    const struct hass_ghosts *ghosts;      /* of such a message; NULL: none */
};

/* The slug that ids hang on, and the name for people of the device, also of the gateway's own. */
const char *part_device_name(const struct message *m);
const char *part_device_label(const struct message *m);

/* The objects `device` and `origin`, and what the device's availability depends on. */
void part_device(struct message *m);
void part_origin(struct message *m);
void part_device_availability(struct message *m);

/* Begins a component with its platform and its unique id, which is made of `key`: the name of a
 * channel, or "rule-..." . */
void part_begin(struct message *m, const char *platform, const char *key);
void part_end(struct message *m);
/* One that is to go. */
void part_remove(struct message *m, const char *platform, const char *key);

/* "<gateway>-<device>", with "-<entity>" when that is not NULL. */
void part_id(struct message *m, const char *key, const char *device, const char *entity);

/* Home Assistant puts the device's name in front, so it must not stand there twice. */
void part_name(struct message *m, const char *label, const char *slug);

/* Left out where there is nothing to say. */
void part_optional(struct message *m, const char *key, const char *text);

/* For what can be told while the device is away: it depends on the gateway only. */
void part_gateway_availability(struct message *m);

/* One topic of a list of availability. */
void part_topic(struct message *m, const char *topic);

/* A slug reads better with blanks. */
void part_unslug(char *text);

/* A switch of a command: its topic, what it says, and when it shows `on`. */
void part_switch(struct message *m, const char *topic, const char *on, const char *off);

void hass_put_sensor(struct message *m, const struct inventory_sensor *sensor);
void hass_put_rule(struct message *m, const struct inventory_rule *rule);
/* Those that are no longer configured. */
void hass_put_ghosts(struct message *m, const struct hass_ghosts *ghosts);
/* Whether a ghost of another platform stands under this key, which cannot stand for both: the new
 * one is announced when the old one has gone. */
bool hass_is_haunted(const struct message *m, const char *key);
/* A rule over many sensors: how many of its instances fire. */
void hass_put_group(struct message *m, const char *rule);
