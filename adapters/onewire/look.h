/* Look: new thermometers in the kernel's tree, for buses with `discover = true`. On the loop: it
 * reads folder names, which asks no wire. A disturbed line makes addresses up, so that one which is
 * there only once is not taken. */
#pragma once

#include "adapters/adapter.h"

struct onewire_look;
struct onewire_tree;

/* Looks at once and every 2 s, and tells the host of each that is not `is_ours`, until it is. The
 * tree is borrowed. NULL when memory is out. */
struct onewire_look *onewire_look_start(struct adapter_host *host, const struct onewire_tree *tree,
                                        bool (*is_ours)(void *owner, const char *address),
                                        void *owner);
void onewire_look_stop(struct onewire_look *look); /* NULL is legal */
