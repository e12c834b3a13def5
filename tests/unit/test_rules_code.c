#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/code.h"

#include <errno.h>

struct fixture {
    struct arena arena;
    struct coder coder;
    struct code code;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    coder_start(&fixture.coder);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(&f->arena);
    return 0;
}

static int finish(struct fixture *f, enum cell_kind kind)
{
    return coder_finish(&f->coder, kind, &f->arena, &f->code);
}

static void a_comparison_becomes_three_instructions(void **state)
{
    struct fixture *f = *state;
    coder_value(&f->coder, 7, CELL_NUMBER);
    coder_number(&f->coder, 85);
    coder_op(&f->coder, OP_GT);
    assert_int_equal(finish(f, CELL_BOOL), 0);
    assert_int_equal(f->code.length, 3);
    assert_int_equal(f->code.at[0].op, OP_VALUE);
    assert_int_equal(f->code.at[0].slot, 7);
    assert_true(f->code.at[1].number == 85);
    assert_int_equal(f->code.at[2].op, OP_GT);
}

static void operands_of_another_kind_are_refused_with_the_instruction(void **state)
{
    struct fixture *f = *state;
    coder_text(&f->coder, "open");
    coder_number(&f->coder, 1);
    coder_op(&f->coder, OP_EQ);
    coder_op(&f->coder, OP_NOT); /* the first failure stays */
    assert_int_equal(finish(f, CELL_BOOL), -EINVAL);
    assert_string_equal(opcode_type(f->coder.refused_op)->name, "==");
}

static void logic_of_numbers_and_arithmetic_of_bools_are_refused(void **state)
{
    struct fixture *f = *state;
    coder_number(&f->coder, 1);
    coder_op(&f->coder, OP_NOT);
    assert_int_equal(f->coder.status, -EINVAL);
    coder_start(&f->coder);
    coder_number(&f->coder, 1);
    coder_number(&f->coder, 2);
    coder_op(&f->coder, OP_LT);
    coder_number(&f->coder, 2);
    coder_op(&f->coder, OP_ADD);
    assert_int_equal(f->coder.status, -EINVAL);
}

static void both_branches_of_if_are_of_one_kind_which_is_its_own(void **state)
{
    struct fixture *f = *state;
    coder_number(&f->coder, 1);
    coder_number(&f->coder, 2);
    coder_op(&f->coder, OP_LE);
    coder_text(&f->coder, "a");
    coder_text(&f->coder, "b");
    coder_op(&f->coder, OP_IF);
    assert_int_equal(finish(f, CELL_TEXT), 0);
    coder_start(&f->coder);
    coder_number(&f->coder, 1);
    coder_number(&f->coder, 2);
    coder_op(&f->coder, OP_LE);
    coder_text(&f->coder, "a");
    coder_number(&f->coder, 3);
    coder_op(&f->coder, OP_IF);
    assert_int_equal(f->coder.status, -EINVAL);
}

static void an_instruction_without_its_operands_is_refused(void **state)
{
    struct fixture *f = *state;
    coder_number(&f->coder, 1);
    coder_op(&f->coder, OP_ADD);
    assert_int_equal(f->coder.status, -EINVAL);
}

static void a_program_must_leave_one_cell_of_the_wanted_kind(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(finish(f, CELL_BOOL), -EINVAL);
    coder_number(&f->coder, 1);
    assert_int_equal(finish(f, CELL_BOOL), -EINVAL);
    assert_int_equal(finish(f, CELL_NUMBER), 0);
    coder_number(&f->coder, 1);
    assert_int_equal(finish(f, CELL_NUMBER), -EINVAL);
}

static void a_program_that_is_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    coder_number(&f->coder, 1);
    for (int i = 1; i < CODE_LENGTH_MAX; i++)
        coder_op(&f->coder, OP_ABS);
    assert_int_equal(finish(f, CELL_NUMBER), 0);
    coder_op(&f->coder, OP_ABS);
    assert_int_equal(finish(f, CELL_NUMBER), -E2BIG);
}

static void a_program_that_is_too_deep_is_refused(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < CODE_DEPTH_MAX; i++)
        coder_number(&f->coder, 1);
    assert_int_equal(f->coder.status, 0);
    coder_number(&f->coder, 1);
    assert_int_equal(f->coder.status, -E2BIG);
}

static void every_instruction_has_a_name_and_gives_something(void **state)
{
    (void)state;
    for (uint8_t op = 0; op < OP_COUNT; op++) {
        assert_non_null(opcode_type(op)->name);
        assert_int_not_equal(opcode_type(op)->gives, CELL_UNKNOWN);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_comparison_becomes_three_instructions),
        TEST(operands_of_another_kind_are_refused_with_the_instruction),
        TEST(logic_of_numbers_and_arithmetic_of_bools_are_refused),
        TEST(both_branches_of_if_are_of_one_kind_which_is_its_own),
        TEST(an_instruction_without_its_operands_is_refused),
        TEST(a_program_must_leave_one_cell_of_the_wanted_kind),
        TEST(a_program_that_is_too_long_is_refused),
        TEST(a_program_that_is_too_deep_is_refused),
        TEST(every_instruction_has_a_name_and_gives_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
