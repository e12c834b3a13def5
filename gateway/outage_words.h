/* Words for an outage: what has changed over it, from what was read before and since. Pure.
 *
 *   Power was out 02:11 to 05:20. Freezer -18.2 to -11.4 °C, now falling. Nothing else changed.
 *
 * A number has changed when it differs by more than twice of what it moved in the minutes before
 * the outage, and by more than ten of its last shown places (one in a hundred, where it has none).
 * Counters only grow, and what is derived says nothing new: both are left out. */
#pragma once

#include "gateway/base/reading.h"

#include <stdbool.h>
#include <stddef.h>

struct inventory;

/* What is known of one sensor. All zero: nothing yet. */
struct outage_sensor {
    uint8_t kind, kind_now;       /* enum value_kind before and since; VALUE_NONE: not known */
    double before, low, high;     /* the last number before, and between what it moved */
    double after, newest;         /* the first and the newest since */
    uint32_t text, text_now;      /* in the table of texts */
    unsigned count, rises, falls; /* of readings since */
};

#define OUTAGE_READINGS 5 /* since it: so many tell where a value is going */

/* A good reading from before, in order of time; and one since. Others are ignored. */
void outage_was(struct outage_sensor *sensor, const struct reading *reading);
void outage_is(struct outage_sensor *sensor, const struct reading *reading);

struct outage_report {
    int64_t from_ms, to_ms; /* boot times; that of the cut lies before this boot */
    const struct inventory *inventory;
    const struct outage_sensor *sensors; /* one for each of the inventory */
};

/* Writes it; what is most changed first, and as much of it as has room. -ENOMEM: "" */
int outage_words(const struct outage_report *report, char *text, size_t size);
