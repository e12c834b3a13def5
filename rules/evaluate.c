#include "rules/evaluate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct machine {
    struct cell *top; /* of the stack: the newest cell */
    const struct facts *facts;
    const uint32_t *slots;
    int64_t now_ms;
    bool waiting;
    struct cell stack[CODE_DEPTH_MAX + 1];
};

static const struct cell unknown = {.kind = CELL_UNKNOWN};

static struct cell of_number(double number)
{
    return isfinite(number) ? (struct cell){.kind = CELL_NUMBER, .number = number} : unknown;
}

static struct cell of_bool(bool is)
{
    return (struct cell){.kind = CELL_BOOL, .is = is};
}

bool fact_is_known(const struct fact *fact, int64_t now_ms)
{
    return fact->kind != VALUE_NONE && now_ms < fact->fresh_until_ms;
}

static void push_number(struct machine *machine, const struct instruction *instruction)
{
    *++machine->top = (struct cell){.kind = CELL_NUMBER, .number = instruction->number};
}

static void push_text(struct machine *machine, const struct instruction *instruction)
{
    *++machine->top = (struct cell){.kind = CELL_TEXT, .text = instruction->text};
}

static void push_value(struct machine *machine, const struct instruction *instruction)
{
    const struct fact *fact = &machine->facts->at[machine->slots[instruction->slot]];
    struct cell *cell = ++machine->top;
    if (!fact_is_known(fact, machine->now_ms)) {
        machine->waiting |= fact->kind == VALUE_NONE && machine->now_ms < fact->fresh_until_ms;
        *cell = unknown;
    } else if (fact->kind == VALUE_TEXT) {
        const char *text = text_table_get(machine->facts->texts, fact->text);
        *cell = (struct cell){.kind = CELL_TEXT, .text = text};
    } else {
        *cell = (struct cell){.kind = CELL_NUMBER, .number = fact->number};
    }
}

/* Takes the second operand off and leaves the first on top, to be overwritten by the result. False,
 * and unknown as the result, when either is unknown. */
static bool take_two(struct machine *machine, const struct cell **a, const struct cell **b)
{
    *b = machine->top--;
    *a = machine->top;
    bool known = (*a)->kind != CELL_UNKNOWN && (*b)->kind != CELL_UNKNOWN;
    if (!known)
        *machine->top = unknown;
    return known;
}

static void add(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    (void)instruction;
    if (take_two(machine, &a, &b))
        *machine->top = of_number(a->number + b->number);
}

static void subtract(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    (void)instruction;
    if (take_two(machine, &a, &b))
        *machine->top = of_number(a->number - b->number);
}

static void absolute(struct machine *machine, const struct instruction *instruction)
{
    (void)instruction;
    if (machine->top->kind != CELL_UNKNOWN)
        *machine->top = of_number(fabs(machine->top->number));
}

static void less(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    (void)instruction;
    if (take_two(machine, &a, &b))
        *machine->top = of_bool(a->number < b->number);
}

static void less_or_equal(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    (void)instruction;
    if (take_two(machine, &a, &b))
        *machine->top = of_bool(a->number <= b->number);
}

static void greater(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    (void)instruction;
    if (take_two(machine, &a, &b))
        *machine->top = of_bool(a->number > b->number);
}

static void greater_or_equal(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    (void)instruction;
    if (take_two(machine, &a, &b))
        *machine->top = of_bool(a->number >= b->number);
}

/* Both are of one kind: the coder has seen to it. */
static bool is_same(const struct cell *a, const struct cell *b)
{
    switch (a->kind) {
    case CELL_NUMBER:
        return a->number == b->number;
    case CELL_BOOL:
        return a->is == b->is;
    default:
        return strcmp(a->text, b->text) == 0;
    }
}

static void equal(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    (void)instruction;
    if (take_two(machine, &a, &b))
        *machine->top = of_bool(is_same(a, b));
}

static void not_equal(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    (void)instruction;
    if (take_two(machine, &a, &b))
        *machine->top = of_bool(!is_same(a, b));
}

/* Kleene: the value that decides alone (false of and, true of or) wins over unknown. */
static void combine(struct machine *machine, bool decisive)
{
    const struct cell *b = machine->top--, *a = machine->top;
    bool decided =
        (a->kind == CELL_BOOL && a->is == decisive) || (b->kind == CELL_BOOL && b->is == decisive);
    bool known = a->kind == CELL_BOOL && b->kind == CELL_BOOL;
    *machine->top = decided ? of_bool(decisive) : known ? of_bool(!decisive) : unknown;
}

static void both(struct machine *machine, const struct instruction *instruction)
{
    (void)instruction;
    combine(machine, false);
}

static void either(struct machine *machine, const struct instruction *instruction)
{
    (void)instruction;
    combine(machine, true);
}

static void negate(struct machine *machine, const struct instruction *instruction)
{
    (void)instruction;
    if (machine->top->kind == CELL_BOOL)
        machine->top->is = !machine->top->is;
}

static void choose(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *other = machine->top--, *then = machine->top--;
    (void)instruction;
    if (machine->top->kind != CELL_UNKNOWN)
        *machine->top = machine->top->is ? *then : *other;
}

static void (*const run[OP_COUNT])(struct machine *, const struct instruction *) = {
    [OP_NUMBER] = push_number,
    [OP_TEXT] = push_text,
    [OP_VALUE] = push_value,
    [OP_ADD] = add,
    [OP_SUB] = subtract,
    [OP_ABS] = absolute,
    [OP_LT] = less,
    [OP_LE] = less_or_equal,
    [OP_GT] = greater,
    [OP_GE] = greater_or_equal,
    [OP_EQ] = equal,
    [OP_NE] = not_equal,
    [OP_AND] = both,
    [OP_OR] = either,
    [OP_NOT] = negate,
    [OP_IF] = choose,
};

struct cell evaluate(const struct code *code, const struct facts *facts, const uint32_t *slots,
                     int64_t now_ms, bool *ret_waiting)
{
    struct machine machine; /* not zeroed: the stack is written before it is read */
    machine.top = machine.stack;
    machine.facts = facts;
    machine.slots = slots;
    machine.now_ms = now_ms;
    machine.waiting = false;
    for (uint16_t i = 0; i < code->length; i++)
        run[code->at[i].op](&machine, &code->at[i]);
    if (ret_waiting)
        *ret_waiting = machine.waiting;
    return *machine.top;
}
