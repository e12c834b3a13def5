/* Lanes: the lines of a bus that blocks, each with its worker, who waits for it, and a deadline.
 * Private to the room: runner.c owns one where its adapter has poll(). Loop thread only, but for
 * what is marked.
 *
 * A thread that does not come back cannot be called back. When its job is over the deadline,
 * whoever waits for that lane is told so, and the lane is left alone until the thread returns; the
 * other lanes go on. */
#pragma once

#include "adapters/adapter.h"
#include "adapters/worker.h"

struct lanes;

/* Never called from inside lanes_poll() or lanes_write(). */
struct lanes_events {
    /* Of a poll or write that ended in time: what it counted, before what came of it. */
    void (*tally)(void *owner, uint32_t device, const struct tally *tally);
    void (*samples)(void *owner, uint32_t device, const struct sample *samples, size_t count);
    void (*end)(void *owner, uint32_t device, uint8_t quality);
    void (*wrote)(void *owner, uint32_t device, uint32_t token, uint8_t quality);
    /* NOTE_LINK, NOTE_WORDS, NOTE_LEARNT: what a worker says beside that. */
    void (*words)(void *owner, const struct worker_note *note);
};

/* Made before the adapter opens, since from then on it may speak. `name` is that of the bus,
 * borrowed. NULL when memory is out. */
struct lanes *lanes_new(struct loop *loop, const struct adapter *adapter, const char *name,
                        size_t n_devices, const struct lanes_events *events, void *owner);

/* Starts the workers on the adapter's bus. `most_samples`: of one poll. 0, -ENOMEM, -EAGAIN. */
int lanes_start(struct lanes *lanes, void *opened, size_t most_samples);

/* On a worker: the host's report(), exchanged(), link(), note() and learnt(). */
void lanes_report(struct lanes *lanes, uint32_t device, const struct sample *samples, size_t count);
void lanes_count(struct lanes *lanes, uint32_t device, const struct adapter_exchange *exchange);
void lanes_say(struct lanes *lanes, const struct worker_note *note);

/* Exactly one `end` follows. On a lane that is busy the device waits its turn. */
void lanes_poll(struct lanes *lanes, uint32_t device);

/* Ahead of the polls that wait; exactly one `wrote` follows. 0, -ENODEV when the device is on no
 * lane that works, -ENOBUFS when too much waits already. */
int lanes_write(struct lanes *lanes, const struct write_request *request, uint32_t token);

/* Behind the polls that wait, on the lane of a device; as struct adapter_question says. 0,
 * -ENOTSUP, -ENODEV and -ENOBUFS as above. */
int lanes_ask(struct lanes *lanes, uint32_t device, const struct adapter_question *question);

/* For how long the worker that has been at one job longest has been at it; 0: none is. */
int64_t lanes_stuck_ms(const struct lanes *lanes);

/* Ends the workers; false when one does not come back until boot time `until_ms`: then everything
 * must stay, and this may be called again. NULL is legal, here and below. */
bool lanes_stop(struct lanes *lanes, int64_t until_ms);
void lanes_free(struct lanes *lanes);
