/* Event sensors: what they bring has happened and does not age. Such a sensor is stale only when it
 * cannot be looked at: after a bad reading, when for its time of staleness no good one comes, and
 * none that says that nothing has happened (QUALITY_QUIET). */
#include "gateway/base/clock.h"
#include "rules/engine.h"

void happen_missed(struct rules *rules, uint32_t sensor, int64_t at_ms)
{
    struct fact *fact = &rules->catalog.facts.at[sensor];
    if (fact->fresh_until_ms != CLOCK_NEVER)
        return;
    fact->fresh_until_ms = engine_sum_ms(at_ms, fact->stale_ms);
    if (fact->fresh_until_ms == CLOCK_NEVER)
        return;
    windows_away(rules->catalog.facts.windows, sensor, fact->fresh_until_ms);
    if (rules->first[sensor] < rules->first[sensor + 1])
        engine_watch_sensor(rules, sensor, fact->fresh_until_ms);
}

/* Nobody asks it while nothing happens: those that it has made blind would wait for the next event.
 */
void happen_seen(struct rules *rules, uint32_t sensor, int64_t at_ms)
{
    struct fact *fact = &rules->catalog.facts.at[sensor];
    bool was_bad = fact->quality != QUALITY_GOOD;
    fact->quality = QUALITY_GOOD;
    fact->fresh_until_ms = CLOCK_NEVER;
    windows_back(rules->catalog.facts.windows, sensor, at_ms);
    for (uint32_t i = rules->first[sensor]; was_bad && i < rules->first[sensor + 1]; i++) {
        uint32_t reader = rules->readers[i];
        heap_set(rules->later, reader, rules->catalog.instances[reader].rule->rank);
    }
}

void happen_refill(struct rules *rules, const struct reading *reading)
{
    struct windows *windows = rules->catalog.facts.windows;
    if (reading->sensor >= rules->catalog.n_sensors ||
        !rules->catalog.facts.at[reading->sensor].is_event)
        return;
    if (reading->quality == QUALITY_GOOD || reading->quality == QUALITY_QUIET)
        windows_back(windows, reading->sensor, reading->at_ms);
    else
        windows_away(
            windows, reading->sensor,
            engine_sum_ms(reading->at_ms, rules->catalog.facts.at[reading->sensor].stale_ms));
}

void rules_was_down(struct rules *rules, int64_t from_ms)
{
    for (uint32_t s = 0; s < rules->catalog.n_sensors; s++)
        if (windows_has_past(rules->catalog.facts.windows, s))
            windows_away(rules->catalog.facts.windows, s, from_ms);
}
