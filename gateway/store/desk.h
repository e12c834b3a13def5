/* Desk: a thread that does tasks one after the other, for what may wait for a disk. Private to the
 * room. The loop gives tasks and gets them back; nothing else is shared. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct queue;
struct desk;

/* The head of everything that a desk does. */
struct task {
    void (*work)(struct task *task); /* on the desk */
    void (*done)(struct task *task); /* then on the loop; frees it */
    int status; /* -ECANCELED until work() says otherwise: it may be that nobody comes to do it */
};

#define DESK_TASKS_MAX 256

/* `answers` takes a struct task * for each that was done and must have room for DESK_TASKS_MAX + 1
 * of them. `rest` (may be NULL) is called on the desk when there is nothing more to do for now,
 * `leave` before the thread ends. NULL when memory or threads are out. */
struct desk *desk_new(struct queue *answers, void (*rest)(void *owner), void (*leave)(void *owner),
                      void *owner);

/* 0, or -EBUSY when it has too much to do: then the task is still the caller's. */
int desk_give(struct desk *desk, struct task *task);

/* For how long it has been at its present task; 0 when it is idle. Any thread. */
int64_t desk_busy_ms(struct desk *desk);

/* No more tasks: those that were not begun go to done() as they are, the thread ends after the
 * present one. NULL is legal. */
void desk_close(struct desk *desk);

/* Ends the thread and frees it; false when it does not come back until boot time `until_ms`: then
 * it is left alone for ever, and so must be everything that it uses. NULL is legal. */
bool desk_stop(struct desk *desk, int64_t until_ms);
