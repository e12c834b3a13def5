/* What a site has, line by line. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/roll.h"
#include "tests/unit/mqtt_site.h"

static int setup(void **state)
{
    struct inventory *site = site_new(NULL);
    struct plan *plan = plan_new(site, "t");
    struct roll *roll = calloc(1, sizeof(*roll));

    assert_int_equal(roll_start(roll, plan), 0);
    plan_free(plan);
    inventory_release(site);
    *state = roll;
    return 0;
}

static int teardown(void **state)
{
    roll_release(*state);
    free(*state);
    return 0;
}

static void there_is_an_entry_for_each_device_and_the_gateway(void **state)
{
    struct roll *roll = *state;

    assert_int_equal(roll->count, N_DEVICES + 1);
    assert_string_equal(roll->entries[METER].device, "meter");
    assert_string_equal(roll->entries[N_DEVICES].device, ROLL_GATEWAY);
    assert_null(roll->entries[METER].lines);
}

static void a_device_is_found_by_its_name(void **state)
{
    struct roll *roll = *state;

    assert_int_equal(roll_add(&roll->entries[METER], "sensor", "power"), 0);
    roll_restore(roll, "a_former_one", "sensor x\n", strlen("sensor x\n"));
    roll_sort(roll);
    assert_string_equal(roll_find(roll, "meter")->lines, "sensor power\n");
    assert_string_equal(roll_find(roll, "a_former_one")->lines, "sensor x\n");
    assert_null(roll_find(roll, "mete"));
}

static void a_line_is_known_as_a_whole_only(void **state)
{
    struct roll_entry *entry = &((struct roll *)*state)->entries[0];

    assert_false(roll_has(entry, "sensor power\n"));
    roll_add(entry, "sensor", "power_now");
    roll_add(entry, "switch", "power");
    assert_true(roll_has(entry, "switch power\n"));
    assert_true(roll_has(entry, "sensor power_now\nswitch power\n")); /* up to its end */
    assert_false(roll_has(entry, "sensor power\n"));
    assert_false(roll_has(entry, "sensor power_now_2\n"));
}

static void a_line_is_found_among_those_of_all_devices(void **state)
{
    struct roll *roll = *state;
    struct roll_index index;

    for (size_t i = 0; i < roll->count; i++) {
        roll_add(&roll->entries[i], "sensor", "power");
        roll_add(&roll->entries[i], "switch", "rule-high-mute");
        roll_add(&roll->entries[i], "sensor", roll->entries[i].device);
    }
    roll_add(&roll->entries[METER], "binary_sensor", "rule-high-state");
    assert_int_equal(roll_index_new(&index, roll, " rule-"), 0);
    assert_int_equal(index.count, roll->count + 1);
    assert_true(roll_index_has(&index, "switch rule-high-mute\n"));
    assert_true(roll_index_has(&index, "binary_sensor rule-high-state\n"));
    assert_false(roll_index_has(&index, "sensor rule-high-state\n"));
    assert_false(roll_index_has(&index, "sensor power\n"));
    roll_index_release(&index);
    assert_false(roll_index_has(&index, "switch rule-high-mute\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_is_an_entry_for_each_device_and_the_gateway),
        TEST(a_device_is_found_by_its_name),
        TEST(a_line_is_known_as_a_whole_only),
        TEST(a_line_is_found_among_those_of_all_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
