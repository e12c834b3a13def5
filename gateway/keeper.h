/* Keeper: nothing is told before it is kept. Stands between the pipeline and those who tell: what
 * one judgement caused - events, the states of instances, messages - becomes records of the store,
 * and only when they are on the disk do the messages leave it, through the pumps of their targets,
 * and are events and states shown.
 *
 * A commit that fails or takes over a second does not hold up an alarm: its event then goes to the
 * broker at once, and once more, under the same id, when the disk has taken it. Loop thread only.
 */
#pragma once

#include "gateway/core/sink.h"

#include <stddef.h>
#include <stdint.h>

struct keeper;
struct loop;
struct mqtt;
struct notify;
struct store;

/* Without `mqtt` or `notify` (NULL) nothing is kept for them. NULL when memory is out. */
struct keeper *keeper_new(struct loop *loop, struct store *store, struct mqtt *mqtt,
                          struct notify *notify);
void keeper_free(struct keeper *keeper); /* before the store */

/* Calls `event` and `instance` of `calls` (borrowed) for what is kept; without a keeper they are
 * the pipeline's to call. 0 or -ENOSPC. */
int keeper_show(struct keeper *keeper, const struct sink_calls *calls, void *self);

/* For pipeline_add_sink(), before the sinks that publish readings. */
extern const struct sink_calls keeper_sink;

/* From store_calls: a record is on disk, or is not. */
void keeper_committed(struct keeper *keeper, uint64_t token, bool durable);

/* The messages of earlier runs go out, too. After the store has opened. */
void keeper_start(struct keeper *keeper);

/* From notify: a message was delivered, or given up. */
void keeper_told(struct keeper *keeper, uint64_t row);

/* From mqtt: the broker has acknowledged a message. */
void keeper_delivered(struct keeper *keeper, int64_t row);
