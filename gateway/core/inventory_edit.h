/* Inventory, the building side: for site.c and for tests that need one. Private to the room
 * otherwise. */
#pragma once

#include "gateway/core/inventory.h"

struct arena;

/* An empty inventory with one owner. Fill its fields with memory of inventory_arena() and sort it
 * with inventory_finish() before anyone else sees it. NULL when memory is out. */
struct inventory *inventory_new(void);
struct arena *inventory_arena(struct inventory *inventory);

/* Makes the indices behind inventory_find_*(). 0 or -ENOMEM. */
int inventory_finish(struct inventory *inventory);

/* It will take the place of `before`: looks up all of inventory_was(). 0 or -ENOMEM. */
int inventory_follow(struct inventory *inventory, const struct inventory *before);
