/* Totals: what total() has summed up goes on over a restart. Saved at a stop and every hour, with
 * the time of the newest reading in it; what was read since comes out of the history (refill.h), so
 * that a power cut costs no more than history itself loses. Loop thread only. */
#pragma once

struct app;
struct totals;

/* Puts back what was saved: after pipeline_use(), before store_state_release() and the refill; then
 * saves from time to time. NULL without a store, or when memory is out. `app` is borrowed. */
struct totals *totals_begin(struct app *app);

/* Has them all saved as they are: for a stop. NULL is legal. */
void totals_save(struct totals *totals);

void totals_end(struct totals *totals); /* NULL is legal */
