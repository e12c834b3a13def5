#include "tests/unit/rules_world.h"

#define RULE(keys)      "rules: { a: { sensor = \"room.temp\"; " keys " } }"
#define DOOR_RULE(keys) "rules: { a: { sensor = \"door.event\"; " keys " } }"

static void a_rule_without_a_condition_is_refused(void **state)
{
    (void)state;
    world_refuses(RULE("for = \"5s\""), 1, "t.cfg:1:10: error: rule \"a\": it has no condition");
}

static void hysteresis_that_leaves_no_room_inside_is_refused(void **state)
{
    (void)state;
    struct world w;
    world_refuses(RULE("outside = (10, 20); hysteresis = 5"), 1,
                  "t.cfg:1:70: error: rule \"a\": hysteresis leaves nothing inside where it could "
                  "clear");
    assert_int_equal(world_open(&w, RULE("outside = (10, 20); hysteresis = 4.99")), 0);
    world_close(&w);
    assert_int_equal(world_open(&w, RULE("inside = (10, 20); hysteresis = 50")), 0);
    world_close(&w);
}

static void negative_hysteresis_is_refused(void **state)
{
    (void)state;
    world_refuses(RULE("above = 1; hysteresis = -0.1"), 1,
                  "t.cfg:1:61: error: rule \"a\": hysteresis cannot be negative");
}

static void hysteresis_does_not_go_with_not_equals(void **state)
{
    (void)state;
    world_refuses(RULE("not_equals = 1; hysteresis = 1"), 1,
                  "t.cfg:1:66: error: rule \"a\": hysteresis does not go with not_equals");
}

static void hysteresis_does_not_go_with_a_limit_of_its_own_for_clearing(void **state)
{
    (void)state;
    world_refuses(RULE("above = 1; hysteresis = 1; clear_below = 0"), 1,
                  "t.cfg:1:61: error: rule \"a\": hysteresis does not go with clear_below");
    world_refuses(RULE("below = 1; hysteresis = 1; clear_above = 2"), 1,
                  "t.cfg:1:61: error: rule \"a\": hysteresis does not go with clear_above");
}

static void a_clearing_on_the_wrong_side_is_refused(void **state)
{
    (void)state;
    struct world w;
    world_refuses(
        RULE("above = 10; clear_below = 10.1"), 1,
        "t.cfg:1:63: error: rule \"a\": \"clear_below\" is on the wrong side of \"above\"");
    world_refuses(
        RULE("below = 10; clear_above = 9.9"), 1,
        "t.cfg:1:63: error: rule \"a\": \"clear_above\" is on the wrong side of \"below\"");
    assert_int_equal(world_open(&w, RULE("above = 10; clear_below = 10")), 0);
    world_close(&w);
}

static void a_clearing_without_its_key_is_refused(void **state)
{
    (void)state;
    world_refuses(RULE("below = 10; clear_below = 9"), 1,
                  "t.cfg:1:63: error: rule \"a\": \"clear_below\" goes only with \"above\"");
    world_refuses(RULE("outside = (1, 2); clear_above = 9"), 1,
                  "t.cfg:1:69: error: rule \"a\": \"clear_above\" goes only with \"below\"");
}

static void pairs_whose_first_is_not_less_are_refused(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, RULE("outside = (20, 10)")), -EINVAL);
    world_close(&w);
    assert_int_equal(world_open(&w, RULE("inside = (10, 10)")), -EINVAL);
    world_close(&w);
}

static void keys_that_can_never_hold_together_are_refused(void **state)
{
    (void)state;
    world_refuses(RULE("above = 20; below = 10"), 1,
                  "t.cfg:1:57: error: rule \"a\": nothing is above 20 and below 10 at once");
}

static void an_unknown_sensor_as_limit_is_refused_with_its_place(void **state)
{
    (void)state;
    world_refuses(RULE("above = \"room.setpont\""), 1,
                  "t.cfg:1:45: error: rule \"a\": unknown sensor \"room.setpont\"");
}

static void a_sensor_of_texts_is_no_limit_for_numbers(void **state)
{
    (void)state;
    world_refuses(RULE("equals = \"door.event\""), 1,
                  "t.cfg:1:46: error: rule \"a\": \"door.event\" gives texts and cannot be a limit "
                  "for numbers");
}

static void numbers_and_orders_do_not_go_with_texts(void **state)
{
    (void)state;
    world_refuses(DOOR_RULE("above = 1"), 1,
                  "t.cfg:1:46: error: rule \"a\": \"door.event\" gives texts, \"above\" needs a "
                  "sensor of numbers");
    world_refuses(
        DOOR_RULE("equals = 1"), 1,
        "t.cfg:1:47: error: rule \"a\": \"door.event\" gives texts and cannot be compared "
        "with a number");
    world_refuses(DOOR_RULE("equals = \"x\"; hysteresis = 1"), 1,
                  "t.cfg:1:65: error: rule \"a\": hysteresis needs a sensor of numbers");
}

static void a_text_longer_than_any_reading_is_refused(void **state)
{
    (void)state;
    world_refuses(
        DOOR_RULE("equals = \"0123456789012345678901234567890123456789012345678901234567890"
                  "123\""),
        1, "t.cfg:1:47: error: rule \"a\": a text of a sensor has at most 63 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_without_a_condition_is_refused),
        cmocka_unit_test(hysteresis_that_leaves_no_room_inside_is_refused),
        cmocka_unit_test(negative_hysteresis_is_refused),
        cmocka_unit_test(hysteresis_does_not_go_with_not_equals),
        cmocka_unit_test(hysteresis_does_not_go_with_a_limit_of_its_own_for_clearing),
        cmocka_unit_test(a_clearing_on_the_wrong_side_is_refused),
        cmocka_unit_test(a_clearing_without_its_key_is_refused),
        cmocka_unit_test(pairs_whose_first_is_not_less_are_refused),
        cmocka_unit_test(keys_that_can_never_hold_together_are_refused),
        cmocka_unit_test(an_unknown_sensor_as_limit_is_refused_with_its_place),
        cmocka_unit_test(a_sensor_of_texts_is_no_limit_for_numbers),
        cmocka_unit_test(numbers_and_orders_do_not_go_with_texts),
        cmocka_unit_test(a_text_longer_than_any_reading_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
