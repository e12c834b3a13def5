/* Forget: which retained messages are a gateway's own. Pure; any thread. */
#pragma once

#include <stdbool.h>

struct options;

/* Everything below the base, and the devices of this id in Home Assistant's discovery. An id is a
 * slug, so that "cellar" is not taken for a part of "cellar-..." of another. */
bool forget_is_ours(const struct options *options, const char *gateway_id, const char *topic);
