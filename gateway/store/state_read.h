/* What is read from state.db: the log of events, and the outbox. Private to the room; on a desk. */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/store/database.h"
#include "gateway/store/ledger.h"

/* A page of the log: made on the loop with what waits there, filled on the desk. */
struct log_page {
    struct store_log_query query; /* its texts lie in `memory` */
    struct arena memory;
    struct store_log_entry *waiting; /* newest first */
    size_t n_waiting;
    struct store_log_entry *entries; /* the answer */
    size_t count;
    bool more;
};

#define STATE_PAGE_MAX 1000

/* Copies the question and what of `ledger` answers it; rows in the file are ours plus `row_base`.
 * 0 or -ENOMEM. */
int log_page_start(struct log_page *page, const struct store_log_query *query,
                   const struct ledger *ledger, int64_t row_base, int64_t offset_ms);

/* Reads the rest; `file` is open. 0 or -Exxx. */
int log_page_read(struct log_page *page, struct database *file);

/* Answers with what waits alone, when there is no file. */
int log_page_without(struct log_page *page);

/* A page of the outbox. */
struct outbox_page {
    const char *target; /* in `memory` */
    int64_t after;      /* own number */
    size_t max;
    struct arena memory;
    struct store_outbox_row *rows;
    size_t count;
    bool more;
};

int outbox_page_read(struct outbox_page *page, struct database *file, int64_t row_base);
