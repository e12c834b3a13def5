#include "gateway/core/command.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/hass_class.h"
#include "gateway/mqtt/hass_part.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/topics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EXPIRE_MIN_S 15

/* Home Assistant wants a range, and takes no step below. */
#define ANY_LIMIT 1e9
#define STEP_MIN  0.001

/* How long without a message until the value is no longer believed, when even the gateway's last
 * will did not come. */
static int64_t expire_s(const struct inventory_device *device,
                        const struct inventory_sensor *sensor)
{
    int64_t every_ms = device->every_ms, ms, seconds;

    if (sensor->sparse && sensor->sparse->heartbeat_ms > every_ms)
        every_ms = sensor->sparse->heartbeat_ms;
    ms = 3 * every_ms > sensor->stale_ms ? 3 * every_ms : sensor->stale_ms;
    seconds = (ms + 999) / 1000;

    return seconds > EXPIRE_MIN_S ? seconds : EXPIRE_MIN_S;
}

static const char *state_class_of(const struct inventory_sensor *sensor)
{
    if (sensor->state_class[0])
        return sensor->state_class;
    if (hass_class_is_total(sensor->klass))
        return sensor->counter ? "total_increasing" : "";
    return sensor->counter ? "total_increasing" : "measurement";
}

/* Where the value comes from. Subscript and not `.name`: a channel may be called `values` or
 * `items`.
 */
static void put_source(struct message *m, const struct inventory_sensor *sensor)
{
    char text[HASS_ID_SIZE];

    if (m->plan->bare) {
        json_text(&m->json, "stat_t",
                  topics_channel(text, m->plan->base, m->device->name, sensor->channel));
        return;
    }
    snprintf(text, sizeof(text), "{{ value_json['%s'] }}", sensor->channel);
    json_text(&m->json, "val_tpl", text);
    if (m->alone)
        json_text(&m->json, "stat_t", topics_device_state(text, m->plan->base, m->device->name));
}

static void put_class(struct message *m, const struct inventory_sensor *sensor)
{
    if (hass_class_fits(sensor->klass, sensor->unit))
        json_text(&m->json, "dev_cla", sensor->klass);
    part_optional(m, "unit_of_meas", sensor->unit);
}

static void put_numeric(struct message *m, const struct inventory_sensor *sensor)
{
    put_class(m, sensor);
    part_optional(m, "stat_cla", state_class_of(sensor));
    if (sensor->decimals >= 0)
        json_int(&m->json, "sug_dsp_prc", sensor->decimals);
}

/* JSON's 1, 0 and null come out of the template as "1", "0" and "None", which means unknown. */
static void put_binary(struct message *m, const struct inventory_sensor *sensor)
{
    if (hass_class_is_binary(sensor->klass))
        json_text(&m->json, "dev_cla", sensor->klass);
    json_text(&m->json, "pl_on", "1");
    json_text(&m->json, "pl_off", "0");
}

static double step_of(const struct inventory_sensor *sensor)
{
    double step = sensor->write->step;

    if (!(step > 0))
        step = sensor->decimals >= 0 ? pow(10, -sensor->decimals) : STEP_MIN;
    return step > STEP_MIN ? step : STEP_MIN;
}

/* It shows only what was read back. */
static void put_number(struct message *m, const struct inventory_sensor *sensor, const char *topic)
{
    const struct inventory_write *write = sensor->write;
    struct json *json = &m->json;

    put_class(m, sensor);
    json_text(json, "cmd_t", topic);
    json_number(json, "min", isfinite(write->min) ? write->min : -ANY_LIMIT, -1);
    json_number(json, "max", isfinite(write->max) ? write->max : ANY_LIMIT, -1);
    json_number(json, "step", step_of(sensor), -1);
    json_text(json, "mode", "box");
}

static void put_switch(struct message *m, const char *topic)
{
    part_switch(m, topic, "ON", "OFF");
    json_text(&m->json, "stat_on", "1");
    json_text(&m->json, "stat_off", "0");
}

static void put_options(struct message *m, const struct inventory_sensor *sensor)
{
    json_array(&m->json, "ops");
    for (uint32_t i = 0; i < sensor->n_options; i++)
        json_text(&m->json, NULL, sensor->options[i].text);
    json_end(&m->json);
}

static void put_select(struct message *m, const struct inventory_sensor *sensor, const char *topic)
{
    json_text(&m->json, "cmd_t", topic);
    put_options(m, sensor);
}

/* So that automations offer what it can be. Home Assistant takes neither unit nor state class with
 * it; a text of which not all is known, as of a serial number, has no class. */
static void put_enumeration(struct message *m, const struct inventory_sensor *sensor)
{
    if (sensor->n_options == 0)
        return;
    json_text(&m->json, "dev_cla", "enum");
    put_options(m, sensor);
}

static void put_writable(struct message *m, const struct inventory_sensor *sensor)
{
    static const char *const platforms[] = {
        [SENSOR_NUMBER] = "number", [SENSOR_BINARY] = "switch", [SENSOR_TEXT] = "select"};
    char topic[TOPICS_SIZE];

    topics_channel_set(topic, m->plan->base, m->device->name, sensor->channel);
    part_begin(m, platforms[sensor->kind], inventory_sensor_identity(sensor));
    part_name(m, sensor->label, sensor->channel);
    put_source(m, sensor);
    if (sensor->kind == SENSOR_NUMBER)
        put_number(m, sensor, topic);
    else if (sensor->kind == SENSOR_BINARY)
        put_switch(m, topic);
    else
        put_select(m, sensor, topic);
    part_optional(m, "ic", sensor->icon);
    part_end(m);
}

static void put_looks(struct message *m, const struct inventory_sensor *sensor)
{
    part_optional(m, "ic", sensor->icon);
    /* Home Assistant refuses "config" for what only shows. */
    if (strcmp(sensor->category, "diagnostic") == 0) {
        json_text(&m->json, "ent_cat", sensor->category);
        json_bool(&m->json, "en", false); /* until somebody wants to see it */
    }
}

static void put_readable(struct message *m, const struct inventory_sensor *sensor)
{
    part_begin(m, sensor->kind == SENSOR_BINARY ? "binary_sensor" : "sensor",
               inventory_sensor_identity(sensor));
    part_name(m, sensor->label, sensor->channel);
    put_source(m, sensor);
    if (sensor->kind == SENSOR_NUMBER)
        put_numeric(m, sensor);
    else if (sensor->kind == SENSOR_BINARY)
        put_binary(m, sensor);
    else
        put_enumeration(m, sensor);
    json_int(&m->json, "exp_aft", expire_s(m->device, sensor));
    put_looks(m, sensor);
    part_end(m);
}

static void put_event(struct message *m, const struct inventory_sensor *sensor)
{
    char topic[TOPICS_SIZE];

    part_begin(m, "event", inventory_sensor_identity(sensor));
    part_name(m, sensor->label, sensor->channel);
    topics_channel_event(topic, m->plan->base, m->device->name, sensor->channel);
    json_text(&m->json, "stat_t", topic);
    if (hass_class_is_event(sensor->klass))
        json_text(&m->json, "dev_cla", sensor->klass);
    json_array(&m->json, "evt_typ");
    for (uint32_t i = 0; i < sensor->n_options; i++)
        json_text(&m->json, NULL, sensor->options[i].text);
    json_end(&m->json);
    put_looks(m, sensor);
    part_end(m);
}

/* What would be refused is not offered. */
void hass_put_sensor(struct message *m, const struct inventory_sensor *sensor)
{
    bool can = sensor->kind != SENSOR_TEXT || sensor->n_options > 0;

    if (sensor->kind == SENSOR_EVENT)
        put_event(m, sensor);
    else if (sensor->write && can && m->plan->rights == COMMAND_RIGHTS_ALL)
        put_writable(m, sensor);
    else
        put_readable(m, sensor);
}
