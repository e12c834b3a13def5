/* Site was: names that devices and channels had before. Private to the room: see site.c. */
#pragma once

#include <stddef.h>

struct problems;
struct site_device;

/* Says when a former name is none, or is another's too, as its name or its former one. */
void site_was_check(const struct site_device *devices, size_t n_devices, struct problems *problems);
