/* Walking over what history.db has. Private to the room; on the reading desk, inside a transaction.
 *
 * What is met is not in order of time where clocks were set or files imported: who wants order
 * sorts. */
#pragma once

#include "gateway/store/database.h"
#include "gateway/store/intake.h"
#include "gateway/store/rollup.h"

/* Room to work in, and the texts of what was met. */
struct visit {
    struct database *file;
    uint64_t serial;         /* blocks of this run up to here are in the file */
    struct reading *scratch; /* PACK_MAX */
    struct rollup *rollups;  /* ROLLUP_MAX */
    struct text_table *texts;
    uint64_t damaged;
    sqlite3_stmt *chunks, *staged, *start;
};

/* Begins a transaction. 0 or -Exxx; visit_end() in any case. */
int visit_begin(struct visit *visit, struct database *file, int64_t this_run);
void visit_end(struct visit *visit);

/* The same without a transaction, for who is in one already; what is in memory does not matter
 * then. */
int visit_prepare(struct visit *visit, struct database *file);
void visit_release(struct visit *visit);

/* A series by its name: 0 and *ret_series 0 when there is none. `unit` is written up to `size`. */
int visit_find(struct visit *visit, const char *name, int64_t *ret_series, int64_t *ret_rolled,
               char *unit, size_t size);

struct visit_range {
    int64_t series;         /* 0: of all, for what is staged only */
    int64_t from_ms, to_ms; /* wall; both ends belong to it */
    int64_t after;          /* chunks with a greater id only */
};

/* Return 0, or another number to end the walk with it. */
typedef int (*visit_readings)(void *owner, int64_t series, const struct reading *readings,
                              size_t count);
typedef int (*visit_rollups)(void *owner, const struct rollup *rollups, size_t count);

/* Pieces that touch the range; what is in them outside of it comes too. */
int visit_chunks(struct visit *visit, const struct visit_range *range, visit_readings take,
                 void *owner);
int visit_staged(struct visit *visit, const struct visit_range *range, visit_readings take,
                 void *owner);
int visit_level(struct visit *visit, const struct visit_range *range, int level, visit_rollups take,
                void *owner);

/* Where the first piece of a level begins; INT64_MAX when there is none. */
int visit_start(struct visit *visit, int64_t series, int level, int64_t *ret_ms);
