#include "tests/unit/rules_order_world.h"

#define RULES                                                                                     \
    "rules: { a: { sensors = \"*.temp\"; above = 1; notify = \"n\"; group = \"g\"; message = "    \
    "\"{sensor} hot\"; clear_message = \"{sensor} cool\"; on_fire = ( { publish = \"t\"; "        \
    "payload = \"{sensor}\" } ) }"                                                                \
    "b: { sensor = \"pump.load\"; above = 1; severity = \"critical\"; notify = [ \"n\", \"m\" ];" \
    " group = \"g\"; group_wait = \"3s\"; message = \"busy\"; clear_message = \"free\" } }"

static void open_world(struct world *world)
{
    assert_int_equal(world_open(world, RULES), 0);
}

static void what_comes_together_is_told_as_one(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 4000, HALL, 2);
    world_expect(&w, "0 a@room.temp ok>firing 1 | room.temp hot\npublish t room.temp 1 0\n"
                     "4000 a@hall.temp ok>firing 1 | hall.temp hot\npublish t hall.temp 1 0\n");
    rules_on_time(w.rules, 9999);
    world_expect(&w, "");
    rules_on_time(w.rules, 10000);
    world_expect(&w, "notify n: g: 2 messages\n- room.temp hot\n- hall.temp hot\n");
    world_close(&w);
}

static void the_shortest_wait_counts_and_the_gravest_stands_for_all(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, LOAD, 2);
    w.length = 0;
    rules_on_time(w.rules, 4000);
    world_expect(&w, "notify n: g: 2 messages\n- room.temp hot\n- busy\nnotify m: busy\n");
    world_close(&w);
}

static void one_alone_is_told_as_it_is(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    world_poll(&w, 0, TEMP, 2);
    w.length = 0;
    rules_on_time(w.rules, 10000);
    world_expect(&w, "notify n: room.temp hot\n");
    world_poll(&w, 20000, TEMP, 0);
    w.length = 0;
    rules_on_time(w.rules, 30000);
    world_expect(&w, "notify n: room.temp cool\n");
    world_close(&w);
}

static void what_came_and_went_meanwhile_is_told_to_nobody(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    w.length = 0;
    rules_on_time(w.rules, 20000);
    world_expect(&w, "");
    world_close(&w);
}

static void a_mute_within_the_wait_holds_it_back(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 1000, ORDER_DISABLE, "a@room.temp");
    w.length = 0;
    rules_on_time(w.rules, 20000);
    world_expect(&w, "");
    world_do(&w, 21000, ORDER_ENABLE, "a@room.temp");
    w.length = 0;
    rules_on_time(w.rules, 31000);
    world_expect(&w, "notify n: room.temp hot\n");
    world_close(&w);
}

static void a_restart_within_the_wait_loses_nothing(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE];
    open_world(&w);
    world_poll(&w, 0, TEMP, 2);
    rules_save(w.rules, rules_find(w.rules, "a@room.temp"), 1000, CLOCK_NEVER, text);
    world_close(&w);
    open_world(&w);
    assert_int_equal(rules_restore(w.rules, "a@room.temp", text, 50, CLOCK_NEVER), 0);
    rules_on_time(w.rules, 100);
    rules_on_time(w.rules, 10100);
    world_expect(&w, "notify n: room.temp hot\n"); /* and is not published again */
    world_close(&w);
}

static void a_reload_within_the_wait_loses_nothing(void **state)
{
    (void)state;
    struct world w, after;
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    open_world(&w);
    world_poll(&w, 0, TEMP, 2);
    open_world(&after);
    world_adopt(after.rules, w.rules, sensors, 1000);
    rules_on_time(after.rules, 1000);
    rules_on_time(after.rules, 11000);
    world_expect(&after, "notify n: room.temp hot\n");
    world_close(&w);
    world_close(&after);
}

static void more_than_one_text_can_hold_is_counted(void **state)
{
    (void)state;
    struct world w;
    char config[40000];
    size_t length = 0;
    text_append(config, sizeof config, &length, "rules: { ");
    for (int i = 0; i < 250; i++)
        text_append(
            config, sizeof config, &length,
            "r%d: { sensor = \"room.temp\"; above = 1; notify = \"n\"; group = \"g\"; message = "
            "\"m\" } ",
            i);
    text_append(config, sizeof config, &length, "}");
    assert_int_equal(world_open(&w, config), 0);
    world_poll(&w, 0, TEMP, 2);
    w.length = 0;
    rules_on_time(w.rules, 10000);
    w.log[25] = '\0';
    assert_string_equal(w.log, "notify n: g: 250 messages");
    world_close(&w);
}

static void a_wait_needs_a_group(void **state)
{
    (void)state;
    world_refuses("rules: { a: { sensor = \"room.temp\"; above = 1; group_wait = \"3s\" } }", 1,
                  "t.cfg:1:61: error: rule \"a\": \"group_wait\" goes only with \"group\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_together_is_told_as_one),
        cmocka_unit_test(the_shortest_wait_counts_and_the_gravest_stands_for_all),
        cmocka_unit_test(one_alone_is_told_as_it_is),
        cmocka_unit_test(what_came_and_went_meanwhile_is_told_to_nobody),
        cmocka_unit_test(a_mute_within_the_wait_holds_it_back),
        cmocka_unit_test(a_restart_within_the_wait_loses_nothing),
        cmocka_unit_test(a_reload_within_the_wait_loses_nothing),
        cmocka_unit_test(more_than_one_text_can_hold_is_counted),
        cmocka_unit_test(a_wait_needs_a_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
