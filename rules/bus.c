/* Buses: while one is down its devices raise no alarm of their own for it.
 *
 * An instance is cut off while every sensor that it reads is of a device on a bus that is down:
 * whatever it finds then, it finds for want of readings. What people were told of before goes on;
 * nothing new is told until the bus is back and the sensors have had their time to be read. An
 * alarm of the bus itself reads a sensor of no such device and is never cut off. */
#include "gateway/base/clock.h"
#include "rules/engine.h"

/* The least time for devices to be found again: they are asked less often while they are away. */
#define GRACE_MS 30000

static bool is_down(const struct facts *facts, uint32_t bus)
{
    return facts->at[bus].kind == VALUE_NUMBER && facts->at[bus].number == 0;
}

void bus_count(struct rules *rules)
{
    const struct facts *facts = &rules->catalog.facts;
    rules->buses_down = 0;
    for (uint32_t s = 0; s < rules->catalog.n_sensors; s++)
        rules->buses_down += facts->at[s].bus == s && is_down(facts, s);
}

bool bus_is_news(const struct rules *rules, const struct reading *reading)
{
    const struct fact *fact = &rules->catalog.facts.at[reading->sensor];
    return fact->bus == reading->sensor &&
           (fact->kind == VALUE_NONE || fact->number != reading->number);
}

static bool is_cut_off(const struct rules *rules, const struct instance *instance)
{
    const struct catalog *catalog = &rules->catalog;
    bool any = false;
    uint32_t sensor;
    for (size_t i = 0; catalog_source(catalog, instance, i, &sensor); i++) {
        if (sensor >= catalog->n_sensors) /* a limit, or another rule */
            continue;
        uint32_t bus = catalog->facts.at[sensor].bus;
        if (bus == RULES_NO_SENSOR || bus == sensor || !is_down(&catalog->facts, bus))
            return false;
        any = true;
    }
    return any;
}

void bus_look(struct rules *rules, struct instance *instance, int64_t now_ms)
{
    if (rules->buses_down > 0 && is_cut_off(rules, instance)) {
        instance->cut_ms = CLOCK_NEVER;
    } else if (instance->cut_ms == CLOCK_NEVER) {
        int64_t stale_ms = judge_longest_stale_ms(rules, instance);
        instance->cut_ms = now_ms + (stale_ms > GRACE_MS ? stale_ms : GRACE_MS);
    } else if (instance->cut_ms <= now_ms) {
        instance->cut_ms = INT64_MIN;
    }
}

void bus_judge_later(struct rules *rules)
{
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        const struct instance *instance = &rules->catalog.instances[i];
        if (is_cut_off(rules, instance) != (instance->cut_ms == CLOCK_NEVER))
            heap_set(rules->later, i, instance->rule->rank);
    }
}
