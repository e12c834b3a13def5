#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/plan.h"
#include "tests/unit/mqtt_site.h"

static int setup(void **state)
{
    struct inventory *site = site_new(NULL);

    *state = plan_new(site, "t/cellar");
    inventory_release(site);
    return *state == NULL;
}

static int teardown(void **state)
{
    plan_free(*state);
    return 0;
}

static void keys_and_topics_are_ready(void **state)
{
    const struct plan *plan = *state;

    assert_string_equal(plan->keys[FLOW_TEMP], "\"flow_temp\":");
    assert_string_equal(plan->keys[HIDDEN_TEMP], "\"temp\":");
    assert_string_equal(plan->state_topics[BOILER], "t/cellar/boiler/state");
    assert_string_equal(plan->state_topics[HIDDEN], "t/cellar/hidden/state");
}

static void rules_stand_at_the_device_of_their_sensor(void **state)
{
    const struct plan *plan = *state;
    const uint32_t *first = plan->first_rule;

    assert_int_equal(first[BOILER + 1] - first[BOILER], 1);
    assert_int_equal(plan->rules[first[BOILER]], HIGH);
    assert_int_equal(first[METER + 1] - first[METER], 1);
    assert_int_equal(plan->rules[first[METER]], OVERLOAD);
    assert_int_equal(first[HIDDEN + 1] - first[HIDDEN], 0);
}

static void rules_without_a_device_to_show_stand_at_the_gateway(void **state)
{
    const struct plan *plan = *state;
    const uint32_t *first = plan->first_rule;

    assert_int_equal(first[N_DEVICES + 1] - first[N_DEVICES], 2);
    assert_int_equal(plan->rules[first[N_DEVICES]], WHOLE);
    assert_int_equal(plan->rules[first[N_DEVICES] + 1], ON_HIDDEN);
}

static void instances_of_one_rule_are_a_group(void **state)
{
    const struct plan *plan = *state;

    assert_int_equal(plan->n_groups, 1);
    assert_string_equal(plan->groups[0], "silent");
    assert_int_equal(plan->group_size[0], 3);
    assert_int_equal(plan->group_of[SILENT_1], 0);
    assert_int_equal(plan->group_of[SILENT_3], 0);
    assert_int_equal(plan->group_of[HIGH], PLAN_NONE);
}

static void an_empty_inventory_is_a_plan_too(void **state)
{
    struct inventory *empty = inventory_new();
    struct plan *plan;

    (void)state;
    empty->id = empty->name = empty->label = "x";
    plan = plan_new(empty, "t");
    assert_non_null(plan);
    assert_int_equal(plan->first_rule[0], 0);
    assert_int_equal(plan->first_rule[1], 0);
    plan_free(plan);
    inventory_release(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_topics_are_ready),
        cmocka_unit_test(rules_stand_at_the_device_of_their_sensor),
        cmocka_unit_test(rules_without_a_device_to_show_stand_at_the_gateway),
        cmocka_unit_test(instances_of_one_rule_are_a_group),
        cmocka_unit_test(an_empty_inventory_is_a_plan_too),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
