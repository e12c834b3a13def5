#include "tests/unit/rules_order_world.h"

#include <math.h>

#define QUIET     "message = \"m\"; clear_message = \"c\""
#define RULE(key) "rules: { a: { sensor = \"room.temp\";\n" key "; " QUIET " } }"

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

static struct rules_order limit(const char *target, const char *key, double value)
{
    return (struct rules_order){.kind = ORDER_LIMIT, .target = target, .key = key, .value = value};
}

static void every_number_of_the_condition_becomes_a_limit(void **state)
{
    (void)state;
    static const char *const keys[] = {"above",      "below",       "outside_low", "outside_high",
                                       "inside_low", "inside_high", "equals",      "not_equals"};
    struct world w;
    open_world(&w, RULE("above = 1; below = 9; outside = (2, 3); inside = (0, 8); equals = 5;"
                        "not_equals = 6; adjustable = true"));
    assert_int_equal(rules_info(w.rules, 0).n_limits, RULES_LIMITS_MAX);
    for (uint8_t i = 0; i < RULES_LIMITS_MAX; i++)
        assert_string_equal(rules_limit(w.rules, 0, i).key, keys[i]);
    assert_true(isinf(rules_limit(w.rules, 0, 0).min) && rules_limit(w.rules, 0, 0).step == 0);
    world_close(&w);
}

static void texts_sensors_and_switches_are_no_limits(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("above = \"hall.temp\"; below = 5; equals = true; adjustable = true"));
    assert_int_equal(rules_info(w.rules, 0).n_limits, 1);
    assert_string_equal(rules_limit(w.rules, 0, 0).key, "below");
    world_close(&w);
    world_refuses(RULE("above = \"hall.temp\"; adjustable = true"), 1,
                  "t.cfg:2:35: error: rule \"a\": it has no number that could be adjusted");
}

static void a_range_is_three_numbers_around_the_limit(void **state)
{
    (void)state;
#define NO_RANGE "error: rule \"a\": adjustable has no range of three numbers"
    world_refuses(RULE("above = 1; adjustable = ( 0, 5 )"), 1, "t.cfg:2:25: " NO_RANGE);
    world_refuses(RULE("above = 1; adjustable = ( 5, 0, 1 )"), 1, "t.cfg:2:25: " NO_RANGE);
    world_refuses(RULE("above = 1; adjustable = ( 0, 5, 0 )"), 1, "t.cfg:2:25: " NO_RANGE);
    world_refuses(RULE("above = 1; adjustable = ( 0, 5, 6 )"), 1, "t.cfg:2:25: " NO_RANGE);
    world_refuses(RULE("above = 6; adjustable = ( 0, 5, 1 )"), 1,
                  "t.cfg:2:25: error: rule \"a\": \"above\" itself is not in the range");
    struct world w;
    open_world(&w, RULE("above = 1; adjustable = false"));
    assert_int_equal(rules_info(w.rules, 0).n_limits, 0);
    world_close(&w);
}

static void a_range_beyond_the_clearing_is_refused(void **state)
{
    (void)state;
    world_refuses(RULE("above = -15; clear_below = -17; adjustable = ( -18, -5, 0.5 )"), 1,
                  "t.cfg:2:46: error: rule \"a\": the range goes beyond \"clear_below\"");
    world_refuses(RULE("below = 5; clear_above = 7; adjustable = ( 0, 8, 1 )"), 1,
                  "t.cfg:2:42: error: rule \"a\": the range goes beyond \"clear_above\"");
    struct world w;
    open_world(&w, RULE("above = -15; clear_below = -17; adjustable = ( -16, -5, 0.5 )"));
    world_set_limit(&w, 0, "a", "above", -5);
    world_close(&w);
}

static void a_limit_may_not_pass_its_clearing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("above = -15; clear_below = -17; adjustable = true"));
    world_refuses_order(&w, 0, limit("a", "above", -17.5), -ERANGE,
                        "a: above -17.5 is on the wrong side of clear_below -17: it would clear "
                        "while it still fires");
    world_set_limit(&w, 0, "a", "above", -17);
    world_close(&w);
}

static void a_pair_keeps_the_room_in_which_it_clears(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("outside = ( 18, 26 ); hysteresis = 1; adjustable = true"));
    world_refuses_order(
        &w, 0, limit("a", "outside_low", 24), -ERANGE,
        "a: outside_low 24 leaves no room: outside_high is 26, and more than 2 must be between");
    world_set_limit(&w, 0, "a", "outside_high", 30);
    world_set_limit(&w, 0, "a", "outside_low", 24);
    world_expect(&w, "0 a limit outside_high=30 by anna\n0 a limit outside_low=24 by anna\n");
    world_poll(&w, 1, TEMP, 23);
    world_poll(&w, 2, TEMP, 24.9);
    world_poll(&w, 3, TEMP, 25);
    world_poll(&w, 4, TEMP, 31);
    world_expect(&w, "1 a ok>firing 24 | m\n3 a firing>ok 24 | c\n4 a ok>firing 30 | m\n");
    world_close(&w);
}

static void above_and_below_leave_something_between_them(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("above = 1; below = 5; adjustable = true"));
    world_refuses_order(&w, 0, limit("a", "above", 5), -ERANGE,
                        "a: above 5 leaves no room: below is 5, and more than 0 must be between");
    world_close(&w);
}

static void low_and_high_of_a_sensor_know_each_other(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "room_limits: { low = 2; high = 8; hysteresis = 1; adjustable = true; " QUIET "}"
                   "pump_limits: { high = 90; adjustable = true; " QUIET "}");
    world_refuses_order(
        &w, 0, limit("low@room.temp", "low", 7), -ERANGE,
        "low@room.temp: low 7 leaves no room: high is 8, and more than 1 must be between");
    world_refuses_order(
        &w, 0, limit("high@room.temp", "high", 1), -ERANGE,
        "high@room.temp: high 1 leaves no room: low is 2, and more than 1 must be between");
    world_set_limit(&w, 0, "high@room.temp", "high", 9);
    world_set_limit(&w, 0, "low@room.temp", "low", 7);
    world_set_limit(&w, 0, "high@pump.load", "high", -5);
    world_close(&w);
}

static void hysteresis_moves_with_the_limit(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("above = 10; hysteresis = 2; adjustable = true"));
    world_set_limit(&w, 0, "a", "above", 20);
    world_expect(&w, "0 a limit above=20 by anna\n");
    world_poll(&w, 1, TEMP, 21);
    world_poll(&w, 2, TEMP, 18.5);
    world_poll(&w, 3, TEMP, 18);
    world_expect(&w, "1 a ok>firing 20 | m\n3 a firing>ok 20 | c\n");
    world_close(&w);
}

static void the_default_text_has_the_limit_as_it_is(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "rules: { a: { sensor = \"room.temp\"; above = 1; below = 9; adjustable = true } }");
    assert_string_equal(rules_info(w.rules, 0).summary, "room.temp above 1 and below 9");
    world_set_limit(&w, 0, "a", "above", 2.5);
    world_poll(&w, 1, TEMP, 3);
    world_expect(&w, "0 a limit above=2.5 by anna\n"
                     "1 a ok>firing - | Room temp 3.0 C, above 2.5 C and below 9 C since 00:00\n");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_the_condition_becomes_a_limit),
        cmocka_unit_test(texts_sensors_and_switches_are_no_limits),
        cmocka_unit_test(a_range_is_three_numbers_around_the_limit),
        cmocka_unit_test(a_range_beyond_the_clearing_is_refused),
        cmocka_unit_test(a_limit_may_not_pass_its_clearing),
        cmocka_unit_test(a_pair_keeps_the_room_in_which_it_clears),
        cmocka_unit_test(above_and_below_leave_something_between_them),
        cmocka_unit_test(low_and_high_of_a_sensor_know_each_other),
        cmocka_unit_test(hysteresis_moves_with_the_limit),
        cmocka_unit_test(the_default_text_has_the_limit_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
