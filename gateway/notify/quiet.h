/* Quiet: the hours in which people sleep. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Minutes of the local day; from == to: never quiet. */
struct quiet {
    int16_t from, to;
};

/* "22:00-07:00". 0 or -EINVAL. */
int quiet_parse(const char *text, struct quiet *ret_quiet);

/* Whether it is quiet at a wall time, and the wall time at which that ends. */
bool quiet_is(const struct quiet *quiet, int64_t wall_ms, int64_t *ret_end_ms);
