#include "gateway/core/pipeline.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/core/plausible.h"
#include "gateway/core/registry.h"
#include "gateway/core/site.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct sink {
    const struct sink_calls *calls;
    void *self;
};

struct pipeline {
    struct sink sinks[PIPELINE_SINKS_MAX];
    size_t n_sinks;
    struct text_table *texts;
    struct site *site;
    struct registry *registry;
    struct plausible *plausible;
    struct reading *readings; /* of the poll that is accepted: sinks and rules get it whole */
    size_t room;              /* for them: the sensors of the largest device */
    struct timer *rule_timer, *stale_timer;
    int64_t now_ms;          /* of the last judgement: workers may hand up an older poll later */
    uint64_t boot, sequence; /* of events */
    struct pipeline_counts counts;
};

#define TELL(pipeline, call, ...)                                                           \
    do {                                                                                    \
        for (size_t s_ = 0; s_ < (pipeline)->n_sinks; s_++) {                               \
            if ((pipeline)->sinks[s_].calls->call)                                          \
                (pipeline)->sinks[s_].calls->call((pipeline)->sinks[s_].self, __VA_ARGS__); \
        }                                                                                   \
    } while (0)

/* -- the way of a reading ------------------------------------------------------------------- */

static void plan_rules(struct pipeline *pipeline)
{
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

/* Readings that have been made, to everyone who wants them. */
static void spread(struct pipeline *pipeline, uint32_t device, const struct reading *readings,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        registry_update(pipeline->registry, &readings[i]);
        pipeline->counts.bad += readings[i].quality != QUALITY_GOOD;
    }
    pipeline->counts.readings += count;
    TELL(pipeline, readings, device, readings, count);
    rules_on_poll(pipeline->site->rules, readings, count,
                  advance(pipeline, readings[count - 1].at_ms));
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
    plan_rules(pipeline);
}

void pipeline_device(void *owner, uint32_t device, uint8_t why, int64_t at_ms)
{
    struct pipeline *pipeline = owner;

    TELL(pipeline, device, device, why, at_ms);
}

static void judge_time(void *owner)
{
    struct pipeline *pipeline = owner;

    rules_on_time(pipeline->site->rules, advance(pipeline, clock_boot_ms()));
    plan_rules(pipeline);
}

/* -- what becomes stale --------------------------------------------------------------------- */

/* A sensor whose readings stop altogether (a worker that hangs, a device that no longer pushes)
 * gets one bad reading when it becomes stale, as if it had been polled. Returns when that is due,
 * or CLOCK_NEVER for one that is bad already. */
static int64_t make_stale(struct pipeline *pipeline, uint32_t sensor, int64_t now_ms)
{
    const struct inventory_sensor *about = &pipeline->site->inventory->sensors[sensor];
    const struct reading *last = registry_last(pipeline->registry, sensor);
    struct reading stale = {.at_ms = now_ms, .sensor = sensor, .quality = QUALITY_STALE};

    if (last->quality != QUALITY_GOOD)
        return CLOCK_NEVER;
    if (last->at_ms + about->stale_ms > now_ms)
        return last->at_ms + about->stale_ms;
    spread(pipeline, about->device, &stale, 1);
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
    plan_rules(pipeline);
}

/* -- what rules say ------------------------------------------------------------------------- */

static struct instance_state state_of(const struct rule_transition *transition)
{
    return (struct instance_state){.at_ms = transition->at_ms,
                                   .since_ms = transition->since_ms,
                                   .instance = transition->instance,
                                   .state = transition->to,
                                   .severity = transition->severity,
                                   .kind = transition->kind,
                                   .number = transition->number,
                                   .limit = transition->limit,
                                   .text = transition->text};
}

static void tell_event(struct pipeline *pipeline, const struct rule_transition *transition,
                       enum event_type type)
{
    struct event event = {.boot = pipeline->boot,
                          .sequence = ++pipeline->sequence,
                          .at_ms = transition->at_ms,
                          .since_ms = transition->fired_ms,
                          .instance = transition->instance,
                          .sensor = rules_info(pipeline->site->rules, transition->instance).sensor,
                          .type = type,
                          .severity = transition->severity,
                          .kind = transition->kind,
                          .number = transition->number,
                          .limit = transition->limit,
                          .text = transition->text};

    pipeline->counts.events++;
    TELL(pipeline, event, &event);
}

/* Everyone sees every state; an event is only what people call an alarm: it fired, it cleared. */
static void take_transition(void *owner, const struct rule_transition *transition)
{
    struct pipeline *pipeline = owner;
    struct instance_state state = state_of(transition);
    bool was = transition->from == RULE_FIRING || transition->from == RULE_RECOVERING;
    bool is = transition->to == RULE_FIRING || transition->to == RULE_RECOVERING;

    TELL(pipeline, instance, &state);
    if (is && !was)
        tell_event(pipeline, transition, EVENT_FIRED);
    else if (was && !is)
        tell_event(pipeline, transition, EVENT_CLEARED);
}

static void take_action(void *owner, const struct rule_action *action)
{
    struct pipeline *pipeline = owner;
    char text[300];

    switch ((enum rule_action_kind)action->kind) {
    case ACTION_PUBLISH:
        TELL(pipeline, publish, action->target, action->text, action->qos, action->retain);
        break;
    case ACTION_LOG:
        log_info("rule %s: %s", rules_info(pipeline->site->rules, action->instance).id,
                 text_quote(text, sizeof(text), action->text));
        break;
    }
}

const struct rules_output pipeline_rules_output = {
    .transition = take_transition,
    .action = take_action,
};

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

int pipeline_use(struct pipeline *pipeline, struct site *site)
{
    const struct inventory *inventory = site->inventory;

    pipeline->registry = registry_new(inventory->n_sensors);
    pipeline->plausible = plausible_new(inventory);
    pipeline->room = most_sensors(inventory);
    pipeline->readings = calloc(pipeline->room, sizeof(*pipeline->readings));
    if (!pipeline->registry || !pipeline->plausible || !pipeline->readings)
        return -ENOMEM;
    pipeline->site = site;
    TELL(pipeline, inventory, site->inventory);
    for (uint32_t i = 0; i < rules_count(site->rules); i++) {
        struct rule_transition status = rules_status(site->rules, i);
        struct instance_state state = state_of(&status);

        TELL(pipeline, instance, &state);
    }
    sweep_stale(pipeline);
    return 0;
}

struct pipeline_counts pipeline_counts(const struct pipeline *pipeline)
{
    return pipeline->counts;
}
