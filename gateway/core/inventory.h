/* Inventory: what there is - buses, devices, sensors, rule instances - as the config says it.
 *
 * Immutable and reference-counted: made whole, handed to sinks and threads, replaced by a new one
 * at a reload. Indices of sensors, devices and instances are those in readings, events and actions.
 * Any thread may read and release one; texts are borrowed from it. */
#pragma once

#include "gateway/base/problem.h"
#include "gateway/base/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_table;
struct rules;
struct adapters_bus;

/* Tables of the config that core owns; a bus, device or channel is checked against these together
 * with its adapter's. */
extern const struct setting gateway_settings[];  /* gateway: */
extern const struct setting defaults_settings[]; /* defaults: */
extern const struct setting bus_settings[];      /* buses: NAME: */
extern const struct setting device_settings[];   /* devices: NAME: */
extern const struct setting channel_settings[];  /* channels: NAME: */
extern const struct setting derived_settings[];  /* derived: NAME: */

/* SENSOR_EVENT: a text for each thing that happens; it does not age, and no text is ever told
 * twice.
 */
enum sensor_kind { SENSOR_NUMBER, SENSOR_BINARY, SENSOR_TEXT, SENSOR_EVENT };

/* A state of an enumeration: its text, and the number by which it is written. Or a kind of event,
 * whose text stands but once among them. */
struct inventory_option {
    const char *text;
    double number;
};

/* Of a sensor that can be written. */
struct inventory_write {
    double min, max;   /* of what may be written; -INFINITY, INFINITY: any */
    double step;       /* 0: any */
    double safe;       /* written at a stop; NAN: nothing is */
    int64_t max_on_ms; /* it must not be on for longer; 0: it may */
};

/* Which values of a sensor are believed. */
struct inventory_trust {
    double low, high; /* NAN: any */
    double max_step;  /* 0: any */
};

/* It is published only when it changes by `deadband` or more - 0: at all - and when it was last
 * published so long ago. */
struct inventory_sparse {
    double deadband;
    int64_t heartbeat_ms;
};

/* There are tens of thousands: what only few have stands elsewhere. */
struct inventory_sensor {
    const char *id;          /* "boiler.flow_temp" */
    const char *channel;     /* "flow_temp" */
    const char *was;         /* the name that it had; NULL: it was not renamed */
    const char *label;       /* of the channel, for people: its label, else its name */
    const char *unit;        /* "" when it has none */
    const char *klass;       /* Home Assistant device class; "" when none */
    const char *state_class; /* likewise; "" when none */
    const char *icon;        /* "mdi:..."; "" when none */
    const char *category;    /* "", "diagnostic" or "config" */
    uint32_t device;
    uint32_t n_options; /* 0: it is no enumeration */
    uint8_t kind;       /* enum sensor_kind */
    int8_t decimals;    /* places to show; -1: as many as the number has */
    bool ha;            /* shown in Home Assistant */
    bool counter;
    int64_t stale_ms;
    const struct inventory_trust *trust;   /* NULL: all */
    const struct inventory_sparse *sparse; /* NULL: each reading is published */
    const struct inventory_write *write;   /* NULL: it is only read */
    const struct inventory_option *options;
};

#define INVENTORY_NO_BUS UINT32_MAX

struct inventory_device {
    const char *name;  /* slug */
    const char *was;   /* the name that it had; NULL: it was not renamed */
    const char *label; /* for people: its label, else its name */
    const char *area, *manufacturer, *model, *serial_number; /* "" when not known */
    uint32_t bus;                     /* INVENTORY_NO_BUS: it is reckoned, not read */
    uint32_t first_sensor, n_sensors; /* its sensors stand together, in the order of its channels */
    int64_t every_ms;
    bool ha;
};

struct inventory_bus {
    const char *name, *label;
};

/* A limit that people may adjust; its value now is in struct instance_state. */
struct inventory_limit {
    const char *key;       /* "above" */
    double min, max, step; /* -INFINITY, INFINITY and 0: any */
};

struct inventory_rule {
    const char *id, *rule, *label, *summary; /* as struct rule_info */
    uint32_t sensor;                         /* UINT32_MAX when it reads several or none */
    uint8_t severity;
    bool many;
    bool each; /* of many: Home Assistant shows it by itself, too */
    bool ack;  /* it wants to be acknowledged */
    uint8_t n_limits;
    const struct inventory_limit *limits;
};

struct inventory {
    const char *name;               /* gateway.name */
    const char *id;                 /* gateway.id */
    const char *label;              /* gateway.label */
    const struct text_table *texts; /* of readings; outlives every inventory */
    const struct inventory_bus *buses;
    const struct inventory_device *devices;
    const struct inventory_sensor *sensors;
    const struct inventory_rule *rules;
    uint32_t n_buses, n_devices, n_sensors, n_rules;
};

struct inventory *inventory_hold(struct inventory *inventory); /* one more owner; returns it */
void inventory_release(struct inventory *inventory);           /* NULL is legal */

/* UINT32_MAX when there is none; the search is binary. Ids that a sensor had before it or its
 * device was renamed lead to it too, unless they are another's by now. */
uint32_t inventory_find_sensor(const struct inventory *inventory, const char *id);
uint32_t inventory_find_rule(const struct inventory *inventory, const char *id);

/* Names that never change, though those of the config do: what is known to others by name -
 * entities of Home Assistant - hangs on them. */
const char *inventory_device_identity(const struct inventory_device *device);
const char *inventory_sensor_identity(const struct inventory_sensor *sensor);

/* The ids that a renamed sensor may have had, by number from 0 on; false: there are no more. */
#define INVENTORY_ID_SIZE 132
bool inventory_former_id(const struct inventory *inventory, uint32_t sensor, int number,
                         char id[INVENTORY_ID_SIZE]);

/* What number a sensor had in the inventory `before`; UINT32_MAX: it is new. For the inventory in
 * whose place this one has come that was looked up beforehand. */
uint32_t inventory_was(const struct inventory *inventory, uint32_t sensor,
                       const struct inventory *before);
