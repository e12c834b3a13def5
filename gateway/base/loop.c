#include "gateway/base/loop.h"

#include "gateway/base/loop_timer.h"
#include "gateway/base/loop_uv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIGNALS_MAX 8

struct loop_signal {
    uv_signal_t handle;
    void (*fire)(void *owner, int signum);
    void *owner;
};

struct loop {
    uv_loop_t uv;
    struct loop_signal signals[SIGNALS_MAX];
    size_t n_signals;
    struct loop_timers *timers;
    uint8_t scratch[LOOP_SCRATCH_SIZE];
};

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

uint8_t *loop_scratch(uv_loop_t *uv)
{
    return ((struct loop *)uv->data)->scratch;
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (!loop || uv_loop_init(&loop->uv) < 0) {
        free(loop);
        return NULL;
    }
    loop->uv.data = loop;
    loop->timers = loop_timers_new(&loop->uv);
    if (!loop->timers) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

struct loop_timers *loop_timers(struct loop *loop)
{
    return loop->timers;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    for (size_t i = 0; i < loop->n_signals; i++)
        uv_close((uv_handle_t *)&loop->signals[i].handle, NULL);
    loop_timers_close(loop->timers);
    uv_run(&loop->uv, UV_RUN_NOWAIT);  /* uses up a loop_stop() that came while it rested */
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* lets closed handles finish; open ones would hang here */
    uv_loop_close(&loop->uv);
    loop_timers_free(loop->timers);
    free(loop);
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

/* -- wakes ---------------------------------------------------------------------------------- */

struct wake {
    uv_async_t handle;
    void (*fire)(void *owner);
    void *owner;
};

static void on_wake(uv_async_t *handle)
{
    struct wake *wake = handle->data;

    wake->fire(wake->owner);
}

struct wake *wake_new(struct loop *loop, void (*fire)(void *owner), void *owner)
{
    struct wake *wake = calloc(1, sizeof(*wake));

    if (!wake)
        return NULL;
    if (uv_async_init(&loop->uv, &wake->handle, on_wake) < 0) {
        free(wake);
        return NULL;
    }
    wake->handle.data = wake;
    wake->fire = fire;
    wake->owner = owner;
    return wake;
}

void wake_send(struct wake *wake)
{
    uv_async_send(&wake->handle);
}

void wake_free(struct wake *wake)
{
    if (wake)
        uv_close((uv_handle_t *)&wake->handle, free_handle);
}

/* -- watches -------------------------------------------------------------------------------- */

struct watch {
    uv_poll_t handle;
    void (*fire)(void *owner);
    void *owner;
};

/* An error shows as something to read, too: whoever reads then gets it. */
static void on_readable(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;

    (void)status;
    (void)events;
    watch->fire(watch->owner);
}

struct watch *watch_new(struct loop *loop, int fd, void (*fire)(void *owner), void *owner)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return NULL;
    if (uv_poll_init(&loop->uv, &watch->handle, fd) < 0) {
        free(watch);
        return NULL;
    }
    watch->handle.data = watch;
    watch->fire = fire;
    watch->owner = owner;
    uv_poll_start(&watch->handle, UV_READABLE, on_readable);
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch)
        uv_close((uv_handle_t *)&watch->handle, free_handle);
}

/* -- signals -------------------------------------------------------------------------------- */

static void on_signal(uv_signal_t *handle, int signum)
{
    struct loop_signal *entry = handle->data;

    entry->fire(entry->owner, signum);
}

int loop_on_signal(struct loop *loop, int signum, void (*fire)(void *owner, int signum),
                   void *owner)
{
    struct loop_signal *entry;
    int r;

    if (loop->n_signals == SIGNALS_MAX)
        return -ENOSPC;
    entry = &loop->signals[loop->n_signals];
    r = uv_signal_init(&loop->uv, &entry->handle);
    if (r < 0)
        return r;
    loop->n_signals++;
    entry->handle.data = entry;
    entry->fire = fire;
    entry->owner = owner;
    return uv_signal_start(&entry->handle, on_signal, signum);
}

/* -- work elsewhere ------------------------------------------------------------------------- */

struct work {
    uv_work_t request;
    void (*work)(void *owner);
    void (*done)(void *owner);
    void *owner;
};

static void on_work(uv_work_t *request)
{
    struct work *work = request->data;

    work->work(work->owner);
}

static void on_worked(uv_work_t *request, int status)
{
    struct work *work = request->data;
    struct work copy = *work;

    (void)status; /* nothing is ever cancelled */
    free(work);
    copy.done(copy.owner);
}

int loop_work(struct loop *loop, void (*work)(void *owner), void (*done)(void *owner), void *owner)
{
    struct work *item = calloc(1, sizeof(*item));
    int r;

    if (!item)
        return -ENOMEM;
    item->request.data = item;
    item->work = work;
    item->done = done;
    item->owner = owner;
    r = uv_queue_work(&loop->uv, &item->request, on_work, on_worked);
    if (r < 0)
        free(item);
    return r;
}
