/* A small world for tests of rules: five sensors, a config as text, and everything that comes out
 * written down line by line. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEMP, SETPOINT, DOOR, HALL, LOAD, N_SENSORS };

struct world {
    struct conf *conf;
    struct problems *problems;
    struct text_table *texts;
    struct rules *rules;
    uint8_t severity; /* of the newest action */
    char log[8192];
    size_t length;
};

static inline const char *world_id(const struct world *world, uint32_t instance)
{
    return rules_info(world->rules, instance).id;
}

static inline void world_transition(void *owner, const struct rule_transition *change)
{
    struct world *world = owner;
    char limit[32] = "-";
    if (change->limit == change->limit)
        text_from_number(limit, sizeof limit, change->limit, -1);
    text_append(world->log, sizeof world->log, &world->length, "%lld %s %s>%s %s\n",
                (long long)change->at_ms, world_id(world, change->instance),
                rule_state_name(change->from), rule_state_name(change->to), limit);
}

/* Firing and clearing go to the line of their transition, as its message. */
static inline void world_event(void *owner, const struct rule_event *event)
{
    static const char *const kinds[] = {"fired",   "level",    "cleared", "blind",
                                        "seeing",  "acked",    "muted",   "unmuted",
                                        "enabled", "disabled", "limit"};
    struct world *world = owner;
    char value[40] = "";
    if (event->kind == RULE_EVENT_FIRED || event->kind == RULE_EVENT_CLEARED) {
        world->length--;
        text_append(world->log, sizeof world->log, &world->length, " | %s\n", event->message);
        return;
    }
    if (event->key) {
        text_copy(value, sizeof value, "=");
        text_from_number(value + 1, sizeof value - 1, event->value, -1);
    }
    text_append(world->log, sizeof world->log, &world->length, "%lld %s %s%s%s%s%s%s%s%s%s%s\n",
                (long long)event->at_ms, world_id(world, event->instance), kinds[event->kind],
                event->key ? " " : "", event->key ? event->key : "", value, event->by ? " by " : "",
                event->by ? event->by : "", event->note ? " (" : "", event->note ? event->note : "",
                event->note ? ")" : "", event->message ? " | " : "");
    if (event->message) {
        world->length--;
        text_append(world->log, sizeof world->log, &world->length, "%s\n", event->message);
    }
}

static inline void world_action(void *owner, const struct rule_action *action)
{
    struct world *world = owner;
    char number[32];
    text_from_number(number, sizeof number, action->number, -1);
    world->severity = action->severity;
    if (action->kind == ACTION_PUBLISH)
        text_append(world->log, sizeof world->log, &world->length, "publish %s %s %d %d\n",
                    action->target, action->text, action->qos, action->retain);
    else if (action->kind == ACTION_LOG)
        text_append(world->log, sizeof world->log, &world->length, "log %s\n", action->text);
    else if (action->kind == ACTION_WRITE)
        text_append(world->log, sizeof world->log, &world->length, "%s %s %s%s\n",
                    action->held ? "hold" : "write", action->target,
                    action->text ? action->text : number, action->take_up ? " as before" : "");
    else
        text_append(world->log, sizeof world->log, &world->length, "%s %s: %s\n",
                    action->kind == ACTION_RUN ? "run" : "notify", action->target, action->text);
}

/* `rules`, `defaults`, and `limits` of room.temp and pump.load under `room_limits`, `pump_limits`.
 */
static inline const struct setting *world_root(void)
{
    static const struct setting defaults[] = {{.key = "notify", .forms = SETTING_TEXTS}, {0}};
    static const struct setting root[] = {
        {.key = "rules", .forms = SETTING_NAMED, .inside = rules_settings},
        {.key = "defaults", .forms = SETTING_GROUP, .inside = defaults},
        {.key = "room_limits", .forms = SETTING_GROUP, .inside = rules_limits_settings},
        {.key = "probes", .forms = SETTING_GROUP | SETTING_OPEN},
        {.key = "pump_limits", .forms = SETTING_GROUP, .inside = rules_limits_settings},
        {0},
    };
    return root;
}

static inline const struct section *world_child(const struct world *world, const char *key)
{
    const struct section *root = conf_root(world->conf);
    return section_has(root, key) ? section_child(root, key) : NULL;
}

#define WORLD_POLLED .every_ms = 10000, .stale_ms = 30000
static const struct rules_sensor world_sensors[N_SENSORS] = {
    [TEMP] = {"room.temp", "Room temp", "C", .decimals = 1, WORLD_POLLED},
    [SETPOINT] = {"room.setpoint", "Room setpoint", "C", .decimals = -1, WORLD_POLLED,
                  .writable = true},
    [DOOR] = {"door.event", "Door", "", .text = true, .event = true, .decimals = -1,
              .stale_ms = 30000, .writable = true},
    [HALL] = {"hall.temp", "Hall temp", "C", .decimals = 1, .every_ms = 20000, .stale_ms = 60000},
    [LOAD] = {"pump.load", "Pump load", "", .decimals = -1, WORLD_POLLED},
};

/* Names of notifiers and hooks that the next world_open() checks. */
static const char *const world_names[] = {"phone", "siren"};
static bool world_has_names;

/* The bus of hall.temp in the next world_open(). */
static const char *world_hall_bus;

/* Returns what rules_new() does; `config` may be one that is refused. */
static inline int world_open(struct world *world, const char *config)
{
    static const struct rules_output output = {world_transition, world_event, world_action};
    memset(world, 0, sizeof *world);
    clock_use_fixed(0, 0);
    world->problems = problems_new();
    world->texts = text_table_new();
    int result = conf_read_text("t.cfg", config, strlen(config), world_root(), world->problems,
                                &world->conf);
    if (result)
        return result;
    struct rules_sensor sensors[N_SENSORS];
    for (size_t i = 0; i < N_SENSORS; i++)
        sensors[i] = world_sensors[i];
    const struct rules_origin origins[N_SENSORS] = {
        [HALL] = {.bus = world_hall_bus},
        [TEMP] = {.limits = world_child(world, "room_limits")},
        [LOAD] = {.limits = world_child(world, "pump_limits")},
    };
    struct rules_config all = {.rules = world_child(world, "rules"),
                               .defaults = world_child(world, "defaults"),
                               .sensors = sensors,
                               .origins = origins,
                               .n_sensors = N_SENSORS,
                               .texts = world->texts,
                               .probes = world_child(world, "probes")};
    if (world_has_names) {
        all.notifiers = all.hooks = world_names;
        all.n_notifiers = all.n_hooks = 2;
    }
    return rules_new(&all, &output, world, world->problems, &world->rules);
}

static inline void world_close(struct world *world)
{
    rules_free(world->rules);
    conf_free(world->conf);
    text_table_free(world->texts);
    problems_free(world->problems);
    clock_use_system();
}

static inline struct reading world_number(int64_t at_ms, uint32_t sensor, double number)
{
    return (struct reading){
        .at_ms = at_ms, .sensor = sensor, .kind = VALUE_NUMBER, .number = number};
}

/* A poll with one number, one text, or one bad reading. */
static inline void world_poll(struct world *world, int64_t at_ms, uint32_t sensor, double number)
{
    struct reading reading = world_number(at_ms, sensor, number);
    rules_on_poll(world->rules, &reading, 1, at_ms);
}

static inline void world_poll_text(struct world *world, int64_t at_ms, uint32_t sensor,
                                   const char *text)
{
    struct reading reading = {.at_ms = at_ms, .sensor = sensor, .kind = VALUE_TEXT};
    reading.text = text_table_add(world->texts, text);
    rules_on_poll(world->rules, &reading, 1, at_ms);
}

static inline void world_poll_bad(struct world *world, int64_t at_ms, uint32_t sensor)
{
    struct reading reading = {.at_ms = at_ms, .sensor = sensor, .quality = QUALITY_TIMEOUT};
    rules_on_poll(world->rules, &reading, 1, at_ms);
}

/* What was written down since the last call must be exactly this. */
static inline void world_expect(struct world *world, const char *lines)
{
    world->log[world->length] = '\0';
    assert_string_equal(world->log, lines);
    world->length = 0;
}

/* The config is refused with this as its first error, and only with `count` of them. */
static inline void world_refuses(const char *config, size_t count, const char *line)
{
    struct world world;
    int result = world_open(&world, config);
    const char *first;
    for (size_t i = 0; (first = problems_line(world.problems, i)); i++)
        if (strstr(first, ": error: ")) /* warnings may come before it */
            break;
    assert_non_null(first);
    assert_string_equal(first, line);
    assert_int_equal(problems_errors(world.problems), count);
    assert_int_equal(result, -EINVAL);
    world_close(&world);
}

/* As a reload does; sensors[i]: the number in `fresh` of the i-th sensor of `old`. */
static inline void world_adopt(struct rules *fresh, struct rules *old, const uint32_t *sensors,
                               int64_t now_ms)
{
    size_t n = rules_count(old);
    uint32_t *instances = calloc(n + 1, sizeof(*instances));
    for (uint32_t i = 0; i < n; i++)
        instances[i] = rules_find(fresh, rules_info(old, i).id);
    rules_adopt(fresh, old, sensors, instances, now_ms);
    free(instances);
}
