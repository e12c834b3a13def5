#include "gateway/mqtt/mqtt.h"

#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"
#include "gateway/base/report.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/mqtt/certificates.h"
#include "gateway/mqtt/ghosts.h"
#include "gateway/mqtt/inbox.h"
#include "gateway/mqtt/news.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/payload.h"
#include "gateway/mqtt/publisher.h"
#include "gateway/mqtt/receiver.h"
#include "gateway/mqtt/replay.h"
#include "gateway/mqtt/thread.h"
#include "gateway/mqtt/topics.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_MS   60000
#define REPORT_SIZE 4096 /* at first */
#define REPORT_MAX  (1024 * 1024)

struct mqtt {
    struct thread *thread;
    struct mqtt_context context;
    struct queue *news; /* of the thread; NULL: it is not attached */
    struct wake *wake;
    struct replay *replay;
    struct receiver *receiver; /* NULL: no commands are taken */
    struct ghosts *ghosts;
    struct timer *report;
    bool said_stuck;
};

size_t mqtt_check(const struct section *section, struct problems *problems)
{
    return options_check(section, problems);
}

int mqtt_start(const struct section *section, const struct mqtt_gateway *gateway,
               struct mqtt **ret_mqtt, struct error *reterr)
{
    struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
    struct options *options;
    int r;

    if (!mqtt)
        return error_set(reterr, -ENOMEM, "mqtt: out of memory");
    r = options_read(section, gateway, &options, reterr);
    if (r == 0)
        options_warn(options);
    if (r == 0)
        r = thread_start(options, &mqtt->thread, reterr);
    if (r < 0) {
        free(mqtt);
        return r;
    }
    *ret_mqtt = mqtt;
    return 0;
}

static void end_loop_side(struct mqtt *mqtt)
{
    replay_free(mqtt->replay);
    receiver_free(mqtt->receiver);
    ghosts_free(mqtt->ghosts);
    timer_free(mqtt->report);
}

int mqtt_stop(struct mqtt *mqtt, int64_t wait_ms)
{
    int r = mqtt ? thread_stop(mqtt->thread, wait_ms) : 0;

    if (mqtt && r == 0)
        wake_free(mqtt->wake); /* a thread that hangs may be about to use it */
    if (mqtt)
        end_loop_side(mqtt);
    free(mqtt);
    return r;
}

struct mqtt_counts mqtt_counts(struct mqtt *mqtt)
{
    const struct publisher_counters *counters = thread_counters(mqtt->thread);
    struct replay_counts late = {0};
    struct inbox *inbox = thread_inbox(mqtt->thread);

    if (mqtt->replay)
        late = replay_counts(mqtt->replay);
    return (struct mqtt_counts){
        .published = atomic_load(&counters->published),
        .acknowledged = atomic_load(&counters->acknowledged),
        .unsent = atomic_load(&counters->unsent),
        .superseded = inbox_superseded(inbox),
        .replayed = late.replayed,
        .thinned = late.thinned,
        .lost = atomic_load(&counters->lost) + inbox_lost(inbox),
        .connects = thread_connects(mqtt->thread),
        .online = thread_is_online(mqtt->thread),
    };
}

/* -- on the loop ---------------------------------------------------------------------------- */

/* The members of `health` that the rooms know; NULL when it does not fit into `size`. */
static char *write_report(struct mqtt *mqtt, size_t size)
{
    char *text = malloc(size);
    struct json json;
    size_t length;

    if (!text)
        return NULL;
    json_start(&json, text, size);
    json_object(&json, NULL);
    report_write(&json, mqtt->context.report, mqtt->context.owner);
    length = json_length(&json);
    if (length == 0) {
        free(text);
        return NULL;
    }
    text[length - 1] = '\0'; /* without the braces */
    memmove(text, text + 1, length - 1);
    return text;
}

static void send_report(void *owner)
{
    struct mqtt *mqtt = owner;
    char *text = NULL;

    for (size_t size = REPORT_SIZE; !text && size <= REPORT_MAX; size *= 4)
        text = write_report(mqtt, size);
    if (text && inbox_put_owned(thread_inbox(mqtt->thread), INBOX_REPORT, text) < 0)
        log_debug("mqtt: the thread is stuck and takes no report");
    timer_at(mqtt->report, clock_boot_ms() + REPORT_MS);
}

static void take_one(struct mqtt *mqtt, const struct news *news)
{
    switch (news->what) {
    case NEWS_DELIVERED:
        if (mqtt->context.delivered)
            mqtt->context.delivered(mqtt->context.owner, news->value);
        break;
    case NEWS_REPLAYED:
        replay_arrived(mqtt->replay);
        break;
    case NEWS_BURIED:
        ghosts_buried(mqtt->ghosts, news->value);
        break;
    case NEWS_MOVED:
        ghosts_moved(mqtt->ghosts, news->value);
        break;
    case NEWS_CLEARED:
        ghosts_cleared(mqtt->ghosts, news->value);
        break;
    case NEWS_ONLINE:
        replay_online(mqtt->replay, news->value);
        if (mqtt->context.report)
            send_report(mqtt);
        break;
    case NEWS_OFFLINE:
        replay_offline(mqtt->replay, news->value);
        break;
    default:
        break;
    }
}

static void take_news(void *owner)
{
    struct mqtt *mqtt = owner;
    struct news news;
    struct arrival arrival;

    while (queue_pop(mqtt->news, &news, 1) > 0)
        take_one(mqtt, &news);
    while (queue_pop(thread_arrivals(mqtt->thread), &arrival, 1) > 0) {
        if (mqtt->receiver)
            receiver_take(mqtt->receiver, &arrival);
    }
}

static int put_replay(void *owner, const struct mqtt_message *message)
{
    struct mqtt *mqtt = owner;

    return inbox_put_replay(thread_inbox(mqtt->thread), message);
}

static int64_t proven_ms(void *owner)
{
    return thread_proven_ms(((struct mqtt *)owner)->thread);
}

static const struct replay_calls replay_calls = {.put = put_replay, .proven_ms = proven_ms};

static void publish_answer(void *owner, const char *topic, const char *payload)
{
    mqtt_sink.publish(owner, topic, payload, 1, false);
}

static int start_receiver(struct mqtt *mqtt)
{
    const struct options *options = thread_options(mqtt->thread);
    struct receiver_context context = {.commands = mqtt->context.commands,
                                       .base = options->base,
                                       .rights = options->commands,
                                       .answer = publish_answer,
                                       .owner = mqtt};

    if (!context.commands || context.rights == COMMAND_RIGHTS_NONE)
        return 0;
    mqtt->receiver = receiver_new(&context);
    return mqtt->receiver ? 0 : -ENOMEM;
}

static void put_ghosts(void *owner, struct ghost_list *list)
{
    struct mqtt *mqtt = owner;

    /* What fails comes at the restart. */
    (void)inbox_put_owned(thread_inbox(mqtt->thread), INBOX_GHOSTS, list);
}

static int start_ghosts(struct mqtt *mqtt)
{
    const struct options *options = thread_options(mqtt->thread);

    mqtt->ghosts = ghosts_new(mqtt->context.loop, mqtt->context.store, options, put_ghosts, mqtt);
    return mqtt->ghosts ? 0 : -ENOMEM;
}

static void restore(struct mqtt *mqtt)
{
    replay_restore(mqtt->replay);
    ghosts_restore(mqtt->ghosts);
}

int mqtt_attach(struct mqtt *mqtt, const struct mqtt_context *context)
{
    const char *base = thread_options(mqtt->thread)->base;

    mqtt->context = *context;
    mqtt->replay = replay_new(context->loop, context->store, base, &replay_calls, mqtt);
    mqtt->wake = wake_new(context->loop, take_news, mqtt);
    mqtt->report = timer_new(context->loop, send_report, mqtt);
    if (!mqtt->replay || !mqtt->wake || !mqtt->report || start_receiver(mqtt) < 0 ||
        start_ghosts(mqtt) < 0)
        return -ENOMEM;
    restore(mqtt);
    mqtt->news = thread_news(mqtt->thread, mqtt->wake);
    return 0;
}

void mqtt_store_opened(struct mqtt *mqtt)
{
    restore(mqtt);
}

int64_t mqtt_stuck_ms(const struct mqtt *mqtt)
{
    return thread_stuck_ms(mqtt->thread);
}

static void report_certificate(const struct mqtt *mqtt, struct report *report)
{
    int64_t until_ms = thread_certified_ms(mqtt->thread);
    int64_t days = certificates_days(until_ms, clock_wall_ms(clock_boot_ms()));

    if (until_ms == 0)
        return;
    report_count(report, "mqtt_certificate_days", (double)days, false,
                 "Days until a certificate of ours or of the broker's authority ends.");
    if (days < 0)
        report_problem(report, "mqtt: a certificate has ended");
    else if (days < CERTIFICATES_SOON_DAYS)
        report_problem(report, "mqtt: a certificate ends in %d days", (int)days);
}

void mqtt_report(struct mqtt *mqtt, struct report *report)
{
    struct mqtt_counts counts = mqtt_counts(mqtt);
    const struct options *options = thread_options(mqtt->thread);

    report_count(report, "mqtt_online", counts.online, false, "Whether the broker is there.");
    report_count(report, "mqtt_connects", (double)counts.connects, true,
                 "How often it was connected.");
    report_count(report, "mqtt_published", (double)counts.published, true, "Messages sent.");
    report_count(report, "mqtt_acknowledged", (double)counts.acknowledged, true,
                 "Messages of QoS 1 and 2 that have arrived.");
    report_count(report, "mqtt_unsent", (double)counts.unsent, true, "Polls that found no broker.");
    report_count(report, "mqtt_superseded", (double)counts.superseded, true,
                 "Readings that a newer one replaced before they could be sent.");
    report_count(report, "mqtt_replayed", (double)counts.replayed, true,
                 "Readings that have arrived late.");
    report_count(report, "mqtt_thinned", (double)counts.thinned, true,
                 "Readings of an outage for which there was no room.");
    report_count(report, "mqtt_lost", (double)counts.lost, true,
                 "Events and messages of rules that nobody will get.");
    report_certificate(mqtt, report);
    if (!counts.online)
        report_problem(report, "mqtt: no connection to %s:%d", options->host, options->port);
    if (thread_has_twin(mqtt->thread))
        report_problem(report, "mqtt: another gateway publishes under %s, too", options->base);
    if (thread_has_namesake(mqtt->thread))
        report_problem(report, "mqtt: another gateway has the id %s, too", options->gateway_id);
}

/* -- messages that must arrive -------------------------------------------------------------- */

int mqtt_deliver(struct mqtt *mqtt, const struct mqtt_message *message)
{
    return inbox_put_message(thread_inbox(mqtt->thread), message);
}

uint8_t mqtt_event_qos(const struct mqtt *mqtt)
{
    return thread_options(mqtt->thread)->qos_events;
}

size_t mqtt_event_message(const struct mqtt *mqtt, const struct inventory *inventory,
                          const struct event *event, char *topic, size_t topic_size, char *payload,
                          size_t size)
{
    char whole[TOPICS_SIZE];

    topics_event(whole, thread_options(mqtt->thread)->base);
    return text_copy(topic, topic_size, whole)
               ? payload_event(inventory, &(struct payload_event){.event = event, .durable = true},
                               payload, size)
               : 0;
}

/* -- the sink: called on the loop ----------------------------------------------------------- */

static struct inbox *inbox_of(void *sink)
{
    return thread_inbox(((struct mqtt *)sink)->thread);
}

static void sink_inventory(void *sink, struct inventory *inventory)
{
    struct mqtt *mqtt = sink;

    if (mqtt->replay)
        replay_use(mqtt->replay, inventory);
    if (mqtt->ghosts)
        ghosts_use(mqtt->ghosts, inventory);
    inbox_put_inventory(inbox_of(sink), inventory);
}

static void sink_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    struct mqtt *mqtt = sink;
    int64_t from_ms, to_ms;

    (void)device; /* the readings know theirs */
    inbox_put_readings(inbox_of(sink), readings, count);
    if (!mqtt->replay)
        return;
    replay_readings(mqtt->replay, readings, count);
    if (inbox_take_gap(inbox_of(sink), &from_ms, &to_ms))
        replay_missed(mqtt->replay, from_ms, to_ms);
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
