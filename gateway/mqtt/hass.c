#include "gateway/mqtt/hass.h"

#include "gateway/base/json.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/core/sink.h"
#include "gateway/mqtt/hass_class.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/topics.h"

#include <stdio.h>
#include <string.h>

/* The keys of an entity are Home Assistant's abbreviations: a device may have hundreds, and some
 * brokers end at 128 KB. The few at the top are written out. */

#define ID_SIZE      512
#define KEY_SIZE     256 /* of a rule: three names of TEXT_SLUG_MAX at most, and what joins them */
#define EXPIRE_MIN_S 15

/* What a message is made of. */
struct message {
    struct json json;
    const struct plan *plan;
    const struct inventory *inventory;
    const struct inventory_device *device; /* NULL: the gateway */
};

bool hass_shows(const struct plan *plan, uint32_t device)
{
    return device >= plan->inventory->n_devices || plan->inventory->devices[device].ha;
}

/* -- small parts ---------------------------------------------------------------------------- */

static void put_optional(struct json *json, const char *key, const char *text)
{
    if (text && text[0])
        json_text(json, key, text);
}

/* "<gateway>-<device>", with "-<entity>" when that is not NULL. */
static void put_id(struct message *m, const char *key, const char *device, const char *entity)
{
    char id[ID_SIZE];

    snprintf(id, sizeof(id), "%s-%s%s%s", m->inventory->id, device, entity ? "-" : "",
             entity ? entity : "");
    json_text(&m->json, key, id);
}

static const char *device_name(const struct message *m)
{
    return m->device ? m->device->name : "gateway";
}

static const char *device_label(const struct message *m)
{
    return m->device ? m->device->label : m->inventory->label;
}

/* A slug reads better with blanks. */
static void unslug(char *text)
{
    for (; *text; text++)
        *text = *text == '_' ? ' ' : *text;
}

/* Home Assistant puts the device's name in front, so it must not stand there twice. */
static void put_name(struct message *m, const char *label, const char *slug)
{
    size_t length = strlen(device_label(m));
    char text[256];

    if (strcmp(label, device_label(m)) == 0) {
        json_null(&m->json, "name"); /* the entity is what the device is about */
        return;
    }
    if (length > 0 && strncmp(label, device_label(m), length) == 0 && label[length] == ' ' &&
        label[length + 1])
        label += length + 1;
    text_copy(text, sizeof(text), label);
    if (strcmp(label, slug) == 0)
        unslug(text);
    json_text(&m->json, "name", text);
}

static void put_topic(struct json *json, const char *topic)
{
    json_object(json, NULL);
    json_text(json, "t", topic);
    json_end(json);
}

/* For what can be told while the device is away: it depends on the gateway only. */
static void put_gateway_availability(struct message *m)
{
    char topic[TOPICS_SIZE];

    json_array(&m->json, "avty");
    put_topic(&m->json, topics_status(topic, m->plan->base));
    json_end(&m->json);
}

static void put_device_availability(struct message *m)
{
    char topic[TOPICS_SIZE];

    json_array(&m->json, "availability");
    put_topic(&m->json, topics_status(topic, m->plan->base));
    put_topic(&m->json, topics_device_availability(topic, m->plan->base, m->device->name));
    json_end(&m->json);
    json_text(&m->json, "availability_mode", "all");
}

/* -- channels ------------------------------------------------------------------------------- */

/* How long without a message until the value is no longer believed, when even the gateway's last
 * will did not come. */
static int64_t expire_s(const struct inventory_device *device,
                        const struct inventory_sensor *sensor)
{
    int64_t ms = 3 * device->every_ms > sensor->stale_ms ? 3 * device->every_ms : sensor->stale_ms;
    int64_t seconds = (ms + 999) / 1000;

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

/* Subscript and not `.name`: a channel may be called `values` or `items`. */
static void put_value_template(struct message *m, const char *channel)
{
    char text[ID_SIZE];

    snprintf(text, sizeof(text), "{{ value_json['%s'] }}", channel);
    json_text(&m->json, "val_tpl", text);
}

static void put_numeric(struct message *m, const struct inventory_sensor *sensor)
{
    struct json *json = &m->json;

    if (hass_class_fits(sensor->klass, sensor->unit))
        json_text(json, "dev_cla", sensor->klass);
    put_optional(json, "unit_of_meas", sensor->unit);
    put_optional(json, "stat_cla", state_class_of(sensor));
    if (sensor->decimals >= 0)
        json_int(json, "sug_dsp_prc", sensor->decimals);
}

/* JSON's 1, 0 and null come out of the template as "1", "0" and "None", which means unknown. */
static void put_binary(struct message *m, const struct inventory_sensor *sensor)
{
    if (hass_class_is_binary(sensor->klass))
        json_text(&m->json, "dev_cla", sensor->klass);
    json_text(&m->json, "pl_on", "1");
    json_text(&m->json, "pl_off", "0");
}

static void put_sensor(struct message *m, const struct inventory_sensor *sensor)
{
    struct json *json = &m->json;

    json_object(json, sensor->channel);
    json_text(json, "p", sensor->kind == SENSOR_BINARY ? "binary_sensor" : "sensor");
    put_id(m, "uniq_id", m->device->name, sensor->channel);
    put_name(m, sensor->label, sensor->channel);
    put_value_template(m, sensor->channel);
    if (sensor->kind == SENSOR_NUMBER)
        put_numeric(m, sensor);
    else if (sensor->kind == SENSOR_BINARY)
        put_binary(m, sensor);
    json_int(json, "exp_aft", expire_s(m->device, sensor));
    put_optional(json, "ic", sensor->icon);
    /* Home Assistant refuses "config" for what only shows. */
    if (strcmp(sensor->category, "diagnostic") == 0)
        json_text(json, "ent_cat", sensor->category);
    json_end(json);
}

/* Whether the device answers; itself available as long as the gateway is. */
static void put_connectivity(struct message *m, const char *key, const char *topic)
{
    struct json *json = &m->json;

    json_object(json, key);
    json_text(json, "p", "binary_sensor");
    put_id(m, "uniq_id", device_name(m), key);
    json_text(json, "dev_cla", "connectivity");
    json_text(json, "ent_cat", "diagnostic");
    json_text(json, "stat_t", topic);
    json_text(json, "pl_on", "online");
    json_text(json, "pl_off", "offline");
    json_int(json, "qos", 1);
    if (m->device)
        put_gateway_availability(m);
    json_end(json);
}

/* -- rules ---------------------------------------------------------------------------------- */

/* "rule-high-boiler-flow_temp" of "high@boiler.flow_temp". */
static void rule_key(char key[KEY_SIZE], const char *instance)
{
    snprintf(key, KEY_SIZE, "rule-%s", instance);
    for (char *at = key; *at; at++)
        *at = *at == '@' || *at == '.' ? '-' : *at;
}

/* The rule's label; of a limit that has none the channel and the limit, "flow temp high". */
static void put_rule_name(struct message *m, const struct inventory_rule *rule)
{
    char text[256];

    if (strcmp(rule->label, rule->id) == 0 && rule->sensor < m->inventory->n_sensors &&
        strchr(rule->id, '@')) {
        snprintf(text, sizeof(text), "%s %s", m->inventory->sensors[rule->sensor].label,
                 rule->rule);
        unslug(text);
        put_name(m, text, "");
        return;
    }
    put_name(m, rule->label, rule->id);
}

/* A rule goes on while its device is silent: that may be what it is about. */
static void put_rule(struct message *m, const struct inventory_rule *rule)
{
    struct json *json = &m->json;
    char key[KEY_SIZE], topic[TOPICS_SIZE];

    rule_key(key, rule->id);
    topics_rule_state(topic, m->plan->base, rule->id);
    json_object(json, key);
    json_text(json, "p", "binary_sensor");
    put_id(m, "uniq_id", key, "state");
    put_rule_name(m, rule);
    json_text(json, "dev_cla", "problem");
    json_text(json, "stat_t", topic);
    json_text(json, "val_tpl",
              "{{ 'ON' if value_json.state in ('firing', 'recovering') else 'OFF' }}");
    json_text(json, "json_attr_t", topic);
    json_int(json, "qos", 1);
    put_gateway_availability(m);
    json_end(json);
}

/* A rule over many sensors: how many of its instances fire. */
static void put_group(struct message *m, const char *rule)
{
    struct json *json = &m->json;
    char key[KEY_SIZE], topic[TOPICS_SIZE];

    rule_key(key, rule);
    json_object(json, key);
    json_text(json, "p", "sensor");
    put_id(m, "uniq_id", key, "state");
    put_name(m, rule, rule);
    json_text(json, "stat_t", topics_rule_state(topic, m->plan->base, rule));
    json_text(json, "val_tpl", "{{ value_json.firing }}");
    json_text(json, "stat_cla", "measurement");
    json_text(json, "ic", "mdi:alert-circle-outline");
    json_int(json, "qos", 1);
    put_gateway_availability(m);
    json_end(json);
}

static void put_rules(struct message *m, uint32_t device)
{
    const struct plan *plan = m->plan;

    for (uint32_t i = plan->first_rule[device]; i < plan->first_rule[device + 1]; i++)
        put_rule(m, &m->inventory->rules[plan->rules[i]]);
}

/* -- the gateway, and the whole ------------------------------------------------------------- */

static void put_event_entity(struct message *m)
{
    struct json *json = &m->json;
    char topic[TOPICS_SIZE];

    json_object(json, "event");
    json_text(json, "p", "event");
    put_id(m, "uniq_id", "gateway", "event");
    json_text(json, "name", "Event");
    json_text(json, "stat_t", topics_event(topic, m->plan->base));
    json_array(json, "evt_typ");
    for (uint8_t type = EVENT_FIRED; type <= EVENT_GATEWAY; type++)
        json_text(json, NULL, event_type_name(type));
    json_end(json);
    json_int(json, "qos", 1);
    put_gateway_availability(m);
    json_end(json);
}

static void put_origin(struct message *m)
{
    json_object(&m->json, "origin");
    json_text(&m->json, "name", "Thermogate");
    json_text(&m->json, "sw_version", THERMOGATE_VERSION);
    json_end(&m->json);
}

static void put_device(struct message *m)
{
    struct json *json = &m->json;
    const struct inventory_device *device = m->device;

    json_object(json, "device");
    json_array(json, "identifiers");
    put_id(m, NULL, device_name(m), NULL);
    json_end(json);
    json_text(json, "name", device_label(m));
    put_optional(json, "manufacturer", device ? device->manufacturer : "Thermogate");
    put_optional(json, "model", device ? device->model : "Gateway");
    if (device) {
        put_optional(json, "serial_number", device->serial_number);
        put_optional(json, "suggested_area", device->area);
        put_id(m, "via_device", "gateway", NULL);
    } else {
        json_text(json, "sw_version", THERMOGATE_VERSION);
    }
    json_end(json);
}

static void put_device_components(struct message *m)
{
    char topic[TOPICS_SIZE];

    for (uint32_t i = 0; i < m->device->n_sensors; i++) {
        const struct inventory_sensor *sensor = &m->inventory->sensors[m->device->first_sensor + i];

        if (sensor->ha)
            put_sensor(m, sensor);
    }
    put_connectivity(m, "availability",
                     topics_device_availability(topic, m->plan->base, m->device->name));
}

static void put_gateway_components(struct message *m)
{
    char topic[TOPICS_SIZE];

    put_connectivity(m, "status", topics_status(topic, m->plan->base));
    put_event_entity(m);
    for (uint32_t g = 0; g < m->plan->n_groups; g++)
        put_group(m, m->plan->groups[g]);
}

size_t hass_message(const struct plan *plan, uint32_t device, char *to, size_t size)
{
    const struct inventory *inventory = plan->inventory;
    struct message m = {.plan = plan, .inventory = inventory};

    if (device < inventory->n_devices)
        m.device = &inventory->devices[device];
    json_start(&m.json, to, size);
    json_object(&m.json, NULL);
    put_device(&m);
    put_origin(&m);
    if (m.device) {
        json_text(&m.json, "state_topic", plan->state_topics[device]);
        put_device_availability(&m);
    }
    json_object(&m.json, "components");
    if (m.device)
        put_device_components(&m);
    else
        put_gateway_components(&m);
    put_rules(&m, device);
    return json_length(&m.json);
}
