/* Rules: judges readings. Pure: no I/O, no clock, no thread of its own; what comes out depends only
 * on the sequence of (time, readings) that goes in, so a replay is exact. Loop thread only, but for
 * rules_new(), which may run anywhere.
 *
 * Rules are compiled once into a small instruction set; plain keys (`above`, `for`, ...) and
 * expressions become the same code. An instance is one rule on one sensor: it has the life
 * ok -> pending -> firing -> recovering -> ok, and its id is what people see: "freezer_warm", or
 * "silent@boiler.flow_temp" for a rule over many, or "high@boiler.flow_temp" for a sensor's limits.
 *
 * Beside its state stand flags. While an instance *rests* (muted, disabled, inhibited) it goes on
 * with state, write, run and log, but tells nobody: notify and publish rest. When the rest ends,
 * what has not been told is told: an alarm that fires still, or the end of one that had been told
 * before. A clear is told only when the firing was. A rule with `levels` has a life for each of
 * them, and the state is that of the highest that is satisfied: one alarm, every change of level an
 * event. Outside of its `active` times it is not judged and rests in ok. *Blind* is an instance
 * whose condition has been unknown for want of a sensor (stale or bad) for the longest stale time
 * of its sensors; what is not yet known because a sensor or the clock is still starting is no
 * blindness.
 */
#pragma once

#include "gateway/base/error.h"
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

/* For the manual: how the i-th function of expressions is written, "avg(sensor, 10m)"; NULL at the
 * end. */
const char *rules_function_usage(size_t i);

/* What rules know of a sensor; its index is the one in struct reading. Copied, but for the texts,
 * which must outlive the rules. */
struct rules_sensor {
    const char *id;    /* "boiler.flow_temp" */
    const char *label; /* for texts: "Heizkessel flow_temp" */
    const char *unit;  /* "" when it has none */
    int64_t every_ms;  /* 0: pushes */
    int64_t stale_ms;  /* a reading that old is unknown; 0: it does not age */
    double max_rate;   /* of what pushes: readings a second at most; 0: 1 */
    int decimals;      /* for texts; -1: shortest */
    bool text;         /* its values are texts */
    bool event;        /* of text: each is something that happens; stale only while it is bad */
    bool writable;     /* a rule may write to it */
};

/* What is asked of a sensor only while the rules are made. */
struct rules_origin {
    const struct section *limits; /* NULL: none */
    const char *const *options;   /* of a text: what may be written; NULL: any */
    size_t n_options;
    const char *bus; /* id of the sensor that is 0 while its bus is down; NULL: it is on none */
    /* Its `value` is an expression over others; NULL: it is read. A derived sensor takes every_ms,
     * stale_ms and max_rate from those. */
    const struct section *derived;
};

struct rules_config {
    const struct section *rules;    /* may be NULL */
    const struct section *defaults; /* `defaults` of the file, for `notify`; may be NULL */
    const struct rules_sensor *sensors;
    const struct rules_origin *origins; /* of each of them; NULL: nothing is to be said of any */
    size_t n_sensors;
    bool more_come; /* others may be found later: a pattern that means none is no slip */
    const struct text_table *texts; /* of the readings; outlives the rules */
    const char *const *notifiers;   /* that `notify` may name; NULL: any */
    size_t n_notifiers;
    const char *const *hooks; /* that `run` may name; NULL: any */
    size_t n_hooks;
    size_t memory;                /* bytes that all windows may take; 0: RULES_MEMORY */
    const struct section *probes; /* its texts are expressions for rules_probe(); may be NULL */
};
#define RULES_MEMORY ((size_t)32000000)

enum rule_state { RULE_OK, RULE_PENDING, RULE_FIRING, RULE_RECOVERING };
const char *rule_state_name(uint8_t state);

enum rule_severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };
const char *rule_severity_name(uint8_t severity);

/* How an instance stands, and by which change it came to that, at the exact time at which that was
 * due. */
struct rule_transition {
    uint32_t instance;
    uint8_t from, to; /* enum rule_state; the same when only the level or a flag is another one */
    uint8_t level;    /* of a firing: the highest that is satisfied; else that of the last one */
    uint8_t severity; /* of that level */
    uint8_t kind;     /* enum value_kind of the value that decided; VALUE_NONE: none */
    bool acked, muted, disabled, blind;
    bool inhibited;   /* a rule of its `inhibited_by` fires */
    bool inactive;    /* it is outside of its `active` times */
    int64_t at_ms;    /* of the change of state */
    int64_t since_ms; /* when the present firing began; CLOCK_NEVER while not firing */
    double number;    /* the value, when kind is VALUE_NUMBER */
    uint32_t text;    /* in the table of texts, when VALUE_TEXT */
    double limit;     /* the limit that was crossed; NAN when there is no single one */
    int64_t fired_ms; /* when the newest firing began, also when it is over; else CLOCK_NEVER */
    int64_t muted_until_ms; /* CLOCK_NEVER: not muted */
};

/* What happened to an instance: what people find in a log of alarms. */
enum rule_event_kind {
    RULE_EVENT_FIRED,
    RULE_EVENT_LEVEL,
    RULE_EVENT_CLEARED,
    RULE_EVENT_BLIND,
    RULE_EVENT_SEEING,
    RULE_EVENT_ACKED,
    RULE_EVENT_MUTED,
    RULE_EVENT_UNMUTED,
    RULE_EVENT_ENABLED,
    RULE_EVENT_DISABLED,
    RULE_EVENT_LIMIT
};

struct rule_event {
    uint8_t kind; /* enum rule_event_kind */
    uint32_t instance;
    int64_t at_ms;
    struct rule_transition status; /* after it */
    const char *message;         /* fired, cleared, blind, seeing: what to tell people; else NULL */
    const char *key;             /* RULE_EVENT_LIMIT: which limit; else NULL */
    double value;                /* RULE_EVENT_LIMIT: what it is now */
    const char *by, *via, *note; /* of the order; NULL: none. A note may also say why it happened */
};

enum rule_action_kind { ACTION_PUBLISH, ACTION_WRITE, ACTION_NOTIFY, ACTION_RUN, ACTION_LOG };

/* What a rule wants done. Texts have their placeholders filled and are borrowed for the call. */
struct rule_action {
    uint8_t kind;  /* enum rule_action_kind */
    uint8_t event; /* enum rule_event_kind of what it is done for */
    uint8_t severity;
    uint8_t qos; /* of ACTION_PUBLISH, as `retain` */
    bool retain;
    uint32_t instance;
    int64_t at_ms;
    const char *target; /* topic, sensor, notifier or hook; NULL: of the log */
    const char *text;   /* payload, text to write, message (of notify and run), line of the log */
    uint32_t sensor;    /* of ACTION_WRITE */
    double number;      /* of ACTION_WRITE, when `text` is NULL */
    bool held;          /* of ACTION_WRITE: it is to stay so as long as the state lasts */
    bool take_up; /* of a held one: it was so before; what is so already need not be written */
};

/* Called from inside the calls that take a `struct rules *`; of this door only those that take it
 * `const` may be called back. For one change: first the transition, then its event, then the
 * actions that it causes. An event without a transition has changed flags or limits only. */
struct rules_output {
    void (*transition)(void *owner, const struct rule_transition *transition);
    void (*event)(void *owner, const struct rule_event *event);
    void (*action)(void *owner, const struct rule_action *action);
};

/* Compiles everything; all that is wrong goes to `problems` with its place. 0, -EINVAL when there
 * were errors, -ENOMEM. The sections are not needed afterwards. */
int rules_new(const struct rules_config *config, const struct rules_output *output, void *owner,
              struct problems *problems, struct rules **ret_rules);
void rules_free(struct rules *rules);

/* The sensors as the rules know them, by their numbers; a derived one has the pace of those it is
 * made of. RULES_NO_SENSOR when there is none of that id. */
uint32_t rules_sensors(const struct rules *rules);
const struct rules_sensor *rules_sensor(const struct rules *rules, uint32_t sensor);
uint32_t rules_find_sensor(const struct rules *rules, const char *id);
bool rules_is_derived(const struct rules *rules, uint32_t sensor);

/* What total() gives of a sensor, and the time of the newest reading in it, to be saved: false when
 * no rule asks for it, or nothing came yet. Put back before rules_refill(), after which what was
 * read since is in it, too. */
bool rules_total(const struct rules *rules, uint32_t sensor, double *ret_total,
                 int64_t *ret_until_ms);
void rules_set_total(struct rules *rules, uint32_t sensor, double total, int64_t until_ms);

/* How much of the past before `now_ms` its windows can use; 0: it has none. For rules_refill(),
 * which puts in a reading of the past, in order of time; before the first poll. Bad ones matter to
 * event sensors alone. */
int64_t rules_past_ms(const struct rules *rules, uint32_t sensor, int64_t now_ms);
void rules_refill(struct rules *rules, const struct reading *reading);

/* After the last of them: the run before has ended at `from_ms`, and nobody has seen what happened
 * since. */
void rules_was_down(struct rules *rules, int64_t from_ms);

/* Bytes that the windows take, and that they may take, for `check`. */
size_t rules_memory(const struct rules *rules);
size_t rules_memory_max(const struct rules *rules);

/* All readings of one poll, in order of time; then every instance that reads one of them is judged
 * once. `now_ms` is the time of the poll, never less than that of the call before. */
void rules_on_poll(struct rules *rules, const struct reading *readings, size_t count,
                   int64_t now_ms);

/* The two halves of it, for who spreads readings in between. Takes the readings in, and returns the
 * derived ones that they give, each after those it is made of; borrowed until the next call. The
 * second is to be called at once, with the same arguments. */
const struct reading *rules_take(struct rules *rules, const struct reading *readings, size_t count,
                                 int64_t now_ms, size_t *ret_derived);
void rules_judge(struct rules *rules, const struct reading *readings, size_t count, int64_t now_ms);

/* It may be that the bus is down of which `sensor` says whether it is there; until `until_ms` that
 * will be known. Meanwhile its devices raise no alarm of their own, as while it is down. */
void rules_doubt_bus(struct rules *rules, uint32_t sensor, int64_t until_ms);

/* Judges what time alone decides (ends of `for`, staleness, ...), each at its own instant up to and
 * with `now_ms`. rules_next_ms() says when to come next; CLOCK_NEVER: no need. */
void rules_on_time(struct rules *rules, int64_t now_ms);
int64_t rules_next_ms(const struct rules *rules);

/* What an expression gives. */
enum rules_value_kind { RULES_UNKNOWN, RULES_NUMBER, RULES_CONDITION, RULES_TEXT };
struct rules_value {
    uint8_t kind; /* enum rules_value_kind */
    bool is;
    double number;
    const char *text; /* borrowed from the rules */
};

/* The i-th of the config's `probes` at `now_ms`, which never decreases: for tests. */
struct rules_value rules_probe(struct rules *rules, size_t i, int64_t now_ms);

/* -- orders of people ----------------------------------------------------------------------------
 */

enum rules_order_kind {
    ORDER_ACK,  /* "seen", of an alarm that fires */
    ORDER_MUTE, /* rests until `until_ms`; a later order replaces the end */
    ORDER_UNMUTE,
    ORDER_ENABLE,
    ORDER_DISABLE, /* rests until it is enabled */
    ORDER_LIMIT,   /* sets `key` to `value`, which holds until the file says something new */
    /* As after a first start, but for mutes and disabling: limits are those of the file, and a
     * firing, also a latched one, is over with its event, as timers, `hits`, cooldown and blindness
     * are. Then it is judged anew. */
    ORDER_RESET,
};

#define RULES_MUTE_MS                                                          \
    ((int64_t)2 * 3600 * 1000) /* where no end is given: a mute always has one \
                                */

struct rules_order {
    uint8_t kind;       /* enum rules_order_kind */
    const char *target; /* id of an instance, or name of a rule: then all its instances; NULL: */
    uint32_t first_sensor, n_sensors; /* all that read one of these, or what is derived of them, */
    const uint32_t *online;           /* or this one; NULL: none */
    int64_t until_ms;                 /* of ORDER_MUTE; CLOCK_NEVER: RULES_MUTE_MS from now */
    const char *key; /* of ORDER_LIMIT, as in the file: "above"; "outside_low" of a pair */
    double value;
    const char *by, *via, *note; /* go to the event; may be NULL */
};

/* Carries an order out, after what was due until `now_ms`. Returns how many instances took it. When
 * none did, `reterr` has the reason of the first in words for the person: -ENOENT (no such rule or
 * limit), -EALREADY (it is so already, or there is nothing to acknowledge), -EPERM (not
 * adjustable), -ERANGE (an end or a limit that cannot be, or would break a rule of clearing),
 * -EINVAL. */
int rules_order(struct rules *rules, const struct rules_order *order, int64_t now_ms,
                struct error *reterr);

/* A person has written to `sensor`, which wins over the instances that hold it until their next
 * change. */
void rules_yield(struct rules *rules, uint32_t sensor);

/* -- over a restart and a reload -----------------------------------------------------------------
 */

#define RULES_SAVED_SIZE 2048 /* enough for every saved text, with NUL */

/* Takes the next instance for which rules_save() may say something new; false: no more. Every
 * transition and every event makes its instance one of them. */
bool rules_changed(struct rules *rules, uint32_t *ret_instance);

/* Writes how an instance stands, as one line of ASCII: state, timers as elapsed time, flags,
 * adjusted limits with the values of the file that they replace. Returns its length; 0, and "",
 * when there is nothing to remember. `wall_ms` is Unix time at `now_ms`, CLOCK_NEVER while the
 * clock is not known good. A timer that runs is as old as `now_ms`, so save again at an orderly
 * stop. */
size_t rules_save(const struct rules *rules, uint32_t instance, int64_t now_ms, int64_t wall_ms,
                  char text[RULES_SAVED_SIZE]);

/* Takes a saved text up again; after rules_new(), before the first poll. Time in which the gateway
 * was down counts towards nothing but the end of a mute and what people are told ("since 14:02");
 * where the clock is not known good both go by elapsed time until rules_on_clock().
 *
 * Where the condition is not the one that was saved (see rules_adopt()), a firing or a blindness is
 * over, with its event. Where the file has a new value for an adjusted limit the file wins, with an
 * event. 0; -ENOENT: no such instance; -EINVAL: damaged, or of another version, and nothing done.
 */
int rules_restore(struct rules *rules, const char *id, const char *text, int64_t now_ms,
                  int64_t wall_ms);

/* The wall clock is known good from now on: sets right what rules_restore() could only guess. */
void rules_on_clock(struct rules *rules, int64_t now_ms, int64_t wall_ms);

/* Hands everything over from `old` to `fresh`, which has not been used yet, with the same table of
 * texts; `old` is then only to be freed. sensors[i] is the index in `fresh` of the i-th sensor of
 * `old`, RULES_NO_SENSOR when it is gone; instances[i] that of the i-th instance, which is known
 * again by its id (rules_find()), or RULES_NO_INSTANCE. Mutes, disabling
 * and adjusted limits (as in rules_restore()) stay in any case; state, timers, acknowledgement and
 * blindness stay unless the condition has changed, which is any key of the rule (of `limits` those
 * of this limit) but label, severity, message, clear_message, notify, blind, ack, latch, repeat,
 * max_repeats, cooldown, escalate, group*, inhibited_by, active, while_*, adjustable and the on_*
 * actions. What is gone or has changed while it fired or was blind ends with its event, told by
 * `old` with its own indices. New and changed instances are judged at the next call with a time. */
void rules_adopt(struct rules *fresh, struct rules *old, const uint32_t *sensors,
                 const uint32_t *instances, int64_t now_ms);

/* -- what others know of instances; indices are stable for the life of `rules` ------------------
 */

#define RULES_NO_SENSOR UINT32_MAX

/* Fixed at compile time; borrowed from `rules`. */
struct rule_info {
    const char *id;      /* "high@boiler.flow_temp" */
    const char *rule;    /* "high" */
    const char *label;   /* for people: "Boiler flow_temp high"; the id when the rule has none */
    const char *summary; /* the condition in words: "boiler.flow_temp above 85 for 30s" */
    uint32_t sensor;     /* that it judges; RULES_NO_SENSOR when it reads several or none */
    uint8_t severity;
    bool many;        /* one of the instances of a rule over `sensors`; limits stand alone */
    bool each;        /* of many: each is shown by itself, too */
    bool ack;         /* it wants to be acknowledged */
    bool idle;        /* it tells nobody, does nothing, and no other rule asks it */
    uint8_t n_limits; /* that people may adjust */
    const char *const *notify; /* names of the notifiers that tell it */
    size_t n_notify;
};
size_t rules_count(const struct rules *rules);
struct rule_info rules_info(const struct rules *rules, uint32_t instance);

#define RULES_NO_INSTANCE UINT32_MAX
uint32_t rules_find(const struct rules *rules, const char *id);

/* Marks every sensor on which the instance depends, also through derived sensors and the rules that
 * it asks. `sensors` has a place for each of rules_sensors(), and is not cleared. 0 or -ENOMEM. */
int rules_sources(const struct rules *rules, uint32_t instance, bool *sensors);

/* How an instance stands now; before the first transition, state ok since time 0. */
struct rule_transition rules_status(const struct rules *rules, uint32_t instance);

/* A part of a condition, and what it is now, in words: "avg(outside.temp, 15m)" and "2.4"; or a
 * timer that runs: "for" and "3m of 10m". */
struct rules_part {
    char what[160], value[64];
};
#define RULES_PARTS_MAX 32

/* Each part of what the instance waits for; returns how many that are, at most `max`. */
size_t rules_explain(struct rules *rules, uint32_t instance, int64_t now_ms,
                     struct rules_part *parts, size_t max);

#define RULES_LIMITS_MAX 8 /* of one instance */
#define RULES_LEVELS_MAX 3 /* of one rule: one for each severity */

/* A limit that people may adjust; borrowed from `rules`. */
struct rule_limit {
    const char *key;       /* "above", "outside_low" */
    double value, file;    /* now; as the file says */
    double min, max, step; /* -INFINITY, INFINITY and 0: any */
};
struct rule_limit rules_limit(const struct rules *rules, uint32_t instance, uint8_t limit);
