/* Number: what a word of digits is worth, exactly. libconfig itself wraps whole numbers beyond 31
 * bits, takes "." for 0, and 0100 for 100 or for 64, by its version: such are refused here. */
#pragma once

#include "config/scan.h"

struct number {
    bool whole;
    int64_t integer; /* when whole */
    double real;     /* when not */
};

/* `token` is of a kind from TOKEN_INT to TOKEN_FLOAT. NULL, or what is wrong; `hint` then says what
 * to write instead, if that is known. */
const char *number_read(const struct source *source, struct token token, struct number *ret_number,
                        char *hint, size_t hint_size);
