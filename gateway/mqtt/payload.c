#include "gateway/mqtt/payload.h"

#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/shadow.h"

#include <stdio.h>
#include <string.h>

/* "2026-11-21T14:02:05.123+01:00": where the milliseconds stand. */
#define MS_AT 20

/* 0 is the time of what has never happened, in a struct that nobody has filled. */
static bool is_known(int64_t at_ms)
{
    return at_ms != 0 && at_ms != CLOCK_NEVER;
}

static void put_time(struct json *json, const char *key, int64_t at_ms)
{
    char text[CLOCK_TEXT_SIZE];
    bool known = is_known(at_ms) && clock_text(at_ms, text)[0];

    json_text(json, key, known ? text : NULL);
}

int64_t payload_wall_ms(int64_t at_ms)
{
    return is_known(at_ms) && clock_wall_is_good() ? clock_wall_ms(at_ms) : CLOCK_NEVER;
}

/* Through the cache. */
static void put_stamp(struct json *json, struct payload_clock *clock, int64_t wall_ms)
{
    int ms;

    if (wall_ms == CLOCK_NEVER) {
        json_null(json, "ts");
        return;
    }
    if (wall_ms / 1000 != clock->second || !clock->text[0]) {
        clock_wall_text(wall_ms, clock->text);
        clock->second = wall_ms / 1000;
    }
    ms = (int)(wall_ms % 1000);
    clock->text[MS_AT] = (char)('0' + ms / 100);
    clock->text[MS_AT + 1] = (char)('0' + ms / 10 % 10);
    clock->text[MS_AT + 2] = (char)('0' + ms % 10);
    json_text(json, "ts", clock->text);
}

static int decimals_of(const struct inventory *inventory, uint32_t sensor)
{
    if (sensor >= inventory->n_sensors)
        return -1;
    return inventory->sensors[sensor].kind == SENSOR_BINARY ? 0
                                                            : inventory->sensors[sensor].decimals;
}

static void put_value(struct json *json, const char *key, const struct inventory *inventory,
                      uint32_t sensor, uint8_t kind, double number, uint32_t text)
{
    if (kind == VALUE_NUMBER)
        json_number(json, key, number, decimals_of(inventory, sensor));
    else if (kind == VALUE_TEXT)
        json_text(json, key, text_table_get(inventory->texts, text));
    else
        json_null(json, key);
}

static void put_reading(struct json *json, const struct payload_state *state,
                        const struct reading *reading)
{
    if (reading->quality != QUALITY_GOOD)
        json_null(json, NULL);
    else if (reading->kind == VALUE_TEXT)
        json_text(json, NULL, text_table_get(state->texts, reading->text));
    else
        json_number(json, NULL, reading->number,
                    decimals_of(state->plan->inventory, reading->sensor));
}

static bool is_event(const struct inventory *inventory, uint32_t sensor)
{
    return inventory->sensors[sensor].kind == SENSOR_EVENT;
}

/* That there is no event is as it should be. */
static bool is_missing(const struct inventory *inventory, const struct reading *newest)
{
    return newest->quality != QUALITY_GOOD && !is_event(inventory, newest->sensor);
}

static void put_qualities(struct json *json, const struct plan *plan,
                          const struct inventory_device *device, const struct reading *newest)
{
    json_object(json, "quality");
    for (uint32_t i = 0; i < device->n_sensors; i++) {
        uint32_t sensor = device->first_sensor + i;

        if (!is_missing(plan->inventory, &newest[sensor]))
            continue;
        json_ready_key(json, plan->keys[sensor], strlen(plan->keys[sensor]));
        json_text(json, NULL, quality_name(newest[sensor].quality));
    }
    json_end(json);
}

void payload_put_state(struct json *json, const struct payload_state *state)
{
    const struct inventory *inventory = state->plan->inventory;
    const struct inventory_device *it = &inventory->devices[state->device];
    bool all_good = true;

    json_object(json, NULL);
    put_stamp(json, state->clock, state->wall_ms);
    for (uint32_t i = 0; i < it->n_sensors; i++) {
        uint32_t sensor = it->first_sensor + i;
        const char *key = state->plan->keys[sensor];
        const struct reading *newest = &state->newest[sensor];

        if (newest->quality != QUALITY_GOOD && is_event(inventory, sensor))
            continue;
        json_ready_key(json, key, strlen(key));
        put_reading(json, state, newest);
        all_good = all_good && !is_missing(inventory, newest);
    }
    if (!all_good)
        put_qualities(json, state->plan, it, state->newest);
    json_end(json);
}

size_t payload_state(const struct payload_state *state, char *to, size_t size)
{
    struct json json;

    json_start(&json, to, size);
    payload_put_state(&json, state);
    return json_length(&json);
}

size_t payload_happening(const struct inventory *inventory, const struct reading *reading,
                         struct payload_clock *clock, char *to, size_t size)
{
    struct json json;

    json_start(&json, to, size);
    json_object(&json, NULL);
    json_text(&json, "event_type", text_table_get(inventory->texts, reading->text));
    put_stamp(&json, clock, payload_wall_ms(reading->at_ms));
    json_end(&json);
    return json_length(&json);
}

size_t payload_value(const struct inventory *inventory, const struct reading *reading, char *to,
                     size_t size)
{
    const char *text = "None";

    if (reading->quality == QUALITY_GOOD && reading->kind == VALUE_NUMBER)
        return text_from_number(to, size, reading->number, decimals_of(inventory, reading->sensor));
    if (reading->quality == QUALITY_GOOD && reading->kind == VALUE_TEXT)
        text = text_table_get(inventory->texts, reading->text);
    return text_copy(to, size, text) ? strlen(to) : 0;
}

static uint32_t sensor_of(const struct inventory *inventory, uint32_t instance)
{
    return instance < inventory->n_rules ? inventory->rules[instance].sensor : UINT32_MAX;
}

/* Adjustable ones, as they are set now. */
static void put_limits(struct json *json, const struct inventory *inventory,
                       const struct instance_state *state)
{
    const struct inventory_rule *rule = &inventory->rules[state->instance];

    if (state->n_limits == 0)
        return;
    json_object(json, "limits");
    for (uint8_t i = 0; i < state->n_limits && i < rule->n_limits; i++)
        json_number(json, rule->limits[i].key, state->limits[i], -1);
    json_end(json);
}

size_t payload_rule(const struct inventory *inventory, const struct instance_state *state, char *to,
                    size_t size)
{
    struct json json;

    json_start(&json, to, size);
    json_object(&json, NULL);
    json_text(&json, "state", instance_state_name(state->state));
    json_text(&json, "severity", instance_severity_name(state->severity));
    put_value(&json, "value", inventory, sensor_of(inventory, state->instance), state->kind,
              state->number, state->text);
    put_time(&json, "since", state->since_ms);
    json_number(&json, "limit", state->limit, -1);
    json_bool(&json, "blind", state->blind);
    json_bool(&json, "acked", state->acked);
    json_bool(&json, "muted", state->muted);
    json_bool(&json, "inhibited", state->inhibited);
    json_bool(&json, "active", !state->inactive);
    json_bool(&json, "enabled", !state->disabled);
    put_limits(&json, inventory, state);
    put_time(&json, "ts", state->at_ms);
    json_end(&json);
    return json_length(&json);
}

size_t payload_group(const struct shadow_group *group, uint32_t instances, char *to, size_t size)
{
    struct json json;

    json_start(&json, to, size);
    json_object(&json, NULL);
    json_int(&json, "firing", group->firing);
    json_int(&json, "blind", group->blind);
    json_int(&json, "ok", instances - group->firing - group->blind);
    json_end(&json);
    return json_length(&json);
}

size_t payload_event(const struct inventory *inventory, const struct payload_event *what, char *to,
                     size_t size)
{
    const struct event *event = what->event;
    bool has_rule = event->instance < inventory->n_rules;
    bool has_sensor = event->sensor < inventory->n_sensors;
    struct json json;
    char id[48];

    snprintf(id, sizeof(id), "%016llx:%llu", (unsigned long long)event->boot,
             (unsigned long long)event->sequence);
    json_start(&json, to, size);
    json_object(&json, NULL);
    json_text(&json, "event_type", event_type_name(event->type));
    json_text(&json, "id", id);
    json_text(&json, "rule", has_rule ? inventory->rules[event->instance].id : NULL);
    json_text(&json, "sensor", has_sensor ? inventory->sensors[event->sensor].id : NULL);
    json_text(&json, "severity", has_rule ? instance_severity_name(event->severity) : NULL);
    put_value(&json, "value", inventory, event->sensor, event->kind, event->number, event->text);
    json_number(&json, "limit", event->limit, -1);
    put_time(&json, "since", event->since_ms);
    put_time(&json, "ts", event->at_ms);
    json_text(&json, "note", event->note[0] ? event->note : NULL);
    json_bool(&json, "durable", what->durable);
    if (what->merged > 0)
        json_int(&json, "merged", what->merged);
    if (event->by[0])
        json_text(&json, "by", event->by);
    if (event->via[0])
        json_text(&json, "via", event->via);
    if (event->result[0])
        json_text(&json, "result", event->result);
    json_end(&json);
    return json_length(&json);
}

size_t payload_health(const struct inventory *inventory, const struct payload_health *health,
                      char *to, size_t size)
{
    struct json json;
    char instance[24];

    snprintf(instance, sizeof(instance), "%016llx", (unsigned long long)health->instance);
    json_start(&json, to, size);
    json_object(&json, NULL);
    json_text(&json, "version", THERMOGATE_VERSION);
    json_text(&json, "instance", instance);
    put_time(&json, "connected_since", health->connected_since_ms);
    json_int(&json, "devices", inventory->n_devices);
    json_int(&json, "sensors", inventory->n_sensors);
    json_int(&json, "rules", inventory->n_rules);
    json_ready_members(&json, health->report);
    json_end(&json);
    return json_length(&json);
}
