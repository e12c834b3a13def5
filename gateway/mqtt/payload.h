/* Payload: what is said about devices, rules and the gateway, as JSON. Pure but for the clock; one
 * thread at a time.
 *
 * Each writes into `to` and returns the length without the closing NUL, 0 when it did not fit.
 * Times are ISO 8601, or null as long as the wall clock is not known good. */
#pragma once

#include "gateway/core/sink.h"

#include <stddef.h>
#include <stdint.h>

struct inventory;
struct plan;

#define PAYLOAD_SIZE 2048 /* enough for everything but the state of a device */

/* The last second written out: most states of a burst share it, and a local time costs more than
 * the rest of the message. */
struct payload_clock {
    int64_t second; /* of wall time */
    char text[32];
};

/* Unix milliseconds of a boot time; CLOCK_NEVER while they are not known. */
int64_t payload_wall_ms(int64_t at_ms);

/* All channels of `device`, `null` where there is no good value, `ts`, and `quality` when a channel
 * is not good. One of events is there only with an event. */
struct payload_state {
    const struct plan *plan;
    const struct reading *newest;   /* by sensor of the inventory, good ones with a value */
    const struct text_table *texts; /* of these */
    struct payload_clock *clock;
    int64_t wall_ms; /* of the newest; CLOCK_NEVER: not known */
    uint32_t device;
};
/* Needs plan->state_size bytes. */
size_t payload_state(const struct payload_state *state, char *to, size_t size);
/* An event of a channel, as Home Assistant wants it. */
size_t payload_happening(const struct inventory *inventory, const struct reading *reading,
                         struct payload_clock *clock, char *to, size_t size);
/* A bare value; "None" where there is none, which Home Assistant takes for unknown. */
size_t payload_value(const struct inventory *inventory, const struct reading *reading, char *to,
                     size_t size);
/* A state inside something larger. */
struct json;
void payload_put_state(struct json *json, const struct payload_state *state);

size_t payload_rule(const struct inventory *inventory, const struct instance_state *state, char *to,
                    size_t size);
/* A rule over many sensors: how many of its instances fire, are blind, are well. */
struct shadow_group;
size_t payload_group(const struct shadow_group *group, uint32_t instances, char *to, size_t size);

struct payload_event {
    const struct event *event;
    bool durable;    /* it is on disk */
    uint32_t merged; /* those of the same instance before it that there was no room for */
};
size_t payload_event(const struct inventory *inventory, const struct payload_event *what, char *to,
                     size_t size);

struct payload_health {
    uint64_t instance; /* random, drawn at each start: two gateways under one id differ in it */
    int64_t connected_since_ms;
    const char *report; /* what the rooms know of themselves, as members; "": not known yet */
};
size_t payload_health(const struct inventory *inventory, const struct payload_health *health,
                      char *to, size_t size);
