/* history.db: readings, packed. Private to the room; on the desk that writes it.
 *
 *   staged   what commits have brought, a blob for all series each (staged.h). The newest row
 * always stays: it says up to which block of which run everything has come. chunk    level 0:
 * readings of one series (pack.h), up to PACK_MAX; level 1 and 2: roll-ups of a minute and an hour
 * (rollup.h) series   names and units. Chunks up to `rolled` are in the roll-ups, each once; later
 * ones are rolled up when they are asked for.
 */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/store/database.h"
#include "gateway/store/intake.h"
#include "gateway/store/rollup.h"
#include "gateway/store/staged.h"
#include "gateway/store/stamp.h"
#include "gateway/store/store.h"

enum history_level { LEVEL_RAW, LEVEL_MINUTE, LEVEL_HOUR };
#define HISTORY_LEVELS 3

/* Of a stretch at that level; 1 for LEVEL_RAW. */
int64_t history_step_ms(int level);

extern const struct database_kind history_db_kind;

struct history_statements {
    sqlite3_stmt *stage, *find_series, *add_series, *rename, *set_unit, *set_rolled, *add_chunk,
        *unrolled;
};

struct history_db {
    struct database file;
    struct stamp stamp;
    struct history_statements run;
    struct store_options options;
    int64_t this_run;            /* a number drawn at each start */
    struct inventory *inventory; /* held; of `series` */
    int64_t *series;             /* a sensor: its series; 0: not looked up */
    struct staged_writer writer;
    struct bytes blob;
    struct reading *readings; /* 2 x PACK_MAX, to work with */
    int log_pages;
    int64_t rolling;  /* the series that the present pass of roll-ups has come to; 0: none */
    int64_t tidy_ms;  /* boot time of the next look for what is too old */
    int64_t size;     /* bytes in use, as last seen */
    uint64_t damaged; /* pieces that could not be read */
    int64_t found_ms; /* wall time of the newest reading that was there; 0: none */
    bool has_found;   /* of the first opening */
};

/* 0 or -Exxx with file.why. */
int history_db_open(struct history_db *history);
void history_db_close(struct history_db *history);

/* One batch: the blocks from `blocks` on. One transaction. 0 or -Exxx with file.why. */
int history_db_stage(struct history_db *history, const struct intake_block *blocks, size_t count);

/* A piece of what has to be done from time to time: cutting, rolling up, dropping what is too old
 * or too much. 1 when there is more to do, 0, or -Exxx with file.why. */
int history_db_tidy(struct history_db *history);

void history_db_rest(struct history_db *history);

/* Lines of CSV; fills the counts of `import`. */
int history_db_import(struct history_db *history, char *csv, struct store_import *import);

/* -- for the files of history.db ------------------------------------------------------------- */

int history_begin(struct history_db *history);
/* COMMIT when r is 0, else ROLLBACK; returns what then holds. */
int history_end(struct history_db *history, int r);

/* The series called `name`, made when there is none. 0 or -Exxx. */
int history_series(struct history_db *history, const char *name, const char *unit,
                   int64_t *ret_series);

struct history_chunk {
    int64_t series, start_ms, end_ms, boot;
    size_t count;
    int level;
};
int history_add_chunk(struct history_db *history, const struct history_chunk *chunk,
                      const struct bytes *data);

/* Packs `count` readings (sorted or not) of one series into a chunk. */
int history_add_readings(struct history_db *history, int64_t series, int64_t boot,
                         const struct reading *readings, size_t count,
                         const struct text_table *texts);

int history_cut(struct history_db *history);    /* 1, 0, -Exxx */
int history_roll(struct history_db *history);   /* likewise */
int history_retain(struct history_db *history); /* likewise */
