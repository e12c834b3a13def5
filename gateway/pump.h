/* Pump: what stands in the store's outbox for one target, on its way there in order. Live messages
 * and those of an earlier run take the same way: they are read from the disk when they are on it.
 * Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct pump;
struct store;

/* Takes one message; 0, or negative when it cannot take more now: it is offered again when
 * something was delivered, or a second later. For each row taken pump_done() must follow some time.
 */
typedef int (*pump_send)(void *self, int64_t row, const void *payload, size_t size);

/* `target` is borrowed. NULL when memory is out. */
struct pump *pump_new(struct loop *loop, struct store *store, const char *target, pump_send send,
                      void *self);
void pump_free(struct pump *pump); /* before the store; answers of it that are open are forgotten */

/* There may be something new: call it when a commit is through, and once at the start. */
void pump_run(struct pump *pump);

/* The message of `row` has arrived, or is given up. */
void pump_done(struct pump *pump, int64_t row);
