/* Saved: how an instance stands, as one line of ASCII, and back. Knows the line, not what it means;
 * save.c does.
 *
 *   rule/1 print=00c0ffee00c0ffee state=firing changed=5000@1763712125000 fired=5000@1763712125000
 *   told=this value=26.5 limit=25 acked=1 life.0=firing limit.above=-14/-15 sum=1f2e3d4c
 *
 * Times are ages in ms; of a mute what is left of it. After `@` stands the wall time, when the
 * clock was known good. Of a life stand the state, how long its timer has run, and the hits, oldest
 * first. The sum over all before it makes a damaged line known. */
#pragma once

#include "rules/rule.h"

#define SAVED_KEY_SIZE 72

struct moment {
    int64_t age_ms;  /* CLOCK_NEVER: no such time */
    int64_t wall_ms; /* CLOCK_NEVER: not known */
};

struct saved_limit {
    char key[SAVED_KEY_SIZE];
    double value, file;
};

struct saved_life {
    uint8_t state, n_hits;
    uint64_t hits;
    int64_t ran_ms;
};

struct saved {
    uint64_t print;
    struct moment changed, fired, cleared, muted;
    int64_t cool_ms; /* what is left of the cooldown */
    int64_t waited_ms, repeats;
    double value, limit; /* NAN: none */
    uint8_t state, told, published, level, level_told;
    uint8_t acked, disabled, inactive, blind, blind_told, blind_published;
    uint8_t escalated, yielded, n_limits;
    struct saved_life lives[RULES_LEVELS_MAX];
    struct saved_limit limits[RULES_LIMITS_MAX];
};

/* One of which there is nothing to save. */
extern const struct saved saved_nothing;

/* Writes the line; returns its length. */
size_t saved_write(const struct saved *saved, char text[RULES_SAVED_SIZE]);

/* False when the line is damaged, of another version, or says what no instance can be like. */
bool saved_read(const char *line, struct saved *ret_saved);
