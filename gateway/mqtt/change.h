/* Change: whether a reading must be published at all. A channel with `publish = "change"` is silent
 * until it differs from what was published last by more than its deadband, or until its heartbeat
 * is due. Pure; one thread. */
#pragma once

#include "gateway/base/reading.h"

#include <stdbool.h>
#include <stdint.h>

struct inventory;

struct change {
    const struct inventory *inventory; /* borrowed */
    struct reading
        *sent; /* by sensor, as published last; NULL: every channel is always published */
};

/* Everything counts as never published. 0 or -ENOMEM: then all is published always. */
int change_use(struct change *change, const struct inventory *inventory);
void change_release(struct change *change);

bool change_is_due(const struct change *change, const struct reading *reading);
void change_sent(struct change *change, const struct reading *reading);
