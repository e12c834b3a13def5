/* Loop: libuv behind four small things: a loop, timers, wakes and signals. libuv lives in this room
 * only (here and in stream.h), so that no other room has to know how its handles die.
 *
 * Everything here is called on the loop's own thread, but for wake_send(). Nothing that runs on the
 * loop may block: no file sync, no name look-up, no serial line, no sleep. */
#pragma once

#include <stdint.h>

struct loop;
struct timer;
struct wake;
struct watch;

/* NULL when memory or descriptors are out. loop_free() first lets handles that were closed finish;
 * timers, wakes, watches and streams must have been freed before. NULL is legal. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Runs until loop_stop(). May be run again after that. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* The longest and the 99th percentile of how late timers fired since the last call, in
 * microseconds. */
struct loop_lateness {
    int64_t p99_us, max_us;
    uint64_t count;
};
struct loop_lateness loop_lateness(struct loop *loop);

/* A timer fires once at a boot time and then rests; setting it again moves it. A time that has
 * passed fires on the loop's next turn. It never fires early. */
struct timer *timer_new(struct loop *loop, void (*fire)(void *owner), void *owner);
void timer_at(struct timer *timer, int64_t boot_ms); /* CLOCK_NEVER: rests */
void timer_free(struct timer *timer);

/* A wake runs `fire` on the loop soon after wake_send(), which any thread may call; many sends may
 * be merged into one. */
struct wake *wake_new(struct loop *loop, void (*fire)(void *owner), void *owner);
void wake_send(struct wake *wake);
void wake_free(struct wake *wake);

/* A watch runs `fire` on the loop whenever there is something to read at `fd`, as long as there is.
 * The descriptor stays the caller's: it may be closed once the watch is freed. NULL when memory is
 * out, or when it is nothing that can be watched. */
struct watch *watch_new(struct loop *loop, int fd, void (*fire)(void *owner), void *owner);
void watch_free(struct watch *watch);

/* Runs `work` on a thread of its own kind, then `done` on the loop: for what takes long and happens
 * rarely. 0 or -ENOMEM. loop_free() waits for it. */
int loop_work(struct loop *loop, void (*work)(void *owner), void (*done)(void *owner), void *owner);

/* Calls `fire` on the loop when the process receives `signum`; 0 or -Exxx. Released by loop_free().
 */
int loop_on_signal(struct loop *loop, int signum, void (*fire)(void *owner, int signum),
                   void *owner);
