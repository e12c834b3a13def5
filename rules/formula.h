/* Formula: an expression that gives a value, beside the rules. For the files of this room. */
#pragma once

#include "rules/rule.h"

struct formula {
    struct code code;
    uint8_t kind; /* enum cell_kind of what it gives */
    struct reads reads;
    const uint32_t *slots; /* NULL: not resolved yet */
};

/* A sensor that is no device's: its value comes of others. */
struct derived {
    struct formula formula;
    uint32_t sensor;
};

/* The i-th sensor that a formula reads, for an own sensor `own`; false at the end. RULES_NO_SENSOR
 * is to be passed over. */
bool formula_source(const struct formula *formula, uint32_t own, size_t i, uint32_t *ret_sensor);
