/* Orders of people: acknowledge, mute, enable, adjust. */
#include "gateway/base/clock.h"
#include "rules/engine.h"
#include "rules/formula.h"
#include "rules/limit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUTE_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)

typedef int (*order_function)(struct rules *rules, uint32_t index, const struct rules_order *order,
                              int64_t now_ms, struct error *reterr);

static int order_ack(struct rules *rules, uint32_t index, const struct rules_order *order,
                     int64_t now_ms, struct error *reterr)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (!instance_fires(instance))
        return error_set(reterr, -EALREADY, "%s: nothing to acknowledge, it is %s", instance->id,
                         rule_state_name(instance->last.to));
    if (instance->last.acked)
        return error_set(reterr, -EALREADY, "%s: it is acknowledged already", instance->id);
    instance->last.acked = true;
    engine_rule_changed(rules, index);
    tell_order(rules, index, RULE_EVENT_ACKED, now_ms, order, NULL);
    return 0;
}

static int order_mute(struct rules *rules, uint32_t index, const struct rules_order *order,
                      int64_t now_ms, struct error *reterr)
{
    struct instance *instance = &rules->catalog.instances[index];
    int64_t until_ms = order->until_ms == CLOCK_NEVER ? now_ms + RULES_MUTE_MS : order->until_ms;
    if (until_ms <= now_ms)
        return error_set(reterr, -ERANGE, "%s: the end of this mute has passed", instance->id);
    if (until_ms > now_ms + MUTE_MAX_MS)
        return error_set(reterr, -ERANGE, "%s: a mute ends within a year; disable it instead",
                         instance->id);
    instance->last.muted = true;
    instance->last.muted_until_ms = until_ms;
    instance->wall_muted_ms = CLOCK_NEVER;
    tell_order(rules, index, RULE_EVENT_MUTED, now_ms, order, NULL);
    return 0;
}

static int order_unmute(struct rules *rules, uint32_t index, const struct rules_order *order,
                        int64_t now_ms, struct error *reterr)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (!instance->last.muted)
        return error_set(reterr, -EALREADY, "%s: it is not muted", instance->id);
    instance->last.muted = false;
    instance->last.muted_until_ms = CLOCK_NEVER;
    instance->wall_muted_ms = CLOCK_NEVER;
    tell_order(rules, index, RULE_EVENT_UNMUTED, now_ms, order, NULL);
    return 0;
}

static int order_enable(struct rules *rules, uint32_t index, const struct rules_order *order,
                        int64_t now_ms, struct error *reterr)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (!instance->last.disabled)
        return error_set(reterr, -EALREADY, "%s: it is enabled already", instance->id);
    instance->last.disabled = false;
    tell_order(rules, index, RULE_EVENT_ENABLED, now_ms, order, NULL);
    return 0;
}

static int order_disable(struct rules *rules, uint32_t index, const struct rules_order *order,
                         int64_t now_ms, struct error *reterr)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (instance->last.disabled)
        return error_set(reterr, -EALREADY, "%s: it is disabled already", instance->id);
    instance->last.disabled = true;
    tell_order(rules, index, RULE_EVENT_DISABLED, now_ms, order, NULL);
    return 0;
}

static int find_limit(const struct instance *instance, const char *key, uint8_t *ret_limit,
                      struct error *reterr)
{
    const struct rule *rule = instance->rule;
    uint8_t limit = key ? limit_find(rule, key) : LIMIT_ALONE;
    if (rule->n_limits == 0)
        return error_set(reterr, -EPERM, "%s: its limits are not adjustable", instance->id);
    if (limit == LIMIT_ALONE)
        return error_set(reterr, -ENOENT, "%s: it has no limit \"%.60s\", but %s%s%s", instance->id,
                         key ? key : "", rule->limits[0].key, rule->n_limits > 1 ? " and " : "",
                         rule->n_limits > 1 ? rule->limits[1].key : "");
    *ret_limit = limit;
    return 0;
}

static int order_limit(struct rules *rules, uint32_t index, const struct rules_order *order,
                       int64_t now_ms, struct error *reterr)
{
    struct instance *instance = &rules->catalog.instances[index];
    uint8_t limit = LIMIT_ALONE;
    int result = find_limit(instance, order->key, &limit, reterr);
    if (result)
        return result;
    result = limit_check(&instance->rule->limits[limit], order->value, reterr);
    if (result == 0)
        result = limit_check_other(&rules->catalog, instance, limit, order->value, reterr);
    if (result) {
        error_prefix(reterr, "%s", instance->id);
        return result;
    }
    if (limit_value(&rules->catalog, instance, limit) == order->value)
        return error_set(reterr, -EALREADY, "%s: %s is that already", instance->id, order->key);
    limit_set(&rules->catalog, instance, limit, order->value);
    tell_limit(rules, index, limit, now_ms, order, NULL);
    return 0;
}

/* The limits of the file go together, but perhaps not with what the other limit of the sensor was
 * set to. */
static int check_reset(const struct rules *rules, const struct instance *instance,
                       struct error *reterr)
{
    const struct rule *rule = instance->rule;
    int result = 0;
    for (uint8_t i = 0; i < rule->n_limits && result == 0; i++)
        if (rule->limits[i].other == LIMIT_PARTNER)
            result = limit_check_other(&rules->catalog, instance, i, rule->limits[i].file, reterr);
    if (result)
        error_prefix(reterr, "%s", instance->id);
    return result;
}

static int order_reset(struct rules *rules, uint32_t index, const struct rules_order *order,
                       int64_t now_ms, struct error *reterr)
{
    struct instance *instance = &rules->catalog.instances[index];
    char why[80];
    int result = check_reset(rules, instance, reterr);
    if (result)
        return result;
    for (uint8_t i = 0; i < instance->rule->n_limits; i++) {
        double file = instance->rule->limits[i].file;
        if (limit_value(&rules->catalog, instance, i) == file)
            continue;
        limit_set(&rules->catalog, instance, i, file);
        tell_limit(rules, index, i, now_ms, order, "reset");
    }
    snprintf(why, sizeof why, "reset%s%.60s", order->by ? " by " : "", order->by ? order->by : "");
    judge_retire(rules, index, now_ms, why);
    tell_changed(rules, index);
    return 0;
}

static const order_function orders[] = {
    [ORDER_ACK] = order_ack,       [ORDER_MUTE] = order_mute,       [ORDER_UNMUTE] = order_unmute,
    [ORDER_ENABLE] = order_enable, [ORDER_DISABLE] = order_disable, [ORDER_LIMIT] = order_limit,
    [ORDER_RESET] = order_reset,
};

/* By sensor, whether the order is about what reads it; to be freed. NULL without memory. */
static bool *mark_sensors(const struct catalog *catalog, const struct rules_order *order)
{
    bool *marks = calloc((size_t)catalog->n_sensors + 1, sizeof *marks);
    uint32_t source;
    for (uint32_t i = 0; marks && i < order->n_sensors; i++)
        marks[order->first_sensor + i] = true;
    if (marks && order->online)
        marks[*order->online] = true;
    for (uint32_t i = 0; marks && i < catalog->n_derived; i++) {
        const struct derived *derived = &catalog->derived[i];
        for (size_t k = 0; formula_source(&derived->formula, derived->sensor, k, &source); k++)
            if (source != RULES_NO_SENSOR && marks[source])
                marks[derived->sensor] = true;
    }
    return marks;
}

static bool reads_one_of(const struct catalog *catalog, const struct instance *instance,
                         const bool *marks)
{
    uint32_t source;
    for (size_t i = 0; catalog_source(catalog, instance, i, &source); i++)
        if (source < catalog->n_sensors && marks[source])
            return true;
    return false;
}

static bool is_meant(const struct rules *rules, const struct rules_order *order, const bool *marks,
                     const struct instance *instance)
{
    return order->target ? strcmp(instance->rule->name, order->target) == 0
                         : reads_one_of(&rules->catalog, instance, marks);
}

/* Every instance that is meant; the first refusal is put down. */
static int order_each(struct rules *rules, const struct rules_order *order, const bool *marks,
                      int64_t now_ms, struct error *reterr)
{
    int taken = 0;
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        if (!is_meant(rules, order, marks, &rules->catalog.instances[i]))
            continue;
        taken += orders[order->kind](rules, i, order, now_ms, reterr->code ? NULL : reterr) == 0;
        judge(rules, i, now_ms);
    }
    return taken;
}

/* The first refusal counts when nobody takes it. */
static int order_all(struct rules *rules, const struct rules_order *order, int64_t now_ms,
                     struct error *reterr)
{
    struct error first = {0};
    bool *marks = order->target ? NULL : mark_sensors(&rules->catalog, order);
    if (!order->target && !marks)
        return error_set(reterr, -ENOMEM, "out of memory");
    int taken = order_each(rules, order, marks, now_ms, &first);
    free(marks);
    if (taken > 0)
        return taken;
    if (first.code)
        return error_set(reterr, first.code, "%s", first.text);
    return order->target ? error_set(reterr, -ENOENT, "there is no rule \"%.130s\"", order->target)
                         : error_set(reterr, -ENOENT, "no rule reads it");
}

int rules_order(struct rules *rules, const struct rules_order *order, int64_t now_ms,
                struct error *reterr)
{
    if ((!order->target && order->n_sensors == 0) ||
        order->kind >= sizeof orders / sizeof orders[0])
        return error_set(reterr, -EINVAL, "an order needs its kind and a rule");
    now_ms = engine_advance(rules, now_ms);
    engine_run_due(rules, now_ms);
    uint32_t one = order->target ? rules_find(rules, order->target) : RULES_NO_INSTANCE;
    if (one == RULES_NO_INSTANCE) {
        int taken = order_all(rules, order, now_ms, reterr);
        engine_judge_later(rules, now_ms);
        return taken;
    }
    int result = orders[order->kind](rules, one, order, now_ms, reterr);
    judge(rules, one, now_ms);
    engine_judge_later(rules, now_ms);
    return result ? result : 1;
}
