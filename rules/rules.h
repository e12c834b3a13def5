/* Rules: judges readings. Pure: no I/O, no clock, no thread of its own; what comes out depends only
 * on the sequence of (time, readings) that goes in, so a replay is exact. Loop thread only, but for
 * rules_new(), which may run anywhere.
 *
 * Rules are compiled once into a small instruction set; plain keys (`above`, `for`, ...) and
 * expressions become the same code. An instance is one rule on one sensor: it has the life
 * ok -> pending -> firing -> recovering -> ok, and its id is what people see: "freezer_warm", or
 * "silent@boiler.flow_temp" for a rule over many, or "high@boiler.flow_temp" for a sensor's limits.
 */
#pragma once

#include "gateway/base/problem.h"
#include "gateway/base/reading.h"
#include "gateway/base/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules;

/* Tables of the config: `rules: { name: {...} }` is SETTING_NAMED with the first inside, `limits`
 * of a channel SETTING_GROUP with the second. */
extern const struct setting rules_settings[];
extern const struct setting rules_limits_settings[];

/* What rules know of a sensor; its index is the one in struct reading. Copied. */
struct rules_sensor {
    const char *id;               /* "boiler.flow_temp" */
    const char *label;            /* for texts: "Heizkessel flow_temp" */
    const char *unit;             /* "" when it has none */
    bool text;                    /* its values are texts */
    int decimals;                 /* for texts; -1: shortest */
    int64_t every_ms;             /* 0: pushes */
    int64_t stale_ms;             /* a reading that old is unknown; 0: it does not age */
    const struct section *limits; /* NULL: none */
};

struct rules_config {
    const struct section *rules;    /* may be NULL */
    const struct section *defaults; /* `defaults` of the file, for `notify`; may be NULL */
    const struct rules_sensor *sensors;
    size_t n_sensors;
    const struct text_table *texts; /* of the readings; outlives the rules */
};

enum rule_state { RULE_OK, RULE_PENDING, RULE_FIRING, RULE_RECOVERING };
const char *rule_state_name(uint8_t state);

enum rule_severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };
const char *rule_severity_name(uint8_t severity);

/* A change of an instance's life, at the exact time at which it was due. */
struct rule_transition {
    uint32_t instance;
    uint8_t from, to; /* enum rule_state */
    uint8_t severity;
    uint8_t kind; /* enum value_kind of the value that decided; VALUE_NONE: none */
    int64_t at_ms;
    int64_t since_ms;    /* when the present firing began; CLOCK_NEVER while not firing */
    double number;       /* the value, when kind is VALUE_NUMBER */
    uint32_t text;       /* in the table of texts, when VALUE_TEXT */
    double limit;        /* the limit that was crossed; NAN when there is no single one */
    int64_t fired_ms;    /* as since_ms, but still there in the transition that ends the firing */
    const char *message; /* when it fires or clears, what to tell people: the rule's text, filled;
                            else NULL. Borrowed for the call; NULL in rules_status(). */
};

enum rule_action_kind { ACTION_PUBLISH, ACTION_LOG };

/* What a rule wants done. Texts have their placeholders filled and are borrowed for the call. */
struct rule_action {
    uint8_t kind; /* enum rule_action_kind */
    uint8_t qos;
    bool retain;
    uint32_t instance;
    int64_t at_ms;
    const char *target; /* topic */
    const char *text;   /* payload, line of the log */
};

/* Called from inside rules_on_poll() and rules_on_time(); must not call back into rules. The
 * transition comes before the actions that it causes. */
struct rules_output {
    void (*transition)(void *owner, const struct rule_transition *transition);
    void (*action)(void *owner, const struct rule_action *action);
};

/* Compiles everything; all that is wrong goes to `problems` with its place. 0, -EINVAL when there
 * were errors, -ENOMEM. The sections are not needed afterwards. */
int rules_new(const struct rules_config *config, const struct rules_output *output, void *owner,
              struct problems *problems, struct rules **ret_rules);
void rules_free(struct rules *rules);

/* All readings of one poll, in order of time; then every instance that reads one of them is judged
 * once. `now_ms` is the time of the poll, never less than that of the call before. */
void rules_on_poll(struct rules *rules, const struct reading *readings, size_t count,
                   int64_t now_ms);

/* Judges what time alone decides (ends of `for`, staleness, ...), each at its own instant up to and
 * with `now_ms`. rules_next_ms() says when to come next; CLOCK_NEVER: no need. */
void rules_on_time(struct rules *rules, int64_t now_ms);
int64_t rules_next_ms(const struct rules *rules);

/* -- what others know of instances; indices are stable for the life of `rules` ------------------
 */

#define RULES_NO_SENSOR UINT32_MAX

/* Fixed at compile time; borrowed from `rules`. */
struct rule_info {
    const char *id;      /* "high@boiler.flow_temp" */
    const char *rule;    /* "high" */
    const char *label;   /* for people; the id when the rule has none */
    const char *summary; /* the condition in words: "boiler.flow_temp above 85 for 30s" */
    uint32_t sensor;     /* that it judges; RULES_NO_SENSOR when it reads several or none */
    uint8_t severity;
    bool many; /* one of several instances of its rule: over `sensors`, or of limits */
    const char *const *notify; /* names of the notifiers that tell it */
    size_t n_notify;
};
size_t rules_count(const struct rules *rules);
struct rule_info rules_info(const struct rules *rules, uint32_t instance);

/* How an instance stands now: the last transition's fields; before the first one, state ok at time
 * 0. */
struct rule_transition rules_status(const struct rules *rules, uint32_t instance);
