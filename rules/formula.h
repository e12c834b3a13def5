/* Formula: an expression that gives a value, beside the rules. For the files of this room. */
#pragma once

#include "rules/rule.h"

struct formula {
    struct code code;
    uint8_t kind; /* enum cell_kind of what it gives */
    struct reads reads;
    const uint32_t *slots; /* NULL: not resolved yet */
};
