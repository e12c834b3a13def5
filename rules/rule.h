/* Rule: what a rule is made of once it is compiled. For the files of this room.
 *
 * A rule has the code and the words, its instances have the sensors and the life. */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/base/problem.h"
#include "rules/active.h"
#include "rules/code.h"
#include "rules/evaluate.h"
#include "rules/life.h"
#include "rules/names.h"
#include "rules/parser.h"
#include "rules/rules.h"
#include "rules/template.h"

/* Limits of what a person can make grow. */
#define RULE_INSTANCES_MAX 200000 /* of all rules together */
#define RULES_NO_GROUP     UINT32_MAX
#define ESCALATIONS_MAX    32 /* of one rule */
#define FORMULAS_MAX       16 /* to write, of one rule */
#define HOLDS_MAX          8  /* of one state of a rule */

struct action {
    uint8_t kind; /* enum rule_action_kind */
    uint8_t qos;
    bool retain;
    const char *name;              /* of the sensor, notifier or hook */
    uint32_t sensor;               /* ACTION_WRITE */
    bool is_text;                  /* ACTION_WRITE: `text`, else `formula` or `number` */
    bool held;                     /* ACTION_WRITE: of while_firing or while_ok */
    uint16_t nth;                  /* of the rule's formulas */
    const struct formula *formula; /* NULL: none */
    double number;
    struct template target, text;
};

struct action_list {
    const struct action *at;
    size_t count;
};

/* What is done so long after the beginning, unless somebody has acknowledged. */
struct escalation {
    int64_t after_ms;
    struct action action;
};

/* A number of the condition that people may adjust. What must stay true for it to clear at all: it
 * is not beyond `floor` and `ceiling`, which `edge` sets, and farther than `gap` from the limit on
 * the other side. Its value is a fact of its own for each instance, so that code reads it as it
 * reads a sensor. */
#define LIMIT_ALONE   UINT8_MAX
#define LIMIT_PARTNER (UINT8_MAX - 1) /* the other side is that of the instance's partner */
struct limit {
    const char *key, *option; /* "warning_above" of a level, else as the option: "above" */
    uint16_t slot;
    double file, min, max, step;
    double floor, ceiling; /* -INFINITY and INFINITY: none */
    const char *edge;      /* the key that sets one of them */
    uint8_t other;         /* index of the limit on the other side, LIMIT_ALONE, LIMIT_PARTNER */
    bool is_lower;
    double gap;
};

/* What code reads. Each instance has its own things in the slots. */
struct reads {
    uint16_t n_slots, n_groups, n_asks;
    const struct slot *slots;
    const struct sensor_group *const *groups; /* it reads all of each */
    const uint32_t *asks;                     /* rules, by number */
};

/* One level of a rule: its condition, and on which terms that makes it fire. A rule without
 * `levels` has one. */
struct level {
    struct code when;
    struct code clear;
    struct code limit; /* the limit that is crossed, a number; length 0: no single one */
    struct life_terms terms;
    uint8_t severity;
    const char *words; /* the condition: "above 85 for 30s" */
    struct template message;
};

struct rule {
    struct level *levels; /* from the least to the gravest */
    uint8_t n_levels;
    uint64_t print; /* of all that its condition is made of: another one is another condition */
    bool many, of_limits, each, ack, latch, blind_quiet;
    int64_t repeat_ms;    /* 0: it is told once */
    uint32_t max_repeats; /* 0: any */
    int64_t cooldown_ms;
    uint32_t group; /* RULES_NO_GROUP: it tells for itself */
    int64_t group_wait_ms;
    uint8_t n_limits;
    bool timed;      /* it may change without any reading, also before the first one */
    uint32_t number; /* of rules of one name, which firing() asks */
    uint32_t rank;   /* it is judged after those it asks, which have a smaller one */
    struct reads reads;
    const uint32_t *inhibitors; /* rules of `inhibited_by`, which are among those it asks */
    size_t n_inhibitors;
    const struct active_window *active; /* inside one of them it is judged; none: always */
    size_t n_active;
    struct limit *limits;
    const char *name, *label; /* label: NULL when it has none */
    const char *words;        /* the condition of all levels */
    struct template clear_message;
    struct action_list on_fire, on_clear, on_change, on_nodata, while_firing, while_ok;
    const struct formula **formulas; /* what its actions write; NULL: none is reckoned */
    uint16_t n_formulas;
    const char *const *notify;
    size_t n_notify;
    const struct escalation *escalations; /* in the order of time */
    size_t n_escalations;
};

/* What was told of a firing: TOLD_THIS is the present one; TOLD_EARLIER one that is over, and its
 * end was not told. */
enum told { TOLD_NOTHING, TOLD_THIS, TOLD_EARLIER };

/* People are told by notifications, machines by what is published; each way rests and catches up
 * for itself. */
enum way { WAY_NOTIFY, WAY_PUBLISH, N_WAYS };
struct told_of {
    uint8_t firing; /* enum told */
    uint8_t level;  /* with TOLD_THIS */
    bool blind;
};

/* How long an alarm has waited for somebody to acknowledge it, which is the time of `repeat` and
 * `escalate`: it stands still while the instance rests. */
struct reminder {
    int64_t ran_ms;     /* until `resumed_ms` */
    int64_t resumed_ms; /* CLOCK_NEVER: it stands still */
    uint32_t repeats;   /* that were made */
    uint8_t escalated;  /* escalations that were made */
};

struct instance {
    const struct rule *rule;
    const uint32_t *const *formula_slots; /* of each of its rule's formulas */
    const uint32_t *slots; /* facts (of slot 0 RULES_NO_SENSOR: no own sensor) and windows */
    const char *id, *label, *summary;
    uint32_t partner; /* the other limit of its sensor; RULES_NO_INSTANCE: none */
    uint32_t next_changed;
    bool is_changed; /* in the list of those to be saved */
    uint64_t pass;   /* the last poll for which it was judged */
    int64_t due_ms;  /* as it stands in the heap */
    int64_t look_ms; /* when time alone may change its condition; CLOCK_NEVER: it does not */

    struct life *lives;          /* of each level */
    struct rule_transition last; /* the state that comes of them, and the flags */
    struct told_of told[N_WAYS];
    uint32_t next_grouped;
    bool is_grouped;  /* in the list of those of its group that have something to tell */
    bool speaks;      /* the wait of its group is over */
    bool is_read;     /* it is being judged because of a reading */
    bool holds;       /* what it holds in this state has been said */
    uint8_t yielded;  /* a bit for each hold of this state that a person has written over */
    uint8_t adjusted; /* a bit for each limit */
    int64_t lost_ms;  /* since when the condition is unknown for want of a sensor; or CLOCK_NEVER */
    int64_t cleared_ms; /* end of the firing before; CLOCK_NEVER: none */
    int64_t
        active_ms;   /* when its `active` times are looked at next; CLOCK_NEVER: they never were */
    int64_t cool_ms; /* when it may fire again; INT64_MIN: at any time */
    int64_t cut_ms;  /* until when nothing new is told of it, for its bus is down: CLOCK_NEVER as
                        long as it is; INT64_MIN: it is not */
    struct reminder reminder;
    int64_t wall_fired_ms,
        wall_muted_ms; /* as saved, while the clock is not known good; CLOCK_NEVER */
};

/* Whether a state is that of an alarm that is on; whether the instance is in one. */
static inline bool state_fires(uint8_t state)
{
    return state == RULE_FIRING || state == RULE_RECOVERING;
}

static inline bool instance_fires(const struct instance *instance)
{
    return state_fires(instance->last.to);
}

struct derived;
struct formula;

struct rule_range {
    uint32_t first, end;
};

/* Everything compiled. Instances live; the rest does not change any more. */
struct catalog {
    struct arena arena;
    struct rules_sensor *sensors; /* copies; no section stays in them */
    uint32_t n_sensors;
    struct names *names; /* of the sensors */
    struct facts facts;  /* of the sensors, then the adjustable limits of all instances */
    uint32_t n_facts;
    struct instance *instances;
    uint32_t n_instances, capacity;
    struct names *instance_names;
    const char **group_names;
    uint32_t n_groups;
    struct names *rule_names;    /* by number: those of the config, then "low" and "high" */
    const char *const *rule_ids; /* by number */
    uint32_t n_rules;
    struct rule_range *ranges; /* by number: where the instances are; others may be between */
    struct derived *derived;   /* each one behind those it reads */
    uint32_t n_derived;
    size_t memory;          /* bytes that all windows may take */
    struct formula *probes; /* what a test asks */
    size_t n_probes;
};

/* Fills `catalog`, which must be zeroed. 0, -EINVAL with `problems`, -ENOMEM; release in any case.
 */
int catalog_build(struct catalog *catalog, const struct rules_config *config,
                  struct problems *problems);
/* Something that an instance reads: a sensor, or behind the sensors the number of a rule that it
 * asks. The i-th; false at the end. RULES_NO_SENSOR is to be passed over. */
bool catalog_source(const struct catalog *catalog, const struct instance *instance, size_t i,
                    uint32_t *ret_source);

/* What firing() and acked() ask: whether any instance of the rule is. `owner`: the catalog. */
bool catalog_rule_is(const void *owner, uint32_t number, enum rule_what what);

void catalog_release(struct catalog *catalog);
