/* Database: one SQLite file and all that can be wrong with it. Private to the room; one thread at a
 * time for each connection.
 *
 * Files are in WAL mode, so that a commit is one append and one sync, and that reading does not
 * stand before writing. The file is held for this process alone (SQLite's "unix-excl"): the index
 * of the log then lies in plain memory instead of a mapped file, where a failing disk would be a
 * SIGBUS. */
#pragma once

#include "gateway/base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* What a file is. */
struct database_kind {
    const char *name;         /* "state.db" */
    const char *const *steps; /* SQL of each version: steps[0] makes version 1 of an empty file */
    int versions;
    int32_t mark;     /* application_id, by which we know our own */
    const char *sync; /* "FULL" or "NORMAL" */
    bool check;       /* small enough to be looked through at each start */
};

struct database {
    const struct database_kind *kind;
    const char *folder; /* borrowed; made when it is missing */
    const char *vfs;    /* NULL: ours */
    sqlite3 *db;        /* NULL: not open */
    bool replaced;      /* a damaged one was set aside by the last open */
    struct error why;   /* of the last failure */
};

/* Opens it for writing: makes it, brings it to our version, sets a damaged or foreign one aside.
 * 0 also when it is open. -Exxx with `why`: -ENOTSUP for a newer version, -EBUSY when another
 * program has it, -ENOENT, -EROFS, -ENOSPC, -EIO, -ENOMEM. */
int database_open(struct database *database);

/* Opens one that database_open() has made ready, for reading. */
int database_open_reader(struct database *database);

/* Whether the file under its name is no longer the one that is open (removed, or its folder mounted
 * anew); it is closed then. */
bool database_check_moved(struct database *database);

/* Finalizes all statements too. */
void database_close(struct database *database);

/* 0, or -Exxx with `why`. */
int database_run(struct database *database, const char *sql);
int database_prepare(struct database *database, const char *sql, sqlite3_stmt **ret_statement);

/* The single number that `sql` selects; `otherwise` for none or NULL. 0 or -Exxx. */
int database_number(struct database *database, const char *sql, int64_t otherwise, int64_t *ret);

/* Steps a statement that returns nothing, and resets it. 0 or -Exxx with `why`. */
int database_step(struct database *database, sqlite3_stmt *statement);

/* A column as text, "" for NULL: a damaged file may have that where it cannot be. Borrowed until
 * the next step. */
const char *database_text(sqlite3_stmt *row, int column);

/* What SQLite has just said, as -Exxx, with `why`. */
int database_error(struct database *database);

/* After -EBADMSG: closes the file and sets it aside; the next open makes a new one. */
void database_set_aside(struct database *database);
