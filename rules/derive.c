/* Deriving: reckons the sensors that are made of others, each after those it is made of. */
#include "rules/engine.h"
#include "rules/formula.h"

#include <errno.h>
#include <stdlib.h>

/* -- what is made of what -- */

static void walk_sources(struct rules *rules,
                         void (*each)(struct rules *, uint32_t source, uint32_t derived))
{
    const struct catalog *catalog = &rules->catalog;
    uint32_t source;
    for (uint32_t d = 0; d < catalog->n_derived; d++) {
        const struct derived *derived = &catalog->derived[d];
        for (size_t i = 0; formula_source(&derived->formula, derived->sensor, i, &source); i++)
            if (source != RULES_NO_SENSOR)
                each(rules, source, d);
    }
}

static void count_made(struct rules *rules, uint32_t source, uint32_t derived)
{
    (void)derived;
    rules->first_made[source + 2]++;
}

static void list_made(struct rules *rules, uint32_t source, uint32_t derived)
{
    rules->makes[rules->first_made[source + 1]++] = derived;
}

int derive_start(struct rules *rules)
{
    size_t n = rules->catalog.n_sensors;
    rules->derive = heap_new(rules->catalog.n_derived);
    rules->derived = calloc((size_t)rules->catalog.n_derived + 1, sizeof *rules->derived);
    rules->first_made = calloc(n + 2, sizeof *rules->first_made);
    if (!rules->derive || !rules->derived || !rules->first_made)
        return -ENOMEM;
    walk_sources(rules, count_made);
    for (size_t s = 0; s < n; s++)
        rules->first_made[s + 2] += rules->first_made[s + 1];
    rules->makes = calloc((size_t)rules->first_made[n + 1] + 1, sizeof *rules->makes);
    if (!rules->makes)
        return -ENOMEM;
    walk_sources(rules, list_made);
    return 0;
}

void derive_note(struct rules *rules, uint32_t sensor)
{
    for (uint32_t i = rules->first_made[sensor]; i < rules->first_made[sensor + 1]; i++)
        heap_set(rules->derive, rules->makes[i], rules->makes[i]);
}

/* -- reckoning -- */

/* Why there is no value: what is wrong with the first of its sensors that gives none, else that the
 * result is no number. */
static uint8_t why_none(const struct rules *rules, const struct derived *derived,
                        const struct outlook *outlook, int64_t now_ms)
{
    uint32_t source;
    for (size_t i = 0; formula_source(&derived->formula, derived->sensor, i, &source); i++) {
        if (source == RULES_NO_SENSOR)
            continue;
        const struct fact *fact = &rules->catalog.facts.at[source];
        if (fact->quality != QUALITY_GOOD)
            return fact->quality;
        if (!fact_is_known(fact, now_ms))
            return QUALITY_STALE;
    }
    return outlook->waiting ? QUALITY_NOT_READ : QUALITY_OUT_OF_RANGE;
}

/* When the newest was read of those that it is made of; `at_ms` when it is made of none. Of events
 * nothing is read for a long time, and they are as new as the newest look. */
static int64_t newest_ms(const struct rules *rules, const struct derived *derived, int64_t at_ms)
{
    int64_t newest_ms = INT64_MIN;
    uint32_t source;
    for (size_t i = 0; formula_source(&derived->formula, derived->sensor, i, &source); i++) {
        if (source == RULES_NO_SENSOR || rules->catalog.facts.at[source].kind == VALUE_NONE)
            continue;
        const struct fact *fact = &rules->catalog.facts.at[source];
        int64_t read_ms = fact->is_event ? at_ms : fact->at_ms;
        newest_ms = read_ms > newest_ms ? read_ms : newest_ms;
    }
    return newest_ms == INT64_MIN ? at_ms : newest_ms;
}

/* Where there is no value, `at_ms` is when that was found. */
static struct reading reckon(const struct rules *rules, const struct derived *derived,
                             int64_t at_ms, int64_t now_ms)
{
    struct outlook outlook;
    struct reading reading = {.at_ms = at_ms, .sensor = derived->sensor};
    struct cell cell = evaluate_derived(&derived->formula.code, &rules->catalog.facts,
                                        derived->formula.slots, now_ms, &outlook);
    if (cell.kind == CELL_NUMBER) {
        reading.kind = VALUE_NUMBER;
        reading.number = cell.number;
        reading.at_ms = newest_ms(rules, derived, at_ms);
    } else {
        reading.quality = why_none(rules, derived, &outlook, now_ms);
    }
    return reading;
}

void derive_run(struct rules *rules, int64_t at_ms, int64_t now_ms,
                void (*take)(struct rules *rules, const struct reading *reading, int64_t now_ms))
{
    uint32_t index;
    int64_t key;
    rules->n_derived = 0;
    while (heap_first(rules->derive, &index, &key)) {
        struct reading *reading = &rules->derived[rules->n_derived++];
        heap_remove(rules->derive, index);
        *reading = reckon(rules, &rules->catalog.derived[index], at_ms, now_ms);
        take(rules, reading, now_ms);
    }
}
