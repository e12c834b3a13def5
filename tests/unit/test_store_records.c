/* Records and messages, behind the door of the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_door.h"

/* -- records --------------------------------------------------------------------------------- */

static void test_a_record_is_told_durable_and_is_there_after_a_restart(void **state)
{
    struct world *world = *state;
    struct store_log_query query = {.max = 10};

    open_store(world);
    commit(world, 7, "fired");
    assert_int_equal(world->told, 0); /* never from inside the call */
    wait_told(world, 1);
    assert_int_equal(world->durable, 1);
    assert_int_equal(world->tokens[0], 7);
    reopen(world);
    read_states(world, "rule");
    assert_int_equal(world->count, 1);
    assert_string_equal(world->texts[0], "high@boiler.temp=fired 7");
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10);
    assert_int_equal(world->count, 1);
    assert_string_equal(world->texts[0], "fired 7");
    read_log(world, &query);
    assert_int_equal(world->count, 1);
    assert_int_equal(world->sequences[0], 7);
    assert_true(world->durables[0]);
}

static void test_records_that_wait_together_are_one_transaction(void **state)
{
    struct world *world = *state;
    struct store_counts counts;

    open_store(world);
    for (uint64_t i = 1; i <= 200; i++)
        commit(world, i, "fired");
    wait_told(world, 200);
    counts = store_counts(world->store);
    assert_int_equal(counts.records, 200);
    assert_true(counts.commits <= 3); /* the first alone, the others together */
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(world->tokens[i], i + 1);
}

static void test_a_value_that_is_forgotten_is_gone(void **state)
{
    struct world *world = *state;
    struct store_state states[] = {{"limit", "a", "1", 1}, {"limit", "b", "2", 1}};
    struct store_record record = {.token = 1, .states = states, .n_states = 2};

    open_store(world);
    assert_int_equal(store_commit(world->store, &record, NULL), 0);
    states[0].value = NULL;
    record.n_states = 1;
    assert_int_equal(store_commit(world->store, &record, NULL), 0);
    wait_told(world, 2);
    reopen(world);
    read_states(world, "limit");
    assert_int_equal(world->count, 1);
    assert_string_equal(world->texts[0], "b=2");
    read_states(world, "mute");
    assert_int_equal(world->count, 0);
    store_state_release(world->store);
    read_states(world, "limit");
    assert_int_equal(world->count, 0);
}

static void test_a_record_that_is_too_large_is_refused(void **state)
{
    struct world *world = *state;
    static char much[STORE_RECORD_MAX];
    struct store_message message = {"mqtt", much, sizeof(much)};
    struct store_record record = {.messages = &message, .n_messages = 1};

    open_store(world);
    assert_int_equal(store_commit(world->store, &record, NULL), -E2BIG);
    message.size -= 100;
    assert_int_equal(store_commit(world->store, &record, NULL), 0);
    wait_told(world, 1);
}

static void test_settling_waits_for_the_last_record(void **state)
{
    struct world *world = *state;

    open_store(world);
    for (uint64_t i = 1; i <= 300; i++)
        commit(world, i, "fired");
    assert_int_equal(store_settle(world->store, 5000), 0);
    assert_int_equal(world->durable, 300);
}

/* -- outbox ---------------------------------------------------------------------------------- */

static void test_messages_come_in_order_and_a_page_at_a_time(void **state)
{
    struct world *world = *state;
    int64_t rows[30];

    open_store(world);
    for (uint64_t i = 0; i < 30; i++)
        rows[i] = commit(world, i, "fired");
    wait_told(world, 30);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 20);
    assert_int_equal(world->count, 20);
    assert_true(world->more);
    assert_int_equal(world->rows[0], rows[0]);
    assert_int_equal(world->rows[19], rows[19]);
    read_outbox(world, "mqtt", rows[19], 20);
    assert_int_equal(world->count, 10);
    assert_false(world->more);
    assert_int_equal(world->rows[0], rows[20]);
    read_outbox(world, "notify:phone", STORE_OUTBOX_FIRST, 20);
    assert_int_equal(world->count, 0);
}

static void test_messages_of_an_earlier_run_come_before_those_of_this(void **state)
{
    struct world *world = *state;
    int64_t row;

    open_store(world);
    commit(world, 1, "fired");
    commit(world, 2, "cleared");
    wait_told(world, 2);
    reopen(world);
    row = commit(world, 3, "fired");
    wait_told(world, 3);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 20);
    assert_int_equal(world->count, 3);
    assert_string_equal(world->texts[0], "fired 1");
    assert_string_equal(world->texts[1], "cleared 2");
    assert_true(world->rows[0] < world->rows[1] && world->rows[1] < world->rows[2]);
    assert_int_equal(world->rows[2], row);
}

static bool outbox_is_empty(void *owner)
{
    struct world *world = owner;

    if (!world->answered)
        return false;
    if (world->count == 0)
        return true;
    world->answered = false;
    store_outbox_read(world->store, "mqtt", STORE_OUTBOX_FIRST, 20, take_outbox, world);
    return false;
}

static void test_a_message_that_has_arrived_goes(void **state)
{
    struct world *world = *state;
    int64_t start_ms;

    open_store(world);
    commit(world, 1, "fired");
    wait_told(world, 1);
    reopen(world);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 20);
    assert_int_equal(world->count, 1);
    start_ms = clock_boot_ms();
    store_outbox_done(world->store, world->rows[0]);
    store_outbox_done(world->store, 123456); /* there is none */
    assert_true(world_run(world->loop, outbox_is_empty, world, WORLD_PATIENCE_MS));
    assert_true(clock_boot_ms() - start_ms < 2000);
    reopen(world);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 20);
    assert_int_equal(world->count, 0);
}

static void test_a_message_that_arrives_before_the_disk_is_written_never_gets_there(void **state)
{
    struct world *world = *state;
    int64_t row;

    open_store(world);
    atomic_store(&test_disk.fail, SQLITE_FULL);
    commit(world, 1, "fired");
    wait_told(world, 1);
    assert_int_equal(world->late, 1);
    row = commit(world, 2, "fired");
    wait_told(world, 2);
    store_outbox_done(world->store, row);
    atomic_store(&test_disk.fail, 0);
    assert_int_equal(store_settle(world->store, 5000), 0);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 20);
    assert_int_equal(world->count, 1);
    assert_string_equal(world->texts[0], "fired 1");
}

static void test_the_outbox_keeps_within_its_size_and_drops_what_is_resolved_first(void **state)
{
    struct world *world = *state;
    static char much[50000];
    struct store_message message = {"mqtt", much, sizeof(much)};
    struct store_event what = event(0, "fired");
    struct store_record record = {.event = &what, .messages = &message, .n_messages = 1};
    char rule[32];

    open_store(world);
    what.rule = rule;
    for (uint64_t i = 1; i <= 170; i++) {
        snprintf(rule, sizeof(rule), "rule%llu", (unsigned long long)i % 100);
        record.resolves = i == 105; /* so rule5, which fired as the fifth, is over */
        snprintf(much, sizeof(much), "%llu", (unsigned long long)i);
        assert_int_equal(store_commit(world->store, &record, NULL), 0);
    }
    assert_int_equal(store_settle(world->store, 10000), 0);
    assert_in_range(store_counts(world->store).outbox_dropped, 10, 40);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 100);
    for (size_t i = 0; i < world->count; i++) {
        assert_string_not_equal(world->texts[i], "5");
        assert_string_not_equal(world->texts[i], "105");
    }
    assert_string_not_equal(world->texts[0], "1"); /* then the oldest */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_a_record_is_told_durable_and_is_there_after_a_restart),
        CASE(test_records_that_wait_together_are_one_transaction),
        CASE(test_a_value_that_is_forgotten_is_gone),
        CASE(test_a_record_that_is_too_large_is_refused),
        CASE(test_settling_waits_for_the_last_record),
        CASE(test_messages_come_in_order_and_a_page_at_a_time),
        CASE(test_messages_of_an_earlier_run_come_before_those_of_this),
        CASE(test_a_message_that_has_arrived_goes),
        CASE(test_a_message_that_arrives_before_the_disk_is_written_never_gets_there),
        CASE(test_the_outbox_keeps_within_its_size_and_drops_what_is_resolved_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
