#include "rules/formula.h"

#include "rules/compile.h"

#include <errno.h>

/* Slot 0 is there whether it is used or not. */
static bool reads_own(const struct formula *formula)
{
    for (uint16_t i = 0; i < formula->code.length; i++) {
        const struct instruction *instruction = &formula->code.at[i];
        if (instruction->op >= OP_VALUE && instruction->op <= OP_QUALITY && instruction->slot == 0)
            return true;
    }
    return false;
}

bool formula_source(const struct formula *formula, uint32_t own, size_t i, uint32_t *ret_sensor)
{
    const struct reads *reads = &formula->reads;
    if (i < reads->n_slots) {
        const struct slot *slot = &reads->slots[i];
        bool is_own = slot->sensor == RULES_NO_SENSOR && (i > 0 || reads_own(formula));
        *ret_sensor = is_own ? own : slot->sensor;
        return true;
    }
    i -= reads->n_slots;
    for (uint16_t g = 0; g < reads->n_groups; i -= reads->groups[g++]->count) {
        if (i < reads->groups[g]->count) {
            *ret_sensor = reads->groups[g]->at[i];
            return true;
        }
    }
    return false;
}

bool compile_formula(struct compiler *compiler, const char *key, const struct rules_sensor *own,
                     uint8_t kind, struct formula *ret_formula)
{
    struct coder coder;
    struct scope scope;
    compile_scope(compiler, own, &scope);
    if (!compile_expression(compiler, key, &scope, (enum cell_kind)kind, &coder))
        return false;
    ret_formula->kind = coder.kinds[0];
    int result = coder_finish(&coder, (enum cell_kind)ret_formula->kind, &compiler->catalog->arena,
                              &ret_formula->code);
    compiler->no_memory |= result == -ENOMEM;
    return result == 0 && compile_reads(compiler, &scope, &ret_formula->reads);
}
