#include "rules/life.h"

#include "gateway/base/clock.h"
#include "rules/rules.h"

struct life life_new(void)
{
    return (struct life){.state = RULE_OK, .resumed_ms = CLOCK_NEVER, .fired_ms = CLOCK_NEVER};
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
    if (state == RULE_FIRING && life->fired_ms == CLOCK_NEVER)
        life->fired_ms = now_ms;
    if (state == RULE_OK)
        life->fired_ms = CLOCK_NEVER;
    life->state = (uint8_t)state;
    life->ran_ms = 0;
    life->resumed_ms = timed ? now_ms : CLOCK_NEVER;
    return true;
}

static bool run_timer(struct life *life, int64_t wait_ms, enum rule_state end, int64_t now_ms)
{
    if (life_elapsed_ms(life, now_ms) >= wait_ms)
        return enter(life, end, now_ms);
    if (life->resumed_ms == CLOCK_NEVER)
        life->resumed_ms = now_ms;
    return false;
}

bool life_step(struct life *life, const struct life_terms *terms, enum truth truth, int64_t now_ms)
{
    enum truth holds = decide(life, terms, truth);
    bool timed = life->state == RULE_PENDING || life->state == RULE_RECOVERING;
    if (holds == TRUTH_UNKNOWN) {
        if (timed)
            pause_timer(life, now_ms);
        return false;
    }
    if (holds == TRUTH_FALSE)
        return timed && enter(life, life->state == RULE_PENDING ? RULE_OK : RULE_FIRING, now_ms);
    switch (life->state) {
    case RULE_OK:
        return enter(life, terms->for_ms > 0 ? RULE_PENDING : RULE_FIRING, now_ms);
    case RULE_PENDING:
        return run_timer(life, terms->for_ms, RULE_FIRING, now_ms);
    case RULE_FIRING:
        return enter(life, terms->keep_for_ms > 0 ? RULE_RECOVERING : RULE_OK, now_ms);
    default:
        return run_timer(life, terms->keep_for_ms, RULE_OK, now_ms);
    }
}

int64_t life_due_ms(const struct life *life, const struct life_terms *terms)
{
    if (life->resumed_ms == CLOCK_NEVER)
        return CLOCK_NEVER;
    int64_t wait_ms = life->state == RULE_PENDING ? terms->for_ms : terms->keep_for_ms;
    return life->resumed_ms + (wait_ms - life->ran_ms);
}
