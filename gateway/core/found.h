/* Found: devices that adapters have found by themselves, on buses with `discover = true`. They are
 * kept for the life of the process and put into the config whenever a site is built; what a person
 * wrote of the same device wins. Loop thread only; a copy may go to the thread that builds. */
#pragma once

#include "adapters/adapters.h"

struct found;

#define FOUND_MAX 1000 /* a damaged line can make up any number of addresses */

/* NULL when memory is out. */
struct found *found_new(void);
void found_free(struct found *found); /* NULL is legal */
struct found *found_copy(const struct found *found);

/* 1 when it is new, 0 when it is known, -ENOSPC, -ENOMEM. */
int found_add(struct found *found, const char *bus, const struct adapter_found *device);

/* Adds a device to `root` for each whose bus still discovers, unless there is one of its name, or
 * one on its bus that is written with the same KEY = "VALUE", in capitals or with other dots and
 * dashes. 0 or -ENOMEM. */
int found_merge(const struct found *found, struct section *root);
