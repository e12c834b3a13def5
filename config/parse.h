/* Parse: the sections of one file, with the place of everything, and what is wrong with its syntax
 * in words. libconfig stays the judge (judge.h); this knows where and why. */
#pragma once

#include "gateway/base/section.h"

/* Deeper nesting is refused before libconfig sees it: its parser needs memory for each level. */
#define PARSE_DEPTH_MAX 32

/* libconfig compares each new name with all others of its group. */
#define PARSE_MEMBERS_MAX 10000

enum parse_result {
    PARSE_WHOLE,  /* nothing is wrong */
    PARSE_SLIPS,  /* errors, but all that was written is in the tree: worth checking further */
    PARSE_BROKEN, /* errors, and parts are missing or without a value */
};

/* Adds what `source` says to `root`. `source` has no NUL byte and outlives `root`. */
enum parse_result parse_source(const struct source *source, struct section *root,
                               struct problems *problems);
