#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "rules/evaluate.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* Programs are written in the order of their instructions: "1 2 +", "t u and" for true and unknown,
 * "x" the sensor, "'ab" a text. */
struct world {
    struct text_table *texts;
    struct fact fact;
};
static const char *const words[OP_COUNT] = {
    [OP_ADD] = "+", [OP_SUB] = "-",   [OP_ABS] = "abs", [OP_LT] = "<",  [OP_LE] = "<=",
    [OP_GT] = ">",  [OP_GE] = ">=",   [OP_EQ] = "==",   [OP_NE] = "!=", [OP_AND] = "and",
    [OP_OR] = "or", [OP_NOT] = "not", [OP_IF] = "if",
};

static int setup(void **state)
{
    static struct world world;
    world.texts = text_table_new();
    world.fact = (struct fact){.kind = VALUE_NUMBER, .number = 5, .fresh_until_ms = 100};
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    text_table_free(w->texts);
    return 0;
}

static struct instruction one(const char *word, struct instruction list[], uint16_t *length)
{
    for (uint8_t op = 0; op < OP_COUNT; op++)
        if (words[op] && strcmp(words[op], word) == 0)
            return (struct instruction){.op = op};
    if (word[0] == '\'')
        return (struct instruction){.op = OP_TEXT, .text = word + 1};
    if (word[0] == 'x' || word[0] == 'z')
        return (struct instruction){.op = OP_VALUE, .slot = word[0] == 'z'};
    if (word[0] != 't' && word[0] != 'f' && word[0] != 'u')
        return (struct instruction){.op = OP_NUMBER, .number = strtod(word, NULL)};
    /* a bool out of two numbers; z, which is never known, makes it unknown */
    list[(*length)++] = word[0] == 'u' ? (struct instruction){.op = OP_VALUE, .slot = 1}
                                       : (struct instruction){.op = OP_NUMBER, .number = 1};
    list[(*length)++] = (struct instruction){.op = OP_NUMBER, .number = word[0] == 't'};
    return (struct instruction){.op = OP_EQ};
}

static struct cell run(struct world *w, const char *program)
{
    char text[200];
    struct instruction list[100];
    struct code code = {list, 0};
    struct fact facts_at[] = {w->fact, {.kind = VALUE_NONE}};
    struct facts facts = {.at = facts_at, .texts = w->texts};
    const uint32_t slots[] = {0, 1};
    strcpy(text, program);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        struct instruction instruction = one(word, list, &code.length);
        list[code.length++] = instruction;
    }
    return evaluate(&code, &facts, slots, 50, NULL);
}

static void expect_number(struct world *w, const char *program, double number)
{
    struct cell cell = run(w, program);
    assert_int_equal(cell.kind, CELL_NUMBER);
    assert_true(cell.number == number);
}

static void expect_unknown(struct world *w, const char *program)
{
    assert_int_equal(run(w, program).kind, CELL_UNKNOWN);
}

/* Each column of `programs` ends in t, f or u: the result. */
static void expect_truths(struct world *w, const char *const *programs)
{
    for (; *programs; programs++) {
        char program[100];
        size_t length = strlen(*programs);
        memcpy(program, *programs, length - 2);
        program[length - 2] = '\0';
        struct cell cell = run(w, program);
        char is = cell.kind == CELL_UNKNOWN ? 'u' : cell.is ? 't' : 'f';
        if (is != (*programs)[length - 1])
            print_error("%s\n", *programs);
        assert_int_equal(is, (*programs)[length - 1]);
    }
}

static void arithmetic_is_that_of_numbers(void **state)
{
    expect_number(*state, "1.5 2 +", 3.5);
    expect_number(*state, "1.5 2 -", -0.5);
    expect_number(*state, "-7 abs", 7);
    expect_number(*state, "x 1 +", 6);
}

static void a_result_that_is_not_finite_is_unknown(void **state)
{
    struct world *w = *state;
    w->fact.number = DBL_MAX;
    expect_unknown(w, "x x +");
    expect_unknown(w, "x abs 0 x - -");
    expect_number(w, "x x -", 0);
}

static void comparisons_are_exact_at_the_edge(void **state)
{
    const char *const programs[] = {"1 2 < t",  "2 2 < f",  "2 2 <= t", "3 2 <= f", "3 2 > t",
                                    "2 2 > f",  "2 2 >= t", "1 2 >= f", "2 2 == t", "1 2 == f",
                                    "2 2 != f", "1 2 != t", NULL};
    expect_truths(*state, programs);
}

static void texts_and_bools_can_be_equal(void **state)
{
    const char *const programs[] = {"'a 'a == t", "'a 'b == f", "'a 'b != t", "t t == t",
                                    "t f == f",   "t f != t",   NULL};
    expect_truths(*state, programs);
}

static void unknown_operands_make_results_unknown(void **state)
{
    const char *const programs[] = {"z 1 < u",  "1 z > u", "z 1 <= u", "1 z >= u", "z z == u",
                                    "z 1 != u", "u not u", "u t == u", NULL};
    expect_unknown(*state, "z 1 +");
    expect_unknown(*state, "1 z -");
    expect_unknown(*state, "z abs");
    expect_truths(*state, programs);
}

static void logic_is_that_of_kleene(void **state)
{
    const char *const programs[] = {
        "t t and t", "t f and f", "f t and f", "f f and f", "t u and u", "u t and u", "f u and f",
        "u f and f", "u u and u", "t t or t",  "t f or t",  "f t or t",  "f f or f",  "t u or t",
        "u t or t",  "f u or u",  "u f or u",  "u u or u",  "t not f",   "f not t",   NULL};
    expect_truths(*state, programs);
}

static void if_takes_one_branch_and_leaves_the_other_alone(void **state)
{
    expect_number(*state, "t 1 2 if", 1);
    expect_number(*state, "f 1 2 if", 2);
    expect_number(*state, "t 1 z if", 1);
    expect_unknown(*state, "f 1 z if");
    expect_unknown(*state, "u 1 1 if");
}

static void a_value_is_known_until_it_is_stale(void **state)
{
    struct world *w = *state;
    w->fact.fresh_until_ms = 51;
    expect_number(w, "x", 5);
    w->fact.fresh_until_ms = 50;
    expect_unknown(w, "x");
}

static void a_text_of_a_sensor_is_looked_up(void **state)
{
    struct world *w = *state;
    w->fact.kind = VALUE_TEXT;
    text_table_add(w->texts, "closed");
    w->fact.text = text_table_add(w->texts, "open");
    assert_true(run(w, "x 'open ==").is);
    assert_false(run(w, "x 'closed ==").is);
}

static void a_sensor_that_was_never_read_is_waited_for_until_its_time_is_over(void **state)
{
    struct world *w = *state;
    const struct instruction list[] = {{.op = OP_VALUE}};
    const struct code code = {list, 1};
    const uint32_t slot = 0;
    struct facts facts = {.at = &w->fact, .texts = w->texts};
    struct outlook outlook;
    w->fact.kind = VALUE_NONE;
    assert_int_equal(evaluate(&code, &facts, &slot, 99, &outlook).kind, CELL_UNKNOWN);
    assert_true(outlook.waiting);
    evaluate(&code, &facts, &slot, 100, &outlook);
    assert_false(outlook.waiting);
    w->fact.kind = VALUE_NUMBER; /* read, and stale */
    evaluate(&code, &facts, &slot, 100, &outlook);
    assert_false(outlook.waiting);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arithmetic_is_that_of_numbers),
        TEST(a_result_that_is_not_finite_is_unknown),
        TEST(comparisons_are_exact_at_the_edge),
        TEST(texts_and_bools_can_be_equal),
        TEST(unknown_operands_make_results_unknown),
        TEST(logic_is_that_of_kleene),
        TEST(if_takes_one_branch_and_leaves_the_other_alone),
        TEST(a_value_is_known_until_it_is_stale),
        TEST(a_text_of_a_sensor_is_looked_up),
        TEST(a_sensor_that_was_never_read_is_waited_for_until_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
