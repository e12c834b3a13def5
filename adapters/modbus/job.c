#include "adapters/modbus/job.h"

const struct mb_request *mb_job_wants(const struct mb_job *job)
{
    return job->writes ? &job->write : mb_poll_request(job->device);
}

void mb_queue_put(struct mb_queue *queue, struct mb_job *job)
{
    job->next = NULL;
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

struct mb_job *mb_queue_take(struct mb_queue *queue)
{
    struct mb_job *job = queue->first;

    queue->first = job->next;
    if (!queue->first)
        queue->last = NULL;
    return job;
}
