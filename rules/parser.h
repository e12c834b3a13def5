/* Parser: an expression's text to code, with types checked on the way and errors at the very byte.
 *
 * What an expression reads it names by slots: "the own sensor", "channel current of its device",
 * "boiler.running", "ten minutes of outside.temp". The parser collects them in the scope; which
 * sensors and windows they are is settled for each instance. So one program serves all instances of
 * a rule. Any text is survived: depth, length and size of the program are limited. */
#pragma once

#include "gateway/base/arena.h"
#include "rules/code.h"
#include "rules/names.h"
#include "rules/rules.h"
#include "rules/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPRESSION_BYTES_MAX  4096
#define EXPRESSION_DEPTH_MAX  64
#define EXPRESSION_SLOTS_MAX  64 /* sensors and windows that one instance reads */
#define EXPRESSION_GROUPS_MAX 16
#define EXPRESSION_RULES_MAX  32

struct slot {
    const char *channel;  /* of the own sensor's device; NULL: */
    uint32_t sensor;      /* this one, or RULES_NO_SENSOR for the own */
    bool windowed, limit; /* a window; a limit that people may adjust */
    struct span span;     /* of a window */
    unsigned needs;
    bool quality;    /* the quality of its readings is asked */
    const char *key; /* where it was written, for errors that only an instance shows */
    size_t offset;
};

/* What an expression may speak of, and what it did. */
struct scope {
    const struct names *names;
    const struct rules_sensor *sensors;
    uint32_t n_sensors;
    uint32_t own;    /* a sensor like the own one, RULES_NO_SENSOR: the rule has none */
    const char *key; /* under which the text is written */
    unsigned min_samples;
    struct arena *arena;
    const struct names *rules;               /* their numbers; NULL: rules cannot be asked */
    struct slot slots[EXPRESSION_SLOTS_MAX]; /* slot 0 is the own sensor; others are added */
    uint16_t n_slots;
    const struct sensor_group *groups[EXPRESSION_GROUPS_MAX];
    uint16_t n_groups;
    uint32_t asks[EXPRESSION_RULES_MAX]; /* rules that firing() and acked() ask */
    uint16_t n_asks;
};

/* Slot 0 alone. */
void scope_start(struct scope *scope);

/* A slot for the sensor (RULES_NO_SENSOR: the own), or for a window over it; the same one for the
 * same thing. A window has the sensor itself as another slot. -E2BIG when there are too many. */
int scope_sensor(struct scope *scope, uint32_t sensor);
int scope_window(struct scope *scope, int sensor_slot, const struct span *span, unsigned needs);
int scope_limit(struct scope *scope);

/* What is wrong: at which byte, in words, and what to do. */
struct expression_fault {
    size_t offset;
    char words[200], hint[200];
};

/* Appends the program to `coder`, which must be as coder_start() made it. The result must be of
 * `kind` (TYPE_ANY: any). 0, -EINVAL with `ret_fault`, -ENOMEM. */
int expression_parse(const char *text, struct scope *scope, enum cell_kind kind,
                     struct coder *coder, struct expression_fault *ret_fault);
