/* Variants: a rule with other limits, other times and another hysteresis than the config gives it,
 * for `rules tune`. They become rules beside it, so that one pass over the past judges them all.
 * Private to the room. */
#pragma once

#include "gateway/base/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARIANTS_MAX 75

struct variant {
    double low, high; /* the limit, of a pair both; NAN: there is none to vary */
    double back;      /* how far back it must go before it clears; 0: at the limit itself */
    int64_t for_ms;
    unsigned differs; /* from the config; another limit counts twice: it is what people know */
};

struct limit_key;

struct variants {
    const struct section *section; /* of the rule, a level or the limits of the sensor; not later */
    const struct section *outer;   /* of a level: its rule, which has what it has not; else NULL */
    char place[300];               /* where that stands: "thermogate.cfg:41" */
    const struct limit_key *limit; /* NULL: it has none that can be varied */
    const char *back_key;          /* "hysteresis", "clear_below"; NULL: likewise */
    char sensor[136];              /* of one instance; "": of a rule, with all of them */
    struct variant list[VARIANTS_MAX];
    size_t count, present; /* the one that is as in the config */
};

/* Finds the rule, instance or level ("boiler_levels/critical") `name` in a config, makes its
 * variants, and adds each to the rules as one that tells nobody and writes nothing; its name is its
 * number. 0, -EINVAL with `problems`, -ENOMEM. */
int variants_add(struct variants *variants, const char *name, struct section *root,
                 struct problems *problems);

/* Which variant a rule of that name is; false: it is another one. */
bool variants_find(const struct variants *variants, const char *rule, size_t *ret_variant);

/* The limit as it is called, and as text: "above", "-14.5"; "outside", "18, 26". "" and "-" when
 * there is none. */
const char *variants_limit_name(const struct variants *variants);
const char *variant_limit(const struct variant *variant, char to[80]);

/* What to put into the config: `above = -14.5; hysteresis = 1; for = "10m"`. */
const char *variant_line(const struct variants *variants, const struct variant *variant,
                         char to[200]);
