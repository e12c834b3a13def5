/* Inbox: how the loop hands readings, states and events to the MQTT thread, in one order.
 *
 * One queue of small cells; a longer item is several of them, pushed together. The loop never
 * waits: when the thread is stuck (a name look-up, a broker that stopped reading) and the queue is
 * full, the newest reading of each sensor and the newest state of each device and instance are kept
 * on the loop's side and handed over later, what they replaced is counted; events, which have half
 * of the queue for themselves, are refused aloud. */
#pragma once

#include "gateway/core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inbox;
struct inventory;
struct mqtt_message;

/* `wake` is called on the loop when something has come into the empty inbox, and at once for every
 * item that is `urgent`. NULL when memory is out. */
struct inbox *inbox_new(void (*wake)(void *owner, bool urgent), void *owner);
/* Nobody may use either side any more. */
void inbox_free(struct inbox *inbox);

/* -- loop thread ------------------------------------------------------------------------------- */

void inbox_put_inventory(struct inbox *inbox, struct inventory *inventory); /* holds it */
void inbox_put_readings(struct inbox *inbox, const struct reading *readings, size_t count);
void inbox_put_device(struct inbox *inbox, uint32_t device, uint8_t why, int64_t at_ms);
void inbox_put_instance(struct inbox *inbox, const struct instance_state *state);
/* 0, -ENOBUFS or -ENOMEM: it is lost, and counted. */
int inbox_put_event(struct inbox *inbox, const struct event *event);
int inbox_put_message(struct inbox *inbox, const struct mqtt_message *message);
/* Of a replay: waits behind everything else. 0, -ENOBUFS or -ENOMEM: put it again later. */
int inbox_put_replay(struct inbox *inbox, const struct mqtt_message *message);

/* INBOX_GHOSTS, INBOX_REPORT: takes ownership of what came from malloc(), also when it fails. 0 or
 * -ENOBUFS. */
int inbox_put_owned(struct inbox *inbox, uint8_t what, void *pointer);

/* The time between the oldest and the newest reading that was superseded since the last call;
 * false: none was. */
bool inbox_take_gap(struct inbox *inbox, int64_t *ret_from_ms, int64_t *ret_to_ms);

/* -- MQTT thread ------------------------------------------------------------------------------- */

enum inbox_what {
    INBOX_INVENTORY,
    INBOX_READING,
    INBOX_DEVICE,
    INBOX_INSTANCE,
    INBOX_EVENT,
    INBOX_PUBLISH,
    INBOX_REPLAY,
    INBOX_GHOSTS,
    INBOX_REPORT,
};

/* A message that is ready; one allocation. */
struct inbox_publish {
    int64_t row;
    const char *payload; /* behind the topic */
    size_t length;
    uint8_t qos;
    bool retain;
    char topic[];
};

struct inbox_item {
    uint8_t what; /* enum inbox_what */
    union {
        struct inventory *inventory; /* the taker's to release */
        struct {
            struct reading reading;
            uint32_t device; /* INBOX_DEVICE */
            uint8_t why;
            bool last; /* INBOX_READING: of its poll */
        };
        struct instance_state state;
        struct event event;
        void *owned; /* struct ghost_list; the text of a report; the taker's to free() */
        struct inbox_publish *publish; /* also INBOX_REPLAY; the taker's to free() */
    };
};

/* The oldest item; false when there is none. */
bool inbox_next(struct inbox *inbox, struct inbox_item *ret_item);

/* -- any thread -------------------------------------------------------------------------------- */

uint64_t inbox_superseded(struct inbox *inbox); /* readings that a newer one replaced unsent */
uint64_t inbox_lost(struct inbox *inbox);       /* events and publishes that were refused */
