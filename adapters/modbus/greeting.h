/* Greeting: the registers that a device wants to have written before it is read (`on_connect`):
 * what it forgets when it loses its power. Pure; the thread that reads the config. */
#pragma once

#include "adapters/modbus/options.h"

#define MB_GREETINGS_MAX 16

/* The i-th `on_connect` of a device as the request that writes it. 0, or -EINVAL / -ERANGE with
 * `reterr`. */
int mb_greeting_read(const struct section *device, size_t i, struct mb_request *ret,
                     struct error *reterr);

/* Says all that is wrong with them. */
void mb_greeting_check(const struct section *device, struct problems *problems);
