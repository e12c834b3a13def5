/* The log of events, behind the door of the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_door.h"

/* -- the log --------------------------------------------------------------------------------- */

static void test_the_log_comes_newest_first_and_a_page_at_a_time(void **state)
{
    struct world *world = *state;
    struct store_log_query query = {.max = 30};

    open_store(world);
    for (uint64_t i = 1; i <= 50; i++)
        commit(world, i, i % 2 ? "fired" : "cleared");
    wait_told(world, 50);
    read_log(world, &query);
    assert_int_equal(world->status, 0);
    assert_int_equal(world->count, 30);
    assert_true(world->more);
    assert_int_equal(world->sequences[0], 50);
    query.before = world->last_row;
    read_log(world, &query);
    assert_int_equal(world->count, 20);
    assert_false(world->more);
    assert_int_equal(world->sequences[0], 20);
    assert_int_equal(world->sequences[19], 1);
}

static void test_the_log_can_be_asked_for_a_rule_a_type_a_time(void **state)
{
    struct world *world = *state;
    struct store_log_query query = {.max = 30, .type = "cleared", .rule = "high"};

    open_store(world);
    for (uint64_t i = 1; i <= 6; i++)
        commit(world, i, i % 2 ? "fired" : "cleared");
    wait_told(world, 6);
    read_log(world, &query);
    assert_int_equal(world->count, 3); /* the bare name means all instances */
    query.rule = "low";
    read_log(world, &query);
    assert_int_equal(world->count, 0);
    query = (struct store_log_query){.max = 30, .sensor = "boiler.*", .min_severity = 2};
    read_log(world, &query);
    assert_int_equal(world->count, 6);
    query.min_severity = 3;
    read_log(world, &query);
    assert_int_equal(world->count, 0);
    query = (struct store_log_query){.max = 30, .to_ms = 1000};
    read_log(world, &query);
    assert_int_equal(world->count, 0);
}

static void test_what_waits_for_the_disk_is_in_the_log_once(void **state)
{
    struct world *world = *state;
    struct store_log_query query = {.max = 30};

    open_store(world);
    commit(world, 1, "fired");
    wait_told(world, 1);
    atomic_store(&test_disk.fail, SQLITE_FULL);
    commit(world, 2, "cleared");
    wait_told(world, 2);
    read_log(world, &query);
    assert_int_equal(world->count, 2);
    assert_int_equal(world->sequences[0], 2);
    assert_false(world->durables[0]);
    assert_true(world->durables[1]);
    atomic_store(&test_disk.fail, 0);
    assert_int_equal(store_settle(world->store, 5000), 0);
    read_log(world, &query);
    assert_int_equal(world->count, 2);
    assert_true(world->durables[0]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_the_log_comes_newest_first_and_a_page_at_a_time),
        CASE(test_the_log_can_be_asked_for_a_rule_a_type_a_time),
        CASE(test_what_waits_for_the_disk_is_in_the_log_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
