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
    return m->device ? m->device->name : "gateway";
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
void part_unique_id(struct message *m, const char *device, const char *key)
{
    bool is_rule = strncmp(key, RULE_BEGIN, strlen(RULE_BEGIN)) == 0;

    part_id(m, "uniq_id", is_rule ? key : device, is_rule ? NULL : key);
}

void part_begin(struct message *m, const char *platform, const char *key)
{
    if (m->take)
        m->take(m->owner, platform, key);
    json_object(&m->json, key);
    json_text(&m->json, "p", platform);
    part_unique_id(m, part_device_name(m), key);
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
