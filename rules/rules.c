/* The running side: readings in, judgements at their exact instants, transitions and actions out.
 *
 * What comes next in time sits in one heap: the timer of every instance and the staleness of every
 * sensor that is read. A reading does not move its sensor's entry, which would cost O(log n) for
 * each of them: the entry stays where it is and, when it comes up, moves to the true instant. So it
 * comes up at most once in the time that the sensor needs to become stale. */
#include "rules/rules.h"

#include "gateway/base/clock.h"
#include "rules/engine.h"
#include "rules/formula.h"
#include "rules/limit.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Calls `each` for every source of every instance, once for each pair. `last` has room for one
 * number a source. */
static void walk_sources(struct rules *rules, uint32_t *last,
                         void (*each)(struct rules *, uint32_t source, uint32_t instance))
{
    const struct catalog *catalog = &rules->catalog;
    uint32_t source;
    memset(last, 0xff, ((size_t)catalog->n_sensors + catalog->n_rules) * sizeof *last);
    for (uint32_t i = 0; i < catalog->n_instances; i++)
        for (size_t k = 0; catalog_source(catalog, &catalog->instances[i], k, &source); k++) {
            if (source == RULES_NO_SENSOR || last[source] == i)
                continue;
            last[source] = i;
            each(rules, source, i);
        }
}

static void count_reader(struct rules *rules, uint32_t source, uint32_t instance)
{
    (void)instance;
    rules->first[source + 2]++;
}

static void list_reader(struct rules *rules, uint32_t source, uint32_t instance)
{
    rules->readers[rules->first[source + 1]++] = instance;
}

/* While the lists are filled, each source's place in `first` is one farther, so that afterwards it
 * is where the source begins. */
static int list_readers(struct rules *rules)
{
    size_t n = (size_t)rules->catalog.n_sensors + rules->catalog.n_rules;
    rules->first = calloc(n + 2, sizeof *rules->first);
    uint32_t *last = malloc((n + 1) * sizeof *last);
    if (rules->first && last) {
        walk_sources(rules, last, count_reader);
        for (size_t s = 0; s <= n; s++)
            rules->first[s + 1] += rules->first[s];
        rules->readers = calloc((size_t)rules->first[n + 1] + 1, sizeof *rules->readers);
        if (rules->readers)
            walk_sources(rules, last, list_reader);
    }
    free(last);
    return rules->readers ? 0 : -ENOMEM;
}

int rules_new(const struct rules_config *config, const struct rules_output *output, void *owner,
              struct problems *problems, struct rules **ret_rules)
{
    struct rules *rules = calloc(1, sizeof *rules);
    if (!rules)
        return -ENOMEM;
    rules->output = *output;
    rules->owner = owner;
    rules->changed = RULES_NO_INSTANCE;
    int result = catalog_build(&rules->catalog, config, problems);
    if (result == 0)
        result = list_readers(rules);
    if (result == 0) {
        rules->due = heap_new((size_t)rules->catalog.n_instances + rules->catalog.n_sensors +
                              rules->catalog.n_groups);
        rules->later = heap_new(rules->catalog.n_instances);
        result = rules->due && rules->later ? derive_start(rules) : -ENOMEM;
        result = result == 0 ? group_start(rules) : result;
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
    heap_free(rules->later);
    heap_free(rules->derive);
    group_stop(rules);
    free(rules->derived);
    free(rules->makes);
    free(rules->first_made);
    free(rules->readers);
    free(rules->first);
    catalog_release(&rules->catalog);
    free(rules);
}

/* -- what is due -- */

/* One that asks others waits until they have been judged. */
static void judge_in_turn(struct rules *rules, uint32_t index, int64_t now_ms)
{
    uint32_t rank = rules->catalog.instances[index].rule->rank;
    if (rank == 0)
        judge(rules, index, now_ms);
    else
        heap_set(rules->later, index, rank);
}

void engine_rule_changed(struct rules *rules, uint32_t index)
{
    uint32_t number = rules->catalog.instances[index].rule->number;
    uint32_t source = rules->catalog.n_sensors + number;
    for (uint32_t i = rules->first[source]; i < rules->first[source + 1]; i++) {
        uint32_t reader = rules->readers[i];
        heap_set(rules->later, reader, rules->catalog.instances[reader].rule->rank);
    }
}

void engine_judge_later(struct rules *rules, int64_t now_ms)
{
    uint32_t index;
    int64_t rank;
    while (heap_first(rules->later, &index, &rank)) {
        heap_remove(rules->later, index);
        judge(rules, index, now_ms);
    }
}

static void judge_readers(struct rules *rules, uint32_t sensor, int64_t now_ms)
{
    for (uint32_t i = rules->first[sensor]; i < rules->first[sensor + 1]; i++)
        judge_in_turn(rules, rules->readers[i], now_ms);
}

void engine_watch_sensor(struct rules *rules, uint32_t sensor, int64_t at_ms)
{
    rules->catalog.facts.at[sensor].due_ms = at_ms;
    heap_set(rules->due, rules->catalog.n_instances + sensor, at_ms);
}

static void sensor_due(struct rules *rules, uint32_t sensor, int64_t now_ms)
{
    struct fact *fact = &rules->catalog.facts.at[sensor];
    if (fact->fresh_until_ms > now_ms) {
        engine_watch_sensor(rules, sensor, fact->fresh_until_ms);
        return;
    }
    fact->due_ms = CLOCK_NEVER;
    heap_remove(rules->due, rules->catalog.n_instances + sensor);
    judge_readers(rules, sensor, now_ms);
}

void engine_run_due(struct rules *rules, int64_t until_ms)
{
    uint32_t n_instances = rules->catalog.n_instances, n_sensors = rules->catalog.n_sensors, id;
    int64_t at_ms;
    while (heap_first(rules->due, &id, &at_ms) && at_ms <= until_ms) {
        if (id < n_instances)
            judge_in_turn(rules, id, at_ms);
        else if (id - n_instances < n_sensors)
            sensor_due(rules, id - n_instances, at_ms);
        else
            group_due(rules, id - n_instances - n_sensors, at_ms);
        engine_judge_later(rules, at_ms);
    }
}

/* -- time and readings -- */

int64_t engine_sum_ms(int64_t at_ms, int64_t more_ms)
{
    return more_ms == CLOCK_NEVER || at_ms > CLOCK_NEVER - more_ms ? CLOCK_NEVER : at_ms + more_ms;
}

/* What time alone decides, as hour(); and what came over a restart, where somebody may have to be
 * told or reminded. */
static bool has_no_reading_to_wait_for(const struct instance *instance)
{
    return instance->rule->timed || instance->rule->n_active > 0 ||
           instance->rule->n_inhibitors > 0 || instance_fires(instance) || tell_is_owed(instance);
}

/* The first call tells what time it is: from then on every sensor has its time to be read. */
static void start(struct rules *rules, int64_t now_ms)
{
    rules->started = true;
    rules->now_ms = now_ms;
    rules->catalog.facts.started_ms = now_ms;
    windows_start(rules->catalog.facts.windows, now_ms);
    for (uint32_t s = 0; s < rules->catalog.n_sensors; s++) {
        struct fact *fact = &rules->catalog.facts.at[s];
        fact->fresh_until_ms = fact->is_event ? CLOCK_NEVER : engine_sum_ms(now_ms, fact->stale_ms);
        fact->bad_ms = now_ms;
        if (rules->first[s] < rules->first[s + 1] && fact->fresh_until_ms != CLOCK_NEVER)
            engine_watch_sensor(rules, s, fact->fresh_until_ms);
    }
    save_settle_limits(rules, now_ms);
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        struct instance *instance = &rules->catalog.instances[i];
        if (!has_no_reading_to_wait_for(instance))
            continue;
        instance->look_ms = now_ms;
        judge_plan(rules, i);
    }
}

int64_t engine_advance(struct rules *rules, int64_t now_ms)
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

/* Why it may soon be unknown, for those who are told of it. */
static void take_bad(struct rules *rules, const struct reading *reading, int64_t now_ms)
{
    if (reading->sensor >= rules->catalog.n_sensors || reading->quality == QUALITY_GOOD)
        return;
    struct fact *fact = &rules->catalog.facts.at[reading->sensor];
    int64_t at_ms = reading->at_ms < now_ms ? reading->at_ms : now_ms;
    if (fact->is_event && reading->quality == QUALITY_QUIET) {
        happen_seen(rules, reading->sensor, at_ms);
        return;
    }
    if (fact->quality == QUALITY_GOOD)
        fact->bad_ms = at_ms;
    if (fact->is_event)
        happen_missed(rules, reading->sensor, at_ms);
    if (fact->quality_asked && fact->quality != reading->quality)
        fact->pass = rules->pass; /* judged, though it has no value */
    fact->quality = reading->quality;
}

static void take(struct rules *rules, const struct reading *reading, int64_t now_ms)
{
    struct fact *fact = &rules->catalog.facts.at[reading->sensor];
    uint32_t s = reading->sensor;
    rules->bus_news = rules->bus_news || bus_is_news(rules, reading);
    fact->kind = reading->kind;
    fact->at_ms = reading->at_ms < now_ms ? reading->at_ms : now_ms;
    fact->fresh_until_ms = engine_sum_ms(fact->at_ms, fact->stale_ms);
    if (fact->is_event)
        happen_seen(rules, s, fact->at_ms);
    fact->quality = QUALITY_GOOD;
    fact->pass = rules->pass;
    if (reading->kind == VALUE_TEXT) {
        fact->text = reading->text;
        windows_push_text(rules->catalog.facts.windows, s, fact->at_ms, reading->text);
    } else {
        fact->number = reading->number;
        windows_push_number(rules->catalog.facts.windows, s, fact->at_ms, reading->number);
    }
    if (fact->fresh_until_ms < fact->due_ms && rules->first[s] < rules->first[s + 1])
        engine_watch_sensor(rules, s,
                            fact->fresh_until_ms > now_ms ? fact->fresh_until_ms : now_ms);
}

/* Those that read the sensor and were not yet judged for this poll. */
static void judge_poll(struct rules *rules, const struct reading *reading, int64_t now_ms)
{
    uint32_t sensor = reading->sensor;
    if (sensor >= rules->catalog.n_sensors || rules->catalog.facts.at[sensor].pass != rules->pass)
        return;
    for (uint32_t i = rules->first[sensor]; i < rules->first[sensor + 1]; i++) {
        struct instance *instance = &rules->catalog.instances[rules->readers[i]];
        if (instance->pass == rules->pass)
            continue;
        instance->pass = rules->pass;
        instance->is_read = true;
        judge_in_turn(rules, rules->readers[i], now_ms);
    }
}

/* A reading of this pass, and what is made of its sensor. */
static void take_reading(struct rules *rules, const struct reading *reading, int64_t now_ms)
{
    if (reading->sensor >= rules->catalog.n_sensors)
        return;
    if (is_usable(rules, reading))
        take(rules, reading, now_ms);
    else
        take_bad(rules, reading, now_ms);
    derive_note(rules, reading->sensor);
}

const struct reading *rules_take(struct rules *rules, const struct reading *readings, size_t count,
                                 int64_t now_ms, size_t *ret_derived)
{
    int64_t newest_ms = INT64_MIN;
    now_ms = engine_advance(rules, now_ms);
    engine_run_due(rules, now_ms - 1); /* a reading of the same instant counts before its timers */
    rules->pass++;
    for (size_t i = 0; i < count; i++) {
        take_reading(rules, &readings[i], now_ms);
        newest_ms = readings[i].at_ms > newest_ms ? readings[i].at_ms : newest_ms;
    }
    if (rules->bus_news)
        bus_count(rules);
    derive_run(rules, newest_ms, now_ms, take_reading);
    *ret_derived = rules->n_derived;
    return rules->derived;
}

void rules_judge(struct rules *rules, const struct reading *readings, size_t count, int64_t now_ms)
{
    now_ms = engine_advance(rules, now_ms);
    for (size_t i = 0; i < count; i++)
        judge_poll(rules, &readings[i], now_ms);
    for (uint32_t i = 0; i < rules->n_derived; i++)
        judge_poll(rules, &rules->derived[i], now_ms);
    if (rules->bus_news)
        bus_judge_later(rules);
    rules->bus_news = false;
    engine_judge_later(rules, now_ms);
    engine_run_due(rules, now_ms);
}

void rules_on_poll(struct rules *rules, const struct reading *readings, size_t count,
                   int64_t now_ms)
{
    size_t derived;
    rules_take(rules, readings, count, now_ms, &derived);
    rules_judge(rules, readings, count, now_ms);
}

void rules_on_time(struct rules *rules, int64_t now_ms)
{
    engine_run_due(rules, engine_advance(rules, now_ms));
}

int64_t rules_next_ms(const struct rules *rules)
{
    uint32_t id;
    int64_t at_ms;
    return heap_first(rules->due, &id, &at_ms) ? at_ms : CLOCK_NEVER;
}

/* -- what others know -- */

struct rules_value rules_probe(struct rules *rules, size_t i, int64_t now_ms)
{
    const struct catalog *catalog = &rules->catalog;
    assert(i < catalog->n_probes);
    const struct formula *probe = &catalog->probes[i];
    struct cell cell = evaluate(&probe->code, &catalog->facts, probe->slots, now_ms, NULL);
    switch (cell.kind) {
    case CELL_NUMBER:
        return (struct rules_value){.kind = RULES_NUMBER, .number = cell.number};
    case CELL_BOOL:
        return (struct rules_value){.kind = RULES_CONDITION, .is = cell.is};
    case CELL_TEXT:
        return (struct rules_value){.kind = RULES_TEXT, .text = cell.text};
    default:
        return (struct rules_value){.kind = RULES_UNKNOWN};
    }
}

uint32_t rules_sensors(const struct rules *rules)
{
    return rules->catalog.n_sensors;
}

const struct rules_sensor *rules_sensor(const struct rules *rules, uint32_t sensor)
{
    assert(sensor < rules->catalog.n_sensors);
    return &rules->catalog.sensors[sensor];
}

uint32_t rules_find_sensor(const struct rules *rules, const char *id)
{
    return names_find(rules->catalog.names, id);
}

bool rules_is_derived(const struct rules *rules, uint32_t sensor)
{
    return rules->catalog.facts.at[sensor].is_derived;
}

bool rules_total(const struct rules *rules, uint32_t sensor, double *ret_total,
                 int64_t *ret_until_ms)
{
    return windows_total(rules->catalog.facts.windows, sensor, ret_total, ret_until_ms);
}

void rules_set_total(struct rules *rules, uint32_t sensor, double total, int64_t until_ms)
{
    windows_set_total(rules->catalog.facts.windows, sensor, total, until_ms);
}

int64_t rules_past_ms(const struct rules *rules, uint32_t sensor, int64_t now_ms)
{
    return windows_past_ms(rules->catalog.facts.windows, sensor, now_ms);
}

void rules_refill(struct rules *rules, const struct reading *reading)
{
    struct windows *windows = rules->catalog.facts.windows;
    happen_refill(rules, reading);
    if (!is_usable(rules, reading))
        return;
    if (reading->kind == VALUE_TEXT)
        windows_push_text(windows, reading->sensor, reading->at_ms, reading->text);
    else
        windows_push_number(windows, reading->sensor, reading->at_ms, reading->number);
}

size_t rules_memory(const struct rules *rules)
{
    return windows_bytes(rules->catalog.facts.windows);
}

size_t rules_memory_max(const struct rules *rules)
{
    return rules->catalog.memory;
}

size_t rules_count(const struct rules *rules)
{
    return rules->catalog.n_instances;
}

static bool is_idle(const struct rules *rules, const struct rule *rule)
{
    uint32_t source = rules->catalog.n_sensors + rule->number;
    bool is_asked = rules->first[source] < rules->first[source + 1];
    return !is_asked && rule->n_notify + rule->n_escalations == 0 &&
           rule->on_fire.count + rule->on_clear.count + rule->on_change.count == 0 &&
           rule->on_nodata.count + rule->while_firing.count + rule->while_ok.count == 0;
}

struct rule_info rules_info(const struct rules *rules, uint32_t instance)
{
    assert(instance < rules->catalog.n_instances);
    const struct instance *from = &rules->catalog.instances[instance];
    const struct rule *rule = from->rule;
    return (struct rule_info){
        .id = from->id,
        .rule = rule->name,
        .label = from->label,
        .summary = from->summary,
        .sensor = from->slots[0],
        .severity = rule->levels->severity,
        .many = rule->many && !rule->of_limits,
        .each = rule->each,
        .ack = rule->ack,
        .idle = is_idle(rules, rule),
        .n_limits = rule->n_limits,
        .notify = rule->notify,
        .n_notify = rule->n_notify,
    };
}

struct rule_transition rules_status(const struct rules *rules, uint32_t instance)
{
    assert(instance < rules->catalog.n_instances);
    return rules->catalog.instances[instance].last;
}

uint32_t rules_find(const struct rules *rules, const char *id)
{
    return names_find(rules->catalog.instance_names, id);
}

struct rule_limit rules_limit(const struct rules *rules, uint32_t instance, uint8_t limit)
{
    assert(instance < rules->catalog.n_instances);
    const struct instance *of = &rules->catalog.instances[instance];
    assert(limit < of->rule->n_limits);
    const struct limit *from = &of->rule->limits[limit];
    return (struct rule_limit){
        .key = from->key,
        .value = limit_value(&rules->catalog, of, limit),
        .file = from->file,
        .min = from->min,
        .max = from->max,
        .step = from->step,
    };
}

bool rules_changed(struct rules *rules, uint32_t *ret_instance)
{
    if (rules->changed == RULES_NO_INSTANCE)
        return false;
    struct instance *instance = &rules->catalog.instances[rules->changed];
    *ret_instance = rules->changed;
    rules->changed = instance->next_changed;
    instance->is_changed = false;
    return true;
}
