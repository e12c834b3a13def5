/* Resolve: from the slots of a rule to the facts and windows of its instances. */
#include "rules/compile.h"
#include "rules/formula.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void compile_scope(struct compiler *compiler, const struct rules_sensor *own, struct scope *scope)
{
    struct catalog *catalog = compiler->catalog;
    *scope = (struct scope){
        .names = catalog->names,
        .sensors = catalog->sensors,
        .n_sensors = catalog->n_sensors,
        .own = own ? (uint32_t)(own - catalog->sensors) : RULES_NO_SENSOR,
        .min_samples = (unsigned)section_int(compiler->section, "min_samples"),
        .arena = &catalog->arena,
        .rules = catalog->rule_names,
    };
    scope_start(scope);
}

bool compile_reads(struct compiler *compiler, const struct scope *scope, struct reads *ret_reads)
{
    struct arena *arena = &compiler->catalog->arena;
    *ret_reads = (struct reads){
        .slots = arena_copy(arena, scope->slots, scope->n_slots, sizeof scope->slots[0]),
        .n_slots = scope->n_slots,
        .groups = arena_copy(arena, scope->groups, scope->n_groups, sizeof scope->groups[0]),
        .n_groups = scope->n_groups,
        .asks = arena_copy(arena, scope->asks, scope->n_asks, sizeof scope->asks[0]),
        .n_asks = scope->n_asks,
    };
    if (!ret_reads->slots || !ret_reads->groups || !ret_reads->asks)
        compiler->no_memory = true;
    return !compiler->no_memory;
}

/* The sensor of a slot for the instance on `own`; a channel of its device may be missing. */
static bool resolve_sensor(struct compiler *compiler, const struct slot *slot, uint32_t own,
                           uint32_t *ret_sensor)
{
    const struct catalog *catalog = compiler->catalog;
    char id[2 * TEXT_SLUG_MAX + 2], words[300];
    *ret_sensor = slot->sensor == RULES_NO_SENSOR ? own : slot->sensor;
    if (!slot->channel)
        return true;
    const char *of = catalog->sensors[own].id;
    snprintf(id, sizeof id, "%.*s.%s", (int)strcspn(of, "."), of, slot->channel);
    *ret_sensor = names_find(catalog->names, id);
    if (*ret_sensor == NAMES_NONE)
        snprintf(words, sizeof words, "\"%.130s\" has no \"%.130s\" beside it", of, id);
    else if (catalog->sensors[*ret_sensor].text != catalog->sensors[slot->sensor].text)
        snprintf(words, sizeof words, "\"%.130s\" and \"%.130s\" give different things",
                 catalog->sensors[slot->sensor].id, id);
    else
        return true;
    compile_error_in_text(compiler, slot->key, slot->offset, "write a rule for each kind", words);
    return false;
}

static bool resolve_window(struct compiler *compiler, const struct slot *slot, uint32_t *ret_slot)
{
    struct windows *windows = compiler->catalog->facts.windows;
    size_t most = compiler->catalog->memory;
    bool fitted = windows_bytes(windows) <= most;
    char words[200];
    int64_t window = windows_want(windows, *ret_slot, &slot->span, slot->needs);
    if (window == -ENOMEM) {
        compiler->no_memory = true;
        return false;
    }
    if (window >= 0 && windows_bytes(windows) <= most) {
        *ret_slot = (uint32_t)window | SLOT_WINDOW;
        return true;
    }
    snprintf(words, sizeof words, "with this window all take more than %g MB", (double)most / 1e6);
    if (fitted) /* only the first one is told */
        compile_error_in_text(compiler, slot->key, slot->offset,
                              "a shorter window, a longer every, or more with gateway.rules_memory",
                              words);
    return false;
}

uint32_t *compile_slots(struct compiler *compiler, const struct reads *reads, uint32_t own)
{
    struct catalog *catalog = compiler->catalog;
    uint32_t *slots = arena_take(&catalog->arena, reads->n_slots * sizeof *slots);
    compiler->no_memory |= !slots;
    for (uint16_t i = 0; slots && i < reads->n_slots; i++) {
        const struct slot *slot = &reads->slots[i];
        if (!resolve_sensor(compiler, slot, own, &slots[i]))
            return NULL;
        if (slot->quality)
            catalog->facts.at[slots[i]].quality_asked = true;
        if (slot->windowed && !resolve_window(compiler, slot, &slots[i]))
            return NULL;
    }
    return slots;
}

/* What the actions of the rule write may read other things than its condition does. */
static const uint32_t *const *formula_slots(struct compiler *compiler, const struct rule *rule,
                                            uint32_t own)
{
    const uint32_t **all = arena_take(&compiler->catalog->arena, rule->n_formulas * sizeof *all);
    compiler->no_memory |= !all;
    for (uint16_t i = 0; all && i < rule->n_formulas; i++)
        if (!(all[i] = compile_slots(compiler, &rule->formulas[i]->reads, own)))
            return NULL;
    return all;
}

bool compile_instance_slots(struct compiler *compiler, const struct rule *rule, uint32_t own,
                            struct instance *instance)
{
    struct catalog *catalog = compiler->catalog;
    uint32_t *slots = compile_slots(compiler, &rule->reads, own);
    for (uint8_t i = 0; slots && i < rule->n_limits; i++)
        slots[rule->limits[i].slot] = catalog->n_facts++;
    instance->slots = slots;
    instance->formula_slots = formula_slots(compiler, rule, own);
    return slots && instance->formula_slots;
}
