/* Starts: counts the starts of the service that ended in a crash soon, so that what crashes because
 * of what it does is started without doing it (safe mode).
 *
 * The count is a file in the service's folder below /run, which systemd keeps while it restarts the
 * service by itself. It goes when a run has lasted long enough, and when it ends in good order: a
 * restart by hand leaves safe mode. Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STARTS_LONG_MS 60000
#define STARTS_CRASHES 3 /* in a row: then outputs stay off */

struct loop;
struct starts;

/* Notes a start, which has gone well when it has lasted `long_ms`. `folder` is NULL where there is
 * no service: then nothing is counted. NULL when memory is out or there is no folder. */
struct starts *starts_begin(struct loop *loop, const char *folder, int64_t long_ms);

/* Whether the last STARTS_CRASHES starts before this one all crashed soon. false for NULL. */
bool starts_keep_crashing(const struct starts *starts);

/* In good order. NULL is legal. */
void starts_end(struct starts *starts);
