/* Judging: one instance, its condition, its timers and its sight, at one instant. */
#include "gateway/base/clock.h"
#include "rules/engine.h"

#include <math.h>

/* -- what is due next -- */

static int64_t longest_stale_ms(const struct rules *rules, const struct instance *instance)
{
    int64_t longest_ms = 0;
    uint32_t sensor;
    for (size_t i = 0; catalog_source(&rules->catalog, instance, i, &sensor); i++) {
        if (sensor >= rules->catalog.n_sensors) /* another rule */
            continue;
        int64_t stale_ms = rules->catalog.facts.at[sensor].stale_ms;
        if (stale_ms != CLOCK_NEVER && stale_ms > longest_ms)
            longest_ms = stale_ms;
    }
    return longest_ms;
}

static int64_t blind_due_ms(const struct rules *rules, const struct instance *instance)
{
    if (instance->last.blind || instance->lost_ms == CLOCK_NEVER)
        return CLOCK_NEVER;
    return instance->lost_ms + longest_stale_ms(rules, instance);
}

void judge_plan(struct rules *rules, uint32_t index)
{
    struct instance *instance = &rules->catalog.instances[index];
    int64_t due_ms = life_due_ms(&instance->life, &instance->rule->terms);
    int64_t blind_ms = blind_due_ms(rules, instance);
    if (blind_ms < due_ms)
        due_ms = blind_ms;
    if (instance->last.muted_until_ms < due_ms)
        due_ms = instance->last.muted_until_ms;
    if (instance->look_ms < due_ms)
        due_ms = instance->look_ms;
    if (due_ms == instance->due_ms)
        return;
    instance->due_ms = due_ms;
    if (due_ms == CLOCK_NEVER)
        heap_remove(rules->due, index);
    else
        heap_set(rules->due, index, due_ms);
}

/* -- the state -- */

static double limit_now(const struct rules *rules, const struct instance *instance, int64_t now_ms)
{
    const struct code *code = &instance->rule->limit;
    if (code->length == 0)
        return (double)NAN;
    struct cell cell = evaluate(code, &rules->catalog.facts, instance->slots, now_ms, NULL);
    return cell.kind == CELL_NUMBER ? cell.number : (double)NAN;
}

static void set_value(const struct rules *rules, struct instance *instance, int64_t now_ms)
{
    struct rule_transition *change = &instance->last;
    change->kind = VALUE_NONE;
    if (instance->slots[0] == RULES_NO_SENSOR)
        return;
    const struct fact *fact = &rules->catalog.facts.at[instance->slots[0]];
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
    if (life->fired_ms != CLOCK_NEVER)
        change->fired_ms = life->fired_ms;
    set_value(rules, instance, now_ms);
    engine_rule_changed(rules, change->instance);
    /* What was crossed is told by the way up; on the way back the value is on the other side. */
    if (life->state == RULE_PENDING || before->fired_ms == CLOCK_NEVER)
        change->limit = limit_now(rules, instance, now_ms);
    if (before->fired_ms != CLOCK_NEVER && life->fired_ms == CLOCK_NEVER) {
        instance->cleared_ms = now_ms;
        instance->wall_fired_ms = CLOCK_NEVER;
        change->acked = false;
    }
}

/* -- sight -- */

uint32_t judge_lost_sensor(const struct rules *rules, const struct instance *instance,
                           int64_t now_ms)
{
    uint32_t sensor;
    for (size_t i = 0; catalog_source(&rules->catalog, instance, i, &sensor); i++)
        if (sensor < rules->catalog.n_sensors &&
            now_ms >= rules->catalog.facts.at[sensor].fresh_until_ms)
            return sensor;
    return RULES_NO_SENSOR;
}

static void set_sight(struct rules *rules, uint32_t index, bool blind, int64_t now_ms,
                      const char *why)
{
    rules->catalog.instances[index].last.blind = blind;
    tell_sight(rules, index, now_ms, why);
}

/* While a sensor has still the time to be read first, nothing begins and nothing ends. */
static void watch_sight(struct rules *rules, uint32_t index, bool is_known, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (is_known) {
        instance->lost_ms = CLOCK_NEVER;
        if (instance->last.blind)
            set_sight(rules, index, false, now_ms, NULL);
    } else if (judge_lost_sensor(rules, instance, now_ms) == RULES_NO_SENSOR) {
        instance->lost_ms = CLOCK_NEVER;
    } else if (instance->lost_ms == CLOCK_NEVER) {
        instance->lost_ms = now_ms;
    }
    if (blind_due_ms(rules, instance) <= now_ms)
        set_sight(rules, index, true, now_ms, NULL);
}

/* -- all of it -- */

static void end_mute(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    instance->last.muted = false;
    instance->last.muted_until_ms = CLOCK_NEVER;
    instance->wall_muted_ms = CLOCK_NEVER;
    tell_order(rules, index, RULE_EVENT_UNMUTED, now_ms, NULL, "its time is over");
    tell_rest_over(rules, index, now_ms);
}

static enum truth truth_of(const struct rules *rules, struct instance *instance, int64_t now_ms)
{
    struct outlook outlook;
    const struct rule *rule = instance->rule;
    const struct code *code = life_wants_clear(&instance->life) ? &rule->clear : &rule->when;
    struct cell cell = evaluate(code, &rules->catalog.facts, instance->slots, now_ms, &outlook);
    instance->look_ms = outlook.next_ms;
    if (cell.kind == CELL_BOOL)
        return cell.is ? TRUTH_TRUE : TRUTH_FALSE;
    return outlook.waiting && !outlook.stale ? TRUTH_WAITING : TRUTH_UNKNOWN;
}

void judge(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    const struct rule *rule = instance->rule;
    if (instance->last.muted_until_ms <= now_ms)
        end_mute(rules, index, now_ms);
    enum truth truth = truth_of(rules, instance, now_ms);
    bool is_known = truth == TRUTH_TRUE || truth == TRUTH_FALSE;
    struct life before = instance->life;
    if (life_step(&instance->life, &rule->terms, truth, now_ms)) {
        truth_of(rules, instance, now_ms); /* the other condition may change at another time */
        record(rules, instance, &before, now_ms);
        tell_transition(rules, index, NULL);
    }
    if (!is_known || instance->last.blind || instance->lost_ms != CLOCK_NEVER)
        watch_sight(rules, index, is_known, now_ms);
    judge_plan(rules, index);
}

void judge_retire(struct rules *rules, uint32_t index, int64_t now_ms, const char *why)
{
    struct instance *instance = &rules->catalog.instances[index];
    struct life before = instance->life;
    instance->life = life_new();
    if (before.state != RULE_OK) {
        record(rules, instance, &before, now_ms);
        tell_transition(rules, index, why);
    }
    instance->lost_ms = CLOCK_NEVER;
    if (instance->last.blind)
        set_sight(rules, index, false, now_ms, why);
    judge_plan(rules, index);
}
