/* Edge: makes events of a text that is read again and again. For adapters of which nothing comes by
 * itself: each change is an event. */
#pragma once

#include "gateway/base/reading.h"

#include <stdbool.h>

/* All zero at first. */
struct edge {
    bool known;                  /* it was read: what comes first has perhaps happened long ago */
    char text[SAMPLE_TEXT_SIZE]; /* that stands there; "": a code that is no event */
};

/* What a sample of a channel of events becomes: an event when its text is another one than before;
 * QUALITY_QUIET when it is the same, when it is the first, and for a code without a text
 * (QUALITY_UNMAPPED), behind which the same text is a new event. Other bad ones stay as they are,
 * and what stood there before is kept: a change that a failed poll has missed is found by the next.
 */
struct sample edge_take(struct edge *edge, const struct sample *read);
