/* Outage: at the first start after a power cut tells what it did, as an event and to every
 * notifier: "Power was out 02:11 to 05:20. Freezer -18.2 to -11.4 °C, now falling. Nothing else
 * changed." (outage_words.h).
 *
 * While the gateway runs the store has a mark with the boot of the machine; an orderly stop takes
 * it away. A mark of another boot is a power cut (or a reset); one of this boot a crash of ours,
 * of which nothing is said but in the log. When the power went is read off the history, whose
 * newest reading is at most one `commit_every` older: no sign of life is written for it. When it
 * came back is when the machine started.
 *
 * It is told once the clock is known good and there are enough readings to see where values are
 * going, at most a minute after the start. Until then the mark stays: of several cuts before
 * anybody knows the time, all is one outage. Loop thread only. */
#pragma once

#include "gateway/core/sink.h"

struct loop;
struct outage;
struct pipeline;
struct store;

/* Looks at the mark, and asks the history when there was a cut: before store_state_release() and
 * pipeline_use(), since it is a sink then. NULL when memory is out. */
struct outage *outage_begin(struct loop *loop, struct store *store, struct pipeline *pipeline);

/* An orderly stop: before the store is settled. NULL is legal. */
void outage_stop(struct outage *outage);

/* After store_close(): until then an answer may come late. NULL is legal. */
void outage_free(struct outage *outage);
