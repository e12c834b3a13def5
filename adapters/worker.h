/* Worker: the thread of one lane, for buses that block. Private to the room.
 *
 * It does one poll at a time. The samples of a poll wait in the worker until the loop has taken
 * them; only then it is given the next. What it has to say goes through the queue of its bus. */
#pragma once

#include "adapters/adapter.h"

#include "adapters/tally.h"

struct queue;
struct worker;

/* What workers tell the loop, in the queue of their bus. */
struct worker_note {
    enum { NOTE_END, NOTE_WROTE, NOTE_ASKED, NOTE_LINK, NOTE_WORDS, NOTE_LEARNT } kind;
    uint32_t lane;
    uint32_t device;
    uint32_t token;  /* of NOTE_WROTE: the job's */
    uint8_t quality; /* of NOTE_END and NOTE_WROTE */
    bool up;         /* of NOTE_LINK */
    char link[96];
    char why[ADAPTER_LEARNT_SIZE]; /* all that NOTE_WORDS and NOTE_LEARNT have to say */
};

/* `samples_max`: the most channels of a device on this bus. Starts the thread. NULL when memory or
 * threads are out. */
struct worker *worker_new(const struct adapter *adapter, void *bus, uint32_t lane,
                          size_t samples_max, struct queue *notes);

/* What a worker does next: the poll of a device, a write, or a question on the line of a device. */
struct worker_job {
    struct write_request request; /* of polls and questions only the device */
    uint32_t token;               /* of a write */
    bool write, ask;
    struct adapter_question question;
};

/* Starts a job. The worker must be idle: the note of its last end was taken. */
void worker_start(struct worker *worker, const struct worker_job *job);

/* On the worker, from inside poll(): keeps what the adapter reports. */
void worker_report(struct worker *worker, const struct sample *samples, size_t count);

/* On the worker, from inside poll() or write(): counts what the adapter has exchanged. */
void worker_count(struct worker *worker, const struct adapter_exchange *exchange);

/* On the loop, after NOTE_END or NOTE_WROTE: what this job has counted. Borrowed likewise. */
const struct tally *worker_tally(const struct worker *worker);

/* On the loop, after NOTE_ASKED: what was answered. Borrowed likewise. */
const struct adapter_answer *worker_answer(const struct worker *worker);

/* On the loop, after NOTE_END: what came. Borrowed until the next worker_start(). */
const struct sample *worker_samples(const struct worker *worker, size_t *ret_count);

/* Ends the thread and frees it; false when it does not come back until boot time `until_ms`: then
 * it and everything that it uses must stay, and this may be called again. NULL is legal. */
bool worker_stop(struct worker *worker, int64_t until_ms);
