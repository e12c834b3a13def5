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
    char log[8192];
    size_t length;
};

static inline void world_transition(void *owner, const struct rule_transition *change)
{
    struct world *world = owner;
    char limit[32] = "-";
    if (change->limit == change->limit)
        text_from_number(limit, sizeof limit, change->limit, -1);
    text_append(world->log, sizeof world->log, &world->length, "%lld %s %s>%s %s%s%s\n",
                (long long)change->at_ms, rules_info(world->rules, change->instance).id,
                rule_state_name(change->from), rule_state_name(change->to), limit,
                change->message ? " | " : "", change->message ? change->message : "");
}

static inline void world_action(void *owner, const struct rule_action *action)
{
    struct world *world = owner;
    if (action->kind == ACTION_PUBLISH)
        text_append(world->log, sizeof world->log, &world->length, "publish %s %s %d %d\n",
                    action->target, action->text, action->qos, action->retain);
    else
        text_append(world->log, sizeof world->log, &world->length, "log %s\n", action->text);
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

/* Returns what rules_new() does; `config` may be one that is refused. */
static inline int world_open(struct world *world, const char *config)
{
    static const struct rules_output output = {world_transition, world_action};
    memset(world, 0, sizeof *world);
    clock_use_fixed(0, 0);
    world->problems = problems_new();
    world->texts = text_table_new();
    int result = conf_read_text("t.cfg", config, strlen(config), world_root(), world->problems,
                                &world->conf);
    if (result)
        return result;
    struct rules_sensor sensors[N_SENSORS] = {
        [TEMP] = {"room.temp", "Room temp", "C", false, 1, 10000, 30000,
                  world_child(world, "room_limits")},
        [SETPOINT] = {"room.setpoint", "Room setpoint", "C", false, -1, 10000, 30000, NULL},
        [DOOR] = {"door.event", "Door", "", true, -1, 0, 0, NULL},
        [HALL] = {"hall.temp", "Hall temp", "C", false, 1, 10000, 30000, NULL},
        [LOAD] = {"pump.load", "Pump load", "", false, -1, 10000, 30000,
                  world_child(world, "pump_limits")},
    };
    struct rules_config all = {world_child(world, "rules"), world_child(world, "defaults"), sensors,
                               N_SENSORS, world->texts};
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
    const char *first = problems_line(world.problems, 0);
    assert_non_null(first);
    assert_string_equal(first, line);
    assert_int_equal(problems_errors(world.problems), count);
    assert_int_equal(result, -EINVAL);
    world_close(&world);
}
