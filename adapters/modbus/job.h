/* Job: what a connection is to ask for somebody, and those that wait. Loop thread only. */
#pragma once

#include "adapters/modbus/device.h"
#include "adapters/modbus/pending.h"

/* One device's poll, which belongs to the caller and is the connection's until it has ended; or a
 * write, which comes out of malloc() and belongs to the connection from then on. */
struct mb_job {
    struct mb_device *device;
    struct mb_pending *pending; /* of the device; NULL when answers have numbers */
    uint32_t index;             /* of the device, for the host */
    uint64_t ticket;
    bool writes;
    uint8_t quality;         /* of a write that was refused: why */
    uint32_t connection;     /* by number: that on which it was asked last */
    uint8_t tries;           /* of the request that it wants now */
    struct mb_request write; /* what it asks; a poll's come from its device */
    struct mb_job *next;
};

/* What it wants to ask now; NULL when it is over, which a write is only by its end. */
const struct mb_request *mb_job_wants(const struct mb_job *job);

/* mb_poll_again(); a write never is: it may have been done. */
bool mb_job_again(const struct mb_job *job, uint8_t quality);

/* Whether it is asked anew when its connection ended instead of giving an answer. A read that met
 * the end of one that was idle has cost the device nothing: it is, once, whatever `retries` says.
 */
bool mb_job_anew(const struct mb_job *job);

/* Jobs that wait: writes go before polls, each kind in the order in which they came. */
struct mb_jobs {
    struct mb_queue {
        struct mb_job *first, *last; /* NULL when empty */
    } polls, writes;
};
void mb_jobs_put(struct mb_jobs *jobs, struct mb_job *job);
void mb_jobs_put_first(struct mb_jobs *jobs, struct mb_job *job); /* of its kind */

/* NULL when none waits; mb_jobs_take() takes it, and there must be one. */
struct mb_job *mb_jobs_first(const struct mb_jobs *jobs);
struct mb_job *mb_jobs_take(struct mb_jobs *jobs);
