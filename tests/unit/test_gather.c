#include "adapters/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = gather_pool_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    gather_pool_free(*state);
    return 0;
}

static void what_was_given_back_is_taken_again(void **state)
{
    struct gather_pool *pool = *state;
    struct gathered *first = gather_take(pool, 10), *second = gather_take(pool, 10);
    assert_ptr_not_equal(first, second);
    first->count = 3;
    gather_give(pool, first);
    assert_ptr_equal(gather_take(pool, 10), first);
    assert_int_equal(first->count, 0);
    gather_give(pool, first);
    gather_give(pool, second);
}

static void what_is_too_small_is_replaced(void **state)
{
    struct gather_pool *pool = *state;
    struct gathered *gathered;
    gather_give(pool, gather_take(pool, 1));
    gathered = gather_take(pool, 500);
    assert_int_equal(gathered->room, 500);
    gathered->samples[499] = sample_number(499, 0, 1);
    gather_give(pool, gathered);
    gather_give(pool, NULL);
}

static void scratch_is_one_and_grows(void **state)
{
    struct gather_pool *pool = *state;
    struct sample *scratch;
    assert_non_null(gather_scratch(pool, 1));
    scratch = gather_scratch(pool, 300);
    scratch[299] = sample_number(299, 0, 1);
    assert_ptr_equal(gather_scratch(pool, 2), scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_given_back_is_taken_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_too_small_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(scratch_is_one_and_grows, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
