#include "gateway/mqtt/hass.h"

#include "gateway/core/command.h"
#include "gateway/core/inventory.h"
#include "gateway/core/sink.h"
#include "gateway/mqtt/ghosts.h"
#include "gateway/mqtt/hass_part.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/topics.h"

/* The keys of an entity are Home Assistant's abbreviations: a device may have hundreds, and some
 * brokers end at 128 KB. The few at the top are written out. */

bool hass_shows(const struct plan *plan, uint32_t device)
{
    return device >= plan->inventory->n_devices || plan->inventory->devices[device].ha;
}

/* -- components ----------------------------------------------------------------------------- */

/* Whether the device answers; itself available as long as the gateway is. */
static void put_connectivity(struct message *m, const char *key, const char *topic)
{
    struct json *json = &m->json;

    part_begin(m, "binary_sensor", key);
    json_text(json, "dev_cla", "connectivity");
    json_text(json, "ent_cat", "diagnostic");
    json_text(json, "stat_t", topic);
    json_text(json, "pl_on", "online");
    json_text(json, "pl_off", "offline");
    json_int(json, "qos", 1);
    if (m->device)
        part_gateway_availability(m);
    part_end(m);
}

static void put_event_entity(struct message *m)
{
    struct json *json = &m->json;
    char topic[TOPICS_SIZE];

    part_begin(m, "event", "event");
    json_text(json, "name", "Event");
    json_text(json, "stat_t", topics_event(topic, m->plan->base));
    json_array(json, "evt_typ");
    for (uint8_t type = EVENT_FIRED; type <= EVENT_GATEWAY; type++)
        json_text(json, NULL, event_type_name(type));
    json_end(json);
    json_int(json, "qos", 1);
    part_gateway_availability(m);
    part_end(m);
}

/* What is done to the gateway itself; the button says the command. */
static void put_button(struct message *m, const char *command, const char *name, const char *icon)
{
    struct json *json = &m->json;
    char topic[TOPICS_SIZE];

    if (m->plan->rights < COMMAND_RIGHTS_ALL)
        return;
    part_begin(m, "button", command);
    json_text(json, "name", name);
    json_text(json, "cmd_t", topics_device_set(topic, m->plan->base, "gateway"));
    json_text(json, "pl_prs", command);
    json_text(json, "ic", icon);
    json_text(json, "ent_cat", "config");
    part_gateway_availability(m);
    part_end(m);
}

static void put_device_components(struct message *m)
{
    char topic[TOPICS_SIZE];

    for (uint32_t i = 0; i < m->device->n_sensors; i++) {
        const struct inventory_sensor *sensor = &m->inventory->sensors[m->device->first_sensor + i];

        if (sensor->ha && !hass_is_haunted(m, inventory_sensor_identity(sensor)))
            hass_put_sensor(m, sensor);
    }
    put_connectivity(m, "availability",
                     topics_device_availability(topic, m->plan->base, m->device->name));
}

static void put_gateway_components(struct message *m)
{
    char topic[TOPICS_SIZE];

    put_connectivity(m, HASS_STATUS, topics_status(topic, m->plan->base));
    put_event_entity(m);
    put_button(m, "reload", "Reload", "mdi:reload");
    put_button(m, "rescan", "Rescan", "mdi:magnify");
    for (uint32_t g = 0; g < m->plan->n_groups; g++)
        hass_put_group(m, m->plan->groups[g]);
}

static void put_components(struct message *m, uint32_t device)
{
    const struct plan *plan = m->plan;

    if (m->device)
        put_device_components(m);
    else
        put_gateway_components(m);
    for (uint32_t i = plan->first_rule[device]; i < plan->first_rule[device + 1]; i++)
        hass_put_rule(m, &m->inventory->rules[plan->rules[i]]);
}

/* -- one message for all -------------------------------------------------------------------- */

static struct message message_of(const struct plan *plan, uint32_t device)
{
    struct message m = {.plan = plan, .inventory = plan->inventory};

    if (device < plan->inventory->n_devices)
        m.device = &plan->inventory->devices[device];
    return m;
}

static void begin_message(struct message *m, char *to, size_t size)
{
    json_start(&m->json, to, size);
    json_object(&m->json, NULL);
    part_device(m);
    part_origin(m);
}

size_t hass_message(const struct plan *plan, uint32_t device, const struct hass_ghosts *ghosts,
                    char *to, size_t size)
{
    struct message m = message_of(plan, device);

    m.ghosts = ghosts;
    begin_message(&m, to, size);
    if (m.device) {
        if (!plan->bare)
            json_text(&m.json, "state_topic", plan->state_topics[device]);
        part_device_availability(&m);
    }
    json_object(&m.json, "components");
    put_components(&m, device);
    hass_put_ghosts(&m, ghosts);
    return json_length(&m.json);
}

/* As it is still known: by its slug. */
static struct inventory_device grave_of(const struct hass_ghosts *ghosts)
{
    const char *name = ghosts->ghosts[0].device;

    return (struct inventory_device){.name = name, .label = name};
}

size_t hass_ghost_message(const struct plan *plan, const struct hass_ghosts *ghosts, char *to,
                          size_t size)
{
    struct inventory_device grave = grave_of(ghosts);
    struct message m = {.plan = plan, .inventory = plan->inventory, .device = &grave};

    begin_message(&m, to, size);
    json_object(&m.json, "components");
    hass_put_ghosts(&m, ghosts);
    return json_length(&m.json);
}

/* -- one for each --------------------------------------------------------------------------- */

int hass_entities(const struct plan *plan, uint32_t device, const struct hass_ghosts *ghosts,
                  char *to, size_t size, hass_put put, void *owner)
{
    struct message m = message_of(plan, device);
    struct alone alone = {.to = to, .size = size, .put = put, .owner = owner};

    m.alone = &alone;
    put_components(&m, device);
    hass_put_ghosts(&m, ghosts);
    return alone.result;
}

int hass_ghost_entities(const struct plan *plan, const struct hass_ghosts *ghosts, char *to,
                        size_t size, hass_put put, void *owner)
{
    struct inventory_device grave = grave_of(ghosts);
    struct alone alone = {.to = to, .size = size, .put = put, .owner = owner};
    struct message m = {
        .plan = plan, .inventory = plan->inventory, .device = &grave, .alone = &alone};

    hass_put_ghosts(&m, ghosts);
    return alone.result;
}
