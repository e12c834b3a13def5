/* state.db: events, saved state and the outbox. Private to the room; on the desk that writes it,
 * but for the log, which the reading desk has a connection of its own for. */
#pragma once

#include "gateway/store/database.h"
#include "gateway/store/ledger.h"
#include "gateway/store/stamp.h"

#define STATE_LOG_MAX    10000                         /* events kept */
#define STATE_LOG_AGE_MS (INT64_C(366) * 24 * 3600000) /* for so long */

extern const struct database_kind state_db_kind;

/* A saved value as it was found. */
struct saved {
    char *kind, *key; /* in one piece with the value */
    void *value;
    size_t size;
};

struct saved_list {
    struct saved *items; /* in order of kind, key */
    size_t count;
};
void saved_free(struct saved_list *list);

struct state_statements {
    sqlite3_stmt *event, *put_state, *drop_state, *put_message, *drop_message, *resolve, *crowded;
};

struct state_db {
    struct database file;
    struct stamp stamp;
    struct state_statements run;
    /* Rows in the file are our own numbers plus this; found by the first open that succeeds, so
     * that records can be numbered before. Written once. */
    int64_t row_base;
    bool has_row_base;
    int64_t outbox_bytes;
    uint64_t outbox_dropped;
    unsigned events_written; /* since the log was last shortened */
    int log_pages;           /* of the write-ahead log */
};

/* Opens it; `ret_saved` (may be NULL) gets all saved values. 0 or -Exxx with file.why. */
int state_db_open(struct state_db *state, struct saved_list *ret_saved);

/* A group of records, the first `count` of the list, and messages that have arrived: one
 * transaction. 0, or -Exxx with file.why: then nothing of it is there, and it may be given again.
 */
int state_db_write(struct state_db *state, const struct entry *entries, size_t count,
                   const int64_t *arrived, size_t n_arrived);

/* Folds the log into the file when it has grown; for when there is nothing better to do. */
void state_db_rest(struct state_db *state);

void state_db_close(struct state_db *state);
