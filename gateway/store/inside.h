/* What the loop's side of the store shares: store.c (life), records.c, readings.c, questions.c.
 * Private to the room; loop thread only, but where it says "desk". */
#pragma once

#include "gateway/store/desk.h"
#include "gateway/store/history_db.h"
#include "gateway/store/intake.h"
#include "gateway/store/ledger.h"
#include "gateway/store/state_db.h"
#include "gateway/store/store.h"

#define STORE_QUESTIONS_MAX 200

struct timer;
struct wake;
struct queue;

/* A commit that takes longer is told not to be durable. */
#define STORE_LATE_MS 1000

/* Messages that have arrived are dropped within this, alone or with the next record. */
#define STORE_ARRIVED_MS 100

/* How long a file that failed rests: doubling from one to the other. */
#define STORE_PAUSE_MS     1000
#define STORE_PAUSE_MAX_MS 30000

/* How one file fares. */
struct health {
    const char *name;
    bool bad;
    int code;         /* of the last failure, which is said once */
    int64_t since_ms; /* that it has been bad */
    int64_t pause_ms; /* between tries */
    int64_t retry_ms; /* when to try again; CLOCK_NEVER: nothing to try */
    uint64_t errors;
    char reason[160];
};

/* Messages that have arrived and are dropped in one transaction. */
#define GROUP_ARRIVED_MAX 512

/* A group of records under way, or the first opening. One at a time. */
struct group_task {
    struct task task;
    struct store *store;
    bool busy;
    const struct entry *entries;
    size_t count, n_arrived;
    int64_t arrived[GROUP_ARRIVED_MAX];
    /* What the desk says of its file, since it goes on with it. */
    struct saved_list saved; /* of the opening */
    int64_t row_base;
    uint64_t outbox_dropped;
    struct error why;
};

/* A batch of readings under way, or a piece of tidying. One at a time. */
struct batch_task {
    struct task task;
    struct store *store;
    bool busy;
    const struct intake_block *blocks;
    size_t count;
    /* as above */
    int64_t size, found_ms;
    uint64_t damaged;
    struct error why;
};

/* A question that has not been answered yet. The head of what questions.c makes. */
struct question {
    struct task task;
    struct store *store;
    struct question *next, **place;                        /* in the list of the store */
    void (*answer)(struct question *question, int status); /* tells who asked */
    void (*release)(struct question *question);
};

struct store {
    struct loop *loop;
    struct store_options options;
    const struct store_calls *calls;
    void *owner;
    char *path;
    bool closing, closed; /* nothing new is begun; the desks take nothing any more */
    struct store_counts counts;

    struct queue *answers; /* struct task *, of all desks */
    struct wake *wake;
    struct desk *state_desk, *history_desk, *read_desk;
    struct question *questions;
    size_t n_questions;

    /* records */
    struct timer *record_timer;
    struct ledger ledger;
    struct group_task group;
    struct health state_health;
    int64_t next_row, row_base;
    int64_t *arrived; /* messages to be dropped, in the order in which they arrived */
    size_t n_arrived, arrived_size;
    int64_t arrived_ms; /* when the first of them has to be; CLOCK_NEVER: there is none */
    struct saved_list saved;
    bool opened, late; /* state.db has been open; store_open() has returned without it */
    bool restamped;    /* state.db was written to since the clock is good */

    /* readings */
    struct timer *batch_timer;
    struct intake intake;
    struct batch_task batch;
    struct health history_health;
    int64_t batch_ms; /* when the next is due; CLOCK_NEVER: nothing waits */
    bool tidy;        /* there is more to do on history.db */
    bool tried;       /* it has been opened, or cannot be */
    int64_t found_ms; /* wall time of the newest reading that was there; 0: none */

    /* of the desks */
    struct state_db state;
    struct history_db history;
    struct database read_state, read_history;
};

/* store.c */
void health_note(struct health *health, const struct error *why, int status);
bool health_may_try(const struct health *health);
/* Does what comes back until boot time `until_ms`, or until `enough` says so. */
void store_wait(struct store *store, bool (*enough)(const struct store *store), int64_t until_ms);

/* records.c */
void records_start(struct store *store);
void records_free(struct store *store);
void records_pump(struct store *store); /* gives the desk what there is to do, sets the timer */
void records_fire(void *store);         /* of the timer */
void records_restamp(struct store *store);
bool records_are_settled(const struct store *store);

/* readings.c */
void readings_start(struct store *store);
void readings_free(struct store *store);
void readings_pump(struct store *store);
void readings_fire(void *store);
void readings_flush(struct store *store); /* all that waits is due now */
bool readings_are_settled(const struct store *store);

/* questions.c */
void questions_cancel(struct store *store); /* answers those that are open */
