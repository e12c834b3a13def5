#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "rules/life.h"
#include "rules/rules.h"

static const struct life_terms at_once = {0};
static const struct life_terms timed = {.for_ms = 10, .keep_for_ms = 20};

static void expect(const struct life *life, enum rule_state state, int64_t fired_ms)
{
    assert_int_equal(life->state, state);
    assert_int_equal(life->fired_ms, fired_ms);
}

static struct life firing(const struct life_terms *terms)
{
    struct life life = life_new();
    life_step(&life, terms, TRUTH_TRUE, 0);
    if (terms->for_ms > 0)
        life_step(&life, terms, TRUTH_TRUE, terms->for_ms);
    assert_int_equal(life.state, RULE_FIRING);
    return life;
}

static void without_times_it_goes_from_ok_to_firing_and_back(void **state)
{
    (void)state;
    struct life life = life_new();
    assert_false(life_step(&life, &at_once, TRUTH_FALSE, 1));
    assert_false(life_wants_clear(&life));
    assert_true(life_step(&life, &at_once, TRUTH_TRUE, 2));
    expect(&life, RULE_FIRING, 2);
    assert_true(life_wants_clear(&life));
    assert_false(life_step(&life, &at_once, TRUTH_FALSE, 3));
    assert_true(life_step(&life, &at_once, TRUTH_TRUE, 4));
    expect(&life, RULE_OK, CLOCK_NEVER);
}

static void pending_ends_when_the_time_is_full_and_not_before(void **state)
{
    (void)state;
    struct life life = life_new();
    assert_true(life_step(&life, &timed, TRUTH_TRUE, 100));
    expect(&life, RULE_PENDING, CLOCK_NEVER);
    assert_int_equal(life_due_ms(&life, &timed), 110);
    assert_false(life_step(&life, &timed, TRUTH_TRUE, 109));
    assert_true(life_step(&life, &timed, TRUTH_TRUE, 110));
    expect(&life, RULE_FIRING, 110);
    assert_int_equal(life_due_ms(&life, &timed), CLOCK_NEVER);
}

static void pending_falls_back_and_begins_anew(void **state)
{
    (void)state;
    struct life life = life_new();
    life_step(&life, &timed, TRUTH_TRUE, 0);
    assert_true(life_step(&life, &timed, TRUTH_FALSE, 9));
    expect(&life, RULE_OK, CLOCK_NEVER);
    life_step(&life, &timed, TRUTH_TRUE, 10);
    assert_int_equal(life_due_ms(&life, &timed), 20);
}

static void recovering_falls_back_to_the_same_firing(void **state)
{
    (void)state;
    struct life life = firing(&timed);
    assert_true(life_step(&life, &timed, TRUTH_TRUE, 50));
    expect(&life, RULE_RECOVERING, 10);
    assert_int_equal(life_due_ms(&life, &timed), 70);
    assert_true(life_step(&life, &timed, TRUTH_FALSE, 69));
    expect(&life, RULE_FIRING, 10);
    life_step(&life, &timed, TRUTH_TRUE, 70);
    assert_true(life_step(&life, &timed, TRUTH_TRUE, 90));
    expect(&life, RULE_OK, CLOCK_NEVER);
}

static void an_unknown_truth_stops_the_timer_where_it_is(void **state)
{
    (void)state;
    struct life life = life_new();
    life_step(&life, &timed, TRUTH_TRUE, 0);
    assert_false(life_step(&life, &timed, TRUTH_UNKNOWN, 4));
    assert_int_equal(life_due_ms(&life, &timed), CLOCK_NEVER);
    assert_false(life_step(&life, &timed, TRUTH_UNKNOWN, 500));
    assert_false(life_step(&life, &timed, TRUTH_TRUE, 1000));
    assert_int_equal(life_due_ms(&life, &timed), 1006);
    assert_true(life_step(&life, &timed, TRUTH_TRUE, 1006));
    expect(&life, RULE_FIRING, 1006);
}

static void a_timer_that_was_full_when_it_stopped_ends_when_truth_is_back(void **state)
{
    (void)state;
    struct life life = life_new();
    life_step(&life, &timed, TRUTH_TRUE, 0);
    assert_false(life_step(&life, &timed, TRUTH_UNKNOWN, 10));
    assert_true(life_step(&life, &timed, TRUTH_TRUE, 11));
    expect(&life, RULE_FIRING, 11);
}

static void an_unknown_truth_keeps_states_at_rest(void **state)
{
    (void)state;
    struct life life = life_new();
    assert_false(life_step(&life, &at_once, TRUTH_UNKNOWN, 1));
    expect(&life, RULE_OK, CLOCK_NEVER);
    life = firing(&at_once);
    assert_false(life_step(&life, &at_once, TRUTH_UNKNOWN, 1));
    expect(&life, RULE_FIRING, 0);
}

static void unknown_as_ok_counts_as_a_condition_that_does_not_hold(void **state)
{
    (void)state;
    const struct life_terms terms = {.for_ms = 10, .if_unknown = UNKNOWN_OK};
    struct life life = life_new();
    assert_false(life_step(&life, &terms, TRUTH_UNKNOWN, 0));
    life_step(&life, &terms, TRUTH_TRUE, 1);
    assert_true(life_step(&life, &terms, TRUTH_UNKNOWN, 2));
    expect(&life, RULE_OK, CLOCK_NEVER);
    life = firing(&terms);
    assert_true(life_step(&life, &terms, TRUTH_UNKNOWN, 20));
    expect(&life, RULE_OK, CLOCK_NEVER);
}

static void unknown_as_alarm_counts_as_a_condition_that_holds(void **state)
{
    (void)state;
    const struct life_terms terms = {.for_ms = 10, .keep_for_ms = 10, .if_unknown = UNKNOWN_ALARM};
    struct life life = life_new();
    assert_true(life_step(&life, &terms, TRUTH_UNKNOWN, 0));
    assert_true(life_step(&life, &terms, TRUTH_UNKNOWN, 10));
    expect(&life, RULE_FIRING, 10);
    assert_false(life_step(&life, &terms, TRUTH_UNKNOWN, 11));
    life_step(&life, &terms, TRUTH_TRUE, 12);
    assert_true(life_step(&life, &terms, TRUTH_UNKNOWN, 13));
    expect(&life, RULE_FIRING, 10);
}

static void waiting_keeps_whatever_the_policy_says(void **state)
{
    (void)state;
    const struct life_terms ok = {.if_unknown = UNKNOWN_OK}, alarm = {.if_unknown = UNKNOWN_ALARM};
    struct life life = life_new();
    assert_false(life_step(&life, &alarm, TRUTH_WAITING, 0));
    life = firing(&ok);
    assert_false(life_step(&life, &ok, TRUTH_WAITING, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_times_it_goes_from_ok_to_firing_and_back),
        cmocka_unit_test(pending_ends_when_the_time_is_full_and_not_before),
        cmocka_unit_test(pending_falls_back_and_begins_anew),
        cmocka_unit_test(recovering_falls_back_to_the_same_firing),
        cmocka_unit_test(an_unknown_truth_stops_the_timer_where_it_is),
        cmocka_unit_test(a_timer_that_was_full_when_it_stopped_ends_when_truth_is_back),
        cmocka_unit_test(an_unknown_truth_keeps_states_at_rest),
        cmocka_unit_test(unknown_as_ok_counts_as_a_condition_that_does_not_hold),
        cmocka_unit_test(unknown_as_alarm_counts_as_a_condition_that_holds),
        cmocka_unit_test(waiting_keeps_whatever_the_policy_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
