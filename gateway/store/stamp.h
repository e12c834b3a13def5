/* Stamp: wall times of what is written, also while the wall clock is not known good. Private to the
 * room.
 *
 * A Pi starts with the time of its last stop. What is written before a time server was heard has a
 * guessed time and the number of its boot beside it (column `boot`; NULL: good). The guess is one
 * offset for the whole boot, kept in the table `boot`, never before what is there already. When the
 * clock becomes good, everything of this boot moves by the difference; several starts of the
 * process in one boot share it. */
#pragma once

#include "gateway/store/database.h"

#include <stdatomic.h>

/* The wall clock as it is now. */
struct stamp_clock {
    int64_t offset_ms; /* wall less boot */
    bool good;
};
struct stamp_clock stamp_clock(void);

struct stamp {
    const char *boot;   /* clock_boot_id() */
    const char *moves;  /* SQL that moves all rows of boot ?1 by ?2 ms and makes their boot NULL */
    const char *newest; /* SQL that selects the newest time there is */
    atomic_llong offset_ms; /* of the present guess, for who reads; 0: none */
    int64_t row;            /* of this boot, while its times are guesses; 0: none */
    bool settled;           /* the times of this boot are good */
};

#define STAMP_TABLE                                                                        \
    "CREATE TABLE boot(id INTEGER PRIMARY KEY AUTOINCREMENT, kernel TEXT NOT NULL UNIQUE," \
    " offset_ms INTEGER NOT NULL);"

/* Inside a transaction: the offset for what is written now, and the boot to write beside it (0:
 * NULL). Moves what was guessed when `clock` is good for the first time. 0 or -Exxx. */
int stamp_now(struct stamp *stamp, struct database *database, struct stamp_clock clock,
              int64_t *ret_offset_ms, int64_t *ret_boot);

/* After a transaction that failed, or another file: what stamp_now() believes is on disk may not
 * be. */
void stamp_forget(struct stamp *stamp);

/* The offset with which memory is to be seen beside what is on disk. Any thread. */
int64_t stamp_offset(struct stamp *stamp);

/* Binds a boot of stamp_now(). */
void stamp_bind(sqlite3_stmt *statement, int column, int64_t boot);
