#include "gateway/store/desk.h"

#include "gateway/base/clock.h"
#include "gateway/base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

struct desk {
    struct queue *tasks;   /* struct task * */
    struct queue *answers; /* likewise */
    void (*rest)(void *owner);
    void (*leave)(void *owner);
    void *owner;
    pthread_t thread;
    sem_t ended; /* a wait for it can be bounded, one for the thread itself only in ways that few
                    know */
    atomic_llong since_ms; /* of the present task; -1: idle */
};

static void *run(void *arg)
{
    struct desk *desk = arg;
    struct task *task;

    while (queue_wait(desk->tasks, &task, 1, CLOCK_NEVER) > 0) {
        atomic_store(&desk->since_ms, clock_boot_ms());
        task->work(task);
        queue_push(desk->answers, &task, 1);
        if (desk->rest && queue_length(desk->tasks) == 0)
            desk->rest(desk->owner);
        atomic_store(&desk->since_ms, -1);
    }
    if (desk->leave)
        desk->leave(desk->owner);
    sem_post(&desk->ended);
    return NULL;
}

struct desk *desk_new(struct queue *answers, void (*rest)(void *owner), void (*leave)(void *owner),
                      void *owner)
{
    struct desk *desk = calloc(1, sizeof(*desk));

    if (!desk)
        return NULL;
    desk->answers = answers;
    desk->rest = rest;
    desk->leave = leave;
    desk->owner = owner;
    atomic_init(&desk->since_ms, -1);
    sem_init(&desk->ended, 0, 0);
    desk->tasks = queue_new(sizeof(struct task *), DESK_TASKS_MAX, QUEUE_REFUSE, NULL, NULL);
    if (!desk->tasks || pthread_create(&desk->thread, NULL, run, desk) != 0) {
        queue_free(desk->tasks);
        free(desk);
        return NULL;
    }
    return desk;
}

int desk_give(struct desk *desk, struct task *task)
{
    task->status = -ECANCELED;
    return queue_push(desk->tasks, &task, 1) < 0 ? -EBUSY : 0;
}

int64_t desk_busy_ms(struct desk *desk)
{
    int64_t since_ms = atomic_load(&desk->since_ms);

    return since_ms < 0 ? 0 : clock_boot_ms() - since_ms;
}

void desk_close(struct desk *desk)
{
    struct task *task;

    if (!desk)
        return;
    queue_close(desk->tasks);
    while (queue_pop(desk->tasks, &task, 1) > 0)
        task->done(task);
}

bool desk_stop(struct desk *desk, int64_t until_ms)
{
    struct timespec at;
    int r;

    if (!desk)
        return true;
    desk_close(desk);
    at = clock_monotonic_at(until_ms);
    while ((r = sem_clockwait(&desk->ended, CLOCK_MONOTONIC, &at)) < 0 && errno == EINTR)
        ;
    if (r < 0)
        return false;
    pthread_join(desk->thread, NULL);
    sem_destroy(&desk->ended);
    queue_free(desk->tasks);
    free(desk);
    return true;
}
