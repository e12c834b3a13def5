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
    static const struct inventory_device device = {.name = "d"};
    for (uint32_t i = 0; i < n; i++) {
        sensors[i].id = arena_format(arena, "d.c%u", i * 7 % n);
        rules[i].id = arena_format(arena, "r%u", i * 7 % n);
    }
    inventory->devices = &device;
    inventory->n_devices = 1;
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

/* A device "new" that was "old", with "a" that keeps its name and "b" that was "c"; "d.a" is
 * another's.
 */
static struct inventory *renamed(void)
{
    static const struct inventory_device devices[] = {{.name = "new", .was = "old"},
                                                      {.name = "d", .was = "e"}};
    static const struct inventory_sensor sensors[] = {{.id = "new.a", .channel = "a"},
                                                      {.id = "new.b", .channel = "b", .was = "c"},
                                                      {.id = "d.a", .channel = "a", .device = 1}};
    static const struct inventory_rule rules[] = {{.id = "high@new.b", .rule = "high", .sensor = 1},
                                                  {.id = "calm", .rule = "calm", .sensor = 0}};
    struct inventory *inventory = inventory_new();

    inventory->devices = devices;
    inventory->sensors = sensors;
    inventory->rules = rules;
    inventory->n_devices = inventory->n_rules = 2;
    inventory->n_sensors = 3;
    assert_int_equal(inventory_finish(inventory), 0);
    return inventory;
}

static void what_was_renamed_is_found_by_each_name_that_it_had(void **state)
{
    struct inventory *inventory = renamed();
    (void)state;
    assert_int_equal(inventory_find_sensor(inventory, "new.b"), 1);
    assert_int_equal(inventory_find_sensor(inventory, "old.c"), 1);
    assert_int_equal(inventory_find_sensor(inventory, "old.b"), 1);
    assert_int_equal(inventory_find_sensor(inventory, "new.c"), 1);
    assert_int_equal(inventory_find_sensor(inventory, "old.a"), 0);
    assert_int_equal(inventory_find_sensor(inventory, "d.c"), UINT32_MAX);
    assert_int_equal(inventory_find_rule(inventory, "high@old.c"), 0);
    assert_int_equal(inventory_find_rule(inventory, "high@new.c"), 0);
    assert_int_equal(inventory_find_rule(inventory, "calm@old.a"), UINT32_MAX);
    inventory_release(inventory);
}

static void what_others_know_it_by_is_its_first_name(void **state)
{
    struct inventory *inventory = renamed();
    char id[INVENTORY_ID_SIZE];
    (void)state;
    assert_string_equal(inventory_device_identity(&inventory->devices[0]), "old");
    assert_string_equal(inventory_sensor_identity(&inventory->sensors[0]), "a");
    assert_string_equal(inventory_sensor_identity(&inventory->sensors[1]), "c");
    assert_true(inventory_former_id(inventory, 1, 0, id));
    assert_string_equal(id, "old.c");
    assert_true(inventory_former_id(inventory, 2, 0, id));
    assert_false(inventory_former_id(inventory, 2, 1, id));
    inventory_release(inventory);
}

static void a_renamed_sensor_follows_itself(void **state)
{
    struct inventory *before = made(3), *after = renamed();
    (void)state;
    assert_int_equal(inventory_follow(after, before), 0);
    assert_int_equal(inventory_was(after, 0, before), UINT32_MAX);
    inventory_release(before);
    inventory_release(after);
    before = inventory_new();
    after = renamed();
    before->devices = (const struct inventory_device[]){{.name = "old"}};
    before->sensors = (const struct inventory_sensor[]){{.id = "old.c", .channel = "c"}};
    before->n_devices = before->n_sensors = 1;
    assert_int_equal(inventory_finish(before), 0);
    assert_int_equal(inventory_was(after, 1, before), 0);
    inventory_release(before);
    inventory_release(after);
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
        cmocka_unit_test(what_was_renamed_is_found_by_each_name_that_it_had),
        cmocka_unit_test(what_others_know_it_by_is_its_first_name),
        cmocka_unit_test(a_renamed_sensor_follows_itself),
        cmocka_unit_test(it_lives_as_long_as_its_last_owner),
        cmocka_unit_test(threads_may_read_and_release_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
