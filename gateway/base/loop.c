#include "gateway/base/loop.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop_uv.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SIGNALS_MAX 8
/* Lateness in steps of 0.1 ms up to 100 ms: enough to tell a percentile, small enough to clear. */
#define LATENESS_STEP_US 100
#define LATENESS_STEPS   1000

struct loop_signal {
    uv_signal_t handle;
    void (*fire)(void *owner, int signum);
    void *owner;
};

struct loop {
    uv_loop_t uv;
    struct loop_signal signals[SIGNALS_MAX];
    size_t n_signals;
    struct {
        uint32_t steps[LATENESS_STEPS];
        uint64_t count;
        int64_t max_us;
    } late;
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

    if (loop && uv_loop_init(&loop->uv) < 0) {
        free(loop);
        return NULL;
    }
    if (loop)
        loop->uv.data = loop;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    for (size_t i = 0; i < loop->n_signals; i++)
        uv_close((uv_handle_t *)&loop->signals[i].handle, NULL);
    uv_run(&loop->uv, UV_RUN_NOWAIT);  /* uses up a loop_stop() that came while it rested */
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* lets closed handles finish; open ones would hang here */
    uv_loop_close(&loop->uv);
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

/* -- lateness ------------------------------------------------------------------------------- */

static void note_lateness(struct loop *loop, int64_t late_us)
{
    int64_t step = late_us / LATENESS_STEP_US;

    if (late_us > loop->late.max_us)
        loop->late.max_us = late_us;
    loop->late.steps[step < LATENESS_STEPS ? step : LATENESS_STEPS - 1]++;
    loop->late.count++;
}

struct loop_lateness loop_lateness(struct loop *loop)
{
    struct loop_lateness result = {.max_us = loop->late.max_us, .count = loop->late.count};
    uint64_t below = 0;
    int64_t step = 0;

    while (step < LATENESS_STEPS - 1 && (below += loop->late.steps[step]) * 100 < result.count * 99)
        step++;
    result.p99_us = result.count ? (step + 1) * LATENESS_STEP_US : 0;
    if (result.p99_us > result.max_us)
        result.p99_us = result.max_us;
    memset(&loop->late, 0, sizeof(loop->late));
    return result;
}

/* -- timers --------------------------------------------------------------------------------- */

struct timer {
    uv_timer_t handle;
    struct loop *loop;
    int64_t at_ms;
    void (*fire)(void *owner);
    void *owner;
};

static void free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    int64_t late_us = clock_boot_us() - timer->at_ms * 1000;

    /* libuv counts whole milliseconds of another clock and may be a fraction early. */
    if (late_us < 0) {
        timer_at(timer, timer->at_ms);
        return;
    }
    note_lateness(timer->loop, late_us);
    timer->fire(timer->owner);
}

struct timer *timer_new(struct loop *loop, void (*fire)(void *owner), void *owner)
{
    struct timer *timer = calloc(1, sizeof(*timer));

    if (!timer)
        return NULL;
    uv_timer_init(&loop->uv, &timer->handle);
    timer->handle.data = timer;
    timer->loop = loop;
    timer->fire = fire;
    timer->owner = owner;
    return timer;
}

/* libuv adds the delay to the time at which the loop's turn began, truncated: the true rest is
 * taken from our own clock, and one more millisecond at most is what truncation costs. Whoever
 * serves thousands sets one timer after each of them, mostly to the same time: then nothing is to
 * be done. */
void timer_at(struct timer *timer, int64_t boot_ms)
{
    int64_t now_us, turn_ms, rest_ms;

    if (boot_ms == timer->at_ms && uv_is_active((uv_handle_t *)&timer->handle))
        return;
    timer->at_ms = boot_ms;
    if (boot_ms == CLOCK_NEVER) {
        uv_timer_stop(&timer->handle);
        return;
    }
    now_us = clock_boot_us();
    turn_ms = (int64_t)(uv_hrtime() / 1000000) - (int64_t)uv_now(&timer->loop->uv);
    rest_ms = (boot_ms * 1000 - now_us + 999) / 1000 + turn_ms;
    if (boot_ms * 1000 <= now_us) {
        timer->at_ms = now_us / 1000; /* lateness counts from when it could have fired */
        rest_ms = 0;
    }
    uv_timer_start(&timer->handle, on_timer, rest_ms > 0 ? (uint64_t)rest_ms : 0, 0);
}

void timer_free(struct timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->handle, free_handle);
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
