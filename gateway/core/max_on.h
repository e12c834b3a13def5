/* Max on: outputs that must not be on for longer than their `max_on` (a heater, a pump), whoever
 * switched them on. Private to the room; command.c does the writing. Loop thread only.
 *
 * What counts is what is read: on is every number but the channel's `safe` value, or 0 where it has
 * none. An output that is still on is told again every ten seconds. A restart begins anew. */
#pragma once

#include "gateway/base/reading.h"

#include <stddef.h>
#include <stdint.h>

struct inventory;
struct loop;
struct max_on;

/* `off` is called when `sensor` has been on for long enough, with the value that it is to have.
 * NULL when memory is out. */
struct max_on *max_on_new(struct loop *loop,
                          void (*off)(void *owner, uint32_t sensor, double value), void *owner);
void max_on_free(struct max_on *max_on);

/* Another inventory (borrowed until the next call; the one before must still be there): what is on
 * stays on under its id. Without memory nothing is watched, and -ENOMEM. */
int max_on_use(struct max_on *max_on, const struct inventory *inventory);

void max_on_readings(struct max_on *max_on, const struct reading *readings, size_t count);
