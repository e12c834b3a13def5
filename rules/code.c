#include "rules/code.h"

#include <assert.h>
#include <errno.h>

#define NUM CELL_NUMBER
#define IS  CELL_BOOL

static const struct opcode_type types[OP_COUNT] = {
    [OP_NUMBER] = {"number", 0, {0}, NUM},
    [OP_BOOL] = {"bool", 0, {0}, IS},
    [OP_TEXT] = {"text", 0, {0}, CELL_TEXT},
    /* coder_push() is told the kind of these */
    [OP_VALUE] = {"value", 0, {0}, TYPE_ANY},
    [OP_AGE] = {"age", 0, {0}, TYPE_ANY},
    [OP_NODATA] = {"nodata", 0, {0}, TYPE_ANY},
    [OP_QUALITY] = {"quality", 0, {0}, TYPE_ANY},
    [OP_WINDOW] = {"window", 0, {0}, TYPE_ANY},
    [OP_GROUP] = {"group", 0, {0}, TYPE_ANY},
    [OP_RULE] = {"rule", 0, {0}, TYPE_ANY},
    [OP_CIVIL] = {"civil", 0, {0}, TYPE_ANY},
    [OP_ADD] = {"+", 2, {NUM, NUM}, NUM},
    [OP_SUB] = {"-", 2, {NUM, NUM}, NUM},
    [OP_MUL] = {"*", 2, {NUM, NUM}, NUM},
    [OP_DIV] = {"/", 2, {NUM, NUM}, NUM},
    [OP_MOD] = {"%", 2, {NUM, NUM}, NUM},
    [OP_NEG] = {"-", 1, {NUM}, NUM},
    [OP_ABS] = {"abs", 1, {NUM}, NUM},
    [OP_ROUND] = {"round", 1, {NUM}, NUM},
    [OP_FLOOR] = {"floor", 1, {NUM}, NUM},
    [OP_CEIL] = {"ceil", 1, {NUM}, NUM},
    [OP_SQRT] = {"sqrt", 1, {NUM}, NUM},
    [OP_EXP] = {"exp", 1, {NUM}, NUM},
    [OP_LN] = {"ln", 1, {NUM}, NUM},
    [OP_LOG10] = {"log10", 1, {NUM}, NUM},
    [OP_POW] = {"pow", 2, {NUM, NUM}, NUM},
    [OP_MIN2] = {"min2", 2, {NUM, NUM}, NUM},
    [OP_MAX2] = {"max2", 2, {NUM, NUM}, NUM},
    [OP_CLAMP] = {"clamp", 3, {NUM, NUM, NUM}, NUM},
    [OP_DEW_POINT] = {"dew_point", 2, {NUM, NUM}, NUM},
    [OP_HEAT_INDEX] = {"heat_index", 2, {NUM, NUM}, NUM},
    [OP_LT] = {"<", 2, {NUM, NUM}, IS},
    [OP_LE] = {"<=", 2, {NUM, NUM}, IS},
    [OP_GT] = {">", 2, {NUM, NUM}, IS},
    [OP_GE] = {">=", 2, {NUM, NUM}, IS},
    [OP_EQ] = {"==", 2, {TYPE_ANY, TYPE_SAME}, IS},
    [OP_NE] = {"!=", 2, {TYPE_ANY, TYPE_SAME}, IS},
    [OP_AND] = {"and", 2, {IS, IS}, IS},
    [OP_OR] = {"or", 2, {IS, IS}, IS},
    [OP_NOT] = {"not", 1, {IS}, IS},
    [OP_IF] = {"if", 3, {IS, TYPE_ANY, TYPE_SAME}, TYPE_SAME},
};

const struct opcode_type *opcode_type(uint8_t op)
{
    assert(op < OP_COUNT);
    return &types[op];
}

void coder_start(struct coder *coder)
{
    coder->status = 0;
    coder->length = 0;
    coder->depth = 0;
}

static void append(struct coder *coder, struct instruction instruction, uint8_t gives)
{
    if (coder->length == CODE_LENGTH_MAX || coder->depth == CODE_DEPTH_MAX) {
        coder->status = -E2BIG;
        return;
    }
    coder->list[coder->length++] = instruction;
    coder->kinds[coder->depth++] = gives;
}

void coder_push(struct coder *coder, struct instruction instruction, enum cell_kind kind)
{
    if (coder->status == 0)
        append(coder, instruction, (uint8_t)kind);
}

void coder_number(struct coder *coder, double number)
{
    coder_push(coder, (struct instruction){.op = OP_NUMBER, .number = number}, CELL_NUMBER);
}

void coder_text(struct coder *coder, const char *text)
{
    coder_push(coder, (struct instruction){.op = OP_TEXT, .text = text}, CELL_TEXT);
}

void coder_value(struct coder *coder, uint16_t slot, enum cell_kind kind)
{
    coder_push(coder, (struct instruction){.op = OP_VALUE, .slot = slot}, kind);
}

static bool operands_fit(const struct coder *coder, const struct opcode_type *type)
{
    if (coder->depth < type->takes)
        return false;
    const uint8_t *operand = &coder->kinds[coder->depth - type->takes];
    for (unsigned i = 0; i < type->takes; i++) {
        uint8_t wanted = type->kind[i] == TYPE_SAME ? operand[i - 1] : type->kind[i];
        if (wanted != TYPE_ANY && wanted != operand[i])
            return false;
    }
    return true;
}

void coder_op(struct coder *coder, enum opcode op)
{
    const struct opcode_type *type = opcode_type((uint8_t)op);
    if (coder->status)
        return;
    if (type->takes == 0 || !operands_fit(coder, type)) {
        coder->status = -EINVAL;
        coder->refused_op = (uint8_t)op;
        return;
    }
    uint8_t gives = type->gives == TYPE_SAME ? coder->kinds[coder->depth - 1] : type->gives;
    coder->depth = (uint16_t)(coder->depth - type->takes);
    append(coder, (struct instruction){.op = (uint8_t)op}, gives);
}

int coder_finish(const struct coder *coder, enum cell_kind kind, struct arena *arena,
                 struct code *ret_code)
{
    if (coder->status)
        return coder->status;
    if (coder->depth != 1 || coder->kinds[0] != kind)
        return -EINVAL;
    const struct instruction *list =
        arena_copy(arena, coder->list, coder->length, sizeof coder->list[0]);
    if (!list)
        return -ENOMEM;
    *ret_code = (struct code){list, coder->length};
    return 0;
}
