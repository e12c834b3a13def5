/* Engine: the running side of the rules, shared by rules.c (readings and time in), judge.c (one
 * instance judged), tell.c (what comes out), order.c, save.c and adopt.c. */
#pragma once

#include "gateway/base/heap.h"
#include "rules/rule.h"

#define TEXT_SIZE  8192 /* of a filled text; what is longer is cut */
#define TOPIC_SIZE 1024

struct rules {
    struct catalog catalog;
    struct rules_output output;
    void *owner;
    bool started;
    int64_t now_ms;
    uint64_t pass;       /* number of the poll */
    struct heap *due;    /* ids: instances, then sensors */
    struct heap *later;  /* instances to be judged in this pass after those they ask, by rank */
    uint32_t *readers;   /* instances that read a sensor, sensor after sensor, then those that ask a
                            rule, rule after rule */
    uint32_t *first;     /* by sensor, then rule: where its readers begin; one more for the end */
    struct heap *derive; /* derived sensors to be reckoned in this pass, in their order */
    struct reading *derived; /* what came of them */
    uint32_t n_derived;      /* in this pass */
    uint32_t *makes;         /* derived sensors that are made of a sensor, sensor after sensor */
    uint32_t *first_made;    /* by sensor: where those begin; one more for the end */
    uint32_t *group_first;   /* by group: first of its instances that wait to tell something */
    struct gathering *gathering; /* NULL: there is no group */
    bool gathers;                /* what is told goes there, to be told together */
    uint32_t buses_down;         /* how many are */
    bool bus_news;               /* in this pass one went or came back */
    int64_t doubt_ms;            /* until then one or another is doubted */
    uint32_t changed;            /* first of those to be saved; RULES_NO_INSTANCE: none */
    char text[TEXT_SIZE], message[TEXT_SIZE], topic[TOPIC_SIZE];
};

/* `at_ms` and then `more_ms`, which may be CLOCK_NEVER. */
int64_t engine_sum_ms(int64_t at_ms, int64_t more_ms);

/* rules.c: brings the time forward and returns it; the first call starts the clock of every sensor.
 */
int64_t engine_advance(struct rules *rules, int64_t now_ms);

/* rules.c: judges all that is due until then, each at its own instant. */
void engine_run_due(struct rules *rules, int64_t until_ms);

/* rules.c: `sensor` is looked at again at `at_ms`, which is when it becomes stale. */
void engine_watch_sensor(struct rules *rules, uint32_t sensor, int64_t at_ms);

/* rules.c: the state of the instance is another one: those that ask its rule are judged in this
 * pass. */
void engine_rule_changed(struct rules *rules, uint32_t index);

/* derive.c: makes the lists of what is made of what. 0 or -ENOMEM. */
int derive_start(struct rules *rules);

/* derive.c: notes that the sensor was read in this pass: what is made of it is to be reckoned. */
void derive_note(struct rules *rules, uint32_t sensor);

/* derive.c: reckons what was noted, because of readings of which the newest is of `at_ms`; each
 * result is handed to `take`. */
void derive_run(struct rules *rules, int64_t at_ms, int64_t now_ms,
                void (*take)(struct rules *rules, const struct reading *reading, int64_t now_ms));

/* rules.c: judges those that wait for the rules they ask. */
void engine_judge_later(struct rules *rules, int64_t now_ms);

/* -- judge.c -- */

void judge(struct rules *rules, uint32_t index, int64_t now_ms);

/* Puts the instance where it belongs in the order of what is due. */
void judge_plan(struct rules *rules, uint32_t index);

/* Ends what people were told of, because the rule is gone or is another one: `why` in words. */
void judge_retire(struct rules *rules, uint32_t index, int64_t now_ms, const char *why);

/* The first sensor of the instance that is stale, or was never read in its time; RULES_NO_SENSOR
 * when it sees all of them. */
uint32_t judge_lost_sensor(const struct rules *rules, const struct instance *instance,
                           int64_t now_ms);

/* The longest time in which one of its sensors becomes stale; 0: none does. */
int64_t judge_longest_stale_ms(const struct rules *rules, const struct instance *instance);

/* -- bus.c -- */

/* Counts the buses that are down, after their readings were taken in. */
void bus_count(struct rules *rules);

/* Whether the reading, which is not taken in yet, is of a bus that goes or comes. */
bool bus_is_news(const struct rules *rules, const struct reading *reading);

/* Whether the instance is cut off now. */
void bus_look(struct rules *rules, struct instance *instance, int64_t now_ms);

/* Those for which that is new are judged in this pass. */
void bus_judge_later(struct rules *rules);

/* -- happen.c: of event sensors -- */

/* A bad reading. */
void happen_missed(struct rules *rules, uint32_t sensor, int64_t at_ms);

/* An event, or that there is none. */
void happen_seen(struct rules *rules, uint32_t sensor, int64_t at_ms);

/* A reading of the past, whether it was good or not. */
void happen_refill(struct rules *rules, const struct reading *reading);

/* -- tell.c: of each, events and actions -- */

/* Puts the instance on the list of those to be saved. */
void tell_changed(struct rules *rules, uint32_t index);

/* After the change that stands in `last`. `kind` is the event that it is, or CHANGE_ONLY;
 * `severity` that of before; `why`: what ended it other than the condition, or NULL. */
#define CHANGE_ONLY UINT8_MAX
void tell_transition(struct rules *rules, uint32_t index, uint8_t kind, uint8_t severity,
                     const char *why);

/* A flag is another one by no order: that is no event, but a state to show. */
void tell_flag(struct rules *rules, uint32_t index);

/* It became blind, or sees again. */
void tell_sight(struct rules *rules, uint32_t index, int64_t now_ms, const char *why);

/* What people did, or what happened to what they had done: `order` may be NULL. */
void tell_order(struct rules *rules, uint32_t index, enum rule_event_kind kind, int64_t now_ms,
                const struct rules_order *order, const char *note);

/* The limit is another one. */
void tell_limit(struct rules *rules, uint32_t index, uint8_t limit, int64_t now_ms,
                const struct rules_order *order, const char *note);

/* Whether something that is so was not told. */
bool tell_is_owed(const struct instance *instance);

/* Tells what has not been told, as far as nothing makes it rest. */
void tell_owed(struct rules *rules, uint32_t index, int64_t now_ms);

/* Whether people are told nothing of the instance at this moment. */
bool tell_rests(const struct instance *instance);
/* The same of its present firing alone, which also rests while its bus is down. */
bool tell_firing_rests(const struct instance *instance);

/* Tells the firing once more to those who know it; does the i-th escalation. */
void tell_again(struct rules *rules, uint32_t index, int64_t now_ms);
void tell_escalation(struct rules *rules, uint32_t index, size_t i, int64_t now_ms);

/* What is held in the state of before is to be held on: after a start, a reload, a rest. */
void tell_holds(struct rules *rules, uint32_t index, int64_t now_ms);

/* -- hold.c -- */

/* What the instance holds in its present state. */
const struct action_list *hold_list(const struct instance *instance);

/* -- group.c -- */

int group_start(struct rules *rules);
void group_stop(struct rules *rules);

/* The instance has something to tell, which it does together with others of its group. */
void group_join(struct rules *rules, uint32_t index, int64_t now_ms);

/* The wait of the group is over. */
void group_due(struct rules *rules, uint32_t group, int64_t now_ms);

/* Whether the action is a notification that is held back for now. */
bool group_takes(struct rules *rules, const struct rule_action *action);

/* -- remind.c -- */

/* Does what is due, and lets the time of waiting run or stand still. */
void remind(struct rules *rules, uint32_t index, int64_t now_ms);

/* A firing begins, or something that nobody has seen: the waiting begins anew. */
void remind_begin(struct instance *instance);

/* When the next repeat or escalation comes; CLOCK_NEVER: none. */
int64_t remind_due_ms(const struct instance *instance);

/* How long it has waited. */
int64_t remind_ran_ms(const struct instance *instance, int64_t now_ms);

/* -- save.c: for adopt.c -- */

/* A limit that a person had set over `file`: taken over, or the file wins and says so. */
void save_take_limit(struct rules *rules, uint32_t index, const char *key, double value,
                     double file, int64_t now_ms);

/* Puts back to the file what together leaves no room, once all limits are there. */
void save_settle_limits(struct rules *rules, int64_t now_ms);
