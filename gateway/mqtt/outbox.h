/* Outbox: what must not get lost - events, and what rules publish - in order, until the broker has
 * acknowledged it. In memory; the MQTT thread only. */
#pragma once

#include "gateway/core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inbox_publish;
struct inventory;

#define OUTBOX_MAX 4096

struct outbox_entry {
    uint64_t number; /* from 1 on; what outbox_acked() is told */
    bool done;       /* acknowledged, while an older one is not */
    bool retain;
    uint8_t qos;
    /* An event is written out when it is sent: by then the clock may be known. */
    struct inventory *inventory; /* of the event, held; NULL: it is a text */
    struct event event;
    uint32_t merged; /* events of the same instance before it that there was no room for */
    int64_t row;     /* of whoever keeps it until it is acknowledged; 0: nobody */
    const char *topic, *payload; /* of a text; behind the entry */
    size_t length;               /* of the payload */
};

struct outbox;

struct outbox *outbox_new(void);
void outbox_free(struct outbox *outbox);

/* Copy. When OUTBOX_MAX wait the oldest that nobody keeps goes (the newest alarm matters more):
 * into the next event of the same instance, which says so, or it is lost and counted. 0 or, counted
 * too, -ENOMEM, or -ENOBUFS when somebody keeps each of them. */
int outbox_put_event(struct outbox *outbox, const struct event *event, struct inventory *inventory);
int outbox_put_message(struct outbox *outbox, const struct inbox_publish *message);

/* The oldest that is not under way; stays until outbox_sent(). NULL: none. */
const struct outbox_entry *outbox_next(struct outbox *outbox);
void outbox_sent(struct outbox *outbox);

/* Returns the entry's row. */
int64_t outbox_acked(struct outbox *outbox, uint64_t number);

/* The connection is gone: what was not acknowledged goes once more. */
void outbox_again(struct outbox *outbox);

size_t outbox_length(const struct outbox *outbox);
uint64_t outbox_lost(const struct outbox *outbox);
