/* Buses: while one is down its devices raise no alarm of their own for it.
 *
 * An instance is cut off while every sensor that it reads is of a device on a bus that is down:
 * whatever it finds then, it finds for want of readings. What people were told of before goes on;
 * nothing new is told until the bus is back and the sensors have had their time to be read. An
 * alarm of the bus itself reads a sensor of no such device and is never cut off. So it is while a
 * bus is doubted: what then turns out to be down has not spoken before. */
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

void rules_doubt_bus(struct rules *rules, uint32_t sensor, int64_t until_ms)
{
    rules->catalog.facts.at[sensor].doubt_ms = until_ms;
    if (until_ms > rules->doubt_ms)
        rules->doubt_ms = until_ms;
}

/* Until when nothing is believed of a sensor on this bus: CLOCK_NEVER: as long as it is down. */
static int64_t away_until_ms(const struct facts *facts, uint32_t bus)
{
    return is_down(facts, bus) ? CLOCK_NEVER : facts->at[bus].doubt_ms;
}

/* The least of that of all its sensors: INT64_MIN when there is one to be believed at any time. */
static int64_t cut_until_ms(const struct rules *rules, const struct instance *instance)
{
    const struct catalog *catalog = &rules->catalog;
    int64_t until_ms = INT64_MIN;
    bool any = false;
    uint32_t sensor;
    for (size_t i = 0; catalog_source(catalog, instance, i, &sensor); i++) {
        if (sensor >= catalog->n_sensors) /* a limit, or another rule */
            continue;
        uint32_t bus = catalog->facts.at[sensor].bus;
        if (bus == RULES_NO_SENSOR || bus == sensor)
            return INT64_MIN;
        int64_t away_ms = away_until_ms(&catalog->facts, bus);
        until_ms = any && until_ms < away_ms ? until_ms : away_ms;
        any = true;
    }
    return until_ms;
}

void bus_look(struct rules *rules, struct instance *instance, int64_t now_ms)
{
    int64_t until_ms = cut_until_ms(rules, instance);
    if (until_ms == CLOCK_NEVER) {
        instance->cut_ms = CLOCK_NEVER;
    } else if (instance->cut_ms == CLOCK_NEVER) {
        int64_t stale_ms = judge_longest_stale_ms(rules, instance);
        instance->cut_ms = now_ms + (stale_ms > GRACE_MS ? stale_ms : GRACE_MS);
    } else if (until_ms > now_ms && until_ms > instance->cut_ms) {
        instance->cut_ms = until_ms;
    } else if (instance->cut_ms <= now_ms) {
        instance->cut_ms = INT64_MIN;
    }
}

void bus_judge_later(struct rules *rules)
{
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        const struct instance *instance = &rules->catalog.instances[i];
        bool is_cut_off = cut_until_ms(rules, instance) == CLOCK_NEVER;
        if (is_cut_off != (instance->cut_ms == CLOCK_NEVER))
            heap_set(rules->later, i, instance->rule->rank);
    }
}
