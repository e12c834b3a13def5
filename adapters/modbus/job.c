#include "adapters/modbus/job.h"

#include "adapters/modbus/question.h"

#include <stdlib.h>

const struct mb_request *mb_job_wants(const struct mb_job *job)
{
    return job->kind == MB_JOB_POLL ? mb_poll_request(job->device) : &job->own;
}

bool mb_job_again(const struct mb_job *job, uint8_t quality)
{
    return job->kind == MB_JOB_POLL && mb_poll_again(job->device, quality, job->tries);
}

bool mb_job_reads(const struct mb_job *job)
{
    return job->kind == MB_JOB_POLL || mb_is_read(job->own.function);
}

bool mb_job_anew(const struct mb_job *job)
{
    return mb_job_again(job, QUALITY_TIMEOUT) || (mb_job_reads(job) && job->tries < 2);
}

void mb_job_end(struct mb_job *job, struct adapter_host *host, uint8_t quality, const uint8_t *data)
{
    uint64_t ticket = job->ticket;

    if (job->kind == MB_JOB_QUESTION) {
        mb_question_end((struct mb_question *)job, quality, data);
        return;
    }
    if (job->kind == MB_JOB_WRITE)
        free(job);
    else
        quality = mb_poll_quality(job->device);
    host->end(host, ticket, quality);
}

void mb_job_cancel(struct mb_job *job)
{
    if (job->kind == MB_JOB_QUESTION)
        mb_question_end((struct mb_question *)job, QUALITY_DISCONNECTED, NULL);
    else if (job->kind == MB_JOB_WRITE)
        free(job);
}

/* -- those that wait ------------------------------------------------------------------------ */

static struct mb_queue *queue_of(struct mb_jobs *jobs, const struct mb_job *job)
{
    return job->kind == MB_JOB_WRITE  ? &jobs->writes
           : job->kind == MB_JOB_POLL ? &jobs->polls
                                      : &jobs->questions;
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
    queue->n++;
}

void mb_jobs_put_first(struct mb_jobs *jobs, struct mb_job *job)
{
    struct mb_queue *queue = queue_of(jobs, job);

    job->next = queue->first;
    queue->first = job;
    if (!queue->last)
        queue->last = job;
    queue->n++;
}

struct mb_job *mb_jobs_first(const struct mb_jobs *jobs)
{
    return jobs->writes.first  ? jobs->writes.first
           : jobs->polls.first ? jobs->polls.first
                               : jobs->questions.first;
}

struct mb_job *mb_jobs_take(struct mb_jobs *jobs)
{
    struct mb_job *job = mb_jobs_first(jobs);
    struct mb_queue *queue = queue_of(jobs, job);

    queue->first = job->next;
    if (!queue->first)
        queue->last = NULL;
    queue->n--;
    return job;
}
