/* Rehearsal: the rules of a config on a virtual clock, with no device and no broker. For tests and
 * replays of rules. The process's clock is the rehearsal's while one is open: one at a time.
 *
 * Time begins at 0 and never goes back. */
#pragma once

#include "gateway/base/problem.h"
#include "gateway/base/reading.h"
#include "rules/rules.h"

#include <stddef.h>
#include <stdint.h>

struct conf_text;
struct rehearsal;

/* The config is `path` (may be NULL) and the texts; they outlive the rehearsal. */
struct rehearsal_config {
    const char *path;
    const struct conf_text *texts;
    size_t n_texts;
    const struct section *probes; /* as of struct rules_config; may be NULL */
    /* Changes the config, complete with its templates, before the rules are made of it; -EINVAL
     * with `problems` when it cannot. May be NULL. */
    int (*change)(void *owner, struct section *root, struct problems *problems);
    int64_t wall_ms; /* Unix time at 0; CLOCK_NEVER: the clock is not known good */
    const struct rules_output *output;
    void *owner;
};

/* 0; -EINVAL: `problems` has the errors; -ENOMEM. Nothing is judged before the first call with a
 * time. */
int rehearsal_open(const struct rehearsal_config *config, struct problems *problems,
                   struct rehearsal **ret_rehearsal);
void rehearsal_close(struct rehearsal *rehearsal);

struct rules *rehearsal_rules(struct rehearsal *rehearsal);
const struct inventory *rehearsal_inventory(const struct rehearsal *rehearsal);
uint32_t rehearsal_add_text(struct rehearsal *rehearsal, const char *text);

/* Everything up to and with `at_ms` that time alone decides; the second after the readings of one
 * poll at that time. */
void rehearsal_time(struct rehearsal *rehearsal, int64_t at_ms);
void rehearsal_poll(struct rehearsal *rehearsal, const struct reading *readings, size_t count,
                    int64_t at_ms);

/* The wall clock says `wall_ms` at `at_ms`, and is known good; before anything is judged, from the
 * beginning on. */
void rehearsal_set_clock(struct rehearsal *rehearsal, int64_t wall_ms, int64_t at_ms);

/* An orderly stop at `at_ms`, `down_ms` without power, and a start. 0 or -ENOMEM. */
int rehearsal_restart(struct rehearsal *rehearsal, int64_t at_ms, int64_t down_ms);
