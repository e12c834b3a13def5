/* Tree: where on the kernel's 1-Wire buses a sensor is.
 *
 *   /sys/bus/w1/devices/
 *     w1_bus_master1/                    a master: one wire
 *       w1_master_slaves                 the addresses on it, a line each; "not found." when none
 *       28-0316a2794aff/                 a sensor, also while it does not answer for a while
 *     28-0316a2794aff -> ...             the same, whichever master it is on
 *
 * A sensor is looked for by its address, since it may come back on another master, and a master may
 * come late or go (a USB adapter). Any thread, but for new and free; the lock is never held while
 * something is asked that can take long. Source: the kernel's Documentation/w1/. */
#pragma once

#include "adapters/adapter.h"
#include "adapters/onewire/decode.h"

#define ONEWIRE_ROOT_MAX  255
#define ONEWIRE_NO_MASTER (-1)

/* Sensors on further ones are found, but belong to no master. */
#define ONEWIRE_MASTERS_MAX 16

struct onewire_tree;

/* Looks once; nothing need be there yet. NULL when memory is out. `root` is copied, at most
 * ONEWIRE_ROOT_MAX bytes. */
struct onewire_tree *onewire_tree_new(const char *root);
void onewire_tree_free(struct onewire_tree *tree); /* NULL is legal */

/* How many masters have been seen. They are numbered from 0 and keep their numbers, also when they
 * go and come back. */
uint32_t onewire_tree_masters(struct onewire_tree *tree);

/* The thermometers that the tree has now, at most `most`; returns how many. Reads folder names
 * only: no wire is asked, so that the loop may do it. */
size_t onewire_tree_list(const struct onewire_tree *tree, struct onewire_address *list,
                         size_t most);

/* The folder of one of them. Returns `folder`. */
char *onewire_tree_folder(const struct onewire_tree *tree, uint32_t master,
                          char folder[ONEWIRE_ROOT_MAX + 64]);

/* Where a sensor is: its master, and the folder with its files. */
struct onewire_place {
    int32_t master; /* ONEWIRE_NO_MASTER: the tree has it, but no master says so */
    char folder[ONEWIRE_ROOT_MAX + 64];
};

/* Finds `address`, first on the master where it was (`known`, or ONEWIRE_NO_MASTER). QUALITY_GOOD;
 * QUALITY_DISCONNECTED when its master, or every one, is gone; else QUALITY_NO_SENSOR. */
uint8_t onewire_tree_find(struct onewire_tree *tree, const char *address, int32_t known,
                          struct onewire_place *ret);

/* Tells the host what came up or went down since it was last told. */
void onewire_tree_tell(struct onewire_tree *tree, struct adapter_host *host);
