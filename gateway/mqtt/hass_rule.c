#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/hass_part.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/topics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "rule-high-boiler-flow_temp-state" of "high@boiler.flow_temp". */
static const char *write_key(char key[HASS_KEY_SIZE], const char *rule, const char *entity)
{
    snprintf(key, HASS_KEY_SIZE, "rule-%s-%s", rule, entity);
    for (char *at = key; *at; at++)
        *at = *at == '@' || *at == '.' ? '-' : *at;
    return key;
}

/* Also when the sensor has another name by now. */
static const char *rule_key(const struct message *m, char key[HASS_KEY_SIZE],
                            const struct inventory_rule *rule, const char *entity)
{
    char former[INVENTORY_ID_SIZE], instance[TEXT_SLUG_MAX + 1 + INVENTORY_ID_SIZE];
    const char *at = strchr(rule->id, '@');

    if (!at || rule->sensor >= m->inventory->n_sensors ||
        !inventory_former_id(m->inventory, rule->sensor, 0, former))
        return write_key(key, rule->id, entity);
    snprintf(instance, sizeof(instance), "%.*s@%s", (int)(at - rule->id), rule->id, former);
    return write_key(key, instance, entity);
}

/* The rule's label; of a limit that has none, and of one of many, the channel before it: "flow temp
 * high". Behind it what the entity is for. */
static void put_rule_name(struct message *m, const struct inventory_rule *rule, const char *what)
{
    bool unnamed = strcmp(rule->label, rule->id) == 0;
    bool of_sensor = rule->sensor < m->inventory->n_sensors && strchr(rule->id, '@');
    char text[256];

    if (of_sensor && (unnamed || rule->many))
        snprintf(text, sizeof(text), "%s %s%s", m->inventory->sensors[rule->sensor].label,
                 unnamed ? rule->rule : rule->label, what);
    else
        snprintf(text, sizeof(text), "%s%s", rule->label, what);
    if (unnamed)
        part_unslug(text);
    part_name(m, text, "");
}

static void begin(struct message *m, const struct inventory_rule *rule, const char *platform,
                  const char *entity, const char *what)
{
    char key[HASS_KEY_SIZE];

    part_begin(m, platform, rule_key(m, key, rule, entity));
    put_rule_name(m, rule, what);
}

/* A rule goes on while its device is silent: that may be what it is about. */
static void end(struct message *m)
{
    json_int(&m->json, "qos", 1);
    part_gateway_availability(m);
    part_end(m);
}

static void put_source(struct message *m, const struct inventory_rule *rule, const char *template)
{
    char topic[TOPICS_SIZE];

    json_text(&m->json, "stat_t", topics_rule_state(topic, m->plan->base, rule->id));
    json_text(&m->json, "val_tpl", template);
}

static void put_state(struct message *m, const struct inventory_rule *rule)
{
    char topic[TOPICS_SIZE];

    begin(m, rule, "binary_sensor", "state", "");
    json_text(&m->json, "dev_cla", "problem");
    put_source(m, rule, "{{ 'ON' if value_json.state in ('firing', 'recovering') else 'OFF' }}");
    json_text(&m->json, "json_attr_t", topics_rule_state(topic, m->plan->base, rule->id));
    end(m);
}

static void put_ack(struct message *m, const struct inventory_rule *rule, const char *topic)
{
    begin(m, rule, "button", "ack", " acknowledge");
    json_text(&m->json, "cmd_t", topic);
    json_text(&m->json, "pl_prs", "ack");
    json_text(&m->json, "ic", "mdi:check");
    end(m);
}

static void put_mute(struct message *m, const struct inventory_rule *rule, const char *topic)
{
    begin(m, rule, "switch", "mute", " muted");
    part_switch(m, topic, "mute", "unmute");
    put_source(m, rule, "{{ 'mute' if value_json.muted else 'unmute' }}");
    json_text(&m->json, "ic", "mdi:bell-sleep");
    json_text(&m->json, "ent_cat", "config");
    end(m);
}

static void put_enable(struct message *m, const struct inventory_rule *rule, const char *topic)
{
    begin(m, rule, "switch", "enable", " enabled");
    part_switch(m, topic, "enable", "disable");
    put_source(m, rule, "{{ 'enable' if value_json.enabled else 'disable' }}");
    json_text(&m->json, "ent_cat", "config");
    end(m);
}

static void put_limit(struct message *m, const struct inventory_rule *rule, const char *topic,
                      const struct inventory_limit *limit)
{
    struct json *json = &m->json;
    char text[200], what[100];

    snprintf(text, sizeof(text), "limit_%s", limit->key);
    snprintf(what, sizeof(what), " %s", limit->key);
    begin(m, rule, "number", text, what);
    json_text(json, "cmd_t", topic);
    snprintf(text, sizeof(text), "limit %s={{ value }}", limit->key);
    json_text(json, "cmd_tpl", text);
    snprintf(text, sizeof(text), "{{ value_json.limits['%s'] }}", limit->key);
    put_source(m, rule, text);
    json_number(json, "min", isfinite(limit->min) ? limit->min : -1e9, -1);
    json_number(json, "max", isfinite(limit->max) ? limit->max : 1e9, -1);
    json_number(json, "step", limit->step >= 0.001 ? limit->step : 0.001, -1);
    json_text(json, "mode", "box");
    if (rule->sensor < m->inventory->n_sensors)
        part_optional(m, "unit_of_meas", m->inventory->sensors[rule->sensor].unit);
    json_text(json, "ent_cat", "config");
    end(m);
}

/* Only where somebody has something to do with a rule, and as far as he may. */
void hass_put_rule(struct message *m, const struct inventory_rule *rule)
{
    uint8_t rights = m->plan->rights;
    char topic[TOPICS_SIZE];

    put_state(m, rule);
    topics_rule_set(topic, m->plan->base, rule->id);
    if (rights == COMMAND_RIGHTS_NONE || (!rule->ack && rule->n_limits == 0))
        return;
    if (rule->ack)
        put_ack(m, rule, topic);
    put_mute(m, rule, topic);
    if (rights < COMMAND_RIGHTS_ALL)
        return;
    put_enable(m, rule, topic);
    for (uint8_t i = 0; i < rule->n_limits; i++)
        put_limit(m, rule, topic, &rule->limits[i]);
}

void hass_put_group(struct message *m, const char *rule)
{
    struct json *json = &m->json;
    char key[HASS_KEY_SIZE], topic[TOPICS_SIZE];

    part_begin(m, "sensor", write_key(key, rule, "state"));
    part_name(m, rule, rule);
    json_text(json, "stat_t", topics_rule_state(topic, m->plan->base, rule));
    json_text(json, "val_tpl", "{{ value_json.firing }}");
    json_text(json, "stat_cla", "measurement");
    json_text(json, "ic", "mdi:alert-circle-outline");
    end(m);
}
