#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/todo.h"

static void each_thing_waits_once_and_the_oldest_comes_first(void **state)
{
    struct todo todo = {0};
    uint32_t thing;

    (void)state;
    assert_int_equal(todo_resize(&todo, 4), 0);
    todo_add(&todo, 2);
    todo_add(&todo, 0);
    todo_add(&todo, 2);
    todo_add(&todo, 4); /* none */
    assert_int_equal(todo.length, 2);
    assert_true(todo_next(&todo, &thing));
    assert_int_equal(thing, 2);
    todo_done(&todo);
    todo_add(&todo, 2);
    assert_true(todo_next(&todo, &thing));
    assert_int_equal(thing, 0);
    todo_done(&todo);
    assert_true(todo_next(&todo, &thing));
    assert_int_equal(thing, 2);
    todo_done(&todo);
    assert_false(todo_next(&todo, &thing));
    todo_release(&todo);
}

static void all_are_added_in_order_round_the_ring(void **state)
{
    struct todo todo = {0};
    uint32_t thing;

    (void)state;
    assert_int_equal(todo_resize(&todo, 3), 0);
    for (int round = 0; round < 5; round++) {
        todo_add(&todo, 1);
        todo_done(&todo);
        todo_add_all(&todo);
        for (uint32_t i = 0; i < 3; i++) {
            assert_true(todo_next(&todo, &thing));
            assert_int_equal(thing, i);
            todo_done(&todo);
        }
    }
    todo_add_all(&todo);
    todo_clear(&todo);
    assert_false(todo_next(&todo, &thing));
    todo_release(&todo);
}

static void without_room_nothing_waits(void **state)
{
    struct todo todo = {0};
    uint32_t thing;

    (void)state;
    todo_add(&todo, 0);
    todo_add_all(&todo);
    todo_clear(&todo);
    assert_false(todo_next(&todo, &thing));
    assert_int_equal(todo_resize(&todo, 0), 0);
    todo_add_all(&todo);
    assert_false(todo_next(&todo, &thing));
    todo_release(&todo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thing_waits_once_and_the_oldest_comes_first),
        cmocka_unit_test(all_are_added_in_order_round_the_ring),
        cmocka_unit_test(without_room_nothing_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
