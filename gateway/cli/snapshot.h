/* Snapshot: a copy of a database of the store that another process is writing. Private to the room.
 *
 * It is taken as a power cut would leave it, which the store is made to survive: the file, and the
 * log (WAL) that belongs to it. Commits only grow the log, and a log that has just grown is cut at
 * its last whole commit by its check sums; so the copy is of one moment when meanwhile nothing was
 * written into the file and the log was not begun anew. Where it was, it is copied again. */
#pragma once

/* Copies the database `name` and its log from folder to folder; owner and group too where that is
 * allowed. One that is not there is left out. Blocks, at least until the file has not been written
 * for a second. 0, -EBUSY when it is written all the time, or -errno. */
int snapshot_take(const char *from, const char *to, const char *name);
