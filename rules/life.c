#include "rules/life.h"

#include "gateway/base/clock.h"
#include "rules/rules.h"

struct life life_new(void)
{
    return (struct life){.state = RULE_OK, .resumed_ms = CLOCK_NEVER};
}

bool life_wants_clear(const struct life *life)
{
    return life->state == RULE_FIRING || life->state == RULE_RECOVERING;
}

/* The policy of an unknown condition; what is asked for the clearing is answered for that. */
static enum truth decide(const struct life *life, const struct life_terms *terms, enum truth truth)
{
    if (truth == TRUTH_WAITING || (truth == TRUTH_UNKNOWN && terms->if_unknown == UNKNOWN_KEEP))
        return TRUTH_UNKNOWN;
    if (truth != TRUTH_UNKNOWN)
        return truth;
    bool alarm = terms->if_unknown == UNKNOWN_ALARM;
    return alarm != life_wants_clear(life) ? TRUTH_TRUE : TRUTH_FALSE;
}

/* What enough of the last evaluations say, after this one. */
static enum truth count_hits(struct life *life, const struct life_terms *terms, bool holds,
                             bool by_reading)
{
    if (by_reading) {
        life->hits = life->hits << 1 | holds;
        life->n_hits += life->n_hits < terms->hits_of;
    }
    uint64_t last = life->n_hits < LIFE_HITS_MAX ? life->hits & ((UINT64_C(1) << life->n_hits) - 1)
                                                 : life->hits;
    return __builtin_popcountll(last) >= terms->hits ? TRUTH_TRUE : TRUTH_FALSE;
}

int64_t life_elapsed_ms(const struct life *life, int64_t now_ms)
{
    return life->ran_ms + (life->resumed_ms == CLOCK_NEVER ? 0 : now_ms - life->resumed_ms);
}

static void pause_timer(struct life *life, int64_t now_ms)
{
    life->ran_ms = life_elapsed_ms(life, now_ms);
    life->resumed_ms = CLOCK_NEVER;
}

static bool enter(struct life *life, enum rule_state state, int64_t now_ms)
{
    bool timed = state == RULE_PENDING || state == RULE_RECOVERING;
    if (state == RULE_OK && life_wants_clear(life))
        life->n_hits = 0; /* what led to this firing counts for no other */
    life->state = (uint8_t)state;
    life->ran_ms = 0;
    life->resumed_ms = timed ? now_ms : CLOCK_NEVER;
    return true;
}

static bool run_timer(struct life *life, int64_t wait_ms, int64_t earliest_ms, enum rule_state end,
                      int64_t now_ms)
{
    if (life_elapsed_ms(life, now_ms) >= wait_ms && now_ms >= earliest_ms)
        return enter(life, end, now_ms);
    if (life->resumed_ms == CLOCK_NEVER)
        life->resumed_ms = now_ms;
    return false;
}

static bool go_on(struct life *life, const struct life_terms *terms, const struct life_input *input)
{
    int64_t for_ms = input->at_once ? 0 : terms->for_ms;
    bool waits = for_ms > 0 || input->now_ms < input->earliest_ms;
    switch (life->state) {
    case RULE_OK:
        return enter(life, waits ? RULE_PENDING : RULE_FIRING, input->now_ms);
    case RULE_PENDING:
        return run_timer(life, for_ms, input->earliest_ms, RULE_FIRING, input->now_ms);
    case RULE_FIRING:
        return enter(life, terms->keep_for_ms > 0 ? RULE_RECOVERING : RULE_OK, input->now_ms);
    default:
        return run_timer(life, terms->keep_for_ms, INT64_MIN, RULE_OK, input->now_ms);
    }
}

bool life_step(struct life *life, const struct life_terms *terms, const struct life_input *input)
{
    enum truth holds = decide(life, terms, input->truth);
    bool timed = life->state == RULE_PENDING || life->state == RULE_RECOVERING;
    if (holds == TRUTH_UNKNOWN) {
        if (timed)
            pause_timer(life, input->now_ms);
        return false;
    }
    if (terms->hits > 0 && !life_wants_clear(life)) {
        enum truth hit = count_hits(life, terms, holds == TRUTH_TRUE, input->by_reading);
        holds = input->at_once ? holds : hit;
    }
    if (holds == TRUTH_TRUE)
        return go_on(life, terms, input);
    return timed && enter(life, life->state == RULE_PENDING ? RULE_OK : RULE_FIRING, input->now_ms);
}

int64_t life_due_ms(const struct life *life, const struct life_terms *terms, int64_t earliest_ms)
{
    if (life->resumed_ms == CLOCK_NEVER)
        return CLOCK_NEVER;
    if (life->state == RULE_RECOVERING)
        return life->resumed_ms + (terms->keep_for_ms - life->ran_ms);
    int64_t due_ms = life->resumed_ms + (terms->for_ms - life->ran_ms);
    return due_ms > earliest_ms ? due_ms : earliest_ms;
}
