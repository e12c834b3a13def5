/* Holding: channels that a rule keeps at a value as long as it fires, or as long as it does not.
 * The rules say what is to be held and when it ends; whoever writes sees to it that it stays so. */
#include "rules/compile.h"
#include "rules/engine.h"

#include <stdlib.h>

/* -- who holds what -- */

struct holders {
    struct compiler *compiler;
    uint32_t *of; /* by sensor: the instance that holds it; RULES_NO_INSTANCE: none */
};

static const struct action_list *list_of(const struct rule *rule, size_t i)
{
    const struct action_list *const lists[] = {&rule->while_firing, &rule->while_ok,
                                               &rule->on_fire,      &rule->on_clear,
                                               &rule->on_change,    &rule->on_nodata};
    return i < sizeof lists / sizeof lists[0] ? lists[i] : NULL;
}

static const char *const list_keys[] = {"while_firing", "while_ok",  "on_fire",
                                        "on_clear",     "on_change", "on_nodata"};

static void tell_conflict(struct compiler *compiler, const struct rule *rule, const char *key,
                          const struct action *action, const struct instance *holder)
{
    const struct section *section = rule->of_limits || !compiler->config->rules
                                        ? NULL
                                        : section_child(compiler->config->rules, rule->name);
    struct place place = section ? section_place(section, key) : (struct place){0};
    problem_error(compiler->problems, place, "one rule alone may hold a channel",
                  "rule \"%.63s\": \"%.130s\" is held by \"%.130s\" already", rule->name,
                  action->name, holder->id);
}

/* Every hold of the instance is put down; then every write is held against what is put down. The
 * first conflict of a list is told. */
static void look_at_list(struct holders *holders, const struct instance *instance, size_t which,
                         bool put_down)
{
    const struct catalog *catalog = holders->compiler->catalog;
    const struct action_list *list = list_of(instance->rule, which);
    for (size_t i = 0; i < list->count; i++) {
        const struct action *action = &list->at[i];
        if (action->kind != ACTION_WRITE || !action->name || action->held != put_down)
            continue;
        uint32_t *holder = &holders->of[action->sensor];
        bool free = *holder == RULES_NO_INSTANCE || *holder == instance->last.instance ||
                    (!put_down && catalog->instances[*holder].rule == instance->rule);
        if (!free) {
            tell_conflict(holders->compiler, instance->rule, list_keys[which], action,
                          &catalog->instances[*holder]);
            return;
        }
        if (put_down)
            *holder = instance->last.instance;
    }
}

void compile_holds(struct compiler *compiler)
{
    const struct catalog *catalog = compiler->catalog;
    struct holders holders = {.compiler = compiler};
    holders.of = malloc(((size_t)catalog->n_sensors + 1) * sizeof *holders.of);
    compiler->no_memory |= !holders.of;
    for (uint32_t s = 0; holders.of && s < catalog->n_sensors; s++)
        holders.of[s] = RULES_NO_INSTANCE;
    for (unsigned pass = 0; holders.of && pass < 2; pass++)
        for (uint32_t i = 0; i < catalog->n_instances; i++)
            for (size_t list = 0; list_of(catalog->instances[i].rule, list); list++)
                look_at_list(&holders, &catalog->instances[i], list, pass == 0);
    free(holders.of);
}

/* -- while it runs -- */

const struct action_list *hold_list(const struct instance *instance)
{
    const struct rule *rule = instance->rule;
    return instance_fires(instance) ? &rule->while_firing : &rule->while_ok;
}

void rules_yield(struct rules *rules, uint32_t sensor)
{
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        struct instance *instance = &rules->catalog.instances[i];
        const struct action_list *list = hold_list(instance);
        for (size_t k = 0; k < list->count; k++) {
            if (list->at[k].sensor != sensor)
                continue;
            instance->yielded |= (uint8_t)(1u << k);
            tell_changed(rules, i);
        }
    }
}
