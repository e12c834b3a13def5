/* Ring: readings in memory, for a gateway without a store: those that the broker has not been heard
 * to have. Loop thread only.
 *
 * It grows as needed up to RING_MAX. Then every second good reading of each sensor goes and is
 * counted, but for those under way: a long outage becomes coarse before anything is lost of it.
 * What is nothing but gaps loses its oldest. */
#pragma once

#include "gateway/base/reading.h"

#include <stddef.h>
#include <stdint.h>

#define RING_MAX 8000000 /* bytes */

struct ring {
    struct reading *readings;
    size_t capacity, head, count; /* number i stands at (head + i) % capacity */
    size_t underway;              /* the first ones, that ring_peek() has given out */
    uint8_t *odd;                 /* by sensor: for thinning */
    uint32_t n_sensors;
    uint64_t thinned;
};

/* For sensors 0 to n - 1; others are not taken. 0 or -ENOMEM. */
int ring_use(struct ring *ring, uint32_t n_sensors);
void ring_release(struct ring *ring);

/* The readings of one poll, which stay together or go together. */
void ring_put(struct ring *ring, const struct reading *readings, size_t count);

/* Copies the first ones up to boot time `to_ms`, at most `max`; they stay until ring_drop(). */
size_t ring_peek(struct ring *ring, int64_t to_ms, struct reading *to, size_t max);
/* What ring_peek() has given last has arrived. */
void ring_drop(struct ring *ring);

/* What is older than `at_ms` is not needed. */
void ring_drop_before(struct ring *ring, int64_t at_ms);
