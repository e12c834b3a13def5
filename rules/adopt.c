/* Adopting: a reload hands what stands in the old rules over to the new ones. */
#include "gateway/base/clock.h"
#include "rules/engine.h"
#include "rules/limit.h"

#include <assert.h>
#include <string.h>

/* -- sensors -- */

static void adopt_fact(struct rules *fresh, uint32_t sensor, const struct fact *from)
{
    struct fact *fact = &fresh->catalog.facts.at[sensor];
    if (fact->wanted_kind != from->wanted_kind)
        return;
    if (from->kind == VALUE_NUMBER)
        fact->number = from->number;
    else
        fact->text = from->text;
    fact->kind = from->kind;
    fact->at_ms = from->at_ms;
    fact->bad_ms = from->bad_ms;
    fact->quality = from->quality;
    if (fact->is_event) {
        fact->fresh_until_ms = from->is_event ? from->fresh_until_ms : CLOCK_NEVER;
        return;
    }
    /* `stale` may be another one now; who was never read goes on waiting as before. */
    if (from->kind != VALUE_NONE)
        fact->fresh_until_ms = engine_sum_ms(from->at_ms, fact->stale_ms);
    else if (fact->stale_ms == from->stale_ms)
        fact->fresh_until_ms = from->fresh_until_ms;
}

static void adopt_facts(struct rules *fresh, const struct rules *old, const uint32_t *sensors)
{
    for (uint32_t i = 0; i < old->catalog.n_sensors; i++)
        if (sensors[i] < fresh->catalog.n_sensors) {
            adopt_fact(fresh, sensors[i], &old->catalog.facts.at[i]);
            windows_adopt(fresh->catalog.facts.windows, sensors[i], old->catalog.facts.windows, i);
        }
    for (uint32_t s = 0; s < fresh->catalog.n_sensors; s++) {
        int64_t until_ms = fresh->catalog.facts.at[s].fresh_until_ms;
        if (fresh->first[s] < fresh->first[s + 1] && until_ms != CLOCK_NEVER)
            engine_watch_sensor(fresh, s, until_ms > fresh->now_ms ? until_ms : fresh->now_ms);
    }
}

/* -- instances -- */

static void adopt_limits(struct rules *fresh, uint32_t index, const struct rules *old,
                         const struct instance *from, int64_t now_ms)
{
    for (uint8_t i = 0; i < from->rule->n_limits; i++) {
        const struct limit *limit = &from->rule->limits[i];
        if (from->adjusted & 1u << i)
            save_take_limit(fresh, index, limit->key, limit_value(&old->catalog, from, i),
                            limit->file, now_ms);
    }
}

/* The life, the flags and what was told; who and where it is stays its own. */
static void adopt_life(struct instance *to, const struct instance *from)
{
    uint32_t index = to->last.instance;
    for (uint8_t i = 0; i < to->rule->n_levels && i < from->rule->n_levels; i++)
        to->lives[i] = from->lives[i];
    to->last = from->last;
    to->last.instance = index;
    to->last.inactive = to->last.inactive && to->rule->n_active > 0;
    to->last.inhibited = to->last.inhibited && to->rule->n_inhibitors > 0;
    if (to->last.level >= to->rule->n_levels)
        to->last.level = 0;
    to->last.severity = to->rule->levels[to->last.level].severity;
    memcpy(to->told, from->told, sizeof to->told);
    to->lost_ms = from->lost_ms;
    to->cleared_ms = from->cleared_ms;
    to->cool_ms = from->cool_ms;
    to->cut_ms = from->cut_ms;
    to->yielded = from->yielded;
    to->reminder = from->reminder;
    to->wall_fired_ms = from->wall_fired_ms;
    to->wall_muted_ms = from->wall_muted_ms;
}

/* Nobody is left to tell its end later. */
static void end_gone(struct rules *old, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &old->catalog.instances[index];
    instance->last.muted = instance->last.disabled = instance->last.inhibited = false;
    instance->cut_ms = INT64_MIN;
    instance->speaks = true;
    instance->last.muted_until_ms = CLOCK_NEVER;
    judge_retire(old, index, now_ms, "the rule is gone");
    tell_owed(old, index, now_ms);
}

#define NOT_PLANNED INT64_MIN /* when it is due, as nothing else is */

static void judge_soon(struct rules *fresh, uint32_t index)
{
    fresh->catalog.instances[index].due_ms = fresh->now_ms;
    heap_set(fresh->due, index, fresh->now_ms);
}

static void adopt_instance(struct rules *fresh, uint32_t index, struct rules *old, uint32_t from,
                           int64_t now_ms)
{
    struct instance *to = &fresh->catalog.instances[index];
    bool is_other = to->rule->print != old->catalog.instances[from].rule->print;
    if (is_other)
        judge_retire(old, from, now_ms, "the rule has changed");
    adopt_life(to, &old->catalog.instances[from]);
    adopt_limits(fresh, index, old, &old->catalog.instances[from], now_ms);
    if (is_other || old->catalog.instances[from].is_changed) /* else what is saved of it holds */
        tell_changed(fresh, index);
    const struct rule *rule = to->rule; /* what it holds it has to say again */
    if (is_other || rule->while_firing.count > 0 || rule->while_ok.count > 0 || tell_is_owed(to))
        judge_soon(fresh, index);
    else
        judge_plan(fresh, index);
}

void rules_adopt(struct rules *fresh, struct rules *old, const uint32_t *sensors,
                 const uint32_t *instances, int64_t now_ms)
{
    assert(!fresh->started);
    now_ms = engine_advance(old, now_ms);
    engine_run_due(old, now_ms);
    engine_advance(fresh, now_ms);
    for (uint32_t i = 0; i < fresh->catalog.n_instances; i++)
        fresh->catalog.instances[i].due_ms = NOT_PLANNED;
    for (uint32_t i = 0; i < old->catalog.n_instances; i++) {
        if (instances[i] == RULES_NO_INSTANCE)
            end_gone(old, i, now_ms);
        else
            adopt_instance(fresh, instances[i], old, i, now_ms);
    }
    for (uint32_t i = 0; i < fresh->catalog.n_instances; i++)
        if (fresh->catalog.instances[i].due_ms == NOT_PLANNED) /* it is new */
            judge_soon(fresh, i);
    adopt_facts(fresh, old, sensors);
    bus_count(fresh);
    save_settle_limits(fresh, now_ms);
}
