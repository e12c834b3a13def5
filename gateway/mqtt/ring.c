#include "gateway/mqtt/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024
#define CAPACITY_MAX   (RING_MAX / sizeof(struct reading))

static struct reading *at(struct ring *ring, size_t i)
{
    return &ring->readings[(ring->head + i) % ring->capacity];
}

int ring_use(struct ring *ring, uint32_t n_sensors)
{
    uint8_t *odd = calloc((size_t)n_sensors + 1, 1);

    if (!odd)
        return -ENOMEM;
    free(ring->odd);
    ring->odd = odd;
    ring->n_sensors = n_sensors;
    return 0;
}

void ring_release(struct ring *ring)
{
    free(ring->readings);
    free(ring->odd);
    memset(ring, 0, sizeof(*ring));
}

/* Into longer memory, from its beginning on. */
static int grow(struct ring *ring)
{
    size_t capacity = ring->capacity ? ring->capacity * 2 : FIRST_CAPACITY;
    struct reading *longer;

    if (capacity > CAPACITY_MAX)
        capacity = CAPACITY_MAX;
    longer = capacity > ring->capacity ? malloc(capacity * sizeof(*longer)) : NULL;
    if (!longer)
        return -ENOMEM;
    for (size_t i = 0; i < ring->count; i++)
        longer[i] = *at(ring, i);
    free(ring->readings);
    ring->readings = longer;
    ring->capacity = capacity;
    ring->head = 0;
    return 0;
}

/* The beginning of a gap stays, as every second reading does. A gap is counted with the others, so
 * that the sensors of a device keep in step: of a poll all readings stay, or none. */
static bool stays(struct ring *ring, const struct reading *reading)
{
    bool odd = (ring->odd[reading->sensor] ^= 1) != 0;

    return odd || reading->quality != QUALITY_GOOD;
}

/* Where thinning frees too little - there are hardly any values - the oldest go too, many at once,
 * since each time costs a walk over all. */
static void thin(struct ring *ring)
{
    size_t to = ring->underway, least = ring->count / 16, spare;

    for (size_t i = ring->underway; i < ring->count; i++) {
        if (stays(ring, at(ring, i)))
            *at(ring, to++) = *at(ring, i);
    }
    if (ring->count - to < least && to - ring->underway > least) {
        spare = least - (ring->count - to);
        for (size_t i = ring->underway; i + spare < to; i++)
            *at(ring, i) = *at(ring, i + spare);
        to -= spare;
    }
    ring->thinned += ring->count - to;
    ring->count = to;
}

/* For a whole poll: one that is thinned while half of it is in would come out in halves. */
static void make_room(struct ring *ring, size_t count)
{
    while (ring->capacity - ring->count < count && grow(ring) == 0)
        ;
    if (ring->capacity - ring->count < count)
        thin(ring);
}

void ring_put(struct ring *ring, const struct reading *readings, size_t count)
{
    make_room(ring, count);
    for (size_t i = 0; i < count; i++) {
        if (readings[i].sensor >= ring->n_sensors)
            continue;
        if (ring->count < ring->capacity)
            *at(ring, ring->count++) = readings[i];
        else
            ring->thinned++;
    }
}

size_t ring_peek(struct ring *ring, int64_t to_ms, struct reading *to, size_t max)
{
    size_t n = 0;

    while (n < max && n < ring->count && at(ring, n)->at_ms <= to_ms) {
        to[n] = *at(ring, n);
        n++;
    }
    ring->underway = n;
    return n;
}

static void drop(struct ring *ring, size_t n)
{
    ring->count -= n;
    ring->head = ring->capacity > 0 ? (ring->head + n) % ring->capacity : 0;
    if (ring->count > 0 || ring->capacity <= FIRST_CAPACITY)
        return;
    free(ring->readings); /* an outage is over: what it took goes back */
    ring->readings = NULL;
    ring->capacity = ring->head = 0;
}

void ring_drop(struct ring *ring)
{
    size_t n = ring->underway;

    ring->underway = 0;
    drop(ring, n);
}

void ring_drop_before(struct ring *ring, int64_t at_ms)
{
    size_t n = 0;

    while (n < ring->count && at(ring, n)->at_ms < at_ms)
        n++;
    if (ring->underway == 0 && n > 0)
        drop(ring, n);
}
