/* Sources: on which sensors an instance depends, through derived ones and the rules that it asks.
 */
#include "rules/engine.h"
#include "rules/formula.h"

#include <errno.h>
#include <stdlib.h>

struct collector {
    const struct catalog *catalog;
    bool *sensors;
    bool *rules; /* by number: those that were walked into */
};

static void collect(struct collector *collector, const struct instance *instance);

static void collect_rule(struct collector *collector, uint32_t number)
{
    const struct catalog *catalog = collector->catalog;
    struct rule_range range = catalog->ranges[number];
    if (collector->rules[number])
        return;
    collector->rules[number] = true;
    for (uint32_t i = range.first; i < range.end; i++)
        if (catalog->instances[i].rule->number == number)
            collect(collector, &catalog->instances[i]);
}

/* As deep as rules ask each other, which rank.c bounds. */
static void collect(struct collector *collector, const struct instance *instance)
{
    const struct catalog *catalog = collector->catalog;
    uint32_t source;
    for (size_t i = 0; catalog_source(catalog, instance, i, &source); i++) {
        if (source == RULES_NO_SENSOR)
            continue;
        if (source < catalog->n_sensors)
            collector->sensors[source] = true;
        else
            collect_rule(collector, source - catalog->n_sensors);
    }
}

/* From the last derived sensor to the first: each stands behind those that it is made of. */
static void collect_derived(struct collector *collector)
{
    uint32_t source;
    for (uint32_t d = collector->catalog->n_derived; d-- > 0;) {
        const struct derived *derived = &collector->catalog->derived[d];
        if (!collector->sensors[derived->sensor])
            continue;
        for (size_t i = 0; formula_source(&derived->formula, derived->sensor, i, &source); i++)
            if (source != RULES_NO_SENSOR)
                collector->sensors[source] = true;
    }
}

int rules_sources(const struct rules *rules, uint32_t instance, bool *sensors)
{
    const struct catalog *catalog = &rules->catalog;
    struct collector collector = {.catalog = catalog, .sensors = sensors};
    collector.rules = calloc((size_t)catalog->n_rules + 1, sizeof *collector.rules);
    if (!collector.rules)
        return -ENOMEM;
    collect(&collector, &catalog->instances[instance]);
    collect_derived(&collector);
    free(collector.rules);
    return 0;
}
