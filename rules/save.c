/* Saving: how an instance stands, as one line, and back. */
#include "rules/saved.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "rules/engine.h"
#include "rules/limit.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* -- from an instance to a line -- */

static struct moment moment_of(int64_t at_ms, int64_t now_ms, int64_t wall_ms)
{
    struct moment moment = {CLOCK_NEVER, CLOCK_NEVER};
    if (at_ms == CLOCK_NEVER)
        return moment;
    moment.age_ms = at_ms < now_ms ? now_ms - at_ms : 0;
    if (wall_ms != CLOCK_NEVER)
        moment.wall_ms = wall_ms - moment.age_ms;
    return moment;
}

static void keep_limits(const struct catalog *catalog, const struct instance *instance,
                        struct saved *saved)
{
    for (uint8_t i = 0; i < instance->rule->n_limits; i++) {
        const struct limit *limit = &instance->rule->limits[i];
        if (!(instance->adjusted & 1u << i))
            continue;
        struct saved_limit *to = &saved->limits[saved->n_limits++];
        snprintf(to->key, sizeof to->key, "%s", limit->key);
        to->value = limit_value(catalog, instance, i);
        to->file = limit->file;
    }
}

/* Wall times that could not be used yet are handed on as they are. */
static void keep_flags(const struct instance *instance, int64_t now_ms, int64_t wall_ms,
                       struct saved *saved)
{
    saved->acked = instance->last.acked;
    saved->disabled = instance->last.disabled;
    saved->inactive = instance->last.inactive;
    saved->blind = instance->last.blind;
    if (wall_ms == CLOCK_NEVER && saved->fired.age_ms != CLOCK_NEVER)
        saved->fired.wall_ms = instance->wall_fired_ms;
    if (!instance->last.muted)
        return;
    int64_t left_ms = instance->last.muted_until_ms - now_ms;
    saved->muted.age_ms = left_ms > 0 ? left_ms : 0;
    saved->muted.wall_ms =
        wall_ms != CLOCK_NEVER ? wall_ms + saved->muted.age_ms : instance->wall_muted_ms;
}

static void keep_told(const struct instance *instance, struct saved *saved)
{
    const struct told_of *people = &instance->told[WAY_NOTIFY];
    const struct told_of *machines = &instance->told[WAY_PUBLISH];
    saved->told = people->firing;
    saved->level_told = people->firing == TOLD_THIS ? people->level : 0;
    saved->blind_told = people->blind;
    saved->published = machines->firing;
    saved->blind_published = machines->blind;
}

/* Of an instance that rests in ok only evaluations that held are worth a line. */
static void keep_lives(const struct instance *instance, int64_t now_ms, struct saved *saved)
{
    for (uint8_t i = 0; i < instance->rule->n_levels; i++) {
        const struct life *life = &instance->lives[i];
        bool timed = life->state == RULE_PENDING || life->state == RULE_RECOVERING;
        saved->lives[i] = (struct saved_life){.state = life->state};
        if (timed)
            saved->lives[i].ran_ms = life_elapsed_ms(life, now_ms);
        if (life->hits == 0)
            continue;
        saved->lives[i].hits = life->hits;
        saved->lives[i].n_hits = life->n_hits;
    }
}

static bool is_nothing(const struct saved *saved)
{
    for (size_t i = 0; i < RULES_LEVELS_MAX; i++)
        if (saved->lives[i].state != RULE_OK || saved->lives[i].n_hits > 0)
            return false;
    return saved->state == RULE_OK && saved->told == TOLD_NOTHING &&
           saved->published == TOLD_NOTHING && !saved->disabled && !saved->inactive &&
           !saved->blind && !saved->blind_told && !saved->blind_published &&
           saved->muted.age_ms == CLOCK_NEVER && saved->n_limits == 0 && saved->cool_ms == 0 &&
           saved->yielded == 0;
}

static struct saved saved_of(const struct rules *rules, const struct instance *instance,
                             int64_t now_ms, int64_t wall_ms)
{
    struct saved saved = saved_nothing;
    saved.print = instance->rule->print;
    saved.state = instance->last.to;
    keep_lives(instance, now_ms, &saved);
    keep_told(instance, &saved);
    if (saved.state != RULE_OK || saved.told != TOLD_NOTHING || saved.published != TOLD_NOTHING) {
        saved.level = instance->last.level;
        saved.changed = moment_of(instance->last.at_ms, now_ms, wall_ms);
        saved.fired = moment_of(instance->last.fired_ms, now_ms, wall_ms);
        saved.cleared = moment_of(instance->cleared_ms, now_ms, wall_ms);
        saved.limit = instance->last.limit;
        if (instance->last.kind == VALUE_NUMBER)
            saved.value = instance->last.number;
    }
    if (instance->cool_ms > now_ms)
        saved.cool_ms = instance->cool_ms - now_ms;
    if (state_fires(saved.state)) {
        saved.waited_ms = remind_ran_ms(instance, now_ms);
        saved.repeats = instance->reminder.repeats;
        saved.escalated = instance->reminder.escalated;
    }
    saved.yielded = instance->yielded;
    keep_flags(instance, now_ms, wall_ms, &saved);
    keep_limits(&rules->catalog, instance, &saved);
    return saved;
}

size_t rules_save(const struct rules *rules, uint32_t instance, int64_t now_ms, int64_t wall_ms,
                  char text[RULES_SAVED_SIZE])
{
    assert(instance < rules->catalog.n_instances);
    struct saved saved = saved_of(rules, &rules->catalog.instances[instance], now_ms, wall_ms);
    text[0] = '\0';
    return is_nothing(&saved) ? 0 : saved_write(&saved, text);
}

/* -- from a line to an instance -- */

/* When it was, in the boot time of this run. */
static int64_t at_of(const struct moment *moment, int64_t now_ms, int64_t wall_ms)
{
    if (moment->age_ms == CLOCK_NEVER)
        return CLOCK_NEVER;
    bool known = wall_ms != CLOCK_NEVER && moment->wall_ms != CLOCK_NEVER;
    int64_t by_wall_ms = known ? wall_ms - moment->wall_ms : 0;
    return now_ms - (by_wall_ms > moment->age_ms ? by_wall_ms : moment->age_ms);
}

/* A mute ends when people said, also when the gateway was down; a clock that went back since then
 * must not make it longer. */
static int64_t mute_end_ms(int64_t left_ms, int64_t end_wall_ms, int64_t now_ms, int64_t wall_ms)
{
    int64_t by_wall_ms =
        wall_ms != CLOCK_NEVER && end_wall_ms != CLOCK_NEVER ? end_wall_ms - wall_ms : left_ms;
    int64_t shorter_ms = by_wall_ms < left_ms ? by_wall_ms : left_ms;
    return now_ms + (shorter_ms > 0 ? shorter_ms : 0);
}

static void take_told(struct instance *instance, const struct saved *saved)
{
    instance->told[WAY_NOTIFY] = (struct told_of){
        .firing = saved->told, .level = saved->level_told, .blind = saved->blind_told};
    instance->told[WAY_PUBLISH] = (struct told_of){
        .firing = saved->published, .level = saved->level, .blind = saved->blind_published};
}

static void take_lives(struct instance *instance, const struct saved *saved)
{
    for (uint8_t i = 0; i < instance->rule->n_levels; i++) {
        const struct saved_life *from = &saved->lives[i];
        instance->lives[i] = (struct life){.state = from->state,
                                           .n_hits = from->n_hits,
                                           .hits = from->hits,
                                           .ran_ms = from->ran_ms,
                                           .resumed_ms = CLOCK_NEVER};
    }
}

static void take_flags(struct instance *instance, const struct saved *saved, int64_t now_ms,
                       int64_t wall_ms)
{
    struct rule_transition *last = &instance->last;
    last->acked = saved->acked;
    last->disabled = saved->disabled;
    last->inactive = saved->inactive && instance->rule->n_active > 0;
    last->blind = saved->blind;
    last->muted = saved->muted.age_ms != CLOCK_NEVER;
    if (!last->muted)
        return;
    last->muted_until_ms = mute_end_ms(saved->muted.age_ms, saved->muted.wall_ms, now_ms, wall_ms);
    instance->wall_muted_ms = wall_ms == CLOCK_NEVER ? saved->muted.wall_ms : CLOCK_NEVER;
}

/* A level that is no more belongs to a condition that has changed, and ends with it. */
static void take_saved(struct instance *instance, const struct saved *saved, int64_t now_ms,
                       int64_t wall_ms)
{
    struct rule_transition *last = &instance->last;
    bool fires = state_fires(saved->state);
    int64_t changed_ms = at_of(&saved->changed, now_ms, wall_ms);
    last->from = last->to = saved->state;
    last->level = saved->level < instance->rule->n_levels ? saved->level : 0;
    last->severity = instance->rule->levels[last->level].severity;
    last->at_ms = changed_ms == CLOCK_NEVER ? 0 : changed_ms;
    last->fired_ms = at_of(&saved->fired, now_ms, wall_ms);
    last->since_ms = fires ? last->fired_ms : CLOCK_NEVER;
    last->limit = saved->limit;
    last->kind = isfinite(saved->value) ? VALUE_NUMBER : VALUE_NONE;
    last->number = last->kind == VALUE_NUMBER ? saved->value : 0;
    instance->cleared_ms = at_of(&saved->cleared, now_ms, wall_ms);
    instance->wall_fired_ms = wall_ms == CLOCK_NEVER && fires ? saved->fired.wall_ms : CLOCK_NEVER;
    instance->cool_ms = saved->cool_ms > 0 ? now_ms + saved->cool_ms : INT64_MIN;
    instance->reminder = (struct reminder){.ran_ms = saved->waited_ms,
                                           .resumed_ms = CLOCK_NEVER,
                                           .repeats = (uint32_t)saved->repeats,
                                           .escalated = saved->escalated};
    instance->yielded = saved->yielded;
    take_lives(instance, saved);
    take_told(instance, saved);
    take_flags(instance, saved, now_ms, wall_ms);
}

/* -- limits -- */

static void let_file_win(struct rules *rules, uint32_t index, uint8_t limit, double value,
                         const char *why, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    char note[128], was[32];
    text_from_number(was, sizeof was, value, -1);
    snprintf(note, sizeof note, "%s; it was set to %s", why, was);
    limit_set(&rules->catalog, instance, limit, instance->rule->limits[limit].file);
    tell_limit(rules, index, limit, now_ms, NULL, note);
}

void save_take_limit(struct rules *rules, uint32_t index, const char *key, double value,
                     double file, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    uint8_t limit = limit_find(instance->rule, key);
    if (limit == LIMIT_ALONE) { /* the limit itself is gone */
        tell_changed(rules, index);
        return;
    }
    const struct limit *about = &instance->rule->limits[limit];
    if (about->file != file)
        let_file_win(rules, index, limit, value, "the file has a new value", now_ms);
    else if (limit_check(about, value, NULL))
        let_file_win(rules, index, limit, value, "the file no longer allows it", now_ms);
    else
        limit_set(&rules->catalog, instance, limit, value);
}

void save_settle_limits(struct rules *rules, int64_t now_ms)
{
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        struct instance *instance = &rules->catalog.instances[i];
        for (uint8_t l = 0; instance->adjusted && l < instance->rule->n_limits; l++) {
            double value = limit_value(&rules->catalog, instance, l);
            if (instance->adjusted & 1u << l &&
                limit_check_other(&rules->catalog, instance, l, value, NULL))
                let_file_win(rules, i, l, value, "the file no longer allows it", now_ms);
        }
    }
}

/* -- the door -- */

int rules_restore(struct rules *rules, const char *id, const char *text, int64_t now_ms,
                  int64_t wall_ms)
{
    struct saved saved;
    uint32_t index = rules_find(rules, id);
    assert(!rules->started);
    if (index == RULES_NO_INSTANCE)
        return -ENOENT;
    if (!saved_read(text, &saved))
        return -EINVAL;
    struct instance *instance = &rules->catalog.instances[index];
    take_saved(instance, &saved, now_ms, wall_ms);
    for (uint8_t i = 0; i < saved.n_limits; i++)
        save_take_limit(rules, index, saved.limits[i].key, saved.limits[i].value,
                        saved.limits[i].file, now_ms);
    if (saved.print != instance->rule->print)
        judge_retire(rules, index, now_ms, "the rule has changed");
    judge_plan(rules, index);
    return 0;
}

void rules_on_clock(struct rules *rules, int64_t now_ms, int64_t wall_ms)
{
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        struct instance *instance = &rules->catalog.instances[i];
        if (instance->wall_fired_ms != CLOCK_NEVER) {
            int64_t fired_ms = now_ms - (wall_ms - instance->wall_fired_ms);
            if (fired_ms < instance->last.since_ms)
                instance->last.since_ms = instance->last.fired_ms = fired_ms;
            instance->wall_fired_ms = CLOCK_NEVER;
            tell_changed(rules, i);
        }
        if (instance->wall_muted_ms != CLOCK_NEVER) {
            int64_t left_ms = instance->last.muted_until_ms - now_ms;
            instance->last.muted_until_ms =
                mute_end_ms(left_ms, instance->wall_muted_ms, now_ms, wall_ms);
            instance->wall_muted_ms = CLOCK_NEVER;
            tell_changed(rules, i);
        }
        judge_plan(rules, i);
    }
}
