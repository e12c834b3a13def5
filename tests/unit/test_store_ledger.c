#include "gateway/store/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
    struct ledger ledger;
    int64_t next_row;
    uint64_t tokens[20000];
    bool durable[20000];
    size_t told;
    bool again; /* who is told adds another */
};

static void add(struct world *world, uint64_t token, const char *rule, const char *key,
                bool resolves);

static void tell(void *owner, uint64_t token, bool durable)
{
    struct world *world = owner;

    world->tokens[world->told] = token;
    world->durable[world->told++] = durable;
    if (world->again) {
        world->again = false;
        add(world, 999, "again", NULL, false);
    }
}

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    ledger_start(&world->ledger, tell, world);
    world->next_row = 1;
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;

    ledger_clear(&world->ledger);
    free(world);
    return 0;
}

/* An event with a message when there is a rule, a value when there is a key. */
static void add(struct world *world, uint64_t token, const char *rule, const char *key,
                bool resolves)
{
    struct store_event event = {.type = "fired", .rule = rule};
    struct store_message message = {"mqtt", "payload", 7};
    struct store_state value = {"rule", key, &token, sizeof(token)};
    struct store_record record = {.token = token,
                                  .event = rule ? &event : NULL,
                                  .states = &value,
                                  .n_states = key != NULL,
                                  .messages = &message,
                                  .n_messages = rule != NULL,
                                  .resolves = resolves};
    struct entry *entry = entry_new(&record, world->next_row, (int64_t)token);

    world->next_row += (int64_t)store_record_rows(&record);
    ledger_add(&world->ledger, entry);
}

static void test_a_record_is_copied_whole(void **state)
{
    char text[] = "fired", key[] = "k", payload[] = "hello";
    struct store_event event = {.type = text, .rule = NULL, .number = 1.5, .sequence = 7};
    struct store_state values[] = {{"a", key, payload, 5}, {"b", key, NULL, 0}};
    struct store_message message = {text, payload, 5};
    struct store_record record = {3, &event, values, 2, &message, 1, true};
    struct entry *entry = entry_new(&record, 10, 20);

    (void)state;
    memset(text, 'x', 5);
    memset(payload, 'x', 5);
    assert_string_equal(entry->record.event->type, "fired");
    assert_string_equal(entry->record.event->rule, "");
    assert_int_equal(entry->record.event->sequence, 7);
    assert_memory_equal(entry->record.states[0].value, "hello", 5);
    assert_null(entry->record.states[1].value);
    assert_string_equal(entry->record.messages[0].target, "fired");
    assert_memory_equal(entry->record.messages[0].payload, "hello", 5);
    assert_int_equal(entry->row, 10);
    assert_int_equal(entry_messages_row(entry), 11);
    free(entry);
}

static void test_a_group_leaves_in_order_and_each_is_told_once(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < 300; i++)
        add(world, i, "r", NULL, false);
    assert_int_equal(ledger_take_group(&world->ledger), 256);
    assert_int_equal(ledger_take_group(&world->ledger), 0);
    ledger_give_up(&world->ledger, 9); /* the first ten took too long */
    assert_int_equal(world->told, 10);
    ledger_end_group(&world->ledger, true);
    assert_int_equal(world->told, 256);
    assert_false(world->durable[9]);
    assert_true(world->durable[10]);
    assert_int_equal(world->ledger.count, 44);
    assert_int_equal(ledger_untold_ms(&world->ledger), 256);
    ledger_take_group(&world->ledger);
    ledger_end_group(&world->ledger, false);
    assert_int_equal(world->told, 300);
    assert_int_equal(world->ledger.count, 44); /* they stay */
    assert_int_equal(ledger_untold_ms(&world->ledger), CLOCK_NEVER);
    ledger_take_group(&world->ledger);
    ledger_end_group(&world->ledger, true);
    assert_int_equal(world->told, 300);
    assert_int_equal(world->ledger.count, 0);
}

static void test_who_is_told_may_add_records(void **state)
{
    struct world *world = *state;

    add(world, 1, "r", NULL, false);
    ledger_take_group(&world->ledger);
    world->again = true;
    ledger_end_group(&world->ledger, true);
    assert_int_equal(world->ledger.count, 1);
    world->again = true;
    ledger_take_group(&world->ledger);
    ledger_end_group(&world->ledger, false);
    assert_int_equal(world->ledger.count, 2);
    assert_int_equal(ledger_take_group(&world->ledger), 2);
    ledger_end_group(&world->ledger, true);
    assert_int_equal(world->told, 3);
}

static void test_groups_are_bounded_by_their_bytes_too(void **state)
{
    struct world *world = *state;
    static char much[60000];
    struct store_message message = {"mqtt", much, sizeof(much)};
    struct store_record record = {.messages = &message, .n_messages = 1};

    for (int i = 0; i < 50; i++)
        ledger_add(&world->ledger, entry_new(&record, i, i));
    assert_in_range(ledger_take_group(&world->ledger), 10, 20);
}

static size_t count_rule(struct world *world, const char *rule)
{
    size_t n = 0;

    for (struct entry *entry = world->ledger.first; entry; entry = entry->next)
        n += entry->record.event && strcmp(entry->event.rule, rule) == 0;
    return n;
}

static void fill(struct world *world, size_t count)
{
    while (world->ledger.count < count)
        add(world, world->next_row, "other", NULL, false);
    ledger_give_up(&world->ledger, CLOCK_NEVER);
}

static void test_what_is_resolved_goes_first(void **state)
{
    struct world *world = *state;

    add(world, 0, "old", NULL, false);
    for (int i = 0; i < 300; i++)
        add(world, 1, "gone", NULL, i % 2 == 1);
    fill(world, STORE_RECORDS_MIN + 512);
    add(world, 5, "gone", NULL, false);
    assert_int_equal(count_rule(world, "old"), 0); /* there were not enough that are resolved */
    assert_int_equal(count_rule(world, "gone"), 1);
    assert_int_equal(world->ledger.count, STORE_RECORDS_MIN);
    assert_int_equal(world->ledger.merged, 513);
}

static void test_the_next_event_says_how_many_were_merged(void **state)
{
    struct world *world = *state;
    const struct entry *last;

    for (int i = 0; i < 600; i++)
        add(world, 1, "busy", NULL, i % 2 == 1);
    fill(world, STORE_RECORDS_MIN + 512);
    add(world, 2, "busy", NULL, false);
    assert_int_equal(count_rule(world, "busy"), 601 - 513);
    for (last = world->ledger.first; !last->event.rule || strcmp(last->event.rule, "busy");)
        last = last->next;
    assert_int_equal(last->event.merged, 513);
}

static void test_values_stay_when_their_records_go(void **state)
{
    struct world *world = *state;
    size_t values = 0;

    for (uint64_t i = 0; i < 600; i++)
        add(world, i, "r", i % 2 ? "often" : "once", false);
    add(world, 1000, NULL, "often", false);
    fill(world, STORE_RECORDS_MIN + 600);
    for (struct entry *entry = world->ledger.first; entry; entry = entry->next) {
        for (size_t i = 0; i < entry->record.n_states; i++) {
            uint64_t value;

            memcpy(&value, entry->record.states[i].value, sizeof(value));
            if (strcmp(entry->record.states[i].key, "once") == 0)
                assert_true(value <= 598);
            values++;
        }
    }
    assert_true(values >= 2);
    assert_true(world->ledger.merged >= 500);
}

static void test_nothing_goes_that_nobody_was_told_of(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < STORE_RECORDS_MIN + 2000; i++)
        add(world, i, "r", NULL, true);
    assert_int_equal(world->ledger.count, STORE_RECORDS_MIN + 2000);
    assert_int_equal(world->told, 0);
    ledger_give_up(&world->ledger, CLOCK_NEVER);
    assert_int_equal(world->told, STORE_RECORDS_MIN + 2000);
    assert_int_equal(world->ledger.count, STORE_RECORDS_MIN);
}

static void test_a_message_can_be_dropped_before_it_is_written(void **state)
{
    struct world *world = *state;

    add(world, 1, "r", NULL, false); /* event 1, message 2 */
    add(world, 2, "r", NULL, false); /* event 3, message 4 */
    assert_false(ledger_drop_message(&world->ledger, 3));
    assert_false(ledger_drop_message(&world->ledger, 77));
    assert_true(ledger_drop_message(&world->ledger, 4));
    assert_null(world->ledger.first->next->record.messages[0].target);
    ledger_take_group(&world->ledger);
    assert_false(ledger_drop_message(&world->ledger, 2)); /* a desk has it */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_a_record_is_copied_whole),
        CASE(test_a_group_leaves_in_order_and_each_is_told_once),
        CASE(test_who_is_told_may_add_records),
        CASE(test_groups_are_bounded_by_their_bytes_too),
        CASE(test_what_is_resolved_goes_first),
        CASE(test_the_next_event_says_how_many_were_merged),
        CASE(test_values_stay_when_their_records_go),
        CASE(test_nothing_goes_that_nobody_was_told_of),
        CASE(test_a_message_can_be_dropped_before_it_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
