#include "rules/formula.h"

#include "rules/compile.h"

#include <errno.h>

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
