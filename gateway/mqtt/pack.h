/* Pack: makes messages of readings that come late: JSON arrays of states of one device, each state
 * with the time of its readings and in the form in which it would have been published. Pure. */
#pragma once

#include "gateway/base/reading.h"
#include "gateway/mqtt/payload.h"

#include <stddef.h>

struct inventory;
struct mqtt_message;

struct pack {
    struct plan *plan;
    struct reading *newest; /* by sensor, as far as it was packed */
    uint32_t *seen;         /* by sensor: the number of the poll that it was in last */
    uint32_t polls;
    struct payload_clock clock;
    char *buffer;
    size_t size;
};

/* 0, or -ENOMEM with nothing to release. */
int pack_start(struct pack *pack, struct inventory *inventory, const char *base);
void pack_release(struct pack *pack);

/* `readings` in order of time, with Unix milliseconds in .at_ms. Calls `put` for each message,
 * whose texts are borrowed for the call; ends when it fails. 0 or -Exxx, also that of `put`. */
int pack_readings(struct pack *pack, const struct reading *readings, size_t count,
                  const struct text_table *texts,
                  int (*put)(void *owner, const struct mqtt_message *message), void *owner);
