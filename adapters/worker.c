#include "adapters/worker.h"

#include "gateway/base/clock.h"
#include "gateway/base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct worker {
    const struct adapter *adapter;
    void *bus;
    uint32_t lane;
    struct queue *jobs;  /* struct worker_job, at most one */
    struct queue *notes; /* of the bus */
    struct queue
        *ended; /* one byte when the thread is through: joining cannot block from then on */
    pthread_t thread;
    struct tally tally; /* of the present job */
    struct adapter_answer answer;
    size_t count, max;
    struct sample samples[];
};

static void work(struct worker *worker, const struct worker_job *job)
{
    struct worker_note note = {.kind = job->write ? NOTE_WROTE
                                       : job->ask ? NOTE_ASKED
                                                  : NOTE_END,
                               .lane = worker->lane,
                               .device = job->request.device,
                               .token = job->token};

    worker->count = 0;
    worker->tally = (struct tally){0};
    if (job->ask)
        worker->adapter->ask(worker->bus, &job->question, worker->lane, &worker->answer);
    else if (job->write)
        note.quality = worker->adapter->write(worker->bus, &job->request, worker->lane);
    else
        note.quality = worker->adapter->poll(worker->bus, note.device, worker->lane);
    queue_push(worker->notes, &note, 1);
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    struct worker_job job;

    while (!queue_is_closed(worker->jobs)) {
        if (queue_wait(worker->jobs, &job, 1, CLOCK_NEVER) > 0)
            work(worker, &job);
    }
    queue_push(worker->ended, "", 1);
    return NULL;
}

static void worker_free(struct worker *worker)
{
    queue_free(worker->jobs);
    queue_free(worker->ended);
    free(worker);
}

struct worker *worker_new(const struct adapter *adapter, void *bus, uint32_t lane,
                          size_t samples_max, struct queue *notes)
{
    struct worker *worker = calloc(1, sizeof(*worker) + samples_max * sizeof(struct sample));

    if (!worker)
        return NULL;
    worker->adapter = adapter;
    worker->bus = bus;
    worker->lane = lane;
    worker->notes = notes;
    worker->max = samples_max;
    worker->jobs = queue_new(sizeof(struct worker_job), 1, QUEUE_REFUSE, NULL, NULL);
    worker->ended = queue_new(1, 1, QUEUE_REFUSE, NULL, NULL);
    if (!worker->jobs || !worker->ended ||
        pthread_create(&worker->thread, NULL, run, worker) != 0) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

void worker_start(struct worker *worker, const struct worker_job *job)
{
    queue_push(worker->jobs, job, 1);
}

/* One sample a channel is all that a poll can have; more is an adapter's mistake. */
void worker_report(struct worker *worker, const struct sample *samples, size_t count)
{
    assert(worker->count + count <= worker->max);
    if (count > worker->max - worker->count)
        count = worker->max - worker->count;
    memcpy(worker->samples + worker->count, samples, count * sizeof(*samples));
    worker->count += count;
}

void worker_count(struct worker *worker, const struct adapter_exchange *exchange)
{
    tally_add(&worker->tally, exchange);
}

const struct tally *worker_tally(const struct worker *worker)
{
    return &worker->tally;
}

const struct adapter_answer *worker_answer(const struct worker *worker)
{
    return &worker->answer;
}

const struct sample *worker_samples(const struct worker *worker, size_t *ret_count)
{
    *ret_count = worker->count;
    return worker->samples;
}

bool worker_stop(struct worker *worker, int64_t until_ms)
{
    char end;

    if (!worker)
        return true;
    queue_close(worker->jobs);
    if (queue_wait(worker->ended, &end, 1, until_ms) == 0)
        return false;
    pthread_join(worker->thread, NULL);
    worker_free(worker);
    return true;
}
