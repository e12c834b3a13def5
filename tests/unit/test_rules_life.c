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

static void expect(const struct life *life, enum rule_state state)
{
    assert_int_equal(life->state, state);
}

/* A judgement because of a reading. */
static bool step(struct life *life, const struct life_terms *terms, enum truth truth,
                 int64_t now_ms)
{
    struct life_input input = {
        .truth = (uint8_t)truth, .by_reading = true, .earliest_ms = INT64_MIN, .now_ms = now_ms};
    return life_step(life, terms, &input);
}

static int64_t due_ms(const struct life *life)
{
    return life_due_ms(life, &timed, INT64_MIN);
}

static struct life firing(const struct life_terms *terms)
{
    struct life life = life_new();
    step(&life, terms, TRUTH_TRUE, 0);
    if (terms->for_ms > 0)
        step(&life, terms, TRUTH_TRUE, terms->for_ms);
    assert_int_equal(life.state, RULE_FIRING);
    return life;
}

static void without_times_it_goes_from_ok_to_firing_and_back(void **state)
{
    (void)state;
    struct life life = life_new();
    assert_false(step(&life, &at_once, TRUTH_FALSE, 1));
    assert_false(life_wants_clear(&life));
    assert_true(step(&life, &at_once, TRUTH_TRUE, 2));
    expect(&life, RULE_FIRING);
    assert_true(life_wants_clear(&life));
    assert_false(step(&life, &at_once, TRUTH_FALSE, 3));
    assert_true(step(&life, &at_once, TRUTH_TRUE, 4));
    expect(&life, RULE_OK);
}

static void pending_ends_when_the_time_is_full_and_not_before(void **state)
{
    (void)state;
    struct life life = life_new();
    assert_true(step(&life, &timed, TRUTH_TRUE, 100));
    expect(&life, RULE_PENDING);
    assert_int_equal(due_ms(&life), 110);
    assert_false(step(&life, &timed, TRUTH_TRUE, 109));
    assert_true(step(&life, &timed, TRUTH_TRUE, 110));
    expect(&life, RULE_FIRING);
    assert_int_equal(due_ms(&life), CLOCK_NEVER);
}

static void pending_falls_back_and_begins_anew(void **state)
{
    (void)state;
    struct life life = life_new();
    step(&life, &timed, TRUTH_TRUE, 0);
    assert_true(step(&life, &timed, TRUTH_FALSE, 9));
    expect(&life, RULE_OK);
    step(&life, &timed, TRUTH_TRUE, 10);
    assert_int_equal(due_ms(&life), 20);
}

static void recovering_falls_back_to_the_same_firing(void **state)
{
    (void)state;
    struct life life = firing(&timed);
    assert_true(step(&life, &timed, TRUTH_TRUE, 50));
    expect(&life, RULE_RECOVERING);
    assert_int_equal(due_ms(&life), 70);
    assert_true(step(&life, &timed, TRUTH_FALSE, 69));
    expect(&life, RULE_FIRING);
    step(&life, &timed, TRUTH_TRUE, 70);
    assert_true(step(&life, &timed, TRUTH_TRUE, 90));
    expect(&life, RULE_OK);
}

static void an_unknown_truth_stops_the_timer_where_it_is(void **state)
{
    (void)state;
    struct life life = life_new();
    step(&life, &timed, TRUTH_TRUE, 0);
    assert_false(step(&life, &timed, TRUTH_UNKNOWN, 4));
    assert_int_equal(due_ms(&life), CLOCK_NEVER);
    assert_false(step(&life, &timed, TRUTH_UNKNOWN, 500));
    assert_false(step(&life, &timed, TRUTH_TRUE, 1000));
    assert_int_equal(due_ms(&life), 1006);
    assert_true(step(&life, &timed, TRUTH_TRUE, 1006));
    expect(&life, RULE_FIRING);
}

static void a_timer_that_was_full_when_it_stopped_ends_when_truth_is_back(void **state)
{
    (void)state;
    struct life life = life_new();
    step(&life, &timed, TRUTH_TRUE, 0);
    assert_false(step(&life, &timed, TRUTH_UNKNOWN, 10));
    assert_true(step(&life, &timed, TRUTH_TRUE, 11));
    expect(&life, RULE_FIRING);
}

static void an_unknown_truth_keeps_states_at_rest(void **state)
{
    (void)state;
    struct life life = life_new();
    assert_false(step(&life, &at_once, TRUTH_UNKNOWN, 1));
    expect(&life, RULE_OK);
    life = firing(&at_once);
    assert_false(step(&life, &at_once, TRUTH_UNKNOWN, 1));
    expect(&life, RULE_FIRING);
}

static void unknown_as_ok_counts_as_a_condition_that_does_not_hold(void **state)
{
    (void)state;
    const struct life_terms terms = {.for_ms = 10, .if_unknown = UNKNOWN_OK};
    struct life life = life_new();
    assert_false(step(&life, &terms, TRUTH_UNKNOWN, 0));
    step(&life, &terms, TRUTH_TRUE, 1);
    assert_true(step(&life, &terms, TRUTH_UNKNOWN, 2));
    expect(&life, RULE_OK);
    life = firing(&terms);
    assert_true(step(&life, &terms, TRUTH_UNKNOWN, 20));
    expect(&life, RULE_OK);
}

static void unknown_as_alarm_counts_as_a_condition_that_holds(void **state)
{
    (void)state;
    const struct life_terms terms = {.for_ms = 10, .keep_for_ms = 10, .if_unknown = UNKNOWN_ALARM};
    struct life life = life_new();
    assert_true(step(&life, &terms, TRUTH_UNKNOWN, 0));
    assert_true(step(&life, &terms, TRUTH_UNKNOWN, 10));
    expect(&life, RULE_FIRING);
    assert_false(step(&life, &terms, TRUTH_UNKNOWN, 11));
    step(&life, &terms, TRUTH_TRUE, 12);
    assert_true(step(&life, &terms, TRUTH_UNKNOWN, 13));
    expect(&life, RULE_FIRING);
}

static void waiting_keeps_whatever_the_policy_says(void **state)
{
    (void)state;
    const struct life_terms ok = {.if_unknown = UNKNOWN_OK}, alarm = {.if_unknown = UNKNOWN_ALARM};
    struct life life = life_new();
    assert_false(step(&life, &alarm, TRUTH_WAITING, 0));
    life = firing(&ok);
    assert_false(step(&life, &ok, TRUTH_WAITING, 1));
}

static const struct life_terms hits = {.hits = 2, .hits_of = 3};

static void so_many_of_so_many_readings_make_it_fire(void **state)
{
    (void)state;
    struct life life = life_new();
    assert_false(step(&life, &hits, TRUTH_TRUE, 1));
    assert_false(step(&life, &hits, TRUTH_FALSE, 2));
    assert_false(step(&life, &hits, TRUTH_FALSE, 3));
    assert_false(step(&life, &hits, TRUTH_TRUE, 4));
    assert_false(step(&life, &hits, TRUTH_FALSE, 5));
    assert_true(step(&life, &hits, TRUTH_TRUE, 6));
    expect(&life, RULE_FIRING);
}

static void time_and_unknown_readings_are_no_hits(void **state)
{
    (void)state;
    struct life life = life_new();
    struct life_input by_time = {.truth = TRUTH_TRUE, .earliest_ms = INT64_MIN, .now_ms = 2};
    step(&life, &hits, TRUTH_TRUE, 1);
    assert_false(life_step(&life, &hits, &by_time));
    assert_false(step(&life, &hits, TRUTH_UNKNOWN, 3));
    assert_true(step(&life, &hits, TRUTH_TRUE, 4));
}

static void for_begins_when_the_hits_are_met(void **state)
{
    (void)state;
    const struct life_terms terms = {.hits = 2, .hits_of = 3, .for_ms = 10};
    struct life life = life_new();
    step(&life, &terms, TRUTH_TRUE, 0);
    expect(&life, RULE_OK);
    step(&life, &terms, TRUTH_TRUE, 5);
    expect(&life, RULE_PENDING);
    assert_false(step(&life, &terms, TRUTH_FALSE, 10)); /* two of three still */
    assert_true(step(&life, &terms, TRUTH_FALSE, 12));
    expect(&life, RULE_OK);
}

static void hits_of_one_firing_count_for_no_other(void **state)
{
    (void)state;
    struct life life = life_new();
    step(&life, &hits, TRUTH_TRUE, 0);
    step(&life, &hits, TRUTH_TRUE, 1);
    expect(&life, RULE_FIRING);
    step(&life, &hits, TRUTH_TRUE, 2); /* of the clearing */
    expect(&life, RULE_OK);
    assert_false(step(&life, &hits, TRUTH_TRUE, 3));
    assert_true(step(&life, &hits, TRUTH_TRUE, 4));
}

static void all_of_64_are_as_good_as_any(void **state)
{
    (void)state;
    const struct life_terms terms = {.hits = 64, .hits_of = 64};
    struct life life = life_new();
    step(&life, &terms, TRUTH_FALSE, 0);
    for (int i = 1; i < 64; i++)
        assert_false(step(&life, &terms, TRUTH_TRUE, i));
    assert_true(step(&life, &terms, TRUTH_TRUE, 64));
}

static void under_a_graver_level_neither_time_nor_hits_are_asked(void **state)
{
    (void)state;
    const struct life_terms terms = {.hits = 2, .hits_of = 3, .for_ms = 10};
    struct life_input input = {.truth = TRUTH_TRUE,
                               .by_reading = true,
                               .at_once = true,
                               .earliest_ms = INT64_MIN,
                               .now_ms = 5};
    struct life life = life_new();
    assert_true(life_step(&life, &terms, &input));
    expect(&life, RULE_FIRING);
}

static void it_stays_pending_until_it_may_fire(void **state)
{
    (void)state;
    struct life_input input = {.truth = TRUTH_TRUE, .earliest_ms = 100, .now_ms = 5};
    struct life life = life_new();
    assert_true(life_step(&life, &at_once, &input));
    expect(&life, RULE_PENDING);
    assert_int_equal(life_due_ms(&life, &at_once, 100), 100);
    input.now_ms = 99;
    assert_false(life_step(&life, &at_once, &input));
    input.now_ms = 100;
    assert_true(life_step(&life, &at_once, &input));
    expect(&life, RULE_FIRING);
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
        cmocka_unit_test(so_many_of_so_many_readings_make_it_fire),
        cmocka_unit_test(time_and_unknown_readings_are_no_hits),
        cmocka_unit_test(for_begins_when_the_hits_are_met),
        cmocka_unit_test(hits_of_one_firing_count_for_no_other),
        cmocka_unit_test(all_of_64_are_as_good_as_any),
        cmocka_unit_test(under_a_graver_level_neither_time_nor_hits_are_asked),
        cmocka_unit_test(it_stays_pending_until_it_may_fire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
