/* One sensor's history for a plot. Private to the room; made on the loop, answered on the reading
 * desk.
 *
 * Where the readings of the range are few they come as they are; else as stretches of equal length,
 * made of the readings, of minutes or of hours, whichever is coarse enough. Where the finer ones
 * have been dropped already, the next coarser ones fill in. */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/store/history_visit.h"
#include "gateway/store/store.h"

#define HISTORY_POINTS_MAX 20000

struct history_query {
    struct store_query query; /* its texts lie in `memory` */
    struct arena memory;
    int64_t offset_ms, now_ms;      /* wall less boot, for what is in memory; wall */
    const struct text_table *texts; /* of the readings in memory */
    struct intake_part *parts;      /* what is in memory, in order */
    size_t n_parts;
    const char *unit;
    struct store_answer answer; /* its points lie in `memory` */
};

/* Fills `answer`; `file` is open. */
void history_query_run(struct history_query *query, struct database *file, int64_t this_run);

/* The same from memory alone, with the status -EAGAIN. */
void history_query_without(struct history_query *query);

/* How long stretches are, so that no more than `max` touch the range. */
int64_t history_query_step(int64_t from_ms, int64_t to_ms, size_t max);
