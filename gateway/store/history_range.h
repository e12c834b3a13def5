/* Readings of many sensors in order of time, a page at a time: for export, replay and catching up.
 * Private to the room; made on the loop, answered on the reading desk. */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/store/history_visit.h"
#include "gateway/store/store.h"

#define HISTORY_ROWS_MAX 50000

struct inventory;

struct history_range {
    struct store_range range; /* its texts lie in `memory` */
    struct arena memory;
    int64_t offset_ms;           /* wall less boot, for what is in memory */
    struct inventory *inventory; /* held; whose sensors the parts are; NULL: none */
    struct intake_part *parts;
    size_t n_parts;
    struct store_rows answer; /* its rows lie in `memory` */
};

void history_range_run(struct history_range *range, struct database *file, int64_t this_run);

/* From memory alone, with the status -EAGAIN. */
void history_range_without(struct history_range *range);
