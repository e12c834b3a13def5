/* Receiver: commands that come from the broker, and their answers. Loop thread only.
 *
 *   <base>/<device>/<channel>/set   a value: 42.5, ON, OFF
 *   <base>/<device>/set             standby 2h, resume
 *   <base>/rule/<instance>/set      ack, mute 1h, unmute, enable, disable, limit above=-14
 *   <base>/gateway/set              reload
 *
 * or a JSON object with "value" or "command", and, where they matter, "by", "note", "id" (one that
 * was given already is refused) and "ts" (one older than 30 s is refused). The answer goes to the
 * same topic with `result` in place of `set`. A retained command is never done: it would be done
 * again at each reconnect. */
#pragma once

#include "gateway/mqtt/topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct commands;
struct receiver;

#define ARRIVAL_PAYLOAD_SIZE 512

/* A message as it came; copied between threads. */
struct arrival {
    char topic[TOPICS_SIZE];
    char payload[ARRIVAL_PAYLOAD_SIZE]; /* with a NUL; one that is longer is cut and then no JSON */
    bool retained;
};

struct receiver_context {
    struct commands *commands;
    const char *base;
    uint8_t rights; /* enum command_rights */
    void (*answer)(void *owner, const char *topic, const char *payload);
    void *owner;
};

/* Copies `context`. NULL when memory is out. */
struct receiver *receiver_new(const struct receiver_context *context);
/* When no answer can come any more. NULL is legal. */
void receiver_free(struct receiver *receiver);

void receiver_take(struct receiver *receiver, const struct arrival *arrival);
