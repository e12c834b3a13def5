/* Thread: the MQTT thread. It waits for the loop, for acknowledgements and for the time of the next
 * attempt to connect, gathers readings for `gather`, and lets the publisher publish. */
#pragma once

#include "gateway/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct inbox;
struct options;
struct queue;
struct wake;
struct thread;
struct publisher_counters;

/* Takes ownership of `options`, also when it fails. 0, -ENOMEM, -EAGAIN or -EINVAL. */
int thread_start(struct options *options, struct thread **ret_thread, struct error *reterr);

/* Says goodbye to the broker and ends the thread within `wait_ms`. 0: it is gone; -ETIMEDOUT: it
 * hangs in the library and is left alone; should it ever come back it frees itself. */
int thread_stop(struct thread *thread, int64_t wait_ms);

/* Immutable. */
const struct options *thread_options(const struct thread *thread);

/* What it has to tell the loop (struct news), which `wake` wakes. At once after the start. */
struct queue *thread_news(struct thread *thread, struct wake *wake);

/* Commands (struct arrival) for the loop, which the same `wake` wakes. */
struct queue *thread_arrivals(struct thread *thread);

/* Where the loop puts its news. */
struct inbox *thread_inbox(struct thread *thread);

/* Any thread. */
const struct publisher_counters *thread_counters(const struct thread *thread);
/* For how long it has been at one turn; 0: it waits for something to do. */
int64_t thread_stuck_ms(const struct thread *thread);

bool thread_is_online(const struct thread *thread);
/* Wall time at which the first of our certificates ends; 0: not known, or there is none. */
int64_t thread_certified_ms(const struct thread *thread);
/* Whether another gateway publishes under our base. */
bool thread_has_twin(const struct thread *thread);
/* Whether another one has announced itself with our id. */
bool thread_has_namesake(const struct thread *thread);
uint64_t thread_connects(const struct thread *thread);
int64_t thread_proven_ms(const struct thread *thread); /* as session_proven_ms() */
