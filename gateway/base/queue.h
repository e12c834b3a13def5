/* Queue: where threads meet, and nowhere else.
 *
 * Fixed-size items are copied in and out; a push never waits. `wake` is called by the pushing
 * thread when the queue turns from empty to not empty, so one wake drains all. When it is full the
 * queue either drops the oldest item and counts it (readings) or refuses the new one (commands,
 * events). Many pushers, one popper. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct queue;

enum queue_when_full { QUEUE_DROP_OLDEST, QUEUE_REFUSE };

/* `wake` may be NULL when the popper sits in queue_wait(). NULL when memory is out. */
struct queue *queue_new(size_t item_size, size_t capacity, enum queue_when_full when_full,
                        void (*wake)(void *owner), void *owner);
void queue_free(struct queue *queue);

/* Copies `count` items in, together or not at all (a group is never torn by another pusher;
 * dropping the oldest may cut an older group's head). Returns 0, -ENOBUFS when refused, -EPIPE
 * after queue_close(). */
int queue_push(struct queue *queue, const void *items, size_t count);

/* Takes up to `max` items, oldest first; returns how many. Never waits. */
size_t queue_pop(struct queue *queue, void *items, size_t max);

/* Like queue_pop(), but waits until there is an item, boot time `until_ms` has come (returns 0) or
 * the queue is closed and empty (returns 0, and queue_is_closed() says so). For threads without a
 * loop. */
size_t queue_wait(struct queue *queue, void *items, size_t max, int64_t until_ms);

/* Refuses further pushes and ends every wait; what is inside can still be taken. */
void queue_close(struct queue *queue);
int queue_is_closed(struct queue *queue);

size_t queue_length(struct queue *queue);
uint64_t queue_dropped(struct queue *queue); /* items dropped or refused since queue_new() */
