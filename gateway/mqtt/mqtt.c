#include "gateway/mqtt/mqtt.h"

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"
#include "gateway/base/text.h"
#include "gateway/mqtt/inbox.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/payload.h"
#include "gateway/mqtt/publisher.h"
#include "gateway/mqtt/thread.h"
#include "gateway/mqtt/topics.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct mqtt {
    struct thread *thread;
    struct queue *acks; /* of the thread; NULL: nobody wants them */
    struct wake *wake;
    void (*delivered)(void *owner, int64_t row);
    void *owner;
    bool said_stuck;
};

size_t mqtt_check(const struct section *section, struct problems *problems)
{
    return options_check(section, problems);
}

int mqtt_start(const struct section *section, const char *gateway_name, struct mqtt **ret_mqtt,
               struct error *reterr)
{
    struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
    struct options *options;
    int r;

    if (!mqtt)
        return error_set(reterr, -ENOMEM, "mqtt: out of memory");
    r = options_read(section, gateway_name, &options, reterr);
    if (r == 0)
        r = thread_start(options, &mqtt->thread, reterr);
    if (r < 0) {
        free(mqtt);
        return r;
    }
    *ret_mqtt = mqtt;
    return 0;
}

int mqtt_stop(struct mqtt *mqtt, int64_t wait_ms)
{
    int r = mqtt ? thread_stop(mqtt->thread, wait_ms) : 0;

    if (mqtt && r == 0)
        wake_free(mqtt->wake); /* a thread that hangs may be about to use it */
    free(mqtt);
    return r;
}

struct mqtt_counts mqtt_counts(struct mqtt *mqtt)
{
    const struct publisher_counters *counters = thread_counters(mqtt->thread);
    struct inbox *inbox = thread_inbox(mqtt->thread);

    return (struct mqtt_counts){
        .published = atomic_load(&counters->published),
        .acknowledged = atomic_load(&counters->acknowledged),
        .unsent = atomic_load(&counters->unsent),
        .superseded = inbox_superseded(inbox),
        .lost = atomic_load(&counters->lost) + inbox_lost(inbox),
        .connects = thread_connects(mqtt->thread),
        .online = thread_is_online(mqtt->thread),
    };
}

/* -- messages that must arrive -------------------------------------------------------------- */

int mqtt_deliver(struct mqtt *mqtt, const struct mqtt_message *message)
{
    return inbox_put_message(thread_inbox(mqtt->thread), message);
}

static void take_acks(void *owner)
{
    struct mqtt *mqtt = owner;
    int64_t row;

    while (queue_pop(mqtt->acks, &row, 1) > 0)
        mqtt->delivered(mqtt->owner, row);
}

int mqtt_on_delivered(struct mqtt *mqtt, struct loop *loop,
                      void (*delivered)(void *owner, int64_t row), void *owner)
{
    mqtt->delivered = delivered;
    mqtt->owner = owner;
    mqtt->wake = wake_new(loop, take_acks, mqtt);
    if (!mqtt->wake)
        return -ENOMEM;
    mqtt->acks = thread_acks(mqtt->thread, mqtt->wake);
    return 0;
}

size_t mqtt_event_message(const struct mqtt *mqtt, const struct inventory *inventory,
                          const struct event *event, char *topic, size_t topic_size, char *payload,
                          size_t size)
{
    char whole[TOPICS_SIZE];

    topics_event(whole, thread_options(mqtt->thread)->base);
    return text_copy(topic, topic_size, whole) ? payload_event(inventory, event, payload, size) : 0;
}

/* -- the sink: called on the loop ----------------------------------------------------------- */

static struct inbox *inbox_of(void *sink)
{
    return thread_inbox(((struct mqtt *)sink)->thread);
}

static void sink_inventory(void *sink, struct inventory *inventory)
{
    inbox_put_inventory(inbox_of(sink), inventory);
}

static void sink_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    (void)device; /* the readings know theirs */
    inbox_put_readings(inbox_of(sink), readings, count);
}

static void sink_device(void *sink, uint32_t device, uint8_t why, int64_t at_ms)
{
    inbox_put_device(inbox_of(sink), device, why, at_ms);
}

static void sink_instance(void *sink, const struct instance_state *state)
{
    inbox_put_instance(inbox_of(sink), state);
}

/* An event is never lost in silence. */
static void tell_stuck(struct mqtt *mqtt, int r)
{
    if (r < 0 && !mqtt->said_stuck)
        log_error("mqtt: the thread is stuck and takes no more events; they are lost and counted");
    mqtt->said_stuck = r < 0;
}

static void sink_event(void *sink, const struct event *event)
{
    tell_stuck(sink, inbox_put_event(inbox_of(sink), event));
}

static void sink_publish(void *sink, const char *topic, const char *payload, uint8_t qos,
                         bool retain)
{
    struct mqtt_message message = {.topic = topic,
                                   .payload = payload,
                                   .length = strlen(payload),
                                   .qos = qos,
                                   .retain = retain};

    tell_stuck(sink, inbox_put_message(inbox_of(sink), &message));
}

const struct sink_calls mqtt_sink = {
    .name = "mqtt",
    .inventory = sink_inventory,
    .readings = sink_readings,
    .device = sink_device,
    .instance = sink_instance,
    .event = sink_event,
    .publish = sink_publish,
};
