#include "tests/unit/rules_world.h"

#define QUIET     "message = \"m\"; clear_message = \"c\""
#define RULE(key) "rules: { a: { sensor = \"room.temp\"; above = 1; " QUIET "; " key " } }"

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

static void who_cannot_see_for_the_stale_time_is_blind_and_told_so_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("notify = \"phone\""));
    world_poll(&w, 0, TEMP, 0);
    world_poll_bad(&w, 20000, TEMP);
    world_poll_bad(&w, 40000, TEMP);
    rules_on_time(w.rules, 59999);
    world_expect(&w, "");
    rules_on_time(w.rules, 500000);
    world_expect(&w, "60000 a blind | a is blind: room.temp timeout since 00:00\n"
                     "notify phone: a is blind: room.temp timeout since 00:00\n");
    assert_true(rules_status(w.rules, 0).blind);
    world_poll(&w, 500000, TEMP, 0.25);
    world_expect(&w, "500000 a seeing | a sees again: room.temp 0.2 C\n"
                     "notify phone: a sees again: room.temp 0.2 C\n");
    assert_false(rules_status(w.rules, 0).blind);
    world_close(&w);
}

static void what_was_never_read_is_blind_after_its_time_to_be_read(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    rules_on_time(w.rules, 1000);
    rules_on_time(w.rules, 60999);
    world_expect(&w, "");
    rules_on_time(w.rules, 61000);
    world_expect(&w, "61000 a blind | a is blind: room.temp not_read since 00:00\n");
    world_close(&w);
}

static void sight_that_is_back_before_the_time_tells_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    for (int64_t at_ms = 0; at_ms < 600000; at_ms += 59000)
        world_poll(&w, at_ms, TEMP, 0);
    world_expect(&w, "");
    world_close(&w);
}

static void the_longest_stale_time_of_its_sensors_counts(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = \"hall.temp\"; " QUIET " } }");
    struct reading both[] = {world_number(0, TEMP, 1), world_number(0, HALL, 2)};
    rules_on_poll(w.rules, both, 2, 0);
    rules_on_time(w.rules, 89999); /* room.temp is stale at 30 s, hall.temp takes 60 s to be */
    world_expect(&w, "");
    rules_on_time(w.rules, 90000);
    world_expect(&w, "90000 a blind | a is blind: room.temp stale since 00:00\n");
    world_close(&w);
}

static void a_condition_that_is_known_without_the_sensor_is_not_blind(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = \"room.setpoint\"; below = 5; "
                   "" QUIET " } }");
    for (int64_t at_ms = 0; at_ms < 300000; at_ms += 10000)
        world_poll(&w, at_ms, TEMP, 6); /* false, whatever the setpoint is */
    world_expect(&w, "");
    world_poll(&w, 300000, TEMP, 4); /* now it depends on it */
    world_poll(&w, 329999, TEMP, 4);
    world_expect(&w, "");
    world_poll(&w, 330000, TEMP, 4);
    world_expect(&w, "330000 a blind | a is blind: room.setpoint not_read since 00:00\n");
    world_close(&w);
}

static void whatever_unknown_counts_as_it_is_blind(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("if_unknown = \"alarm\""));
    world_poll(&w, 0, TEMP, 0);
    rules_on_time(w.rules, 100000);
    world_expect(&w, "30000 a ok>firing 1 | m\n"
                     "60000 a blind | a is blind: room.temp stale since 00:00\n");
    world_close(&w);
}

static void blind_quiet_notifies_nobody_but_acts(void **state)
{
    (void)state;
    struct world w;
    open_world(
        &w, RULE("blind = \"quiet\"; notify = \"phone\"; on_nodata = ({ log = \"n\" }, { publish "
                 "= \"x\"; payload = \"{rule}\" })"));
    world_poll(&w, 0, TEMP, 0);
    rules_on_time(w.rules, 60000);
    world_expect(&w, "60000 a blind | a is blind: room.temp stale since 00:00\nlog n\n"
                     "publish x a 1 0\n");
    world_poll(&w, 70000, TEMP, 0);
    world_expect(&w, "70000 a seeing | a sees again: room.temp 0.0 C\n");
    world_close(&w);
}

static void a_label_stands_for_the_rule_in_what_people_read(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("label = \"Too warm\""));
    world_poll(&w, 0, TEMP, 0);
    rules_on_time(w.rules, 60000);
    world_expect(&w, "60000 a blind | Too warm is blind: room.temp stale since 00:00\n");
    world_close(&w);
}

static void without_a_good_clock_no_time_of_day_is_told(void **state)
{
    (void)state;
    struct world w;
    clock_use_system();
    if (clock_wall_is_good())
        skip(); /* this machine's is: nothing to see here */
    open_world(&w, RULE(""));
    clock_use_system();
    world_poll(&w, 0, TEMP, 0);
    rules_on_time(w.rules, 60000);
    world_expect(&w, "60000 a blind | a is blind: room.temp stale\n");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_cannot_see_for_the_stale_time_is_blind_and_told_so_once),
        cmocka_unit_test(what_was_never_read_is_blind_after_its_time_to_be_read),
        cmocka_unit_test(sight_that_is_back_before_the_time_tells_nothing),
        cmocka_unit_test(the_longest_stale_time_of_its_sensors_counts),
        cmocka_unit_test(a_condition_that_is_known_without_the_sensor_is_not_blind),
        cmocka_unit_test(whatever_unknown_counts_as_it_is_blind),
        cmocka_unit_test(blind_quiet_notifies_nobody_but_acts),
        cmocka_unit_test(a_label_stands_for_the_rule_in_what_people_read),
        cmocka_unit_test(without_a_good_clock_no_time_of_day_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
