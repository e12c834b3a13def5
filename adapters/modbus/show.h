/* Show: what registers hold, read in every way: so that a person sees which is right. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MB_SHOW_SIZE   40
#define MB_SHOW_ORDERS 4

/* "ABCD", "CDAB", "BADC", "DCBA" */
extern const char *const mb_show_orders[MB_SHOW_ORDERS];

struct mb_shown {
    const char *type;   /* as the option `type` has it */
    unsigned registers; /* that it takes */
};

/* The types of numbers, in the order in which they are shown; NULL at the end. */
const struct mb_shown *mb_show_at(size_t i);

/* Whether the i-th type reads differently in this order than in those before it. */
int mb_show_differs(size_t i, size_t order);

/* `bytes` of the i-th type's registers as a text; "-" when they are none of its values. */
const char *mb_show(size_t i, size_t order, const uint8_t *bytes, char to[MB_SHOW_SIZE]);
