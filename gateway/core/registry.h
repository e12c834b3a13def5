/* Registry: last known reading of every sensor. Loop thread only. */
#pragma once

#include "gateway/base/reading.h"

#include <stddef.h>
#include <stdint.h>

struct registry;

/* Room for sensors 0 .. capacity-1, none of them read yet. NULL when memory is out. */
struct registry *registry_new(size_t capacity);
void registry_free(struct registry *registry);

/* Copies `reading`. Returns 1 when value or quality changed, 0 when not, -ENOENT for an unknown
 * sensor. */
int registry_update(struct registry *registry, const struct reading *reading);

/* The newest reading, good or bad; QUALITY_NOT_READ at CLOCK_NEVER before the first. NULL for an
 * unknown sensor. Borrowed until the next registry_update(). */
const struct reading *registry_last(const struct registry *registry, uint32_t sensor);
