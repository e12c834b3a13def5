/* A pipeline with a site, and a sink that writes down what it gets: for the tests of the pipeline.
 */
#pragma once

#include "gateway/core/pipeline.h"

#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/site_world.h"

#include <stdio.h>
#include <stdlib.h>

#define MANY 100 /* channels, more than fit into any buffer of a fixed size */

/* A pipeline with a site and a sink that writes down what it gets, one word each. */
struct world {
    struct guard guard;
    struct pipeline *pipeline;
    struct site_world site;
    char said[4000];
    size_t length;
    struct reading last[MANY]; /* of the last call with readings */
    size_t n_last;
    struct event events[8];
    size_t n_events;
    struct instance_state states[8];
    size_t n_states;
    const char *stop_at; /* a word that ends guard_run() */
    char log[1000];
    size_t logged;
};

static inline void say(struct world *world, const char *format, ...)
{
    char what[100];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    text_append(world->said, sizeof(world->said), &world->length, "%s ", what);
    if (world->stop_at && strcmp(what, world->stop_at) == 0)
        loop_stop(world->guard.loop);
}

static inline void take_inventory(void *sink, struct inventory *inventory)
{
    say(sink, "inventory:%u", inventory->n_sensors);
}

static inline void take_readings(void *sink, uint32_t device, const struct reading *readings,
                                 size_t count)
{
    struct world *world = sink;
    world->n_last = count;
    for (size_t i = 0; i < count && i < MANY; i++)
        world->last[i] = readings[i];
    say(world, "readings:%u:%zu:%s", device, count, quality_name(readings[0].quality));
}

static inline void take_device(void *sink, uint32_t device, uint8_t why, int64_t at_ms)
{
    say(sink, "device:%u:%s:%lld", device, quality_name(why), (long long)at_ms);
}

static inline void take_instance(void *sink, const struct instance_state *state)
{
    struct world *world = sink;
    world->states[world->n_states++ % 8] = *state;
    say(world, "state:%u:%s", state->instance, rule_state_name(state->state));
}

static inline void take_event(void *sink, const struct event *event)
{
    struct world *world = sink;
    world->events[world->n_events++ % 8] = *event;
    say(world, "event:%u:%s", event->instance, event_type_name(event->type));
}

static inline void take_publish(void *sink, const char *topic, const char *payload, uint8_t qos,
                                bool retain)
{
    say(sink, "publish:%s:%s:%u:%d", topic, payload, qos, retain);
}

static inline void take_notify(void *sink, const struct sink_notification *notification)
{
    say(sink, "notify:%s:%s:%s%s%s", notification->notifier ? notification->notifier : "all",
        event_type_name(notification->type), notification->text,
        notification->except ? ":but " : "", notification->except ? notification->except : "");
}

static inline void take_run(void *sink, uint32_t instance, const char *hook, const char *text)
{
    say(sink, "run:%u:%s:%s", instance, hook, text);
}

static const struct sink_calls all_calls = {
    .name = "test",
    .inventory = take_inventory,
    .readings = take_readings,
    .device = take_device,
    .instance = take_instance,
    .event = take_event,
    .publish = take_publish,
    .notify = take_notify,
    .run = take_run,
};
static const struct sink_calls no_calls = {.name = "deaf"};

static inline void take_log(void *owner, enum log_level level, const char *line)
{
    struct world *world = owner;
    (void)level;
    text_append(world->log, sizeof(world->log), &world->logged, "%s\n", line);
}

/* With two sinks: one that takes nothing, and the test's. */
static inline void use_config(struct world *world, const char *text)
{
    struct site_context context = {.output = &pipeline_rules_output,
                                   .owner = world->pipeline,
                                   .texts = pipeline_texts(world->pipeline)};
    int r = site_world_open(&world->site, text, &context);
    if (problems_errors(world->site.problems) > 0)
        fail_msg("%s", problems_line(world->site.problems, 0));
    assert_int_equal(r, 0);
    assert_int_equal(pipeline_add_sink(world->pipeline, &no_calls, NULL), 0);
    assert_int_equal(pipeline_add_sink(world->pipeline, &all_calls, world), 0);
    assert_int_equal(pipeline_use(world->pipeline, world->site.site, NULL), 0);
}

static inline int open_empty(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    guard_open(&world->guard);
    world->pipeline = pipeline_new(world->guard.loop);
    log_set_sink(take_log, world);
    *state = world;
    return world->pipeline ? 0 : -1;
}

static inline int close_world(void **state)
{
    struct world *world = *state;
    log_set_sink(NULL, NULL);
    if (world->site.conf)
        site_world_close(&world->site);
    pipeline_free(world->pipeline);
    guard_close(&world->guard);
    free(world);
    return 0;
}

static inline void expect(struct world *world, const char *said)
{
    assert_string_equal(world->said, said);
    world->length = 0;
    world->said[0] = '\0';
}

static inline void accept(struct world *world, uint32_t device, struct sample sample)
{
    pipeline_accept(world->pipeline, device, &sample, 1);
}

/* Runs the loop until the sink hears exactly this. */
static inline void run_until(struct world *world, const char *what)
{
    world->stop_at = what;
    guard_run(&world->guard);
    world->stop_at = NULL;
}
