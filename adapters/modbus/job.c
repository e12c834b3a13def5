#include "adapters/modbus/job.h"

const struct mb_request *mb_job_wants(const struct mb_job *job)
{
    return job->writes ? &job->write : mb_poll_request(job->device);
}

bool mb_job_again(const struct mb_job *job, uint8_t quality)
{
    return !job->writes && mb_poll_again(job->device, quality, job->tries);
}

bool mb_job_anew(const struct mb_job *job)
{
    return mb_job_again(job, QUALITY_TIMEOUT) || (!job->writes && job->tries < 2);
}

static struct mb_queue *queue_of(struct mb_jobs *jobs, const struct mb_job *job)
{
    return job->writes ? &jobs->writes : &jobs->polls;
}

void mb_jobs_put(struct mb_jobs *jobs, struct mb_job *job)
{
    struct mb_queue *queue = queue_of(jobs, job);

    job->next = NULL;
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

void mb_jobs_put_first(struct mb_jobs *jobs, struct mb_job *job)
{
    struct mb_queue *queue = queue_of(jobs, job);

    job->next = queue->first;
    queue->first = job;
    if (!queue->last)
        queue->last = job;
}

struct mb_job *mb_jobs_first(const struct mb_jobs *jobs)
{
    return jobs->writes.first ? jobs->writes.first : jobs->polls.first;
}

struct mb_job *mb_jobs_take(struct mb_jobs *jobs)
{
    struct mb_job *job = mb_jobs_first(jobs);
    struct mb_queue *queue = queue_of(jobs, job);

    queue->first = job->next;
    if (!queue->first)
        queue->last = NULL;
    return job;
}
