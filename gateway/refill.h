/* Refill: at a start the windows of the rules get their past back out of the history, so that an
 * average of a day does not wait for a day. The time without power stays a gap. */
#pragma once

#include <stddef.h>

struct loop;
struct rules;
struct store;
struct text_table;

struct refill;

/* Asks the history and runs `loop` until all is there, or for three seconds; before the first poll.
 * NULL when there is nothing to do, or memory is out. The clock must be known good. */
struct refill *refill_windows(struct loop *loop, struct store *store, struct rules *rules,
                              struct text_table *texts);
size_t refill_count(const struct refill *refill); /* samples that came back; NULL is legal */

/* After store_close(): until then an answer may come late. NULL is legal. */
void refill_free(struct refill *refill);
