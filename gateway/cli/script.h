/* Script: a file of rule tests, read (packaging/doc/rules-test.md has the language). Every error of
 * the file is a problem with its place. */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/base/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which things of one instant are done. */
enum script_step_kind {
    SCRIPT_SAMPLE,  /* `name` read `kind`, `number` or `text`, or is bad for `quality` */
    SCRIPT_RESTART, /* after `ms` without power */
    SCRIPT_CLOCK,   /* the wall clock is set to `ms` since 1970 */
    SCRIPT_ORDER,   /* `order` to rule `name`; `text`: words of the refusal, NULL: it is taken */
    SCRIPT_STATE,   /* rule `name` is `text`: a state and flags */
    SCRIPT_VALUE,   /* expression `name`, probe number `ms`, is `text` */
};

struct script_step {
    int64_t at_ms; /* since the beginning of the test */
    struct place place;
    uint8_t kind; /* enum script_step_kind */
    uint8_t value_kind, quality;
    uint8_t order;    /* enum rules_order_kind */
    const char *name; /* of a sensor, a rule, an expression */
    const char *text;
    const char *key; /* of ORDER_LIMIT */
    double number;
    int64_t ms;
};

/* What must come out: `text` NULL is any. */
struct script_output {
    int64_t at_ms;
    struct place place;
    const char *word, *name, *text; /* "notify", "phone", "Freezer at ..." */
};

/* What must be wrong with the config, at a place of this file. */
struct script_fault {
    struct place place; /* of the caret */
    uint32_t line, column;
    const char *words;
    bool warning;
};

struct script_test {
    const char *name;
    struct place place;
    size_t first, end; /* offsets of its lines in the file */
    struct script_step *steps;
    size_t n_steps;
    struct script_output *outputs;
    size_t n_outputs;
    const char **none; /* words that nothing may come out of */
    size_t n_none;
    struct script_fault *faults;
    size_t n_faults;
    int64_t wall_ms; /* of the beginning; CLOCK_NEVER: not known */
    const char *zone;
};

struct script {
    struct source *source;
    struct arena arena;
    const char *config; /* path, NULL: all is in the file itself */
    struct place config_place;
    size_t head_end; /* offset of the first test */
    struct script_test *tests;
    size_t n_tests;
};

/* Takes `source`, also when it fails. 0; -EINVAL: `problems` has the errors; -ENOMEM. */
int script_read(struct source *source, struct problems *problems, struct script *ret_script);
void script_free(struct script *script);

/* Whether `word` is an event of a rule, as "fired", which then names it. */
bool script_is_event(const char *word);

/* The file with all but the config lines between two offsets blanked, so that places stay right;
 * to be freed. NULL when memory is out, or when there are none. */
char *script_config(const struct script *script, size_t first, size_t end);
