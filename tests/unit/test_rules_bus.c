/* hall.temp is on a bus; pump.load is 0 while that is down. */
#include "tests/unit/rules_world.h"

#define HOT(keys)                                                                     \
    "rules: { a: { sensor = \"hall.temp\"; above = 1; notify = \"phone\"; message = " \
    "\"hot\"; clear_message = \"cold\"; " keys " } }"
#define LOST(keys)                                                                                \
    "rules: { a: { sensor = \"hall.temp\"; no_data_for = \"10s\"; notify = \"phone\"; message = " \
    "\"lost\"; clear_message = \"back\"; " keys " } }"

static void open_world(struct world *world, const char *config)
{
    world_hall_bus = "pump.load";
    assert_int_equal(world_open(world, config), 0);
    world_hall_bus = NULL;
}

static void bus(struct world *world, int64_t at_ms, double online)
{
    world_poll(world, at_ms, LOAD, online);
}

static void what_fires_while_it_is_down_is_told_to_nobody(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, LOST(""));
    world_poll(&w, 0, HALL, 0);
    bus(&w, 5000, 0);
    rules_on_time(w.rules, 10000);
    world_expect(&w, "10000 a ok>firing - | lost\n");
    bus(&w, 20000, 1);
    world_poll(&w, 21000, HALL, 0);
    world_expect(&w, "21000 a firing>ok - | back\n");
    world_close(&w);
}

static void what_still_fires_is_told_when_its_sensors_have_had_their_time(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, LOST(""));
    world_poll(&w, 0, HALL, 0);
    bus(&w, 5000, 0);
    bus(&w, 20000, 1);
    w.length = 0;
    rules_on_time(w.rules, 79999); /* its `stale` is a minute */
    world_expect(&w, "");
    rules_on_time(w.rules, 80000);
    world_expect(&w, "notify phone: lost\n");
    world_close(&w);
}

static void blindness_is_not_told(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, HOT(""));
    world_poll(&w, 0, HALL, 0);
    bus(&w, 5000, 0);
    rules_on_time(w.rules, 200000);
    world_expect(&w, "120000 a blind | a is blind: hall.temp stale since 00:01\n");
    bus(&w, 200000, 1);
    world_poll(&w, 201000, HALL, 0);
    world_expect(&w, "201000 a seeing | a sees again: hall.temp 0.0 C\n");
    world_close(&w);
}

static void what_was_told_before_is_told_again_and_its_end_too(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, HOT("repeat = \"10s\""));
    world_poll(&w, 0, HALL, 2);
    bus(&w, 5000, 0);
    w.length = 0;
    rules_on_time(w.rules, 10000);
    world_expect(&w, "notify phone: hot\n");
    world_poll(&w, 12000, HALL, 0);
    world_expect(&w, "12000 a firing>ok 1 | cold\nnotify phone: cold\n");
    world_close(&w);
}

static void what_was_not_told_is_not_repeated(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, LOST("repeat = \"10s\""));
    world_poll(&w, 0, HALL, 0);
    bus(&w, 5000, 0);
    rules_on_time(w.rules, 60000);
    world_expect(&w, "10000 a ok>firing - | lost\n");
    world_close(&w);
}

static void a_reload_knows_that_it_is_down(void **state)
{
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    (void)state;
    struct world old, fresh;
    open_world(&old, LOST(""));
    world_poll(&old, 0, HALL, 0);
    bus(&old, 5000, 0);
    open_world(&fresh, LOST("label = \"other\""));
    world_adopt(fresh.rules, old.rules, sensors, 6000);
    rules_on_time(fresh.rules, 100000);
    world_expect(&fresh, "10000 a ok>firing - | lost\n");
    world_close(&old);
    world_close(&fresh);
}

static void an_alarm_of_the_bus_itself_is_told(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"pump.load\"; equals = 0; notify = \"phone\"; message "
                   "= \"down\" }\n"
                   "both: { when = \"pump.load == 0 and age(hall.temp) > 1\"; notify = \"phone\"; "
                   "message = \"both\" } }");
    world_poll(&w, 0, HALL, 0);
    bus(&w, 5000, 0);
    world_expect(&w, "5000 a ok>firing 0 | down\nnotify phone: down\n"
                     "5000 both ok>firing - | both\nnotify phone: both\n");
    world_close(&w);
}

static void while_it_is_doubted_nothing_new_is_told(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, HOT(""));
    world_poll(&w, 0, HALL, 0);
    rules_doubt_bus(w.rules, LOAD, 10000);
    world_poll(&w, 6000, HALL, 2);
    rules_on_time(w.rules, 9999);
    world_expect(&w, "6000 a ok>firing 1 | hot\n");
    rules_on_time(w.rules, 10000); /* it was not down */
    world_expect(&w, "notify phone: hot\n");
    world_close(&w);
}

static void what_a_doubted_bus_was_going_to_take_away_is_told_when_it_is_back(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, HOT(""));
    world_poll(&w, 0, HALL, 0);
    rules_doubt_bus(w.rules, LOAD, 10000);
    world_poll(&w, 6000, HALL, 2);
    bus(&w, 7000, 0);
    rules_on_time(w.rules, 19999);
    world_expect(&w, "6000 a ok>firing 1 | hot\n");
    bus(&w, 20000, 1);
    rules_on_time(w.rules, 79999);
    world_expect(&w, "");
    rules_on_time(w.rules, 80000);
    world_expect(&w, "notify phone: hot\n");
    world_close(&w);
}

static void doubting_one_bus_leaves_others_alone(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; notify = \"phone\"; message = "
                   "\"hot\" } }");
    rules_doubt_bus(w.rules, LOAD, 10000);
    world_poll(&w, 6000, TEMP, 2);
    world_expect(&w, "6000 a ok>firing 1 | hot\nnotify phone: hot\n");
    world_close(&w);
}

static void explaining_says_so(void **state)
{
    (void)state;
    struct world w;
    struct rules_part parts[RULES_PARTS_MAX];
    open_world(&w, LOST(""));
    world_poll(&w, 0, HALL, 0);
    bus(&w, 5000, 0);
    size_t n = rules_explain(w.rules, 0, 6000, parts, RULES_PARTS_MAX);
    assert_string_equal(parts[n - 1].what, "its bus");
    assert_string_equal(parts[n - 1].value, "is down: nothing new is told");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fires_while_it_is_down_is_told_to_nobody),
        cmocka_unit_test(what_still_fires_is_told_when_its_sensors_have_had_their_time),
        cmocka_unit_test(blindness_is_not_told),
        cmocka_unit_test(what_was_told_before_is_told_again_and_its_end_too),
        cmocka_unit_test(what_was_not_told_is_not_repeated),
        cmocka_unit_test(a_reload_knows_that_it_is_down),
        cmocka_unit_test(an_alarm_of_the_bus_itself_is_told),
        cmocka_unit_test(while_it_is_doubted_nothing_new_is_told),
        cmocka_unit_test(what_a_doubted_bus_was_going_to_take_away_is_told_when_it_is_back),
        cmocka_unit_test(doubting_one_bus_leaves_others_alone),
        cmocka_unit_test(explaining_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
