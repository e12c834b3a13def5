/* Life: ok -> pending -> firing -> recovering -> ok of one level of an instance, as a pure function
 * of truth and time. `pending` falls back to ok, `recovering` back to firing.
 *
 * Timers are kept as elapsed time: `for` and `keep_for` stand still while the truth is unknown, and
 * go on where they were. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the evaluator says of the condition that life_wants_clear() names. */
enum truth {
    TRUTH_FALSE,
    TRUTH_TRUE,
    TRUTH_UNKNOWN,
    TRUTH_WAITING, /* unknown because a sensor has not yet had the time to be read */
};

enum life_unknown { UNKNOWN_KEEP, UNKNOWN_OK, UNKNOWN_ALARM };

#define LIFE_HITS_MAX 64

struct life_terms {
    int64_t for_ms;        /* the condition holds that long before it fires */
    int64_t keep_for_ms;   /* the clearing holds that long before it is over */
    uint8_t hits, hits_of; /* what holds is that so many of so many evaluations did; 0: the last */
    uint8_t if_unknown;    /* enum life_unknown; never applied to TRUTH_WAITING, which keeps */
};

struct life {
    uint8_t state;      /* enum rule_state */
    uint8_t n_hits;     /* how many evaluations `hits` remembers */
    uint64_t hits;      /* a bit for each that held, the newest in bit 0 */
    int64_t ran_ms;     /* of the present timer, until `resumed_ms` */
    int64_t resumed_ms; /* since when it runs; CLOCK_NEVER: it rests */
};

/* One judgement. */
struct life_input {
    uint8_t truth;       /* enum truth */
    bool by_reading;     /* it counts for `hits` */
    bool at_once;        /* neither `for` nor `hits` are asked: a graver level fires already */
    int64_t earliest_ms; /* when it may fire, until then it stays pending: `cooldown` */
    int64_t now_ms;      /* never decreases */
};

/* In state ok, nothing elapsed. */
struct life life_new(void);

/* Whether the next judgement asks for the clearing (firing, recovering) or for the condition. */
bool life_wants_clear(const struct life *life);

/* Returns whether the state changed; one step at a time. */
bool life_step(struct life *life, const struct life_terms *terms, const struct life_input *input);

/* How long the present timer has run. */
int64_t life_elapsed_ms(const struct life *life, int64_t now_ms);

/* When the running timer ends; CLOCK_NEVER when none runs. */
int64_t life_due_ms(const struct life *life, const struct life_terms *terms, int64_t earliest_ms);
