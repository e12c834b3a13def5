/* Job: what a connection is to ask for somebody, and those that wait. Loop thread only. */
#pragma once

#include "adapters/modbus/device.h"
#include "adapters/modbus/pending.h"

enum mb_job_kind {
    MB_JOB_POLL,
    MB_JOB_WRITE,
    MB_JOB_QUESTION, /* the first part of a struct mb_question */
};

/* One device's poll, which belongs to the caller and is the connection's until it has ended; or a
 * write or question, which comes out of malloc() and belongs to the connection from then on. */
struct mb_job {
    uint8_t kind; /* enum mb_job_kind */
    uint8_t unit;
    uint8_t tries;              /* of the request that it wants now */
    uint8_t quality;            /* of one that was refused: why */
    uint32_t index;             /* of the device, for the host */
    uint32_t connection;        /* by number: that on which it was asked last */
    struct mb_device *device;   /* NULL: a question to a unit that nobody polls */
    struct mb_pending *pending; /* of the device; NULL when answers have numbers */
    int64_t timeout_ms;
    uint64_t ticket;
    struct mb_request own; /* what it asks; a poll's come from its device */
    struct mb_job *next;
};

/* What it wants to ask now; NULL when it is over, which others than polls are only by their end. */
const struct mb_request *mb_job_wants(const struct mb_job *job);

/* mb_poll_again(); of polls only: a write may have been done, and who asks can do so again. */
bool mb_job_again(const struct mb_job *job, uint8_t quality);

/* Whether it only reads: asking it twice does no harm. */
bool mb_job_reads(const struct mb_job *job);

/* Whether it is asked anew when its connection ended instead of giving an answer. A read that met
 * the end of one that was idle has cost the device nothing: it is, once, whatever `retries` says.
 */
bool mb_job_anew(const struct mb_job *job);

/* Tells whoever waits for it how it has ended, with the data of what its own request was answered.
 * The next poll or write may be asked from inside: nothing of the job is needed any more. */
void mb_job_end(struct mb_job *job, struct adapter_host *host, uint8_t quality,
                const uint8_t *data);

/* Its bus is closed: only who asks a question still hears of it. */
void mb_job_cancel(struct mb_job *job);

/* Jobs that wait: writes go before polls and those before questions, each kind in the order in
 * which they came. */
struct mb_jobs {
    struct mb_queue {
        struct mb_job *first, *last; /* NULL when empty */
        unsigned n;
    } writes, polls, questions;
};
void mb_jobs_put(struct mb_jobs *jobs, struct mb_job *job);
void mb_jobs_put_first(struct mb_jobs *jobs, struct mb_job *job); /* of its kind */

/* NULL when none waits; mb_jobs_take() takes it, and there must be one. */
struct mb_job *mb_jobs_first(const struct mb_jobs *jobs);
struct mb_job *mb_jobs_take(struct mb_jobs *jobs);
