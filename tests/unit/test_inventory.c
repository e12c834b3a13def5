#include "gateway/core/inventory.h"

#include "gateway/base/arena.h"
#include "gateway/core/inventory_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

/* One with sensors "d.c0", "d.c1", ... and rules "r0", "r1", ..., in an order that is not sorted.
 */
static struct inventory *made(uint32_t n)
{
    struct inventory *inventory = inventory_new();
    struct arena *arena = inventory_arena(inventory);
    struct inventory_sensor *sensors = arena_take(arena, (n + 1) * sizeof(*sensors));
    struct inventory_rule *rules = arena_take(arena, (n + 1) * sizeof(*rules));
    for (uint32_t i = 0; i < n; i++) {
        sensors[i].id = arena_format(arena, "d.c%u", i * 7 % n);
        rules[i].id = arena_format(arena, "r%u", i * 7 % n);
    }
    inventory->sensors = sensors;
    inventory->rules = rules;
    inventory->n_sensors = inventory->n_rules = n;
    assert_int_equal(inventory_finish(inventory), 0);
    return inventory;
}

static void sensors_and_rules_are_found_by_id(void **state)
{
    struct inventory *inventory = made(1000);
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(inventory_find_sensor(inventory, inventory->sensors[i].id), i);
        assert_int_equal(inventory_find_rule(inventory, inventory->rules[i].id), i);
    }
    inventory_release(inventory);
}

static void what_there_is_not_is_not_found(void **state)
{
    struct inventory *inventory = made(10);
    (void)state;
    assert_int_equal(inventory_find_sensor(inventory, "d.c10"), UINT32_MAX);
    assert_int_equal(inventory_find_sensor(inventory, ""), UINT32_MAX);
    assert_int_equal(inventory_find_sensor(inventory, "r1"), UINT32_MAX);
    assert_int_equal(inventory_find_rule(inventory, "d.c1"), UINT32_MAX);
    inventory_release(inventory);
}

static void an_empty_inventory_has_nothing(void **state)
{
    struct inventory *inventory = made(0);
    (void)state;
    assert_int_equal(inventory_find_sensor(inventory, "d.c0"), UINT32_MAX);
    assert_int_equal(inventory_find_rule(inventory, "r0"), UINT32_MAX);
    inventory_release(inventory);
}

static void who_was_who_is_known_with_and_without_looking_it_up(void **state)
{
    struct inventory *before = made(10), *follower = made(13), *stranger = made(13);
    (void)state;
    assert_int_equal(inventory_follow(follower, before), 0);
    for (uint32_t i = 0; i < 13; i++) {
        uint32_t was = inventory_was(follower, i, before);
        assert_int_equal(inventory_was(stranger, i, before), was);
        if (was != UINT32_MAX)
            assert_string_equal(before->sensors[was].id, follower->sensors[i].id);
        else
            assert_true(atoi(follower->sensors[i].id + 3) >= 10);
    }
    inventory_release(before);
    inventory_release(follower);
    inventory_release(stranger);
}

static void it_lives_as_long_as_its_last_owner(void **state)
{
    struct inventory *inventory = made(3);
    (void)state;
    assert_ptr_equal(inventory_hold(inventory), inventory);
    inventory_release(inventory);
    assert_string_equal(inventory->sensors[0].id, "d.c0");
    inventory_release(inventory);
    inventory_release(NULL);
}

static void *hold_and_release(void *arg)
{
    for (int i = 0; i < 10000; i++) {
        struct inventory *inventory = inventory_hold(arg);
        if (inventory_find_sensor(inventory, "d.c1") >= inventory->n_sensors)
            return arg;
        inventory_release(inventory);
    }
    inventory_release(arg);
    return NULL;
}

static void threads_may_read_and_release_it(void **state)
{
    struct inventory *inventory = made(3);
    pthread_t threads[4];
    void *wrong;
    (void)state;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, hold_and_release, inventory_hold(inventory));
    inventory_release(inventory);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sensors_and_rules_are_found_by_id),
        cmocka_unit_test(what_there_is_not_is_not_found),
        cmocka_unit_test(an_empty_inventory_has_nothing),
        cmocka_unit_test(who_was_who_is_known_with_and_without_looking_it_up),
        cmocka_unit_test(it_lives_as_long_as_its_last_owner),
        cmocka_unit_test(threads_may_read_and_release_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
