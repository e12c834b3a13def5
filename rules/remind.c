/* Reminding: an alarm that nobody has acknowledged is told again (`repeat`), and told to others
 * (`escalate`). */
#include "gateway/base/clock.h"
#include "rules/engine.h"

static int64_t elapsed_ms(const struct reminder *reminder, int64_t now_ms)
{
    bool runs = reminder->resumed_ms != CLOCK_NEVER;
    return reminder->ran_ms + (runs ? now_ms - reminder->resumed_ms : 0);
}

/* How long it must have waited for the next repeat, for the next escalation. */
static int64_t repeat_after_ms(const struct instance *instance)
{
    const struct rule *rule = instance->rule;
    uint32_t made = instance->reminder.repeats;
    if (rule->repeat_ms == 0 || (rule->max_repeats > 0 && made >= rule->max_repeats))
        return CLOCK_NEVER;
    return rule->repeat_ms * ((int64_t)made + 1);
}

static int64_t escalation_after_ms(const struct instance *instance)
{
    const struct rule *rule = instance->rule;
    uint8_t made = instance->reminder.escalated;
    return made < rule->n_escalations ? rule->escalations[made].after_ms : CLOCK_NEVER;
}

static int64_t next_after_ms(const struct instance *instance)
{
    int64_t repeat_ms = repeat_after_ms(instance), escalation_ms = escalation_after_ms(instance);
    return repeat_ms < escalation_ms ? repeat_ms : escalation_ms;
}

int64_t remind_due_ms(const struct instance *instance)
{
    const struct reminder *reminder = &instance->reminder;
    int64_t after_ms = next_after_ms(instance);
    if (reminder->resumed_ms == CLOCK_NEVER || after_ms == CLOCK_NEVER)
        return CLOCK_NEVER;
    return reminder->resumed_ms + (after_ms - reminder->ran_ms);
}

int64_t remind_ran_ms(const struct instance *instance, int64_t now_ms)
{
    return elapsed_ms(&instance->reminder, now_ms);
}

void remind_begin(struct instance *instance)
{
    instance->reminder = (struct reminder){.resumed_ms = CLOCK_NEVER};
}

static void run_or_rest(struct instance *instance, int64_t now_ms)
{
    struct reminder *reminder = &instance->reminder;
    bool runs = reminder->resumed_ms != CLOCK_NEVER;
    bool shall = instance_fires(instance) && !instance->last.acked && !tell_firing_rests(instance);
    if (runs == shall)
        return;
    reminder->ran_ms = elapsed_ms(reminder, now_ms);
    reminder->resumed_ms = shall ? now_ms : CLOCK_NEVER;
}

/* An escalation that falls on a repeat goes first: it reaches those who do not know yet. */
void remind(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (instance->rule->repeat_ms == 0 && instance->rule->n_escalations == 0)
        return;
    run_or_rest(instance, now_ms);
    while (remind_due_ms(instance) <= now_ms) {
        if (escalation_after_ms(instance) <= repeat_after_ms(instance))
            tell_escalation(rules, index, instance->reminder.escalated++, now_ms);
        else {
            instance->reminder.repeats++;
            tell_again(rules, index, now_ms);
        }
    }
}
