#include "gateway/mqtt/messages.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/queue.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/ghosts.h"
#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/inside.h"
#include "gateway/mqtt/news.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/payload.h"
#include "gateway/mqtt/topics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_MAX (16 * 1024 * 1024) /* no discovery message is as long */

/* 0, or 1 for a message that can never go, which is told once and given up; -ENOTCONN, -EAGAIN. */
static int publish(struct publisher *p, const struct session_message *message)
{
    char topic[200];
    int r = session_publish(p->session, message);

    if (r == 0) {
        atomic_fetch_add_explicit(&p->counters->published, 1, memory_order_relaxed);
        return 0;
    }
    if (r == -ENOTCONN || r == -EAGAIN)
        return r;
    if (!p->said_refused)
        log_warn("mqtt: %s cannot be published: %s",
                 text_quote(topic, sizeof(topic), message->topic),
                 r == -EMSGSIZE ? "the broker does not take a message of this size"
                                : "it is not a topic");
    p->said_refused = true;
    return 1;
}

static int publish_text(struct publisher *p, const char *topic, const char *text)
{
    return publish(p, &(struct session_message){.topic = topic,
                                                .payload = text,
                                                .length = strlen(text),
                                                .qos = p->options->qos_states,
                                                .retain = true});
}

static int publish_buffer(struct publisher *p, const char *topic, size_t length)
{
    if (length == 0)
        return 0; /* it did not fit: half an object is never sent */
    return publish(p, &(struct session_message){.topic = topic,
                                                .payload = p->buffer,
                                                .length = length,
                                                .qos = p->options->qos_states,
                                                .retain = true});
}

int message_status(struct publisher *p)
{
    char topic[TOPICS_SIZE];

    return publish_text(p, topics_status(topic, p->options->base),
                        p->leaving ? "offline" : "online");
}

int message_availability(struct publisher *p, uint32_t device)
{
    const char *name = p->plan->inventory->devices[device].name;
    bool online = p->shadow.devices[device].online && !p->leaving;
    char topic[TOPICS_SIZE];

    return publish_text(p, topics_device_availability(topic, p->plan->base, name),
                        online ? "online" : "offline");
}

/* At QoS 0 now and then 1 instead, so that it becomes known what has arrived. */
static uint8_t reading_qos(const struct publisher *p, int64_t at_ms)
{
    if (p->options->qos_readings > 0)
        return p->options->qos_readings;
    return at_ms != CLOCK_NEVER && at_ms - session_asked_ms(p->session) >= PROOF_MS &&
           session_room(p->session) > 0;
}

static int publish_value(struct publisher *p, const char *topic, size_t length, int64_t at_ms,
                         bool retain)
{
    if (length == 0)
        return 0;
    return publish(p, &(struct session_message){.topic = topic,
                                                .payload = p->buffer,
                                                .length = length,
                                                .qos = reading_qos(p, at_ms),
                                                .retain = retain,
                                                .is_value = true});
}

static int publish_object(struct publisher *p, uint32_t device)
{
    int64_t at_ms = p->shadow.devices[device].at_ms;
    struct payload_state state = {.plan = p->plan,
                                  .newest = p->shadow.readings,
                                  .texts = p->plan->inventory->texts,
                                  .clock = &p->clock,
                                  .wall_ms = payload_wall_ms(at_ms),
                                  .device = device};
    size_t length = payload_state(&state, p->buffer, p->buffer_size);

    return publish_value(p, p->plan->state_topics[device], length, at_ms, true);
}

int message_value(struct publisher *p, uint32_t sensor)
{
    const struct inventory *inventory = p->plan->inventory;
    const struct inventory_sensor *it = &inventory->sensors[sensor];
    const struct reading *reading = &p->shadow.readings[sensor];
    char topic[TOPICS_SIZE];
    size_t length = payload_value(inventory, reading, p->buffer, p->buffer_size);
    int r;

    topics_channel(topic, p->plan->base, inventory->devices[it->device].name, it->channel);
    r = publish_value(p, topic, length, reading->at_ms, true);
    if (r == 0)
        change_sent(&p->change, reading);
    return r;
}

int message_state(struct publisher *p, uint32_t device)
{
    const struct inventory_device *it = &p->plan->inventory->devices[device];
    int r = publish_object(p, device);

    for (uint32_t i = 0; r == 0 && i < it->n_sensors; i++)
        change_sent(&p->change, &p->shadow.readings[it->first_sensor + i]);
    return r;
}

int message_device(struct publisher *p, uint32_t device)
{
    const struct inventory_device *it = &p->plan->inventory->devices[device];
    int r = p->options->json ? message_state(p, device) : 0;

    for (uint32_t i = 0; r == 0 && p->options->plain && i < it->n_sensors; i++) {
        if (p->plan->inventory->sensors[it->first_sensor + i].kind != SENSOR_EVENT)
            r = message_value(p, it->first_sensor + i);
    }
    return r;
}

/* Retained it would be told again to everyone who comes. */
int message_happening(struct publisher *p, const struct reading *reading)
{
    const struct inventory *inventory = p->plan->inventory;
    const struct inventory_sensor *it = &inventory->sensors[reading->sensor];
    const char *device = inventory->devices[it->device].name;
    char topic[TOPICS_SIZE];
    size_t length = payload_happening(inventory, reading, &p->clock, p->buffer, p->buffer_size);
    int r;

    topics_channel_event(topic, p->plan->base, device, it->channel);
    r = publish_value(p, topic, length, reading->at_ms, false);
    if (r < 0 || !p->options->plain)
        return r;
    length = payload_value(inventory, reading, p->buffer, p->buffer_size);
    topics_channel(topic, p->plan->base, device, it->channel);
    return publish_value(p, topic, length, reading->at_ms, false);
}

int message_rule(struct publisher *p, uint32_t instance)
{
    const struct inventory *inventory = p->plan->inventory;
    const struct instance_state *state = &p->shadow.instances[instance];
    char topic[TOPICS_SIZE];

    if (state->instance == PLAN_NONE)
        return 0;
    topics_rule_state(topic, p->plan->base, inventory->rules[instance].id);
    return publish_buffer(p, topic, payload_rule(inventory, state, p->buffer, p->buffer_size));
}

int message_group(struct publisher *p, uint32_t group)
{
    char topic[TOPICS_SIZE];

    topics_rule_state(topic, p->plan->base, p->plan->groups[group]);
    return publish_buffer(p, topic,
                          payload_group(&p->shadow.groups[group], p->plan->group_size[group],
                                        p->buffer, p->buffer_size));
}

bool message_lengthen_buffer(struct publisher *p, size_t size)
{
    char *longer;

    if (size <= p->buffer_size)
        return true;
    longer = size <= BUFFER_MAX ? realloc(p->buffer, size) : NULL;
    if (!longer)
        return false;
    p->buffer = longer;
    p->buffer_size = size;
    return true;
}

/* -- discovery ------------------------------------------------------------------------------ */

/* Where entities of a device are told one by one, and how far that has got. */
struct telling {
    struct publisher *p;
    const char *device;
    uint32_t number; /* of the one that comes next */
    uint32_t *told;  /* so many are out */
};

static int tell_entity(void *owner, const struct hass_entity *entity)
{
    struct telling *telling = owner;
    struct publisher *p = telling->p;
    struct topics_entity names = {entity->platform, telling->device, entity->key};
    char topic[TOPICS_SIZE];
    int r;

    if (telling->number++ < *telling->told)
        return 0;
    if (entity->text && entity->length == 0)
        return -ENOBUFS;
    topics_entity(topic, p->options->prefix, p->plan->inventory->id, &names);
    r = entity->text ? publish_buffer(p, topic, entity->length) : publish_text(p, topic, "");
    if (r < 0)
        return r;
    ++*telling->told;
    return 0;
}

/* PLAN_NONE: the device is no longer there. Goes on where the window has stopped it: what is
 * written once more then is not sent. */
static int tell_entities(struct telling *telling, uint32_t device, const struct hass_ghosts *ghosts)
{
    struct publisher *p = telling->p;
    int r;

    do {
        telling->number = 0;
        r = device == PLAN_NONE ? hass_ghost_entities(p->plan, ghosts, p->buffer, p->buffer_size,
                                                      tell_entity, telling)
                                : hass_entities(p->plan, device, ghosts, p->buffer, p->buffer_size,
                                                tell_entity, telling);
    } while (r == -ENOBUFS && message_lengthen_buffer(p, p->buffer_size * 2));
    if (r == -EAGAIN || r == -ENOTCONN)
        return r;
    *telling->told = 0;
    return 0;
}

static int publish_device(struct publisher *p, uint32_t device, const char *name,
                          const struct hass_ghosts *ghosts)
{
    char topic[TOPICS_SIZE];
    size_t length;

    do {
        length = device == PLAN_NONE
                     ? hass_ghost_message(p->plan, ghosts, p->buffer, p->buffer_size)
                     : hass_message(p->plan, device, ghosts, p->buffer, p->buffer_size);
    } while (length == 0 && message_lengthen_buffer(p, p->buffer_size * 2));
    topics_discovery(topic, p->options->prefix, p->plan->inventory->id, name);
    return publish_buffer(p, topic, length);
}

/* Discovery's number 0 is the gateway, which stands behind the devices. */
int message_discovery(struct publisher *p, uint32_t number)
{
    const struct inventory *inventory = p->plan->inventory;
    uint32_t device = number == 0 ? inventory->n_devices : number - 1;
    const char *name =
        number == 0 ? "gateway" : inventory_device_identity(&inventory->devices[device]);
    struct telling telling = {.p = p, .device = name, .told = &p->told_of_device};
    struct hass_ghosts ghosts;
    bool has_ghosts;

    if (!hass_shows(p->plan, device))
        return 0;
    has_ghosts = burial_ghosts_of(p, name, &ghosts);
    if (p->options->entities)
        return tell_entities(&telling, device, has_ghosts ? &ghosts : NULL);
    return publish_device(p, device, name, has_ghosts ? &ghosts : NULL);
}

int message_grave(struct publisher *p, uint32_t ghost)
{
    const char *device = p->burial.list->ghosts[ghost].device;
    struct telling telling = {.p = p, .device = device, .told = &p->told_of_grave};
    struct hass_ghosts ghosts;
    char topic[TOPICS_SIZE];

    if (!burial_ghosts_of(p, device, &ghosts))
        return 0;
    if (p->options->entities)
        return tell_entities(&telling, PLAN_NONE, &ghosts);
    if (!ghosts.removed)
        return publish_device(p, PLAN_NONE, device, &ghosts);
    return publish_text(
        p, topics_discovery(topic, p->options->prefix, p->plan->inventory->id, device), "");
}

/* Is told to let go of its entities without forgetting them, and at the end cleared. */
int message_move(struct publisher *p, uint32_t number)
{
    const struct ghost_list *list = p->burial.list;
    const struct ghost *it = &list->ghosts[list->count + number];
    const char *prefix = p->options->prefix, *id = p->plan->inventory->id;
    struct topics_entity names = {it->platform, it->device, it->key};
    char topic[TOPICS_SIZE];

    if (it->key[0])
        topics_entity(topic, prefix, id, &names);
    else
        topics_discovery(topic, prefix, id, it->device);
    return publish_text(p, topic,
                        p->burial.stage == BURIAL_REMOVING ? "" : "{\"migrate_discovery\":true}");
}

int message_leftover(struct publisher *p, uint32_t number)
{
    const struct ghost_list *list = p->burial.list;
    char topic[TOPICS_SIZE];

    snprintf(topic, sizeof(topic), "%s/%s", p->options->base,
             list->ghosts[list->count + list->n_moved + number].key);
    return publish_text(p, topic, "");
}

/* -- health and what must arrive ------------------------------------------------------------ */

int message_health(struct publisher *p)
{
    struct payload_health health = {.instance = p->instance,
                                    .connected_since_ms = p->online_since_ms,
                                    .report = p->report ? p->report : ""};
    char topic[TOPICS_SIZE];

    if (!message_lengthen_buffer(p, PAYLOAD_SIZE + strlen(health.report)))
        return 0;
    return publish_buffer(p, topics_health(topic, p->plan->base),
                          payload_health(p->plan->inventory, &health, p->buffer, p->buffer_size));
}

void message_delivered(struct publisher *p, int64_t row)
{
    if (row != 0)
        queue_push(p->news, &(struct news){.what = NEWS_DELIVERED, .value = row}, 1);
}

void message_replayed(struct publisher *p, uint64_t number)
{
    (void)outbox_acked(p->late, number);
    queue_push(p->news, &(struct news){.what = NEWS_REPLAYED}, 1);
}

/* An event is never retained: Home Assistant ignores those, others would see it again and again. */
int message_entry(struct publisher *p, const struct outbox_entry *entry)
{
    struct session_message message = {
        .qos = entry->qos, .retain = entry->retain, .tag = entry->number};
    struct payload_event event = {.event = &entry->event, .merged = entry->merged};
    uint64_t number = entry->number;
    char topic[TOPICS_SIZE];
    int r;

    if (entry->inventory) {
        message.qos = p->options->qos_events;
        message.topic = topics_event(topic, p->options->base);
        message.payload = p->buffer;
        message.length = payload_event(entry->inventory, &event, p->buffer, p->buffer_size);
    } else {
        message.topic = entry->topic;
        message.payload = entry->payload;
        message.length = entry->length;
    }
    r = publish(p, &message);
    if (r < 0)
        return r;
    outbox_sent(p->outbox);
    if (r > 0 || message.qos == 0)
        message_delivered(p, outbox_acked(p->outbox, number)); /* nobody will answer */
    return 0;
}

int message_late(struct publisher *p, const struct outbox_entry *entry)
{
    struct session_message message = {.topic = entry->topic,
                                      .payload = entry->payload,
                                      .length = entry->length,
                                      .qos = 1,
                                      .tag = entry->number | MESSAGE_LATE};
    uint64_t number = entry->number;
    int r = publish(p, &message);

    if (r < 0)
        return r;
    outbox_sent(p->late);
    if (r > 0)
        message_replayed(p, number); /* nobody will answer */
    return 0;
}
