/* The timers of a loop, for the files of this room only. */
#pragma once

#include <uv.h>

struct loop;
struct loop_timers;

/* NULL when memory is out. loop_timers_close() before the loop is run for the last time,
 * loop_timers_free() after it. */
struct loop_timers *loop_timers_new(uv_loop_t *uv);
void loop_timers_close(struct loop_timers *timers);
void loop_timers_free(struct loop_timers *timers);

/* Those of a loop (loop.c). */
struct loop_timers *loop_timers(struct loop *loop);
