#include "rules/evaluate.h"

#include "gateway/base/clock.h"
#include "rules/climate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct machine {
    struct cell *top; /* of the stack: the newest cell */
    const struct facts *facts;
    const uint32_t *slots;
    int64_t now_ms;
    bool strict; /* the newest reading must be good */
    struct outlook outlook;
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

static void change_at(struct machine *machine, int64_t at_ms)
{
    if (at_ms < machine->outlook.next_ms)
        machine->outlook.next_ms = at_ms;
}

/* -- constants and sensors -- */

static void push_number(struct machine *machine, const struct instruction *instruction)
{
    *++machine->top = (struct cell){.kind = CELL_NUMBER, .number = instruction->number};
}

static void push_bool(struct machine *machine, const struct instruction *instruction)
{
    *++machine->top = of_bool(instruction->number != 0);
}

static void push_text(struct machine *machine, const struct instruction *instruction)
{
    *++machine->top = (struct cell){.kind = CELL_TEXT, .text = instruction->text};
}

static const struct fact *fact_of(const struct machine *machine,
                                  const struct instruction *instruction)
{
    return &machine->facts->at[machine->slots[instruction->slot]];
}

static bool is_known(const struct machine *machine, const struct fact *fact)
{
    return fact_is_known(fact, machine->now_ms) &&
           (!machine->strict || fact->quality == QUALITY_GOOD);
}

/* Nothing good, or not any more: for lack of time, or because the sensor gives nothing. */
static void note_unknown(struct machine *machine, const struct fact *fact)
{
    bool waiting = fact->kind == VALUE_NONE && machine->now_ms < fact->fresh_until_ms;
    machine->outlook.waiting |= waiting;
    machine->outlook.stale |= !waiting;
}

static void push_value(struct machine *machine, const struct instruction *instruction)
{
    const struct fact *fact = fact_of(machine, instruction);
    struct cell *cell = ++machine->top;
    if (!is_known(machine, fact)) {
        note_unknown(machine, fact);
        *cell = unknown;
    } else if (fact->kind == VALUE_TEXT) {
        const char *text = text_table_get(machine->facts->texts, fact->text);
        *cell = (struct cell){.kind = CELL_TEXT, .text = text};
    } else {
        *cell = (struct cell){.kind = CELL_NUMBER, .number = fact->number};
    }
}

static void push_age(struct machine *machine, const struct instruction *instruction)
{
    const struct fact *fact = fact_of(machine, instruction);
    struct cell *cell = ++machine->top;
    change_at(machine, machine->now_ms + 1000);
    *cell = unknown;
    if (fact->kind == VALUE_NONE)
        note_unknown(machine, fact);
    else
        *cell = of_number((double)(machine->now_ms - fact->at_ms) / 1000);
}

/* Before the first value it is unknown until the sensor has had `ms` to give one. */
static void push_nodata(struct machine *machine, const struct instruction *instruction)
{
    const struct fact *fact = fact_of(machine, instruction);
    bool none = fact->kind == VALUE_NONE;
    int64_t from_ms = none ? machine->facts->started_ms : fact->at_ms;
    bool over = machine->now_ms - from_ms >= instruction->ms;
    struct cell *cell = ++machine->top;
    *cell = of_bool(over);
    if (!over)
        change_at(machine, from_ms + instruction->ms);
    if (!over && none) {
        machine->outlook.waiting = true;
        *cell = unknown;
    }
}

static void push_quality(struct machine *machine, const struct instruction *instruction)
{
    const struct fact *fact = fact_of(machine, instruction);
    bool aged = fact->kind != VALUE_NONE && machine->now_ms >= fact->fresh_until_ms;
    uint8_t quality = fact->quality == QUALITY_GOOD && aged ? QUALITY_STALE : fact->quality;
    *++machine->top = (struct cell){.kind = CELL_TEXT, .text = quality_name(quality)};
}

static void push_window(struct machine *machine, const struct instruction *instruction)
{
    uint32_t window = machine->slots[instruction->slot] & ~SLOT_WINDOW;
    struct outlook outlook = {.next_ms = CLOCK_NEVER};
    *++machine->top =
        windows_ask(machine->facts->windows, window, instruction, machine->now_ms, &outlook);
    change_at(machine, outlook.next_ms);
    if (machine->top->kind == CELL_UNKNOWN) {
        machine->outlook.stale |= outlook.stale;
        machine->outlook.waiting |= outlook.waiting;
    }
}

/* -- several sensors, other rules, the calendar -- */

struct tally {
    uint32_t good;
    double sum, lowest, highest;
};

static struct tally count_group(const struct machine *machine, const struct sensor_group *group)
{
    struct tally tally = {0, 0, HUGE_VAL, -HUGE_VAL};
    for (uint32_t i = 0; i < group->count; i++) {
        const struct fact *fact = &machine->facts->at[group->at[i]];
        if (!is_known(machine, fact))
            continue;
        tally.good++;
        if (fact->kind != VALUE_NUMBER)
            continue;
        tally.sum += fact->number;
        tally.lowest = fmin(tally.lowest, fact->number);
        tally.highest = fmax(tally.highest, fact->number);
    }
    return tally;
}

static double group_result(uint8_t what, const struct tally *tally)
{
    switch (what) {
    case GROUP_SUM:
        return tally->sum;
    case GROUP_AVG:
        return tally->sum / tally->good;
    case GROUP_MIN:
        return tally->lowest;
    default:
        return tally->highest;
    }
}

static void push_group(struct machine *machine, const struct instruction *instruction)
{
    const struct sensor_group *group = instruction->group;
    struct cell *cell = ++machine->top;
    if (instruction->what == GROUP_COUNT) {
        *cell = of_number(group->count);
        return;
    }
    struct tally tally = count_group(machine, group);
    *cell = instruction->what == GROUP_COUNT_GOOD ? of_number(tally.good)
            : tally.good > 0 ? of_number(group_result(instruction->what, &tally))
                             : unknown;
    if (cell->kind == CELL_UNKNOWN)
        for (uint32_t i = 0; i < group->count && tally.good == 0; i++)
            note_unknown(machine, &machine->facts->at[group->at[i]]);
}

static void push_rule(struct machine *machine, const struct instruction *instruction)
{
    const struct facts *facts = machine->facts;
    *++machine->top = of_bool(
        facts->rule_is(facts->owner, instruction->needs, (enum rule_what)instruction->what));
}

/* Looked at again with each minute of the wall clock, so that a step of it shows soon. */
static void push_civil(struct machine *machine, const struct instruction *instruction)
{
    struct cell *cell = ++machine->top;
    struct tm tm;
    int64_t wall_ms = clock_wall_ms(machine->now_ms);
    time_t seconds = (time_t)(wall_ms / 1000);
    *cell = unknown;
    if (!clock_wall_is_good() || !localtime_r(&seconds, &tm)) {
        machine->outlook.waiting = true;
        change_at(machine, machine->now_ms + 1000);
        return;
    }
    const int fields[] = {[CIVIL_HOUR] = tm.tm_hour,
                          [CIVIL_MINUTE] = tm.tm_min,
                          [CIVIL_WEEKDAY] = tm.tm_wday ? tm.tm_wday : 7,
                          [CIVIL_MONTH] = tm.tm_mon + 1};
    change_at(machine, machine->now_ms + 60000 - wall_ms % 60000);
    *cell = of_number(fields[instruction->what]);
}

/* -- arithmetic -- */

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

static double add(double a, double b)
{
    return a + b;
}

static double subtract(double a, double b)
{
    return a - b;
}

static double multiply(double a, double b)
{
    return a * b;
}

static double divide(double a, double b)
{
    return a / b; /* by zero: nothing finite, so unknown */
}

static double opposite(double a)
{
    return -a;
}

static double (*const of_one[OP_COUNT])(double) = {
    [OP_NEG] = opposite, [OP_ABS] = fabs, [OP_ROUND] = round, [OP_FLOOR] = floor, [OP_CEIL] = ceil,
    [OP_SQRT] = sqrt,    [OP_EXP] = exp,  [OP_LN] = log,      [OP_LOG10] = log10,
};

static double (*const of_two[OP_COUNT])(double, double) = {
    [OP_ADD] = add,
    [OP_SUB] = subtract,
    [OP_MUL] = multiply,
    [OP_DIV] = divide,
    [OP_MOD] = fmod,
    [OP_POW] = pow,
    [OP_MIN2] = fmin,
    [OP_MAX2] = fmax,
    [OP_DEW_POINT] = dew_point,
    [OP_HEAT_INDEX] = heat_index,
};

static void compute_one(struct machine *machine, const struct instruction *instruction)
{
    if (machine->top->kind != CELL_UNKNOWN)
        *machine->top = of_number(of_one[instruction->op](machine->top->number));
}

static void compute_two(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *a, *b;
    if (take_two(machine, &a, &b))
        *machine->top = of_number(of_two[instruction->op](a->number, b->number));
}

static void clamp(struct machine *machine, const struct instruction *instruction)
{
    const struct cell *high = machine->top--, *low = machine->top--;
    struct cell *value = machine->top;
    (void)instruction;
    if (value->kind == CELL_UNKNOWN || low->kind == CELL_UNKNOWN || high->kind == CELL_UNKNOWN ||
        low->number > high->number)
        *value = unknown;
    else
        value->number = fmin(fmax(value->number, low->number), high->number);
}

/* -- comparisons and logic -- */

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
    [OP_BOOL] = push_bool,
    [OP_TEXT] = push_text,
    [OP_VALUE] = push_value,
    [OP_AGE] = push_age,
    [OP_NODATA] = push_nodata,
    [OP_QUALITY] = push_quality,
    [OP_WINDOW] = push_window,
    [OP_GROUP] = push_group,
    [OP_RULE] = push_rule,
    [OP_CIVIL] = push_civil,
    [OP_ADD] = compute_two,
    [OP_SUB] = compute_two,
    [OP_MUL] = compute_two,
    [OP_DIV] = compute_two,
    [OP_MOD] = compute_two,
    [OP_NEG] = compute_one,
    [OP_ABS] = compute_one,
    [OP_ROUND] = compute_one,
    [OP_FLOOR] = compute_one,
    [OP_CEIL] = compute_one,
    [OP_SQRT] = compute_one,
    [OP_EXP] = compute_one,
    [OP_LN] = compute_one,
    [OP_LOG10] = compute_one,
    [OP_POW] = compute_two,
    [OP_MIN2] = compute_two,
    [OP_MAX2] = compute_two,
    [OP_CLAMP] = clamp,
    [OP_DEW_POINT] = compute_two,
    [OP_HEAT_INDEX] = compute_two,
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

static struct cell run_code(const struct code *code, const struct facts *facts,
                            const uint32_t *slots, int64_t now_ms, bool strict,
                            struct outlook *ret_outlook)
{
    struct machine machine; /* not zeroed: the stack is written before it is read */
    machine.top = machine.stack;
    machine.facts = facts;
    machine.slots = slots;
    machine.now_ms = now_ms;
    machine.strict = strict;
    machine.outlook = (struct outlook){.next_ms = CLOCK_NEVER};
    for (uint16_t i = 0; i < code->length; i++)
        run[code->at[i].op](&machine, &code->at[i]);
    if (ret_outlook)
        *ret_outlook = machine.outlook;
    return *machine.top;
}

struct cell evaluate(const struct code *code, const struct facts *facts, const uint32_t *slots,
                     int64_t now_ms, struct outlook *ret_outlook)
{
    return run_code(code, facts, slots, now_ms, false, ret_outlook);
}

struct cell evaluate_derived(const struct code *code, const struct facts *facts,
                             const uint32_t *slots, int64_t now_ms, struct outlook *ret_outlook)
{
    return run_code(code, facts, slots, now_ms, true, ret_outlook);
}
