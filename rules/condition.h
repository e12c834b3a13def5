/* Condition: the plain keys of a rule while they are being compiled. For condition.c, limit.c and
 * words.c. */
#pragma once

#include "rules/compile.h"

/* The plain keys, whatever option names them. */
enum plain_key {
    ABOVE,
    BELOW,
    OUTSIDE,
    INSIDE,
    EQUALS,
    NOT_EQUALS,
    RISES,
    FALLS,
    NO_DATA,
    STUCK,
    N_PLAINS
};

/* A limit as it is written: a number, a number that people may adjust, a text, another sensor. */
enum bound_kind { BOUND_NUMBER, BOUND_LIMIT, BOUND_TEXT, BOUND_SENSOR };
struct bound {
    uint8_t kind; /* enum bound_kind */
    uint16_t slot;
    double number;
    const char *text; /* the text, or the sensor's id */
};

/* One plain key with all that belongs to it. */
struct term {
    uint8_t plain; /* enum plain_key */
    const char *option;
    struct bound a, b; /* b: of a pair */
    double hysteresis;
    bool has_clear; /* `clear_below` or `clear_above` is written: */
    double clear;
    uint8_t own;   /* enum cell_kind of the instance's sensor */
    uint16_t slot; /* of its window */
    int64_t ms;    /* of a key that is a duration, of `within`; 0: none */
};

/* The terms of one level; all must hold. */
struct condition {
    struct compiler *compiler;
    struct rule *rule;
    struct level *level;
    const struct rules_sensor *own;
    struct scope *scope; /* of the rule */
    struct term terms[N_PLAINS];
    size_t count;
};

/* A pair has two limits. */
bool plain_is_pair(uint8_t plain);

/* Whether the key itself is a duration. */
bool plain_is_timed(uint8_t plain);

/* The option that sets where it clears ("clear_below" of ABOVE); NULL when there is none. */
const char *plain_clear_option(uint8_t plain);

/* limit.c: makes the numbers of the condition adjustable where the section says so. */
bool limits_compile(struct condition *condition);

/* words.c: the condition for people, NULL when memory is out: "above 85 for 30s"; and the default
 * message of a firing, as a template. */
const char *words_of(const struct condition *condition);
const char *words_of_message(const struct condition *condition);
