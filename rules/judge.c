/* Judging: one instance, its condition, its timers and its sight, at one instant. */
#include "gateway/base/clock.h"
#include "rules/engine.h"

#include <math.h>

/* -- what is due next -- */

int64_t judge_longest_stale_ms(const struct rules *rules, const struct instance *instance)
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
    return instance->lost_ms + judge_longest_stale_ms(rules, instance);
}

/* A cooldown keeps it from firing, not from getting graver. */
static int64_t earliest_ms(const struct instance *instance)
{
    return instance_fires(instance) ? INT64_MIN : instance->cool_ms;
}

static int64_t lives_due_ms(const struct instance *instance)
{
    int64_t due_ms = CLOCK_NEVER;
    for (uint8_t i = 0; i < instance->rule->n_levels; i++) {
        int64_t at_ms = life_due_ms(&instance->lives[i], &instance->rule->levels[i].terms,
                                    earliest_ms(instance));
        due_ms = at_ms < due_ms ? at_ms : due_ms;
    }
    return due_ms;
}

void judge_plan(struct rules *rules, uint32_t index)
{
    struct instance *instance = &rules->catalog.instances[index];
    int64_t due_ms = lives_due_ms(instance);
    int64_t blind_ms = blind_due_ms(rules, instance);
    if (blind_ms < due_ms)
        due_ms = blind_ms;
    if (instance->last.muted_until_ms < due_ms)
        due_ms = instance->last.muted_until_ms;
    if (instance->look_ms < due_ms)
        due_ms = instance->look_ms;
    if (instance->rule->n_active > 0 && instance->active_ms < due_ms)
        due_ms = instance->active_ms;
    if (instance->cut_ms != INT64_MIN && instance->cut_ms < due_ms)
        due_ms = instance->cut_ms;
    if (remind_due_ms(instance) < due_ms)
        due_ms = remind_due_ms(instance);
    if (due_ms == instance->due_ms)
        return;
    instance->due_ms = due_ms;
    if (due_ms == CLOCK_NEVER)
        heap_remove(rules->due, index);
    else
        heap_set(rules->due, index, due_ms);
}

/* -- the state -- */

static double limit_now(const struct rules *rules, const struct instance *instance,
                        const struct level *level, int64_t now_ms)
{
    if (level->limit.length == 0)
        return (double)NAN;
    struct cell cell =
        evaluate(&level->limit, &rules->catalog.facts, instance->slots, now_ms, NULL);
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

/* What the lives of all levels come to. */
struct outcome {
    uint8_t state, level;
};

static struct outcome outcome_of(const struct instance *instance)
{
    struct outcome outcome = {RULE_OK, instance->last.level};
    for (uint8_t i = 0; i < instance->rule->n_levels; i++) {
        uint8_t state = instance->lives[i].state;
        if (state_fires(state) || (state == RULE_PENDING && !state_fires(outcome.state)))
            outcome = (struct outcome){state, i};
    }
    if (instance->rule->latch && instance_fires(instance) && !state_fires(outcome.state) &&
        !instance->last.acked)
        outcome = (struct outcome){RULE_FIRING, instance->last.level};
    return outcome;
}

static void begin_firing(struct rule_transition *change, int64_t now_ms)
{
    change->since_ms = change->fired_ms = now_ms;
}

static void end_firing(struct instance *instance, int64_t now_ms)
{
    instance->cleared_ms = now_ms;
    instance->wall_fired_ms = CLOCK_NEVER;
    instance->last.since_ms = CLOCK_NEVER;
    instance->last.acked = false;
    if (instance->rule->cooldown_ms > 0)
        instance->cool_ms = now_ms + instance->rule->cooldown_ms;
}

static void record(struct rules *rules, struct instance *instance, struct outcome outcome,
                   int64_t now_ms)
{
    struct rule_transition *change = &instance->last;
    const struct level *level = &instance->rule->levels[outcome.level];
    bool fired = state_fires(change->to), fires = state_fires(outcome.state);
    bool is_up = fires && (!fired || outcome.level > change->level);
    /* What was crossed is told by the way up; on the way back the value is on the other side. */
    if (outcome.state == RULE_PENDING || is_up || (fires && outcome.level != change->level))
        change->limit = limit_now(rules, instance, level, now_ms);
    change->from = change->to;
    change->to = outcome.state;
    change->level = outcome.level;
    change->severity = level->severity;
    change->at_ms = now_ms;
    if (is_up && (!fired || change->acked))
        remind_begin(instance);
    if (is_up)
        change->acked = false; /* a graver level wants to be seen as well */
    if (fires && !fired)
        begin_firing(change, now_ms);
    else if (fired && !fires)
        end_firing(instance, now_ms);
    set_value(rules, instance, now_ms);
    engine_rule_changed(rules, change->instance);
}

/* Takes over what the lives of the levels came to; says when that is something new. */
static void settle(struct rules *rules, uint32_t index, struct outcome outcome, int64_t now_ms,
                   const char *why)
{
    struct instance *instance = &rules->catalog.instances[index];
    bool other_level = state_fires(outcome.state) && outcome.level != instance->last.level;
    if (outcome.state == instance->last.to && !other_level)
        return;
    uint8_t before = instance->last.severity, kind = CHANGE_ONLY;
    record(rules, instance, outcome, now_ms);
    if (state_fires(instance->last.from) != instance_fires(instance))
        kind = instance_fires(instance) ? RULE_EVENT_FIRED : RULE_EVENT_CLEARED;
    else if (other_level)
        kind = RULE_EVENT_LEVEL;
    tell_transition(rules, index, kind, before, why);
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
static void watch_sight(struct rules *rules, uint32_t index, enum truth truth, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (truth == TRUTH_TRUE) {
        instance->lost_ms = CLOCK_NEVER;
        if (instance->last.blind)
            set_sight(rules, index, false, now_ms, NULL);
    } else if (truth == TRUTH_WAITING ||
               judge_lost_sensor(rules, instance, now_ms) == RULES_NO_SENSOR) {
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
}

static enum truth truth_of(const struct rules *rules, const struct instance *instance,
                           uint8_t level, int64_t now_ms, int64_t *ret_look_ms)
{
    struct outlook outlook;
    const struct level *of = &instance->rule->levels[level];
    const struct code *code = life_wants_clear(&instance->lives[level]) ? &of->clear : &of->when;
    struct cell cell = evaluate(code, &rules->catalog.facts, instance->slots, now_ms, &outlook);
    *ret_look_ms = outlook.next_ms;
    if (cell.kind == CELL_BOOL)
        return cell.is ? TRUTH_TRUE : TRUTH_FALSE;
    return outlook.waiting && !outlook.stale ? TRUTH_WAITING : TRUTH_UNKNOWN;
}

/* From the gravest down, so that each knows whether one above it fires. TRUTH_TRUE: all are known,
 * TRUTH_WAITING: no sensor is to blame for those that are not. */
static enum truth step_levels(const struct rules *rules, struct instance *instance, int64_t now_ms)
{
    struct life_input input = {
        .by_reading = instance->is_read, .earliest_ms = earliest_ms(instance), .now_ms = now_ms};
    enum truth least = TRUTH_TRUE;
    for (uint8_t i = instance->rule->n_levels; i-- > 0;) {
        struct life *life = &instance->lives[i];
        int64_t look_ms;
        bool fired = life_wants_clear(life);
        input.truth = (uint8_t)truth_of(rules, instance, i, now_ms, &look_ms);
        if (input.truth == TRUTH_UNKNOWN ||
            (input.truth == TRUTH_WAITING && least != TRUTH_UNKNOWN))
            least = (enum truth)input.truth;
        if (life_step(life, &instance->rule->levels[i].terms, &input))
            truth_of(rules, instance, i, now_ms, &look_ms); /* the other condition may change at
                                                               another time */
        input.at_once = input.at_once || fired || life_wants_clear(life);
        instance->look_ms = look_ms < instance->look_ms ? look_ms : instance->look_ms;
    }
    return least;
}

static void judge_condition(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    enum truth truth = step_levels(rules, instance, now_ms);
    bool is_known = truth == TRUTH_TRUE;
    settle(rules, index, outcome_of(instance), now_ms, NULL);
    if (!is_known || instance->last.blind || instance->lost_ms != CLOCK_NEVER)
        watch_sight(rules, index, truth, now_ms);
    /* Before anything is known nothing is written, but for an alarm that fired before. */
    if (!instance->holds && (is_known || instance_fires(instance)))
        tell_holds(rules, index, now_ms);
}

/* -- what others and the time of day say -- */

static void look_at_inhibitors(struct rules *rules, uint32_t index)
{
    struct instance *instance = &rules->catalog.instances[index];
    const struct rule *rule = instance->rule;
    bool inhibited = false;
    for (size_t i = 0; i < rule->n_inhibitors && !inhibited; i++)
        inhibited = catalog_rule_is(&rules->catalog, rule->inhibitors[i], RULE_IS_FIRING);
    if (inhibited == instance->last.inhibited)
        return;
    instance->last.inhibited = inhibited;
    tell_flag(rules, index);
}

static bool is_active(const struct rule *rule, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm now;
    if (!localtime_r(&seconds, &now))
        return true;
    for (size_t i = 0; i < rule->n_active; i++)
        if (active_at(&rule->active[i], &now))
            return true;
    return rule->n_active == 0;
}

/* Its times begin and end at full minutes. As long as nobody knows what time it is, it stays as it
 * was. Returns whether it is to be judged. */
static bool look_at_clock(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    bool was_looked_at = instance->active_ms != CLOCK_NEVER;
    if (instance->rule->n_active == 0 || (was_looked_at && now_ms < instance->active_ms))
        return !instance->last.inactive;
    int64_t wall_ms = clock_wall_ms(now_ms);
    if (!clock_wall_is_good()) {
        instance->active_ms = now_ms + 1000;
        return !instance->last.inactive;
    }
    instance->active_ms = now_ms + 60000 - wall_ms % 60000;
    bool active = is_active(instance->rule, wall_ms);
    if (active != instance->last.inactive)
        return active;
    instance->last.inactive = !active;
    if (!active)
        judge_retire(rules, index, now_ms, "outside of its active times");
    tell_flag(rules, index);
    return active;
}

void judge(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (instance->last.muted_until_ms <= now_ms)
        end_mute(rules, index, now_ms);
    instance->look_ms = CLOCK_NEVER;
    if (rules->buses_down > 0 || rules->doubt_ms > now_ms || instance->cut_ms != INT64_MIN)
        bus_look(rules, instance, now_ms);
    if (instance->rule->n_inhibitors > 0)
        look_at_inhibitors(rules, index);
    if (look_at_clock(rules, index, now_ms))
        judge_condition(rules, index, now_ms);
    instance->is_read = false;
    tell_owed(rules, index, now_ms);
    remind(rules, index, now_ms);
    judge_plan(rules, index);
}

void judge_retire(struct rules *rules, uint32_t index, int64_t now_ms, const char *why)
{
    struct instance *instance = &rules->catalog.instances[index];
    for (uint8_t i = 0; i < instance->rule->n_levels; i++)
        instance->lives[i] = life_new();
    settle(rules, index, (struct outcome){RULE_OK, instance->last.level}, now_ms, why);
    instance->cool_ms = INT64_MIN;
    instance->look_ms = CLOCK_NEVER;
    instance->lost_ms = CLOCK_NEVER;
    if (instance->last.blind)
        set_sight(rules, index, false, now_ms, why);
    judge_plan(rules, index);
}
