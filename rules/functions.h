/* Functions: what may be called in an expression. One row a function: its arguments, what it gives,
 * the instruction that it becomes, and what its window must keep. Adding one is a row here and its
 * computation in evaluate.c or window_ask.c. */
#pragma once

#include "rules/code.h"
#include "rules/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum param_kind {
    PARAM_END,
    PARAM_SENSOR,  /* device.channel, .channel or value; may be left out: the own one */
    PARAM_WINDOW,  /* 10m, #5, today, 1h@1d */
    PARAM_SPAN,    /* a duration that is no window */
    PARAM_PERCENT, /* a constant 0..100 */
    PARAM_NUMBER,  /* any expression of that kind */
    PARAM_BOOL,
    PARAM_ANY,
    PARAM_GLOB,       /* "*.temp" */
    PARAM_MAYBE_TEXT, /* a text that may be left out: another function of the same name */
    PARAM_MAYBE_GOOD, /* "good", likewise */
    PARAM_DEVICE,     /* a bare name */
    PARAM_RULE,
};

#define FUNCTION_PARAMS_MAX 3

struct function {
    const char *name;
    uint8_t params[FUNCTION_PARAMS_MAX]; /* enum param_kind */
    uint8_t op;                          /* enum opcode */
    uint8_t what;                        /* of OP_WINDOW and its like */
    uint8_t gives;                       /* enum cell_kind, TYPE_SAME: that of the sensor */
    uint8_t needs;                       /* WINDOW_NEEDS_... */
    bool of_texts;                       /* works on sensors that give texts */
    bool in_minutes;                     /* works in long, shifted and calendar windows */
    const char *usage;
};

/* NULL when there is none; `name` is not ended by NUL. */
const struct function *function_find(const char *name, size_t length);

/* The name of the function that becomes this instruction. */
const char *function_name(uint8_t op, uint8_t what);

/* The name of a function that may have been meant, NULL when none is near. */
const char *function_nearest(const char *name);
