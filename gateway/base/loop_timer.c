/* Thousands of connections set and clear a time-out with each request. All timers of a loop stand
 * in a heap of ours, where that is cheap, behind one timer of libuv, which hears once a turn of the
 * loop which of them comes next. */
#include "gateway/base/loop_timer.h"

#include "gateway/base/clock.h"
#include "gateway/base/heap.h"
#include "gateway/base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Lateness in steps of 0.1 ms up to 100 ms: enough to tell a percentile, small enough to clear. */
#define LATENESS_STEP_US 100
#define LATENESS_STEPS   1000
#define ROOM_FIRST       64

struct timer {
    struct loop_timers *timers;
    void (*fire)(void *owner);
    void *owner;
    int64_t at_ms;  /* as it was set; CLOCK_NEVER: it rests */
    uint64_t round; /* in which it was set */
    uint32_t place; /* among all of them, by which the heap knows it */
};

struct loop_timers {
    uv_timer_t first;     /* of all */
    int64_t first_us;     /* what it is set to */
    uv_prepare_t prepare; /* before the loop rests */
    struct heap *due;     /* by boot time in microseconds */
    struct timer **list;
    uint32_t room, n;
    uint64_t round; /* of firing those that are due */
    struct {
        uint32_t steps[LATENESS_STEPS];
        uint64_t count;
        int64_t max_us;
    } late;
};

/* -- lateness ------------------------------------------------------------------------------- */

static void note_lateness(struct loop_timers *timers, int64_t late_us)
{
    int64_t step = late_us / LATENESS_STEP_US;

    if (late_us > timers->late.max_us)
        timers->late.max_us = late_us;
    timers->late.steps[step < LATENESS_STEPS ? step : LATENESS_STEPS - 1]++;
    timers->late.count++;
}

struct loop_lateness loop_lateness(struct loop *loop)
{
    struct loop_timers *timers = loop_timers(loop);
    struct loop_lateness result = {.max_us = timers->late.max_us, .count = timers->late.count};
    uint64_t below = 0;
    int64_t step = 0;

    while (step < LATENESS_STEPS - 1 &&
           (below += timers->late.steps[step]) * 100 < result.count * 99)
        step++;
    result.p99_us = result.count ? (step + 1) * LATENESS_STEP_US : 0;
    if (result.p99_us > result.max_us)
        result.p99_us = result.max_us;
    memset(&timers->late, 0, sizeof(timers->late));
    return result;
}

/* -- firing --------------------------------------------------------------------------------- */

static void let_fire(struct loop_timers *timers, struct timer *timer, int64_t late_us)
{
    heap_remove(timers->due, timer->place);
    timer->at_ms = CLOCK_NEVER;
    note_lateness(timers, late_us);
    timer->fire(timer->owner);
}

/* One that sets itself again to a time that has passed waits for the next round, as it then comes
 * behind all that are due: others must have their turn. */
static void fire_due(uv_timer_t *first)
{
    struct loop_timers *timers = first->data;
    int64_t now_us = clock_boot_us(), at_us;
    uint32_t place;

    timers->first_us = CLOCK_NEVER;
    timers->round++;
    while (heap_first(timers->due, &place, &at_us) && at_us <= now_us &&
           timers->list[place]->round != timers->round)
        let_fire(timers, timers->list[place],
                 clock_boot_us() - at_us); /* the one before took time */
}

/* libuv adds the delay to the time at which the loop's turn began, truncated: the true rest is
 * taken from our own clock, and one more millisecond at most is what truncation costs. */
static void set_first(struct loop_timers *timers, int64_t at_us)
{
    int64_t behind_ms = (int64_t)(uv_hrtime() / 1000000) - (int64_t)uv_now(timers->first.loop);
    int64_t rest_ms = (at_us - clock_boot_us() + 999) / 1000 + behind_ms;

    timers->first_us = at_us;
    uv_timer_start(&timers->first, fire_due, rest_ms > 0 ? (uint64_t)rest_ms : 0, 0);
}

static void before_rest(uv_prepare_t *prepare)
{
    struct loop_timers *timers = prepare->data;
    uint32_t place;
    int64_t at_us;

    if (!heap_first(timers->due, &place, &at_us))
        at_us = CLOCK_NEVER;
    if (at_us == timers->first_us)
        return;
    timers->first_us = at_us;
    if (at_us == CLOCK_NEVER)
        uv_timer_stop(&timers->first);
    else
        set_first(timers, at_us);
}

/* -- timers --------------------------------------------------------------------------------- */

static int make_room(struct loop_timers *timers)
{
    uint32_t room = timers->room ? 2 * timers->room : ROOM_FIRST;
    struct timer **longer;

    if (timers->n < timers->room)
        return 0;
    longer = realloc(timers->list, room * sizeof(struct timer *));
    if (!longer)
        return -ENOMEM;
    timers->list = longer;
    if (heap_grow(timers->due, room) < 0)
        return -ENOMEM;
    timers->room = room;
    return 0;
}

struct timer *timer_new(struct loop *loop, void (*fire)(void *owner), void *owner)
{
    struct loop_timers *timers = loop_timers(loop);
    struct timer *timer = make_room(timers) == 0 ? malloc(sizeof(*timer)) : NULL;

    if (!timer)
        return NULL;
    *timer = (struct timer){
        .timers = timers, .fire = fire, .owner = owner, .at_ms = CLOCK_NEVER, .place = timers->n};
    timers->list[timers->n++] = timer;
    return timer;
}

/* A loop that has nothing else to wait for must hear of it at once. */
void timer_at(struct timer *timer, int64_t boot_ms)
{
    struct loop_timers *timers = timer->timers;
    int64_t now_us, at_us;

    if (boot_ms == timer->at_ms)
        return;
    timer->at_ms = boot_ms;
    timer->round = timers->round;
    if (boot_ms == CLOCK_NEVER) {
        heap_remove(timers->due, timer->place);
        return;
    }
    now_us = clock_boot_us();
    at_us = boot_ms * 1000 > now_us ? boot_ms * 1000 : now_us; /* lateness counts from when it
                                                                  could have fired */
    heap_set(timers->due, timer->place, at_us);
    if (timers->first_us == CLOCK_NEVER)
        set_first(timers, at_us);
}

/* The last of the list takes its place. */
void timer_free(struct timer *timer)
{
    struct loop_timers *timers;
    struct timer *last;
    int64_t at_us;

    if (!timer)
        return;
    timers = timer->timers;
    heap_remove(timers->due, timer->place);
    last = timers->list[--timers->n];
    if (heap_key(timers->due, last->place, &at_us)) {
        heap_remove(timers->due, last->place);
        heap_set(timers->due, timer->place, at_us);
    }
    last->place = timer->place;
    timers->list[last->place] = last;
    free(timer);
}

/* -- door ----------------------------------------------------------------------------------- */

struct loop_timers *loop_timers_new(uv_loop_t *uv)
{
    struct loop_timers *timers = calloc(1, sizeof(*timers));

    if (!timers)
        return NULL;
    timers->due = heap_new(0);
    if (!timers->due) {
        free(timers);
        return NULL;
    }
    timers->first_us = CLOCK_NEVER;
    timers->first.data = timers->prepare.data = timers;
    uv_timer_init(uv, &timers->first);
    uv_prepare_init(uv, &timers->prepare);
    uv_prepare_start(&timers->prepare, before_rest);
    uv_unref((uv_handle_t *)&timers->prepare);
    return timers;
}

void loop_timers_close(struct loop_timers *timers)
{
    if (!timers)
        return;
    uv_close((uv_handle_t *)&timers->first, NULL);
    uv_close((uv_handle_t *)&timers->prepare, NULL);
}

void loop_timers_free(struct loop_timers *timers)
{
    if (!timers)
        return;
    heap_free(timers->due);
    free(timers->list);
    free(timers);
}
