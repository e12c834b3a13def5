/* Store: what must outlive the process, on SQLite. The only room that knows it.
 *
 *   state.db    events, saved state and outbox rows: one full-sync transaction for each group of
 *               records that wait together. Survives kill -9 and power cuts.
 *   history.db  readings, packed: one row for all series each `commit_every`, cut later into chunks
 * a series and roll-ups of a minute and an hour.
 *
 * Each file has one writer thread, so that a long write of history never stands before an alarm,
 * and one more thread answers questions. The loop only copies: everything here is called on the
 * loop thread, and answers and callbacks come on it, never from inside the call that caused them
 * (but for store_settle() and store_close(), which say so).
 *
 * A disk that is full, read-only, slow or missing stops nothing: records wait in memory (at least
 * 4,096 of them), readings in 8 MB, and the store tries again by itself. A damaged file is set
 * aside as <name>.damaged-<n> and replaced; one of a newer version is left alone, and the store
 * runs without.
 *
 * Times that go in are boot times (clock.h). What comes out has wall times, Unix milliseconds: it
 * may be older than this boot. What was stored before the wall clock was known good is corrected
 * when it becomes so. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/reading.h"
#include "gateway/base/setting.h"
#include "gateway/core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct store;

/* -- life ------------------------------------------------------------------------------------ */

extern const struct setting store_settings[]; /* store: */

struct store_options {
    const char *path; /* the folder; made when it is missing */
    int64_t keep_ms, keep_minutes_ms, keep_hours_ms;
    int64_t commit_every_ms;
    int64_t max_size; /* of history.db in bytes */
    const char *vfs;  /* of SQLite, for tests; NULL: the one that suits */
};

/* The options of the checked section `store`; path is borrowed from it. */
struct store_options store_options(const struct section *section);

/* Either may be NULL. */
struct store_calls {
    /* Once for every record: it is on disk (durable), or it is not: the commit failed or took over
     * a second. What was not durable is still written as soon as the disk allows; that is not told.
     */
    void (*committed)(void *owner, uint64_t token, bool durable);
    /* The saved state and the outbox can be read only now: store_open() had returned without them.
     * At most once. */
    void (*opened)(void *owner);
};

/* Starts the threads and waits up to `wait_ms` for both files. 0 also when no disk can be had: then
 * store_counts() and the log say why, and the store goes on trying. `calls` is borrowed for its
 * life. -ENOMEM, or -EAGAIN when there are no threads, with `reterr`. */
int store_open(struct loop *loop, const struct store_options *options, int64_t wait_ms,
               const struct store_calls *calls, void *owner, struct store **ret_store,
               struct error *reterr);

/* The wall time of the newest reading that was on disk when the store was opened: by then the run
 * before was alive. CLOCK_NEVER: there is none whose time is known, or no disk. */
int64_t store_last_sign_ms(const struct store *store);

/* Waits up to `wait_ms` until every record is on disk; committed() is called from inside. 0 or
 * -ETIMEDOUT; a disk that fails is not waited for. For the last transitions of a stop. */
int store_settle(struct store *store, int64_t wait_ms);

/* Writes what waits, ends the threads and frees everything within `wait_ms`. Questions that are
 * open are answered with -ECANCELED, records told, from inside. 0, or -ETIMEDOUT when a disk hangs:
 * threads and memory are left alone for ever (end with _exit()). NULL is legal. */
int store_close(struct store *store, int64_t wait_ms);

/* -- records --------------------------------------------------------------------------------- */

/* What happened. It names things instead of numbering them, so that it outlives every inventory.
 * Texts may be NULL for "" and are cut where a size stands. */
struct store_event {
    uint64_t boot, sequence; /* its id, never repeated */
    int64_t at_ms;           /* boot time */
    int64_t since_ms;        /* of what it ends or continues; CLOCK_NEVER: none */
    const char *type;        /* "fired" */
    const char *rule;        /* id of the instance */
    const char *sensor;      /* id */
    const char *unit;
    const char *text;     /* the value, when kind is VALUE_TEXT */
    const char *by, *via; /* who, through what */
    const char *result;   /* of a command */
    const char *note;     /* words */
    double number;        /* the value, when kind is VALUE_NUMBER */
    double limit;         /* NAN: none */
    uint32_t merged;      /* events of the same rule before it that there was no room for */
    uint8_t severity;     /* enum rule_severity */
    uint8_t kind;         /* enum value_kind */
};

/* A saved value: what `kind` knows of `key`. */
struct store_state {
    const char *kind, *key;
    const void *value; /* NULL: forget it */
    size_t size;
};

/* A message that has to reach `target` ("mqtt", "notify:phone"). */
struct store_message {
    const char *target;
    const void *payload;
    size_t size;
};

/* What belongs together: all of it is on disk, or nothing. */
struct store_record {
    uint64_t token;                  /* for committed() */
    const struct store_event *event; /* NULL: none */
    const struct store_state *states;
    size_t n_states;
    const struct store_message *messages;
    size_t n_messages;
    /* It ends what earlier records about event->rule began: those and this are resolved, and the
     * first to go where there is no room for all. */
    bool resolves;
};

#define STORE_RECORD_MAX  65536   /* bytes of one record */
#define STORE_RECORDS_MIN 4096    /* that wait in memory before any is dropped */
#define STORE_OUTBOX_MAX  8000000 /* bytes of payload on disk */

/* Copies. `ret_row` (may be NULL) is the number of its first message in the outbox; the others
 * follow. 0, -E2BIG, -ENOMEM: then nothing was taken, and committed() will not be called. */
int store_commit(struct store *store, const struct store_record *record, int64_t *ret_row);

/* Every value of `kind` that was on disk when it was opened, in the order of keys; borrowed for the
 * call. For use between store_open() (or opened()) and store_state_release(), which frees them. */
void store_state_each(struct store *store, const char *kind,
                      void (*take)(void *owner, const struct store_state *state), void *owner);
void store_state_release(struct store *store);

/* -- outbox ---------------------------------------------------------------------------------- */

struct store_outbox_row {
    int64_t row;     /* rises with the order of commits, not with the clock */
    int64_t wall_ms; /* when it was put in */
    const void *payload;
    size_t size;
};

/* Messages for one target, oldest first. */
struct store_outbox {
    int status; /* 0, -EAGAIN: state.db cannot be read now, -ECANCELED, -ENOMEM */
    const struct store_outbox_row *rows;
    size_t count;
    bool more; /* after these */
};

/* A start of everything: rows of earlier runs are below those of this one, and may be negative. */
#define STORE_OUTBOX_FIRST INT64_MIN

/* The messages of `target` behind `after` that are on disk, at most `max` (up to 1,000) and a
 * megabyte of them. 0, -ENOMEM, -EBUSY when too much has been asked. */
int store_outbox_read(struct store *store, const char *target, int64_t after, size_t max,
                      void (*answer)(void *owner, const struct store_outbox *outbox), void *owner);

/* It has arrived: the row goes with the next commit, within 100 ms. One that is not there is
 * ignored. */
void store_outbox_done(struct store *store, int64_t row);

/* -- the log of events ----------------------------------------------------------------------- */

struct store_log_entry {
    int64_t row; /* where to go on */
    int64_t wall_ms;
    int64_t since_wall_ms; /* CLOCK_NEVER: none */
    bool clock_good; /* false: the clock was never known good in that run, the times are guesses */
    bool durable;    /* false: it still waits for the disk */
    struct store_event event; /* at_ms and since_ms are 0 */
};

/* Newest first. */
struct store_log {
    int status; /* 0; -EAGAIN: only what waits in memory could be had; -ECANCELED, -ENOMEM */
    const struct store_log_entry *entries;
    size_t count;
    bool more;
};

/* NULL texts and zeroes ask for everything. */
struct store_log_query {
    int64_t before;                   /* row of the last entry seen; 0: the newest */
    int64_t from_ms, to_ms;           /* wall times; to_ms 0: now */
    const char *type, *rule, *sensor; /* globs; a rule also matches all its instances */
    uint8_t min_severity;
    size_t max; /* 1 to 1,000 */
};

int store_log_read(struct store *store, const struct store_log_query *query,
                   void (*answer)(void *owner, const struct store_log *log), void *owner);

/* -- history --------------------------------------------------------------------------------- */

/* Takes readings: for pipeline_add_sink() with the struct store. */
extern const struct sink_calls store_sink;

/* One reading, or a stretch of time of which this is known. */
struct store_point {
    int64_t at_ms;  /* wall; the beginning of the stretch */
    uint32_t count; /* good readings in it; 0: from here on there is no value, `quality` says why */
    uint8_t kind, quality;
    double min, max, mean; /* VALUE_NUMBER */
    const char *text;      /* VALUE_TEXT; a stretch has a point for every text in it */
};

struct store_answer {
    int status; /* 0; -ENOENT: never heard of; -EAGAIN: only what is in memory; -ECANCELED, ... */
    const char *unit;
    int64_t step_ms;                  /* length of a stretch; 0: single readings */
    const struct store_point *points; /* in order of time */
    size_t count;
};

struct store_query {
    const char *sensor;
    int64_t from_ms, to_ms; /* wall; both ends belong to it */
    size_t max_points; /* 1 to 20,000: it takes the finest step that needs no more (texts and gaps
                          may be some more) */
};

int store_query(struct store *store, const struct store_query *query,
                void (*answer)(void *owner, const struct store_answer *answer), void *owner);

/* A single reading as it was stored. */
struct store_row {
    int64_t at_ms; /* wall */
    const char *sensor, *unit;
    const char *text; /* VALUE_TEXT */
    double number;    /* VALUE_NUMBER */
    uint8_t kind, quality;
};

/* Readings of many sensors in order of time. */
struct store_rows {
    int status; /* as of struct store_answer */
    const struct store_row *rows;
    size_t count;
    int64_t next_ms; /* where to go on; CLOCK_NEVER: that was all */
};

struct store_range {
    const char *sensors;    /* glob; NULL: all */
    int64_t from_ms, to_ms; /* wall; both ends belong to it */
    size_t max_rows;        /* about; readings of one millisecond stay together */
};

int store_read(struct store *store, const struct store_range *range,
               void (*answer)(void *owner, const struct store_rows *rows), void *owner);

/* -- export and import ----------------------------------------------------------------------- */

#define STORE_CSV_HEADER    "time,sensor,value,unit,quality\n"
#define STORE_CSV_LINE_SIZE 512

/* A line of the export, with its newline: "2026-11-21T13:02:05.123Z,boiler.flow_temp,62.5,°C,good".
 * Returns its length. Any thread. */
size_t store_csv_line(char line[STORE_CSV_LINE_SIZE], const struct store_row *row);

struct store_import {
    int status;            /* 0, -EAGAIN: history.db cannot be written now, -ECANCELED, -ENOMEM */
    uint64_t taken, known; /* lines stored; there already (same sensor, same time) */
    uint64_t wrong;        /* lines that are none */
    struct error first_wrong; /* of which the first, with its line number */
};

#define STORE_IMPORT_MAX 4000000

/* Stores whole lines of such a file, a header among them or not; at most STORE_IMPORT_MAX bytes,
 * copied. Times are ISO 8601 with a zone, or Unix milliseconds. 0, -E2BIG, -EINVAL (a NUL in it),
 * -ENOMEM, -EBUSY. */
int store_import(struct store *store, const char *csv, size_t length,
                 void (*answer)(void *owner, const struct store_import *import), void *owner);

/* -- health ---------------------------------------------------------------------------------- */

struct store_counts {
    uint64_t records, commits;  /* on disk; transactions for them */
    uint64_t late;              /* records that were told not to be durable */
    uint64_t merged;            /* records that there was no room for in memory */
    uint64_t outbox_dropped;    /* messages that there was no room for on disk */
    uint64_t errors;            /* of both files */
    uint64_t readings, dropped; /* on disk; thinned or dropped for want of room */
    size_t records_waiting;
    size_t readings_bytes; /* that wait in memory */
    int64_t history_size;  /* bytes of history.db that are in use */
    int64_t busy_ms;       /* for how long a writer has been waiting for its disk */
    bool degraded;
    char reason[160]; /* when degraded: which file and why */
};
struct store_counts store_counts(struct store *store);

struct report;
/* All of them as rows, and why it is degraded as a problem. */
void store_report(struct store *store, struct report *report);
