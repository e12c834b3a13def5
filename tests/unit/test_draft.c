#include "gateway/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/log.h"
#include "tests/unit/site_world.h"

#include <stdlib.h>

static unsigned complaints;

static void count_complaint(void *owner, enum log_level level, const char *line)
{
    (void)owner;
    (void)line;
    complaints += level == LOG_LEVEL_ERROR;
}

static int setup(void **state)
{
    log_set_sink(count_complaint, NULL);
    complaints = 0;
    *state = draft_new(7);
    return 0;
}

static int teardown(void **state)
{
    draft_free(*state);
    log_set_sink(NULL, NULL);
    return 0;
}

static void messages_beyond_the_limit_are_left_out_aloud(void **state)
{
    struct draft *draft = *state;
    for (size_t i = 0; i < DRAFT_MESSAGES_MAX; i++)
        draft_add_message(draft, "mqtt", strdup("x"), 1);
    assert_int_equal(complaints, 0);
    draft_add_message(draft, "mqtt", strdup("y"), 1);
    assert_int_equal(complaints, 1);
    assert_int_equal(draft->n_messages, DRAFT_MESSAGES_MAX);
    assert_string_equal(draft->messages[DRAFT_MESSAGES_MAX - 1].payload, "x");
}

static void a_message_that_had_no_memory_is_left_out_aloud(void **state)
{
    struct draft *draft = *state;
    draft_add_message(draft, "notify:phone", NULL, 0);
    assert_int_equal(complaints, 1);
    assert_int_equal(draft->n_messages, 0);
}

static struct instance_state *make_states(uint32_t first, size_t count)
{
    struct instance_state *states = calloc(count, sizeof(*states));
    for (size_t i = 0; i < count; i++)
        states[i].instance = first + (uint32_t)i;
    return states;
}

static void states_are_shown_in_the_order_in_which_they_came(void **state)
{
    struct draft *draft = *state;
    draft_show(draft, make_states(0, 2), 2);
    draft_show(draft, make_states(2, 3), 3);
    assert_int_equal(draft->n_shown, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(draft->shown[i].instance, i);
}

#define CONFIG(rules)                                           \
    "buses: { sim: { adapter = \"sim\" } }\n"                   \
    "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n" \
    "rules: { " rules " }\n"

static void another_inventory_has_other_numbers(void **state)
{
    struct draft *draft = *state;
    struct site_world old, fresh;
    assert_int_equal(site_world_open(&old, CONFIG("hot: { sensor = \"a.t\"; above = 50 }"), NULL),
                     0);
    assert_int_equal(site_world_open(&fresh,
                                     CONFIG("cold: { sensor = \"a.t\"; below = 5 }\n"
                                            "hot: { sensor = \"a.t\"; above = 50 }"),
                                     NULL),
                     0);
    draft->has_event = true;
    draft->event.instance = inventory_find_rule(old.site->inventory, "hot");
    draft->event.sensor = UINT32_MAX;
    draft_show(draft, make_states(0, 1), 1);
    draft_renumber(draft, old.site->inventory, fresh.site->inventory);
    assert_int_equal(draft->event.instance, inventory_find_rule(fresh.site->inventory, "hot"));
    assert_int_equal(draft->event.sensor, UINT32_MAX);
    assert_int_equal(draft->n_shown, 0);
    draft_renumber(draft, fresh.site->inventory, old.site->inventory);
    draft->event.instance = inventory_find_rule(fresh.site->inventory, "cold");
    draft_renumber(draft, fresh.site->inventory, old.site->inventory);
    assert_int_equal(draft->event.instance, UINT32_MAX); /* it is gone */
    site_world_close(&old);
    site_world_close(&fresh);
}

#define DRAFT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRAFT_TEST(messages_beyond_the_limit_are_left_out_aloud),
        DRAFT_TEST(a_message_that_had_no_memory_is_left_out_aloud),
        DRAFT_TEST(states_are_shown_in_the_order_in_which_they_came),
        DRAFT_TEST(another_inventory_has_other_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
