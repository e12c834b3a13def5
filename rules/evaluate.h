/* Evaluate: runs a program against what is known of the sensors at one instant.
 *
 * A result is a number, bool or text, or unknown: when an operand is unknown, when a sensor is
 * stale, when arithmetic gives nothing finite. Logic is Kleene's. Allocates nothing. */
#pragma once

#include "gateway/base/reading.h"
#include "rules/code.h"
#include "rules/window.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of one sensor: its newest good value and until when that may be believed. */
struct fact {
    union {
        double number;
        uint32_t text; /* in the table of texts */
    };
    int64_t at_ms;
    int64_t fresh_until_ms; /* unknown from this instant on; before the first value: when to give up
                               waiting for it */
    int64_t stale_ms;       /* CLOCK_NEVER: it does not age */
    int64_t due_ms;         /* when its staleness is looked at next; CLOCK_NEVER: not */
    int64_t bad_ms;         /* since when nothing good comes, when `quality` is bad */
    int64_t doubt_ms;       /* of what says whether a bus is there: until then that is doubted */
    uint64_t pass;          /* the last poll that brought a good value */
    uint32_t bus;           /* the sensor that says whether its bus is there: itself, when it is
                               that; RULES_NO_SENSOR: none */
    uint8_t kind;           /* enum value_kind; VALUE_NONE: nothing good yet */
    uint8_t wanted_kind;    /* what it is configured to give */
    uint8_t quality;        /* of the newest reading */
    bool quality_asked : 1; /* so a bad reading is judged too */
    bool is_derived : 1;
    bool is_event : 1; /* does not age, but is `stale_ms` after a bad reading unknown */
};

struct facts {
    struct fact *at; /* by sensor */
    const struct text_table *texts;
    struct windows *windows; /* NULL: no program asks for one */
    int64_t started_ms;      /* since when readings are looked at */
    /* Whether any instance of the rule with that number is; NULL: no program asks. */
    bool (*rule_is)(const void *owner, uint32_t number, enum rule_what what);
    const void *owner;
};

/* Slots hold the numbers of facts, or with this bit that of a window. */
#define SLOT_WINDOW 0x80000000u

bool fact_is_known(const struct fact *fact, int64_t now_ms);

/* `slots` are the instance's sensors and windows. *ret_outlook (may be NULL) tells why it may be
 * unknown, and when time alone may change it. */
struct cell evaluate(const struct code *code, const struct facts *facts, const uint32_t *slots,
                     int64_t now_ms, struct outlook *ret_outlook);

/* The same for a derived sensor, whose value is as good as those it is made of: already one bad
 * reading makes a sensor unknown. */
struct cell evaluate_derived(const struct code *code, const struct facts *facts,
                             const uint32_t *slots, int64_t now_ms, struct outlook *ret_outlook);
