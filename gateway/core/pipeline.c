#include "gateway/core/pipeline.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/report.h"
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
    bool told; /* states, events or actions, since the sinks were last told that it settled */
    void (*write)(void *owner, const struct rule_action *action);
    void *write_owner;
    struct pipeline_counts counts;
};

#define TELL(pipeline, call, ...)                                                           \
    do {                                                                                    \
        for (size_t s_ = 0; s_ < (pipeline)->n_sinks; s_++) {                               \
            if ((pipeline)->sinks[s_].calls->call)                                          \
                (pipeline)->sinks[s_].calls->call((pipeline)->sinks[s_].self, __VA_ARGS__); \
        }                                                                                   \
    } while (0)

/* -- after a judgement ---------------------------------------------------------------------- */

static int64_t advance(struct pipeline *pipeline, int64_t at_ms);

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
static void settle(struct pipeline *pipeline)
{
    uint32_t instance;

    while (rules_changed(pipeline->site->rules, &instance))
        tell_saved(pipeline, instance);
    if (pipeline->told)
        TELL(pipeline, settled, pipeline->now_ms);
    pipeline->told = false;
}

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
    settle(pipeline);
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
    settle(pipeline);
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
    settle(pipeline);
    plan_rules(pipeline);
}

/* -- what rules say ------------------------------------------------------------------------- */

_Static_assert((int)EVENT_LIMIT == (int)RULE_EVENT_LIMIT,
               "kinds of rule events are types of events");
_Static_assert(SINK_LIMITS_MAX == RULES_LIMITS_MAX, "an instance's limits must find room");

static struct instance_state state_of(const struct pipeline *pipeline, uint32_t instance)
{
    const struct rules *rules = pipeline->site->rules;
    struct rule_transition status = rules_status(rules, instance);
    struct instance_state state = {.at_ms = status.at_ms,
                                   .since_ms = status.since_ms,
                                   .instance = instance,
                                   .state = status.to,
                                   .severity = status.severity,
                                   .kind = status.kind,
                                   .number = status.number,
                                   .limit = status.limit,
                                   .text = status.text,
                                   .acked = status.acked,
                                   .muted = status.muted,
                                   .disabled = status.disabled,
                                   .blind = status.blind,
                                   .muted_until_ms = status.muted_until_ms,
                                   .n_limits = rules_info(rules, instance).n_limits};

    for (uint8_t i = 0; i < state.n_limits; i++)
        state.limits[i] = rules_limit(rules, instance, i).value;
    return state;
}

static void tell_state(struct pipeline *pipeline, uint32_t instance)
{
    struct instance_state state = state_of(pipeline, instance);

    pipeline->told = true;
    TELL(pipeline, instance, &state);
}

static void take_transition(void *owner, const struct rule_transition *transition)
{
    tell_state(owner, transition->instance);
}

static void note_event(const struct rule_event *from, struct event *event)
{
    size_t length = 0;
    char value[32];

    if (from->key) {
        text_from_number(value, sizeof(value), from->value, -1);
        text_append(event->note, sizeof(event->note), &length, "%s = %s%s", from->key, value,
                    from->note ? ": " : "");
    }
    if (from->note)
        text_append(event->note, sizeof(event->note), &length, "%s", from->note);
    text_copy(event->by, sizeof(event->by), from->by ? from->by : "");
    text_copy(event->via, sizeof(event->via), from->via ? from->via : "");
}

/* What changes flags and limits has no transition that would have told the state. */
static void take_event(void *owner, const struct rule_event *from)
{
    struct pipeline *pipeline = owner;
    const struct rule_transition *status = &from->status;
    bool is_over = from->kind == RULE_EVENT_CLEARED;
    struct event event = {.boot = pipeline->boot,
                          .sequence = ++pipeline->sequence,
                          .at_ms = from->at_ms,
                          .since_ms = is_over ? status->fired_ms : status->since_ms,
                          .instance = from->instance,
                          .sensor = rules_info(pipeline->site->rules, from->instance).sensor,
                          .type = from->kind,
                          .severity = status->severity,
                          .kind = status->kind,
                          .number = status->number,
                          .limit = status->limit,
                          .text = status->text};

    note_event(from, &event);
    pipeline->counts.events++;
    if (from->kind != RULE_EVENT_FIRED && from->kind != RULE_EVENT_CLEARED &&
        from->kind != RULE_EVENT_LEVEL)
        tell_state(pipeline, from->instance);
    pipeline->told = true;
    TELL(pipeline, event, &event);
}

static void tell_notification(struct pipeline *pipeline, const struct rule_action *action)
{
    struct sink_notification notification = {.at_ms = action->at_ms,
                                             .instance = action->instance,
                                             .type = action->event,
                                             .severity = action->severity,
                                             .notifier = action->target,
                                             .text = action->text};

    TELL(pipeline, notify, &notification);
}

static void take_action(void *owner, const struct rule_action *action)
{
    struct pipeline *pipeline = owner;
    const char *id = rules_info(pipeline->site->rules, action->instance).id;
    char text[300];

    pipeline->told = true;
    switch ((enum rule_action_kind)action->kind) {
    case ACTION_PUBLISH:
        TELL(pipeline, publish, action->target, action->text, action->qos, action->retain);
        break;
    case ACTION_NOTIFY:
        tell_notification(pipeline, action);
        break;
    case ACTION_RUN:
        TELL(pipeline, run, action->instance, action->target, action->text);
        break;
    case ACTION_WRITE:
        if (pipeline->write)
            pipeline->write(pipeline->write_owner, action);
        break;
    case ACTION_LOG:
        log_info("rule %s: %s", id, text_quote(text, sizeof(text), action->text));
        break;
    }
}

const struct rules_output pipeline_rules_output = {
    .transition = take_transition,
    .event = take_event,
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

/* What belongs to a site in the pipeline; made before anything is given up. */
struct workings {
    struct registry *registry;
    struct plausible *plausible;
    struct reading *readings;
    size_t room;
    uint32_t *now_called; /* new number of each sensor of the site before; NULL without one */
};

static void free_workings(struct workings *workings)
{
    registry_free(workings->registry);
    plausible_free(workings->plausible);
    free(workings->readings);
    free(workings->now_called);
}

static int make_workings(const struct inventory *inventory, const struct inventory *before,
                         struct workings *workings)
{
    *workings = (struct workings){.registry = registry_new(inventory->n_sensors),
                                  .plausible = plausible_new(inventory),
                                  .room = most_sensors(inventory)};
    workings->readings = calloc(workings->room, sizeof(*workings->readings));
    workings->now_called = calloc((before ? before->n_sensors : 0) + 1, sizeof(uint32_t));
    if (!workings->registry || !workings->plausible || !workings->readings ||
        !workings->now_called) {
        free_workings(workings);
        return -ENOMEM;
    }
    for (uint32_t i = 0; before && i < before->n_sensors; i++)
        workings->now_called[i] = inventory_find_sensor(inventory, before->sensors[i].id);
    return 0;
}

/* Newest values and the lives of instances go over to the next site. What ends with the old one is
 * still told by its numbers, before the sinks hear of the new inventory. */
static void hand_over(struct pipeline *pipeline, struct site *site, const struct workings *workings)
{
    const struct inventory *before = pipeline->site->inventory;

    for (uint32_t i = 0; i < before->n_sensors; i++) {
        struct reading last = *registry_last(pipeline->registry, i);

        last.sensor = workings->now_called[i];
        if (last.sensor != UINT32_MAX)
            registry_update(workings->registry, &last);
    }
    rules_adopt(site->rules, pipeline->site->rules, workings->now_called,
                advance(pipeline, clock_boot_ms()));
    settle(pipeline);
}

int pipeline_use(struct pipeline *pipeline, struct site *site)
{
    struct workings workings;

    if (make_workings(site->inventory, pipeline->site ? pipeline->site->inventory : NULL,
                      &workings) < 0)
        return -ENOMEM;
    if (pipeline->site)
        hand_over(pipeline, site, &workings);
    registry_free(pipeline->registry);
    plausible_free(pipeline->plausible);
    free(pipeline->readings);
    free(workings.now_called);
    pipeline->registry = workings.registry;
    pipeline->plausible = workings.plausible;
    pipeline->readings = workings.readings;
    pipeline->room = workings.room;
    pipeline->site = site;
    TELL(pipeline, inventory, site->inventory);
    for (uint32_t i = 0; i < rules_count(site->rules); i++)
        tell_state(pipeline, i);
    sweep_stale(pipeline);
    return 0;
}

/* -- people and restarts -------------------------------------------------------------------- */

void pipeline_restore(struct pipeline *pipeline, const char *id, const char *text)
{
    int64_t now_ms = advance(pipeline, clock_boot_ms());
    int r = rules_restore(pipeline->site->rules, id, text, now_ms, wall_or_never(now_ms));

    if (r == -EINVAL)
        log_warn("rule %s: what was saved of it cannot be read; it begins anew", id);
    if (r == 0) /* taking up a state is no transition: nobody was told of it yet */
        tell_state(pipeline, rules_find(pipeline->site->rules, id));
    settle(pipeline);
    plan_rules(pipeline);
}

void pipeline_save_all(struct pipeline *pipeline)
{
    advance(pipeline, clock_boot_ms());
    for (uint32_t i = 0; i < rules_count(pipeline->site->rules); i++)
        tell_saved(pipeline, i);
    settle(pipeline);
}

int pipeline_order(struct pipeline *pipeline, const struct rules_order *order, struct error *reterr)
{
    int r = rules_order(pipeline->site->rules, order, advance(pipeline, clock_boot_ms()), reterr);

    settle(pipeline);
    plan_rules(pipeline);
    return r;
}

void pipeline_tell_command(struct pipeline *pipeline, const struct pipeline_command_event *command)
{
    const struct inventory *inventory = pipeline->site->inventory;
    struct event event = {.boot = pipeline->boot,
                          .sequence = ++pipeline->sequence,
                          .at_ms = clock_boot_ms(),
                          .since_ms = CLOCK_NEVER,
                          .instance = inventory_find_rule(inventory, command->target),
                          .sensor = inventory_find_sensor(inventory, command->target),
                          .type = EVENT_COMMAND,
                          .kind = command->has_value ? VALUE_NUMBER : VALUE_NONE,
                          .number = command->value,
                          .limit = NAN};
    size_t length = 0;

    text_append(event.note, sizeof(event.note), &length, "%s %s", command->kind, command->target);
    if (command->argument[0])
        text_append(event.note, sizeof(event.note), &length, " %s", command->argument);
    if (command->note[0])
        text_append(event.note, sizeof(event.note), &length, ": %s", command->note);
    text_copy(event.by, sizeof(event.by), command->by);
    text_copy(event.via, sizeof(event.via), command->via);
    text_copy(event.result, sizeof(event.result), command->result);
    pipeline->counts.events++;
    pipeline->told = true;
    TELL(pipeline, event, &event);
    settle(pipeline);
}

void pipeline_tell_gateway(struct pipeline *pipeline, const struct pipeline_gateway_event *about)
{
    struct event event = {.boot = pipeline->boot,
                          .sequence = ++pipeline->sequence,
                          .at_ms = clock_boot_ms(),
                          .since_ms = about->since_ms,
                          .instance = UINT32_MAX,
                          .sensor = UINT32_MAX,
                          .type = about->type,
                          .severity = about->severity,
                          .limit = NAN};
    struct sink_notification notification = {.at_ms = event.at_ms,
                                             .instance = UINT32_MAX,
                                             .type = about->type,
                                             .severity = about->severity,
                                             .except = about->except,
                                             .text = about->words};

    text_copy(event.note, sizeof(event.note), about->words);
    pipeline->counts.events++;
    pipeline->told = true;
    TELL(pipeline, event, &event);
    TELL(pipeline, notify, &notification);
    settle(pipeline);
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
