/* Plan: what can be worked out once for an inventory, so that a publish only copies. Pure.
 *
 * Immutable after plan_new(); its texts live as long as it does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inventory;

#define PLAN_NONE UINT32_MAX

struct plan {
    struct inventory *inventory; /* held */
    char *base;                  /* of the topics */
    char **state_topics;         /* by device */
    char **keys;                 /* by sensor: `"flow_temp":`, ready for JSON */
    size_t state_size;           /* enough for the state of any device */

    /* Instances whose binary sensor belongs to device d: rules[first_rule[d]] up to, without,
     * rules[first_rule[d + 1]]; those of the gateway stand at d = n_devices. */
    uint32_t *first_rule, *rules;

    /* A rule over many sensors has one state of its own, its group: how many fire. */
    uint32_t *group_of;   /* by instance; PLAN_NONE: it is not one of many */
    const char **groups;  /* names of the rules */
    uint32_t *group_size; /* instances */
    uint32_t n_groups;

    /* Set by who announces it: values stand alone under their channels' topics; which commands are
     * allowed (enum command_rights). */
    bool bare;
    uint8_t rights;

    char *texts; /* what state_topics and keys point into */
};

/* Holds the inventory and copies `base`. NULL when memory is out. */
struct plan *plan_new(struct inventory *inventory, const char *base);
void plan_free(struct plan *plan); /* NULL is legal */
