/* Holding, as far as the rules go: what is to be written, when, and by whom. */
#include "tests/unit/rules_order_world.h"

#define OF(keys)                                                                         \
    "rules: { a: { sensor = \"room.temp\"; above = 1; message = \"m\"; clear_message = " \
    "\"c\"; " keys " } }"
#define HOLDS                                                      \
    "while_firing = ( { write = \"room.setpoint\"; value = 5 } );" \
    "while_ok = ( { write = \"room.setpoint\"; value = false } )"

static void open_world(struct world *world, const char *config)
{
    int result = world_open(world, config);
    for (size_t i = 0; result && problems_line(world->problems, i); i++)
        print_error("%s\n", problems_line(world->problems, i));
    assert_int_equal(result, 0);
}

static void what_is_held_is_said_at_the_edges(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF(HOLDS));
    rules_on_time(w.rules, 0);
    world_expect(&w, ""); /* nothing is known yet */
    world_poll(&w, 1000, TEMP, 0);
    world_expect(&w, "hold room.setpoint 0 as before\n");
    world_poll(&w, 2000, TEMP, 2);
    world_poll(&w, 3000, TEMP, 2);
    world_expect(&w, "2000 a ok>firing 1 | m\nhold room.setpoint 5\n");
    world_poll(&w, 4000, TEMP, 0);
    world_expect(&w, "4000 a firing>ok 1 | c\nhold room.setpoint 0\n");
    world_close(&w);
}

static void a_rest_and_a_level_change_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "rules: { a: { sensor = \"room.temp\"; message = \"m\"; levels = ( { severity = "
               "\"info\"; above = 1 }, { severity = \"critical\"; above = 5 } ); " HOLDS " } }");
    world_do(&w, 0, ORDER_DISABLE, "a");
    world_poll(&w, 1000, TEMP, 2);
    world_poll(&w, 2000, TEMP, 6);
    world_do(&w, 3000, ORDER_ENABLE, "a");
    world_expect(&w, "0 a disabled by anna\n1000 a ok>firing 1 | m\nhold room.setpoint 5\n"
                     "2000 a firing>firing 5\n2000 a level | m\n3000 a enabled by anna\n");
    world_close(&w);
}

static void it_is_said_again_after_a_restart_and_a_reload(void **state)
{
    (void)state;
    struct world w, after;
    char text[RULES_SAVED_SIZE];
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    open_world(&w, OF(HOLDS));
    world_poll(&w, 0, TEMP, 2);
    rules_save(w.rules, 0, 0, CLOCK_NEVER, text);
    world_close(&w);
    open_world(&w, OF(HOLDS));
    assert_int_equal(rules_restore(w.rules, "a", text, 0, CLOCK_NEVER), 0);
    rules_on_time(w.rules, 0);
    world_expect(&w, "hold room.setpoint 5 as before\n");
    open_world(&after, OF(HOLDS));
    world_adopt(after.rules, w.rules, sensors, 100);
    rules_on_time(after.rules, 100);
    world_expect(&after, "hold room.setpoint 5 as before\n");
    world_close(&w);
    world_close(&after);
}

static void a_person_wins_until_the_next_change(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE];
    uint32_t instance;
    open_world(&w, OF(HOLDS));
    world_poll(&w, 0, TEMP, 2);
    rules_changed(w.rules, &instance);
    rules_yield(w.rules, SETPOINT);
    assert_true(rules_changed(w.rules, &instance));
    rules_save(w.rules, 0, 0, CLOCK_NEVER, text);
    world_close(&w);
    open_world(&w, OF(HOLDS));
    assert_int_equal(rules_restore(w.rules, "a", text, 0, CLOCK_NEVER), 0);
    world_poll(&w, 1000, TEMP, 2);
    world_expect(&w, "");
    world_poll(&w, 2000, TEMP, 0);
    world_expect(&w, "2000 a firing>ok 1 | c\nhold room.setpoint 0\n");
    world_close(&w);
}

static void a_value_may_be_an_expression(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               OF("on_fire = ( { write = \"room.setpoint\"; value = \"value * 2 + hall.temp\" } "
                  ")"));
    world_poll(&w, 0, TEMP, 2);
    world_expect(&w, "0 a ok>firing 1 | m\n"
                     "log room.setpoint is not written: the value is unknown\n");
    world_poll(&w, 1, TEMP, 0);
    world_poll(&w, 2, HALL, 10);
    w.length = 0;
    world_poll(&w, 3, TEMP, 2);
    world_expect(&w, "3 a ok>firing 1 | m\nwrite room.setpoint 14\n");
    world_close(&w);
}

static void what_an_expression_reads_makes_nobody_blind(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               OF("on_fire = ( { write = \"room.setpoint\"; value = \"avg(hall.temp, 1m)\" } )"));
    for (int64_t at_ms = 0; at_ms < 300000; at_ms += 10000)
        world_poll(&w, at_ms, TEMP, 0);
    world_expect(&w, "");
    world_close(&w);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    world_refuses("rules: { a: { sensor = \"room.temp\"; above = 1; " HOLDS " }"
                  "b: { sensor = \"hall.temp\"; above = 1; " HOLDS " } }",
                  2, "t.cfg:1:218: error: rule \"b\": \"room.setpoint\" is held by \"a\" already");
    world_refuses("rules: { a: { sensor = \"room.temp\"; above = 1; " HOLDS " }"
                  "b: { sensor = \"hall.temp\"; above = 1; on_fire = ( { write = "
                  "\"room.setpoint\"; value = 1 } ) } }",
                  1, "t.cfg:1:213: error: rule \"b\": \"room.setpoint\" is held by \"a\" already");
    world_refuses("rules: { a: { sensors = \"*.temp\"; above = 1; while_firing = ( { write = "
                  "\"room.setpoint\"; value = 1 } ) } }",
                  1,
                  "t.cfg:1:61: error: rule \"a\": \"room.setpoint\" is held by \"a@room.temp\" "
                  "already");
    world_refuses(OF("while_firing = ( { write = \"hall.temp\"; value = 1 } )"), 1,
                  "t.cfg:1:111: error: rule \"a\": this sensor is not writable");
    world_refuses(OF("on_fire = ( { write = \"room.setpoint\"; value = \"value +\" } )"), 1,
                  "t.cfg:1:139: error: rule \"a\": something is missing at the end");
    world_refuses(OF("on_fire = ( { write = \"room.setpoint\"; value = \"value > 1\" } )"), 1,
                  "t.cfg:1:132: error: rule \"a\": this gives a condition, and a number is wanted");
    world_refuses(OF("while_firing = ( { log = \"x\" } )"), 3,
                  "t.cfg:1:101: error: missing setting \"write\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_is_said_at_the_edges),
        cmocka_unit_test(a_rest_and_a_level_change_nothing),
        cmocka_unit_test(it_is_said_again_after_a_restart_and_a_reload),
        cmocka_unit_test(a_person_wins_until_the_next_change),
        cmocka_unit_test(a_value_may_be_an_expression),
        cmocka_unit_test(what_an_expression_reads_makes_nobody_blind),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
