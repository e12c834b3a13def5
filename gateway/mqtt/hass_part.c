#include "gateway/mqtt/hass_part.h"

#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/topics.h"

#include <stdio.h>
#include <string.h>

#define RULE_BEGIN "rule-"

const char *part_device_name(const struct message *m)
{
    return m->device ? inventory_device_identity(m->device) : "gateway";
}

const char *part_device_label(const struct message *m)
{
    return m->device ? m->device->label : m->inventory->label;
}

void part_optional(struct message *m, const char *key, const char *text)
{
    if (text && text[0])
        json_text(&m->json, key, text);
}

void part_id(struct message *m, const char *key, const char *device, const char *entity)
{
    char id[HASS_ID_SIZE];

    snprintf(id, sizeof(id), "%s-%s%s%s", m->inventory->id, device, entity ? "-" : "",
             entity ? entity : "");
    json_text(&m->json, key, id);
}

/* A rule may move from the page of one device to another's: its id does not name one. */
static void put_unique_id(struct message *m, const char *device, const char *key)
{
    bool is_rule = strncmp(key, RULE_BEGIN, strlen(RULE_BEGIN)) == 0;

    part_id(m, "uniq_id", is_rule ? key : device, is_rule ? NULL : key);
}

/* -- the device ----------------------------------------------------------------------------- */

void part_device_availability(struct message *m)
{
    char topic[TOPICS_SIZE];

    json_array(&m->json, "availability");
    part_topic(m, topics_status(topic, m->plan->base));
    part_topic(m, topics_device_availability(topic, m->plan->base, m->device->name));
    json_end(&m->json);
    json_text(&m->json, "availability_mode", "all");
}

void part_origin(struct message *m)
{
    json_object(&m->json, "origin");
    json_text(&m->json, "name", "Thermogate");
    json_text(&m->json, "sw_version", THERMOGATE_VERSION);
    json_end(&m->json);
}

void part_device(struct message *m)
{
    struct json *json = &m->json;
    const struct inventory_device *device = m->device;

    json_object(json, "device");
    json_array(json, "identifiers");
    part_id(m, NULL, part_device_name(m), NULL);
    json_end(json);
    json_text(json, "name", part_device_label(m));
    part_optional(m, "manufacturer", device ? device->manufacturer : "Thermogate");
    part_optional(m, "model", device ? device->model : "Gateway");
    if (device) {
        part_optional(m, "serial_number", device->serial_number);
        part_optional(m, "suggested_area", device->area);
        part_id(m, "via_device", "gateway", NULL);
    } else {
        json_text(json, "sw_version", THERMOGATE_VERSION);
    }
    json_end(json);
}

/* -- an entity ------------------------------------------------------------------------------ */

static void begin_alone(struct message *m, const char *platform, const char *key)
{
    m->alone->platform = platform;
    text_copy(m->alone->key, sizeof(m->alone->key), key);
    m->alone->has_availability = m->device == NULL;
    json_start(&m->json, m->alone->to, m->alone->size);
    json_object(&m->json, NULL);
}

void part_begin(struct message *m, const char *platform, const char *key)
{
    if (m->alone) {
        begin_alone(m, platform, key);
    } else {
        json_object(&m->json, key);
        json_text(&m->json, "p", platform);
    }
    put_unique_id(m, part_device_name(m), key);
}

static void hand_over(struct alone *alone, const char *text, size_t length)
{
    struct hass_entity entity = {
        .platform = alone->platform, .key = alone->key, .text = text, .length = length};

    if (alone->result == 0)
        alone->result = alone->put(alone->owner, &entity);
}

/* What a component has from the top of its message stands in each that is alone. */
void part_end(struct message *m)
{
    if (!m->alone) {
        json_end(&m->json);
        return;
    }
    if (!m->alone->has_availability)
        part_device_availability(m);
    part_device(m);
    part_origin(m);
    hand_over(m->alone, m->alone->to, json_length(&m->json));
}

void part_remove(struct message *m, const char *platform, const char *key)
{
    if (m->alone) {
        begin_alone(m, platform, key);
        hand_over(m->alone, NULL, 0);
        return;
    }
    json_object(&m->json, key);
    json_text(&m->json, "p", platform);
    json_end(&m->json);
}

void part_unslug(char *text)
{
    for (; *text; text++)
        *text = *text == '_' ? ' ' : *text;
}

void part_name(struct message *m, const char *label, const char *slug)
{
    size_t length = strlen(part_device_label(m));
    char text[256];

    if (strcmp(label, part_device_label(m)) == 0) {
        json_null(&m->json, "name"); /* the entity is what the device is about */
        return;
    }
    if (length > 0 && strncmp(label, part_device_label(m), length) == 0 && label[length] == ' ' &&
        label[length + 1])
        label += length + 1;
    text_copy(text, sizeof(text), label);
    if (strcmp(label, slug) == 0)
        part_unslug(text);
    json_text(&m->json, "name", text);
}

void part_topic(struct message *m, const char *topic)
{
    json_object(&m->json, NULL);
    json_text(&m->json, "t", topic);
    json_end(&m->json);
}

void part_gateway_availability(struct message *m)
{
    char topic[TOPICS_SIZE];

    if (m->alone)
        m->alone->has_availability = true;
    json_array(&m->json, "avty");
    part_topic(m, topics_status(topic, m->plan->base));
    json_end(&m->json);
}

void part_switch(struct message *m, const char *topic, const char *on, const char *off)
{
    json_text(&m->json, "cmd_t", topic);
    json_text(&m->json, "pl_on", on);
    json_text(&m->json, "pl_off", off);
}
