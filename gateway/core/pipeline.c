#include "gateway/core/pipeline_inside.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/report.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/core/own.h"
#include "gateway/core/plausible.h"
#include "gateway/core/registry.h"
#include "gateway/core/site.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* -- after a judgement ---------------------------------------------------------------------- */

static int64_t wall_or_never(int64_t now_ms)
{
    return clock_wall_is_good() ? clock_wall_ms(now_ms) : CLOCK_NEVER;
}

static void tell_saved(struct pipeline *pipeline, uint32_t instance)
{
    const struct rules *rules = pipeline->site->rules;
    char text[RULES_SAVED_SIZE];

    rules_save(rules, instance, pipeline->now_ms, wall_or_never(pipeline->now_ms), text);
    TELL(pipeline, saved, rules_info(rules, instance).id, text);
    pipeline->told = true;
}

/* What one judgement caused is complete: saved states follow the events that they belong to. */
void pipeline_settle(struct pipeline *pipeline)
{
    uint32_t instance;

    while (rules_changed(pipeline->site->rules, &instance))
        tell_saved(pipeline, instance);
    if (pipeline->told)
        TELL(pipeline, settled, pipeline->now_ms);
    pipeline->told = false;
}

/* -- the way of a reading ------------------------------------------------------------------- */

/* What came over the restart may have waited for somebody to know what time it is. */
static void notice_clock(struct pipeline *pipeline)
{
    if (pipeline->clock_known || !clock_wall_is_good())
        return;
    pipeline->clock_known = true;
    rules_on_clock(pipeline->site->rules, pipeline->now_ms, clock_wall_ms(pipeline->now_ms));
}

static void plan_rules(struct pipeline *pipeline)
{
    notice_clock(pipeline);
    timer_at(pipeline->rule_timer, rules_next_ms(pipeline->site->rules));
}

static struct reading make_reading(struct pipeline *pipeline, uint32_t first_sensor,
                                   const struct sample *sample)
{
    struct reading reading = {.at_ms = sample->at_ms,
                              .sensor = first_sensor + sample->channel,
                              .kind = sample->kind,
                              .quality = sample->quality};

    if (sample->kind == VALUE_NUMBER)
        reading.number = sample->number;
    else if (sample->kind == VALUE_TEXT)
        reading.text = text_table_add(pipeline->texts, sample->text);
    return reading;
}

/* Rules are judged in an order of time that never goes back. */
static int64_t advance(struct pipeline *pipeline, int64_t at_ms)
{
    if (at_ms > pipeline->now_ms)
        pipeline->now_ms = at_ms;
    return pipeline->now_ms;
}

/* To the registry and to the sinks. */
static void tell_readings(struct pipeline *pipeline, uint32_t device,
                          const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        registry_update(pipeline->registry, &readings[i]);
        pipeline->counts.bad += readings[i].quality != QUALITY_GOOD;
    }
    pipeline->counts.readings += count;
    TELL(pipeline, readings, device, readings, count);
}

static uint32_t device_of(const struct pipeline *pipeline, const struct reading *reading)
{
    return pipeline->site->inventory->sensors[reading->sensor].device;
}

/* Derived readings as they come, those of a device that stand together as one; but of `device`. */
static void tell_derived(struct pipeline *pipeline, uint32_t device, const struct reading *derived,
                         size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        uint32_t other = device_of(pipeline, &derived[i]);

        for (end = i + 1; end < n && device_of(pipeline, &derived[end]) == other; end++)
            ;
        if (other != device)
            tell_readings(pipeline, other, &derived[i], end - i);
    }
}

/* That nothing has happened matters to the rules alone: they see that somebody looks. Others hear
 * of it when it is new, at first and after a bad reading. So it is of bad ones. */
static bool is_old_news(const struct pipeline *pipeline, const struct reading *reading)
{
    const struct reading *last = registry_last(pipeline->registry, reading->sensor);

    if (reading->quality == QUALITY_GOOD ||
        pipeline->site->inventory->sensors[reading->sensor].kind != SENSOR_EVENT)
        return false;
    return reading->quality == last->quality ||
           (reading->quality == QUALITY_QUIET && last->quality == QUALITY_GOOD);
}

/* Moves what only the rules hear of to the front; returns how many these are. */
static size_t sort_out_old_news(const struct pipeline *pipeline, struct reading *readings,
                                size_t count)
{
    size_t old = 0;

    for (size_t i = 0; i < count; i++) {
        struct reading reading;

        if (!is_old_news(pipeline, &readings[i]))
            continue;
        reading = readings[i];
        memmove(&readings[old + 1], &readings[old], (i - old) * sizeof(*readings));
        readings[old++] = reading;
    }
    return old;
}

/* The readings of a poll, and what is derived of them for the same device, go out as one; what is
 * derived for others follows. `readings` has room for twice the sensors of a device. */
static void spread(struct pipeline *pipeline, uint32_t device, struct reading *readings,
                   size_t count)
{
    struct rules *rules = pipeline->site->rules;
    int64_t now_ms = advance(pipeline, readings[count - 1].at_ms);
    size_t old = sort_out_old_news(pipeline, readings, count), n, own = 0;
    const struct reading *derived = rules_take(rules, readings, count, now_ms, &n);

    for (size_t i = 0; i < n; i++) {
        if (device_of(pipeline, &derived[i]) == device)
            readings[count + own++] = derived[i];
    }
    if (count + own > old)
        tell_readings(pipeline, device, readings + old, count + own - old);
    tell_derived(pipeline, device, derived, n);
    rules_judge(rules, readings, count, now_ms);
}

void pipeline_spread_own(struct pipeline *pipeline, const struct reading *reading)
{
    struct rules *rules = pipeline->site->rules;
    int64_t now_ms = advance(pipeline, reading->at_ms);
    size_t n;
    const struct reading *derived = rules_take(rules, reading, 1, now_ms, &n);

    tell_derived(pipeline, UINT32_MAX, derived, n);
    rules_judge(rules, reading, 1, now_ms);
    pipeline_settle(pipeline);
    plan_rules(pipeline);
}

void pipeline_accept(void *owner, uint32_t device, const struct sample *samples, size_t count)
{
    struct pipeline *pipeline = owner;
    const struct inventory_device *about = &pipeline->site->inventory->devices[device];
    struct reading *readings = pipeline->readings;

    for (size_t done = 0; done < count;) {
        size_t n = 0;

        for (; done < count && n < pipeline->room; done++) {
            if (samples[done].channel >= about->n_sensors)
                continue; /* an adapter's mistake must not become someone else's value */
            readings[n] = make_reading(pipeline, about->first_sensor, &samples[done]);
            plausible_judge(pipeline->plausible, &readings[n++]);
        }
        if (n > 0)
            spread(pipeline, device, readings, n);
    }
    pipeline->counts.polls++;
    pipeline_settle(pipeline);
    plan_rules(pipeline);
}

static void judge_time(void *owner)
{
    struct pipeline *pipeline = owner;

    rules_on_time(pipeline->site->rules, advance(pipeline, clock_boot_ms()));
    pipeline_settle(pipeline);
    plan_rules(pipeline);
}

/* -- what becomes stale --------------------------------------------------------------------- */

/* A sensor whose readings stop altogether (a worker that hangs, a device that no longer pushes)
 * gets one bad reading when it becomes stale, as if it had been polled. Returns when that is due,
 * or CLOCK_NEVER for one that is bad already. An event does not age. */
static int64_t make_stale(struct pipeline *pipeline, uint32_t sensor, int64_t now_ms)
{
    const struct inventory_sensor *about = &pipeline->site->inventory->sensors[sensor];
    const struct reading *last = registry_last(pipeline->registry, sensor);
    struct reading *stale = pipeline->readings;

    if (last->quality != QUALITY_GOOD || about->kind == SENSOR_EVENT)
        return CLOCK_NEVER;
    if (last->at_ms + about->stale_ms > now_ms)
        return last->at_ms + about->stale_ms;
    *stale = (struct reading){.at_ms = now_ms, .sensor = sensor, .quality = QUALITY_STALE};
    spread(pipeline, about->device, stale, 1);
    return CLOCK_NEVER;
}

/* One sweep over all sensors whenever the one that was nearest to it may have become stale: a timer
 * for each reading would cost more than all of this. New readings only move their own end away, so
 * the next sweep can be no earlier than planned; the shortest `stale` bounds it for those bad now.
 */
static void sweep_stale(void *owner)
{
    struct pipeline *pipeline = owner;
    const struct inventory *inventory = pipeline->site->inventory;
    int64_t now_ms = clock_boot_ms(), next_ms = CLOCK_NEVER;

    for (uint32_t i = 0; i < inventory->n_sensors; i++) {
        int64_t due_ms = make_stale(pipeline, i, now_ms);
        int64_t earliest_ms = now_ms + inventory->sensors[i].stale_ms;

        if (due_ms == CLOCK_NEVER)
            due_ms = earliest_ms;
        if (due_ms < next_ms)
            next_ms = due_ms;
    }
    timer_at(pipeline->stale_timer, next_ms);
    pipeline_settle(pipeline);
    plan_rules(pipeline);
}

/* -- door ----------------------------------------------------------------------------------- */

struct pipeline *pipeline_new(struct loop *loop)
{
    struct pipeline *pipeline = calloc(1, sizeof(*pipeline));

    if (!pipeline)
        return NULL;
    pipeline->texts = text_table_new();
    pipeline->rule_timer = timer_new(loop, judge_time, pipeline);
    pipeline->stale_timer = timer_new(loop, sweep_stale, pipeline);
    if (!pipeline->texts || !pipeline->rule_timer || !pipeline->stale_timer ||
        getrandom(&pipeline->boot, sizeof(pipeline->boot), 0) != sizeof(pipeline->boot)) {
        pipeline_free(pipeline);
        return NULL;
    }
    return pipeline;
}

void pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    timer_free(pipeline->rule_timer);
    timer_free(pipeline->stale_timer);
    plausible_free(pipeline->plausible);
    registry_free(pipeline->registry);
    free(pipeline->readings);
    free(pipeline->why);
    free(pipeline->own);
    text_table_free(pipeline->texts);
    free(pipeline);
}

struct text_table *pipeline_texts(struct pipeline *pipeline)
{
    return pipeline->texts;
}

int pipeline_add_sink(struct pipeline *pipeline, const struct sink_calls *calls, void *sink)
{
    if (pipeline->n_sinks == PIPELINE_SINKS_MAX)
        return -ENOSPC;
    pipeline->sinks[pipeline->n_sinks++] = (struct sink){.calls = calls, .self = sink};
    return 0;
}

static size_t most_sensors(const struct inventory *inventory)
{
    size_t most = 1;

    for (uint32_t i = 0; i < inventory->n_devices; i++) {
        if (inventory->devices[i].n_sensors > most)
            most = inventory->devices[i].n_sensors;
    }
    return most;
}

/* What belongs to a site in the pipeline; made before anything is given up. */
struct pipeline_workings {
    const struct site *before;
    struct registry *registry;
    struct plausible *plausible;
    struct reading *readings;
    size_t room;
    uint8_t *why;
    double *own;
    uint32_t *now_called; /* new number of each sensor of the rules of the site before */
    uint32_t *now_judged; /* of each of their instances, likewise */
};

void pipeline_workings_free(struct pipeline_workings *workings)
{
    if (!workings)
        return;
    registry_free(workings->registry);
    plausible_free(workings->plausible);
    free(workings->readings);
    free(workings->why);
    free(workings->own);
    free(workings->now_called);
    free(workings->now_judged);
    free(workings);
}

/* Numbers of the rules' sensors: those of the inventory, which may have had other names, then the
 * gateway's own. */
static uint32_t *call_anew(const struct site *site, const struct site *before)
{
    uint32_t n = before ? rules_sensors(before->rules) : 0;
    uint32_t n_listed = before ? before->inventory->n_sensors : 0;
    uint32_t *now_called = calloc((size_t)n + 1, sizeof(*now_called));

    for (uint32_t i = 0; now_called && i < n; i++)
        now_called[i] = i < n_listed
                            ? RULES_NO_SENSOR
                            : rules_find_sensor(site->rules, rules_sensor(before->rules, i)->id);
    for (uint32_t i = 0; now_called && before && i < site->inventory->n_sensors; i++) {
        uint32_t was = inventory_was(site->inventory, i, before->inventory);

        if (was != UINT32_MAX)
            now_called[was] = i;
    }
    return now_called;
}

static uint32_t *judge_anew(const struct site *site, const struct site *before)
{
    size_t n = before ? rules_count(before->rules) : 0;
    uint32_t *now_judged = calloc(n + 1, sizeof(*now_judged));

    for (uint32_t i = 0; now_judged && i < n; i++)
        now_judged[i] = rules_find(site->rules, rules_info(before->rules, i).id);
    return now_judged;
}

struct pipeline_workings *pipeline_prepare(const struct site *site, const struct site *before)
{
    const struct inventory *inventory = site->inventory;
    struct pipeline_workings *workings = calloc(1, sizeof(*workings));
    uint32_t n_own = own_count(inventory);

    if (!workings)
        return NULL;
    *workings = (struct pipeline_workings){.before = before,
                                           .registry = registry_new(inventory->n_sensors),
                                           .plausible = plausible_new(inventory),
                                           .room = most_sensors(inventory),
                                           .why = malloc((size_t)inventory->n_devices + 1),
                                           .own = calloc(n_own, sizeof(double)),
                                           .now_called = call_anew(site, before),
                                           .now_judged = judge_anew(site, before)};
    workings->readings = calloc(2 * workings->room, sizeof(*workings->readings));
    if (!workings->registry || !workings->plausible || !workings->readings || !workings->why ||
        !workings->own || !workings->now_called || !workings->now_judged) {
        pipeline_workings_free(workings);
        return NULL;
    }
    memset(workings->why, QUALITY_NOT_READ, (size_t)inventory->n_devices + 1);
    for (uint32_t i = 0; i < n_own; i++)
        workings->own[i] = (double)NAN;
    return workings;
}

/* How devices were told to be, and the values of own sensors. */
static void hand_over_own(const struct pipeline *pipeline, const struct site *site,
                          const struct pipeline_workings *workings)
{
    uint32_t first = site->inventory->n_sensors, old = pipeline->site->inventory->n_sensors;

    for (uint32_t i = 0; i < own_count(pipeline->site->inventory); i++) {
        uint32_t to = workings->now_called[old + i] - first;

        if (workings->now_called[old + i] == UINT32_MAX)
            continue;
        workings->own[to] = pipeline->own[i];
        if (i < pipeline->site->inventory->n_devices && to < site->inventory->n_devices)
            workings->why[to] = pipeline->why[i];
    }
}

/* Newest values and the lives of instances go over to the next site. What ends with the old one is
 * still told by its numbers, before the sinks hear of the new inventory. */
static void hand_over(struct pipeline *pipeline, struct site *site,
                      const struct pipeline_workings *workings)
{
    const struct inventory *before = pipeline->site->inventory;

    for (uint32_t i = 0; i < before->n_sensors; i++) {
        struct reading last = *registry_last(pipeline->registry, i);

        last.sensor = workings->now_called[i];
        if (last.sensor < site->inventory->n_sensors)
            registry_update(workings->registry, &last);
    }
    hand_over_own(pipeline, site, workings);
    rules_adopt(site->rules, pipeline->site->rules, workings->now_called, workings->now_judged,
                advance(pipeline, clock_boot_ms()));
    pipeline_settle(pipeline);
}

/* What it worked with is left in `workings`. */
static void exchange_workings(struct pipeline *pipeline, struct pipeline_workings *workings)
{
    struct pipeline_workings fresh = *workings;

    workings->registry = pipeline->registry;
    workings->plausible = pipeline->plausible;
    workings->readings = pipeline->readings;
    workings->why = pipeline->why;
    workings->own = pipeline->own;
    pipeline->registry = fresh.registry;
    pipeline->plausible = fresh.plausible;
    pipeline->readings = fresh.readings;
    pipeline->room = fresh.room;
    pipeline->why = fresh.why;
    pipeline->own = fresh.own;
}

static void tell_states(struct pipeline *pipeline)
{
    for (uint32_t i = 0; i < rules_count(pipeline->site->rules); i++)
        pipeline_tell_state(pipeline, i);
}

static void use(struct pipeline *pipeline, struct site *site, struct pipeline_workings *workings)
{
    assert(workings->before == pipeline->site);
    if (pipeline->site)
        hand_over(pipeline, site, workings);
    exchange_workings(pipeline, workings);
    pipeline->site = site;
    TELL(pipeline, inventory, site->inventory);
    tell_states(pipeline);
    for (uint32_t i = 0; i < site->inventory->n_devices; i++) {
        if (site->inventory->devices[i].bus == INVENTORY_NO_BUS) /* it is always there */
            pipeline_device(pipeline, i, QUALITY_GOOD, clock_boot_ms());
    }
    pipeline_settle(pipeline);
    plan_rules(pipeline);
    timer_at(pipeline->stale_timer, clock_boot_ms()); /* a step of its own: it looks at all */
}

int pipeline_use(struct pipeline *pipeline, struct site *site, struct pipeline_workings *workings)
{
    struct pipeline_workings *made = workings ? NULL : pipeline_prepare(site, pipeline->site);

    if (!workings && !made)
        return -ENOMEM;
    use(pipeline, site, workings ? workings : made);
    pipeline_workings_free(made);
    return 0;
}

const struct reading *pipeline_newest(const struct pipeline *pipeline, uint32_t sensor)
{
    return registry_last(pipeline->registry, sensor);
}

/* -- people and restarts -------------------------------------------------------------------- */

void pipeline_hold(struct pipeline *pipeline)
{
    pipeline->holds = true;
}

void pipeline_release(struct pipeline *pipeline)
{
    pipeline->holds = false;
    tell_states(pipeline);
    pipeline_settle(pipeline);
}

void pipeline_restore(struct pipeline *pipeline, const char *id, const char *text)
{
    int64_t now_ms = advance(pipeline, clock_boot_ms());
    int r = rules_restore(pipeline->site->rules, id, text, now_ms, wall_or_never(now_ms));

    if (r == -EINVAL)
        log_warn("rule %s: what was saved of it cannot be read; it begins anew", id);
    if (r == 0) /* taking up a state is no transition: nobody was told of it yet */
        pipeline_tell_state(pipeline, rules_find(pipeline->site->rules, id));
    pipeline_settle(pipeline);
    plan_rules(pipeline);
}

void pipeline_save_all(struct pipeline *pipeline)
{
    advance(pipeline, clock_boot_ms());
    for (uint32_t i = 0; i < rules_count(pipeline->site->rules); i++)
        tell_saved(pipeline, i);
    pipeline_settle(pipeline);
}

void pipeline_yield(struct pipeline *pipeline, uint32_t sensor)
{
    rules_yield(pipeline->site->rules, sensor);
    pipeline_settle(pipeline);
}

int pipeline_order(struct pipeline *pipeline, const struct rules_order *order, struct error *reterr)
{
    int r = rules_order(pipeline->site->rules, order, advance(pipeline, clock_boot_ms()), reterr);

    pipeline_settle(pipeline);
    plan_rules(pipeline);
    return r;
}

void pipeline_on_write(struct pipeline *pipeline,
                       void (*write)(void *owner, const struct rule_action *action), void *owner)
{
    pipeline->write = write;
    pipeline->write_owner = owner;
}

struct pipeline_counts pipeline_counts(const struct pipeline *pipeline)
{
    return pipeline->counts;
}

void pipeline_report(const struct pipeline *pipeline, struct report *report)
{
    const struct pipeline_counts *counts = &pipeline->counts;

    report_count(report, "readings", (double)counts->readings, true, "Readings that came.");
    report_count(report, "readings_bad", (double)counts->bad, true,
                 "Those of them without a value.");
    report_count(report, "events", (double)counts->events, true, "Events of rules and commands.");
    report_count(report, "texts_other", (double)text_table_overflows(pipeline->texts), true,
                 "Texts that count as \"other\", because there were too many.");
}
