/* The running side: readings in, judgements at their exact instants, transitions and actions out.
 *
 * What comes next in time sits in one heap: the timer of every instance and the staleness of every
 * sensor that is read. A reading does not move its sensor's entry, which would cost O(log n) for
 * each of them: the entry stays where it is and, when it comes up, moves to the true instant. So it
 * comes up at most once in the time that the sensor needs to become stale. */
#include "rules/rules.h"

#include "gateway/base/clock.h"
#include "gateway/base/heap.h"
#include "rules/rule.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define TEXT_SIZE  8192 /* of a filled text; what is longer is cut */
#define TOPIC_SIZE 1024

struct rules {
    struct catalog catalog;
    struct rules_output output;
    void *owner;
    bool started;
    int64_t now_ms;
    uint64_t pass;     /* number of the poll */
    struct heap *due;  /* ids: instances, then sensors */
    uint32_t *readers; /* instances that read a sensor, sensor after sensor */
    uint32_t *first;   /* by sensor: where its readers begin; one more for the end */
    char text[TEXT_SIZE], topic[TOPIC_SIZE];
};

const char *rule_state_name(uint8_t state)
{
    static const char *const names[] = {"ok", "pending", "firing", "recovering"};
    return state <= RULE_RECOVERING ? names[state] : "unknown";
}

const char *rule_severity_name(uint8_t severity)
{
    static const char *const names[] = {"info", "warning", "critical"};
    return severity <= SEVERITY_CRITICAL ? names[severity] : "unknown";
}

/* -- making -- */

static void count_readers(struct rules *rules)
{
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        const struct instance *instance = &rules->catalog.instances[i];
        for (uint16_t slot = 0; slot < instance->rule->n_slots; slot++)
            rules->first[instance->slots[slot] + 1]++;
    }
    for (uint32_t s = 0; s < rules->catalog.n_sensors; s++)
        rules->first[s + 1] += rules->first[s];
}

/* Fills each sensor's stretch from its end down, so that afterwards `first` is where it begins. */
static int list_readers(struct rules *rules)
{
    uint32_t n_sensors = rules->catalog.n_sensors;
    rules->first = calloc((size_t)n_sensors + 2, sizeof *rules->first);
    if (!rules->first)
        return -ENOMEM;
    count_readers(rules);
    rules->readers = calloc((size_t)rules->first[n_sensors] + 1, sizeof *rules->readers);
    uint32_t *end = malloc(((size_t)n_sensors + 1) * sizeof *end);
    if (!rules->readers || !end) {
        free(end);
        return -ENOMEM;
    }
    for (uint32_t s = 0; s < n_sensors; s++)
        end[s] = rules->first[s + 1];
    for (uint32_t i = rules->catalog.n_instances; i-- > 0;) {
        const struct instance *instance = &rules->catalog.instances[i];
        for (uint16_t slot = 0; slot < instance->rule->n_slots; slot++)
            rules->readers[--end[instance->slots[slot]]] = i;
    }
    free(end);
    return 0;
}

int rules_new(const struct rules_config *config, const struct rules_output *output, void *owner,
              struct problems *problems, struct rules **ret_rules)
{
    struct rules *rules = calloc(1, sizeof *rules);
    if (!rules)
        return -ENOMEM;
    rules->output = *output;
    rules->owner = owner;
    int result = catalog_build(&rules->catalog, config, problems);
    if (result == 0)
        result = list_readers(rules);
    if (result == 0) {
        rules->due = heap_new((size_t)rules->catalog.n_instances + rules->catalog.n_sensors);
        result = rules->due ? 0 : -ENOMEM;
    }
    if (result) {
        rules_free(rules);
        return result;
    }
    *ret_rules = rules;
    return 0;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    heap_free(rules->due);
    free(rules->readers);
    free(rules->first);
    catalog_release(&rules->catalog);
    free(rules);
}

/* -- telling -- */

static struct scene scene_of(const struct rules *rules, const struct instance *instance,
                             const struct rule_transition *change)
{
    const struct rule *rule = instance->rule;
    return (struct scene){
        .change = change,
        .rule = rule->name,
        .label = rule->label ? rule->label : instance->id,
        .sensor = instance->slots[0],
        .sensors = rules->catalog.sensors,
        .facts = &rules->catalog.facts,
    };
}

static void act(struct rules *rules, const struct action_list *list, const struct scene *scene)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct action *action = &list->at[i];
        struct rule_action todo = {
            .kind = action->kind,
            .qos = action->qos,
            .retain = action->retain,
            .instance = scene->change->instance,
            .at_ms = scene->change->at_ms,
            .target = template_fill(&action->target, scene, rules->topic, sizeof rules->topic),
            .text = template_fill(&action->text, scene, rules->text, sizeof rules->text),
        };
        rules->output.action(rules->owner, &todo);
    }
}

static void tell(struct rules *rules, struct instance *instance)
{
    struct rule_transition change = instance->last;
    const struct rule *rule = instance->rule;
    bool fired = change.to == RULE_FIRING && change.from != RULE_RECOVERING;
    bool cleared = change.to == RULE_OK && change.from != RULE_PENDING;
    struct scene scene = scene_of(rules, instance, &change);
    if (fired || cleared)
        change.message = template_fill(fired ? &rule->message : &rule->clear_message, &scene,
                                       rules->text, sizeof rules->text);
    rules->output.transition(rules->owner, &change);
    if (fired)
        act(rules, &rule->on_fire, &scene);
    else if (cleared)
        act(rules, &rule->on_clear, &scene);
}

static double limit_now(const struct rules *rules, const struct instance *instance, int64_t now_ms)
{
    const struct code *code = &instance->rule->limit;
    if (code->length == 0)
        return (double)NAN;
    struct cell cell = evaluate(code, &rules->catalog.facts, instance->slots, now_ms, NULL);
    return cell.kind == CELL_NUMBER ? cell.number : (double)NAN;
}

static void set_value(struct rule_transition *change, const struct fact *fact, int64_t now_ms)
{
    change->kind = fact_is_known(fact, now_ms) ? fact->kind : VALUE_NONE;
    change->number = change->kind == VALUE_NUMBER ? fact->number : 0;
    change->text = change->kind == VALUE_TEXT ? fact->text : 0;
}

static void record(struct rules *rules, struct instance *instance, const struct life *before,
                   int64_t now_ms)
{
    struct rule_transition *change = &instance->last;
    const struct life *life = &instance->life;
    change->from = before->state;
    change->to = life->state;
    change->at_ms = now_ms;
    change->since_ms = life->fired_ms;
    change->fired_ms = life->fired_ms != CLOCK_NEVER ? life->fired_ms : before->fired_ms;
    set_value(change, &rules->catalog.facts.at[instance->slots[0]], now_ms);
    /* What was crossed is told by the way up; on the way back the value is on the other side. */
    if (life->state == RULE_PENDING || before->fired_ms == CLOCK_NEVER)
        change->limit = limit_now(rules, instance, now_ms);
}

/* -- judging -- */

static enum truth truth_of(const struct rules *rules, const struct instance *instance,
                           int64_t now_ms)
{
    bool waiting, clear = life_wants_clear(&instance->life);
    const struct code *code = clear ? &instance->rule->clear : &instance->rule->when;
    struct cell cell = evaluate(code, &rules->catalog.facts, instance->slots, now_ms, &waiting);
    if (cell.kind == CELL_BOOL)
        return cell.is ? TRUTH_TRUE : TRUTH_FALSE;
    return waiting ? TRUTH_WAITING : TRUTH_UNKNOWN;
}

static void judge(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    const struct life_terms *terms = &instance->rule->terms;
    struct life before = instance->life;
    bool changed = life_step(&instance->life, terms, truth_of(rules, instance, now_ms), now_ms);
    int64_t due_ms = life_due_ms(&instance->life, terms);
    if (due_ms != instance->due_ms) {
        instance->due_ms = due_ms;
        if (due_ms == CLOCK_NEVER)
            heap_remove(rules->due, index);
        else
            heap_set(rules->due, index, due_ms);
    }
    if (changed) {
        record(rules, instance, &before, now_ms);
        tell(rules, instance);
    }
}

static void judge_readers(struct rules *rules, uint32_t sensor, int64_t now_ms)
{
    for (uint32_t i = rules->first[sensor]; i < rules->first[sensor + 1]; i++)
        judge(rules, rules->readers[i], now_ms);
}

static void watch_sensor(struct rules *rules, uint32_t sensor, int64_t at_ms)
{
    rules->catalog.facts.at[sensor].due_ms = at_ms;
    heap_set(rules->due, rules->catalog.n_instances + sensor, at_ms);
}

static void sensor_due(struct rules *rules, uint32_t sensor, int64_t now_ms)
{
    struct fact *fact = &rules->catalog.facts.at[sensor];
    if (fact->fresh_until_ms > now_ms) {
        watch_sensor(rules, sensor, fact->fresh_until_ms);
        return;
    }
    fact->due_ms = CLOCK_NEVER;
    heap_remove(rules->due, rules->catalog.n_instances + sensor);
    judge_readers(rules, sensor, now_ms);
}

static void run_due(struct rules *rules, int64_t until_ms)
{
    uint32_t id;
    int64_t at_ms;
    while (heap_first(rules->due, &id, &at_ms) && at_ms <= until_ms) {
        if (id < rules->catalog.n_instances)
            judge(rules, id, at_ms);
        else
            sensor_due(rules, id - rules->catalog.n_instances, at_ms);
    }
}

/* -- time and readings -- */

static int64_t sum_ms(int64_t at_ms, int64_t more_ms)
{
    return more_ms == CLOCK_NEVER || at_ms > CLOCK_NEVER - more_ms ? CLOCK_NEVER : at_ms + more_ms;
}

/* The first call tells what time it is: from then on every sensor has its time to be read. */
static void start(struct rules *rules, int64_t now_ms)
{
    rules->started = true;
    rules->now_ms = now_ms;
    for (uint32_t s = 0; s < rules->catalog.n_sensors; s++) {
        struct fact *fact = &rules->catalog.facts.at[s];
        fact->fresh_until_ms = sum_ms(now_ms, fact->stale_ms);
        if (rules->first[s] < rules->first[s + 1] && fact->fresh_until_ms != CLOCK_NEVER)
            watch_sensor(rules, s, fact->fresh_until_ms);
    }
}

static int64_t advance(struct rules *rules, int64_t now_ms)
{
    if (!rules->started)
        start(rules, now_ms);
    if (now_ms > rules->now_ms)
        rules->now_ms = now_ms;
    return rules->now_ms;
}

/* A bad reading changes nothing: only going without good ones for too long makes a sensor unknown.
 */
static bool is_usable(const struct rules *rules, const struct reading *reading)
{
    if (reading->sensor >= rules->catalog.n_sensors || reading->quality != QUALITY_GOOD)
        return false;
    const struct fact *fact = &rules->catalog.facts.at[reading->sensor];
    bool in_order = fact->kind == VALUE_NONE || reading->at_ms >= fact->at_ms;
    return in_order && reading->kind == fact->wanted_kind &&
           (reading->kind != VALUE_NUMBER || isfinite(reading->number));
}

static void take(struct rules *rules, const struct reading *reading, int64_t now_ms)
{
    struct fact *fact = &rules->catalog.facts.at[reading->sensor];
    uint32_t s = reading->sensor;
    fact->kind = reading->kind;
    fact->at_ms = reading->at_ms < now_ms ? reading->at_ms : now_ms;
    fact->fresh_until_ms = sum_ms(fact->at_ms, fact->stale_ms);
    fact->pass = rules->pass;
    if (reading->kind == VALUE_TEXT)
        fact->text = reading->text;
    else
        fact->number = reading->number;
    if (fact->fresh_until_ms < fact->due_ms && rules->first[s] < rules->first[s + 1])
        watch_sensor(rules, s, fact->fresh_until_ms > now_ms ? fact->fresh_until_ms : now_ms);
}

/* Those that read the sensor and were not yet judged for this poll. */
static void judge_poll(struct rules *rules, uint32_t sensor, int64_t now_ms)
{
    for (uint32_t i = rules->first[sensor]; i < rules->first[sensor + 1]; i++) {
        struct instance *instance = &rules->catalog.instances[rules->readers[i]];
        if (instance->pass == rules->pass)
            continue;
        instance->pass = rules->pass;
        judge(rules, rules->readers[i], now_ms);
    }
}

void rules_on_poll(struct rules *rules, const struct reading *readings, size_t count,
                   int64_t now_ms)
{
    now_ms = advance(rules, now_ms);
    run_due(rules, now_ms - 1); /* a reading of the same instant counts before its timers */
    rules->pass++;
    for (size_t i = 0; i < count; i++)
        if (is_usable(rules, &readings[i]))
            take(rules, &readings[i], now_ms);
    for (size_t i = 0; i < count; i++) {
        uint32_t sensor = readings[i].sensor;
        if (sensor < rules->catalog.n_sensors &&
            rules->catalog.facts.at[sensor].pass == rules->pass)
            judge_poll(rules, sensor, now_ms);
    }
    run_due(rules, now_ms);
}

void rules_on_time(struct rules *rules, int64_t now_ms)
{
    run_due(rules, advance(rules, now_ms));
}

int64_t rules_next_ms(const struct rules *rules)
{
    uint32_t id;
    int64_t at_ms;
    return heap_first(rules->due, &id, &at_ms) ? at_ms : CLOCK_NEVER;
}

/* -- what others know -- */

size_t rules_count(const struct rules *rules)
{
    return rules->catalog.n_instances;
}

struct rule_info rules_info(const struct rules *rules, uint32_t instance)
{
    assert(instance < rules->catalog.n_instances);
    const struct instance *from = &rules->catalog.instances[instance];
    const struct rule *rule = from->rule;
    return (struct rule_info){
        .id = from->id,
        .rule = rule->name,
        .label = rule->label ? rule->label : from->id,
        .summary = from->summary,
        .sensor = from->slots[0],
        .severity = rule->severity,
        .many = rule->many,
        .notify = rule->notify,
        .n_notify = rule->n_notify,
    };
}

struct rule_transition rules_status(const struct rules *rules, uint32_t instance)
{
    assert(instance < rules->catalog.n_instances);
    return rules->catalog.instances[instance].last;
}
