#include "gateway/base/queue.h"

#include "gateway/base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A ring under one lock. Pushes are short copies and mostly come in groups, so a lock costs less
 * than it would take to prove a lock-free ring right; measured on the way of a reading it does not
 * show. */
struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled; /* for queue_wait(), on CLOCK_MONOTONIC */
    size_t item_size, capacity;
    size_t head, length; /* oldest item; how many */
    enum queue_when_full when_full;
    bool closed, waiting;
    uint64_t dropped;
    void (*wake)(void *owner);
    void *owner;
    unsigned char items[];
};

struct queue *queue_new(size_t item_size, size_t capacity, enum queue_when_full when_full,
                        void (*wake)(void *owner), void *owner)
{
    struct queue *queue = calloc(1, sizeof(*queue) + item_size * capacity);
    pthread_condattr_t attributes;

    if (!queue)
        return NULL;
    queue->item_size = item_size;
    queue->capacity = capacity;
    queue->when_full = when_full;
    queue->wake = wake;
    queue->owner = owner;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* The ring's two straight runs from item `at` on: copies `count` items in or out. */
static void copy_ring(struct queue *queue, size_t at, void *out, const void *in, size_t count)
{
    size_t first = queue->capacity - at < count ? queue->capacity - at : count;
    unsigned char *run = queue->items + at * queue->item_size;
    size_t bytes = first * queue->item_size, rest = (count - first) * queue->item_size;

    if (out) {
        memcpy(out, run, bytes);
        memcpy((unsigned char *)out + bytes, queue->items, rest);
    } else {
        memcpy(run, in, bytes);
        memcpy(queue->items, (const unsigned char *)in + bytes, rest);
    }
}

/* Makes room for `count` items, or says why not. */
static int make_room(struct queue *queue, size_t count)
{
    size_t over;

    if (queue->closed)
        return -EPIPE;
    if (queue->length + count <= queue->capacity)
        return 0;
    if (queue->when_full == QUEUE_REFUSE || count > queue->capacity) {
        queue->dropped += count;
        return -ENOBUFS;
    }
    over = queue->length + count - queue->capacity;
    queue->head = (queue->head + over) % queue->capacity;
    queue->length -= over;
    queue->dropped += over;
    return 0;
}

int queue_push(struct queue *queue, const void *items, size_t count)
{
    bool was_empty, waiting;
    int r;

    pthread_mutex_lock(&queue->lock);
    was_empty = queue->length == 0;
    r = make_room(queue, count);
    if (r == 0) {
        if (queue->length == 0)
            queue->head = 0; /* a ring that runs empty touches only as much memory as it needs */
        copy_ring(queue, (queue->head + queue->length) % queue->capacity, NULL, items, count);
        queue->length += count;
    }
    waiting = queue->waiting;
    pthread_mutex_unlock(&queue->lock);
    if (r == 0 && waiting)
        pthread_cond_signal(&queue->filled);
    if (r == 0 && was_empty && queue->wake)
        queue->wake(queue->owner);
    return r;
}

static size_t pop_locked(struct queue *queue, void *items, size_t max)
{
    size_t count = queue->length < max ? queue->length : max;

    copy_ring(queue, queue->head, items, NULL, count);
    queue->head = (queue->head + count) % queue->capacity;
    queue->length -= count;
    return count;
}

size_t queue_pop(struct queue *queue, void *items, size_t max)
{
    size_t count;

    pthread_mutex_lock(&queue->lock);
    count = pop_locked(queue, items, max);
    pthread_mutex_unlock(&queue->lock);
    return count;
}

size_t queue_wait(struct queue *queue, void *items, size_t max, int64_t until_ms)
{
    size_t count;

    pthread_mutex_lock(&queue->lock);
    queue->waiting = true;
    while (queue->length == 0 && !queue->closed && clock_boot_ms() < until_ms) {
        struct timespec at = clock_monotonic_at(until_ms);

        pthread_cond_timedwait(&queue->filled, &queue->lock, &at);
    }
    queue->waiting = false;
    count = pop_locked(queue, items, max);
    pthread_mutex_unlock(&queue->lock);
    return count;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

int queue_is_closed(struct queue *queue)
{
    int closed;

    pthread_mutex_lock(&queue->lock);
    closed = queue->closed;
    pthread_mutex_unlock(&queue->lock);
    return closed;
}

size_t queue_length(struct queue *queue)
{
    size_t length;

    pthread_mutex_lock(&queue->lock);
    length = queue->length;
    pthread_mutex_unlock(&queue->lock);
    return length;
}

uint64_t queue_dropped(struct queue *queue)
{
    uint64_t dropped;

    pthread_mutex_lock(&queue->lock);
    dropped = queue->dropped;
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}
