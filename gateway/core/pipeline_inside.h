/* Pipeline, the inside: for pipeline.c (the way of a reading) and pipeline_tell.c (what else is
 * told). */
#pragma once

#include "gateway/core/pipeline.h"

#include <stdbool.h>

struct sink {
    const struct sink_calls *calls;
    void *self;
};

struct pipeline {
    struct sink sinks[PIPELINE_SINKS_MAX];
    size_t n_sinks;
    struct text_table *texts;
    struct site *site;
    struct registry *registry;
    struct plausible *plausible;
    struct reading *readings; /* of the poll that is accepted: sinks and rules get it whole */
    size_t room; /* for them, and as much again for what is derived: the largest device's sensors */
    uint8_t *why; /* by device: how it was told to be; QUALITY_NOT_READ: not yet */
    double *own;  /* the newest values of own sensors; NAN: none yet */
    struct timer *rule_timer, *stale_timer;
    int64_t now_ms;          /* of the last judgement: workers may hand up an older poll later */
    uint64_t boot, sequence; /* of events */
    bool clock_known;        /* the rules know that the wall clock is good */
    bool holds;              /* how instances stand is told later, all at once */
    bool told; /* states, events or actions, since the sinks were last told that it settled */
    void (*write)(void *owner, const struct rule_action *action);
    void *write_owner;
    struct pipeline_counts counts;
};

#define TELL(pipeline, call, ...)                                                           \
    do {                                                                                    \
        for (size_t s_ = 0; s_ < (pipeline)->n_sinks; s_++) {                               \
            if ((pipeline)->sinks[s_].calls->call)                                          \
                (pipeline)->sinks[s_].calls->call((pipeline)->sinks[s_].self, __VA_ARGS__); \
        }                                                                                   \
    } while (0)

/* pipeline.c: what one judgement caused is complete: saved states follow the events that they
 * belong to. */
void pipeline_settle(struct pipeline *pipeline);

/* pipeline.c: the reading of an own sensor, to the rules; what is derived of it to all. */
void pipeline_spread_own(struct pipeline *pipeline, const struct reading *reading);

/* pipeline_tell.c: how an instance stands, to every sink. */
void pipeline_tell_state(struct pipeline *pipeline, uint32_t instance);
