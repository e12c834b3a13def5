/* Plausible: refuses values that cannot be true, before anyone sees them. Loop thread only.
 *
 * `valid`: outside the range a value is implausible. `max_step`: a larger change since the last
 * good value is held back until three readings in a row agree (within max_step of each other).
 * `counter`: a value below the last is held back in the same way: a real reset confirms itself, a
 * glitch does not. */
#pragma once

#include "gateway/base/reading.h"

#include <stddef.h>

struct inventory;
struct plausible;

#define PLAUSIBLE_CONFIRMATIONS 3

/* For the sensors of `inventory`, which is only read here. NULL when memory is out. */
struct plausible *plausible_new(const struct inventory *inventory);
void plausible_free(struct plausible *plausible);

/* Turns `reading` into one of QUALITY_IMPLAUSIBLE where it cannot be believed (yet). */
void plausible_judge(struct plausible *plausible, struct reading *reading);
