/* MQTT: the session with the broker, in a thread of its own. The only room that knows Paho.
 *
 * The loop hands it readings, states and events through one queue; the thread gathers for `gather`
 * and publishes in groups: one JSON object a device and poll, retained. Readings go at QoS 0;
 * events, availability, rule states and discovery at QoS 1 with a window of our own. On every
 * connect: availability, discovery, then all states. The connection is kept by our own reconnect (1
 * s doubling to 60 s, +-20 %). While the broker is away the newest of everything and 4,096 events
 * are kept; readings are replayed from the store's history, without one from memory. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/setting.h"
#include "gateway/core/sink.h"

struct mqtt;

/* The group `mqtt` of the config, and what its table cannot say (texts that are no topics, keys
 * that need each other); returns how many errors were added. */
extern const struct setting mqtt_settings[];
size_t mqtt_check(const struct section *section, struct problems *problems);

/* Whose messages they are: topics and the client id come from `name`, where the config gives no
 * others; what Home Assistant knows hangs on `id`. */
struct mqtt_gateway {
    const char *name, *id;
};

/* `section` is the checked `mqtt` of the config, read during the call only. Starts the thread;
 * connecting goes on in it for as long as it takes. 0, -ENOMEM, or -Exxx with `reterr` (a password
 * file that cannot be read). */
int mqtt_start(const struct section *section, const struct mqtt_gateway *gateway,
               struct mqtt **ret_mqtt, struct error *reterr);

/* Says `offline` for the gateway and its devices, waits for the acknowledgements and ends the
 * thread, all within `wait_ms`; a healthy broker takes some 150 ms. No other call may follow. 0, or
 * -ETIMEDOUT when the thread hangs (it is abandoned; end with _exit()). NULL is legal. */
int mqtt_stop(struct mqtt *mqtt, int64_t wait_ms);

struct commands;
struct loop;
struct report;
struct store;

/* What it needs on the loop. */
struct mqtt_context {
    struct loop *loop;
    struct store *store;       /* NULL: there is none */
    struct commands *commands; /* that clients of the broker may give; NULL: none */
    /* For each message with a row that needs no keeping any more: it was acknowledged, or can never
     * be sent. May be NULL. */
    void (*delivered)(void *owner, int64_t row);
    /* What all rooms know of themselves, for `health`. May be NULL. */
    void (*report)(void *owner, struct report *report);
    void *owner;
};

/* Right after the start, before the sink is told anything. Copies `context`. 0 or -ENOMEM. */
int mqtt_attach(struct mqtt *mqtt, const struct mqtt_context *context);

/* The store has opened only now: what an earlier run has left is there. */
void mqtt_store_opened(struct mqtt *mqtt);

/* For pipeline_add_sink() with the struct mqtt. */
extern const struct sink_calls mqtt_sink;

/* Takes back what a gateway has left with the broker: retained messages of its own, and its devices
 * in Home Assistant. Blocks, up to a minute, and needs no loop; the gateway must not run, for it
 * has the same client id. How many there were is in *ret_count. 0, or -Exxx with `reterr`. */
int mqtt_forget(const struct section *section, const struct mqtt_gateway *gateway,
                size_t *ret_count, struct error *reterr);

/* -- messages that must arrive: called on the loop ------------------------------------------ */

struct inventory;

struct mqtt_message {
    int64_t row; /* of whoever keeps it until it is delivered; 0: nobody does */
    const char *topic;
    const char *payload;
    size_t length;
    uint8_t qos;
    bool retain;
};

/* Copies. Goes out in order, again after each reconnect, until the broker has acknowledged it. 0,
 * or -ENOBUFS, -ENOMEM: it was not taken. */
int mqtt_deliver(struct mqtt *mqtt, const struct mqtt_message *message);

/* Topic and payload of an event that is on disk; the sink publishes those that are not (`durable`
 * tells). Returns the payload's length; 0 when
 * it did not fit. */
size_t mqtt_event_message(const struct mqtt *mqtt, const struct inventory *inventory,
                          const struct event *event, char *topic, size_t topic_size, char *payload,
                          size_t size);

uint8_t mqtt_event_qos(const struct mqtt *mqtt);

struct mqtt_counts {
    uint64_t published, acknowledged; /* messages; of QoS 1 and 2 */
    uint64_t unsent;     /* polls that found no broker; they are replayed when it is back */
    uint64_t superseded; /* readings that a newer one replaced because the thread was stuck */
    uint64_t replayed;   /* readings that have arrived late */
    uint64_t thinned;    /* readings of an outage that there was no room for without a store */
    uint64_t lost;       /* events and messages of rules that nobody will get */
    uint64_t connects;
    bool online;
};
struct mqtt_counts mqtt_counts(struct mqtt *mqtt); /* on the loop */

/* For how long its thread has been at one thing; 0: it waits for something to do. Any thread. */
int64_t mqtt_stuck_ms(const struct mqtt *mqtt);

/* The same as rows, and as a problem that the broker is away. */
void mqtt_report(struct mqtt *mqtt, struct report *report);
