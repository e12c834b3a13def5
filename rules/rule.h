/* Rule: what a rule is made of once it is compiled. For the files of this room.
 *
 * A rule has the code and the words, its instances have the sensors and the life. */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/base/problem.h"
#include "rules/code.h"
#include "rules/evaluate.h"
#include "rules/life.h"
#include "rules/names.h"
#include "rules/rules.h"
#include "rules/template.h"

/* Limits of what a person can make grow. */
#define RULE_SLOTS_MAX     32     /* sensors that one instance reads */
#define RULE_INSTANCES_MAX 200000 /* of all rules together */

struct action {
    uint8_t kind; /* enum rule_action_kind */
    uint8_t qos;
    bool retain;
    struct template target, text;
};

struct action_list {
    const struct action *at;
    size_t count;
};

struct rule {
    struct code when;
    struct code clear;
    struct code limit; /* the limit that is crossed, a number; length 0: no single one */
    struct life_terms terms;
    uint8_t severity;
    bool many;
    uint16_t n_slots;
    uint32_t slots[RULE_SLOTS_MAX]; /* of slot 0 every instance has its own */
    const char *name, *label;       /* label: NULL when it has none */
    const char *words;              /* the condition: "above 85 for 30s" */
    struct template message, clear_message;
    struct action_list on_fire, on_clear;
    const char *const *notify;
    size_t n_notify;
};

struct instance {
    const struct rule *rule;
    const uint32_t *slots;
    uint64_t pass; /* the last poll for which it was judged */
    struct life life;
    int64_t due_ms; /* as it stands in the heap */
    const char *id, *summary;
    struct rule_transition last;
};

/* Everything compiled. Instances live; the rest does not change any more. */
struct catalog {
    struct arena arena;
    struct rules_sensor *sensors; /* copies; `limits` is NULL in them */
    uint32_t n_sensors;
    struct names *names; /* of the sensors */
    struct facts facts;
    struct instance *instances;
    uint32_t n_instances, capacity;
};

/* Fills `catalog`, which must be zeroed. 0, -EINVAL with `problems`, -ENOMEM; release in any case.
 */
int catalog_build(struct catalog *catalog, const struct rules_config *config,
                  struct problems *problems);
void catalog_release(struct catalog *catalog);
