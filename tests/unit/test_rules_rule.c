/* Latch, cooldown, inhibition, standby. */
#include "tests/unit/rules_order_world.h"

#define OF(keys)                                                                         \
    "rules: { a: { sensor = \"room.temp\"; above = 1; message = \"m\"; clear_message = " \
    "\"c\"; " keys " } }"

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

static void save_and_open(struct world *world, const char *config, int64_t saved_ms, int64_t now_ms)
{
    char text[RULES_SAVED_SIZE];
    rules_save(world->rules, 0, saved_ms, CLOCK_NEVER, text);
    world_close(world);
    open_world(world, config);
    assert_int_equal(rules_restore(world->rules, "a", text, now_ms, CLOCK_NEVER), 0);
}

static void a_latch_holds_until_it_is_acknowledged(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("latch = true"));
    assert_true(rules_info(w.rules, 0).ack);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    world_expect(&w, "0 a ok>firing 1 | m\n");
    world_do(&w, 2000, ORDER_ACK, "a");
    world_expect(&w, "2000 a acked by anna\n2000 a firing>ok 1 | c\n");
    world_close(&w);
}

static void a_latch_holds_until_it_is_over(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("latch = true"));
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 1000, ORDER_ACK, "a");
    w.length = 0;
    world_poll(&w, 2000, TEMP, 3);
    world_expect(&w, "");
    world_poll(&w, 3000, TEMP, 0);
    world_expect(&w, "3000 a firing>ok 1 | c\n");
    world_close(&w);
}

static void what_is_held_by_a_latch_is_one_firing(void **state)
{
    (void)state;
    struct world w;
    const char *config = OF("latch = true; keep_for = \"5s\"");
    open_world(&w, config);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    world_poll(&w, 6000, TEMP, 0);
    world_poll(&w, 7000, TEMP, 2);
    world_expect(&w, "0 a ok>firing 1 | m\n1000 a firing>recovering 1\n"
                     "6000 a recovering>firing 1\n");
    world_poll(&w, 8000, TEMP, 0);
    world_poll(&w, 13000, TEMP, 0);
    w.length = 0;
    save_and_open(&w, config, 20000, 500);
    world_poll(&w, 600, TEMP, 0);
    world_expect(&w, "");
    world_do(&w, 700, ORDER_ACK, "a");
    world_expect(&w, "700 a acked by anna\n700 a firing>ok 1 | c\n");
    world_close(&w);
}

static void after_its_end_it_cools_down(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("cooldown = \"20s\""));
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    w.length = 0;
    world_poll(&w, 5000, TEMP, 2);
    world_poll(&w, 10000, TEMP, 0);
    world_poll(&w, 15000, TEMP, 2);
    rules_on_time(w.rules, 30000);
    world_expect(&w, "5000 a ok>pending 1\n10000 a pending>ok 1\n15000 a ok>pending 1\n"
                     "21000 a pending>firing 1 | m\n");
    world_close(&w);
}

static void for_runs_while_it_cools_down(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("cooldown = \"20s\"; for = \"10s\""));
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 10000, TEMP, 2);
    world_poll(&w, 11000, TEMP, 0);
    w.length = 0;
    world_poll(&w, 12000, TEMP, 2);
    world_poll(&w, 23000, TEMP, 2);
    rules_on_time(w.rules, 31000);
    world_expect(&w, "12000 a ok>pending 1\n31000 a pending>firing 1 | m\n");
    world_close(&w);
}

static void time_in_which_the_gateway_was_down_cools_nothing(void **state)
{
    (void)state;
    struct world w;
    const char *config = OF("cooldown = \"20s\"");
    open_world(&w, config);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    w.length = 0;
    save_and_open(&w, config, 6000, 1000000);
    world_poll(&w, 1001000, TEMP, 2);
    rules_on_time(w.rules, 1015000);
    world_expect(&w, "1001000 a ok>pending 1\n1015000 a pending>firing 1 | m\n");
    world_close(&w);
}

#define INHIBITED                                                                                  \
    "rules: { child: { sensor = \"room.temp\"; above = 1; message = \"m\"; clear_message = \"c\";" \
    " notify = \"n\"; inhibited_by = \"parent\"; on_fire = ( { log = \"f\" } ) }"                  \
    "parent: { sensor = \"room.setpoint\"; above = 1; message = \"m\"; clear_message = \"c\" } }"

static void what_is_inhibited_tells_nobody_until_that_ends(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, INHIBITED);
    world_poll(&w, 0, SETPOINT, 2);
    world_expect(&w, "0 parent ok>firing 1 | m\n0 child ok>ok -\n");
    assert_true(rules_status(w.rules, 0).inhibited);
    world_poll(&w, 1000, TEMP, 2);
    world_expect(&w, "1000 child ok>firing 1 | m\nlog f\n");
    world_poll(&w, 2000, SETPOINT, 0);
    world_expect(&w, "2000 parent firing>ok 1 | c\n1000 child firing>firing 1\nnotify n: m\n");
    world_close(&w);
}

static void both_of_one_poll_are_judged_in_the_right_order(void **state)
{
    (void)state;
    struct world w;
    struct reading both[] = {world_number(0, TEMP, 2), world_number(0, SETPOINT, 2)};
    open_world(&w, INHIBITED);
    rules_on_poll(w.rules, both, 2, 0);
    world_expect(&w, "0 parent ok>firing 1 | m\n0 child ok>ok -\n0 child ok>firing 1 | m\nlog f\n");
    world_close(&w);
}

static void inhibition_is_found_again_after_a_restart(void **state)
{
    (void)state;
    struct world w;
    char child[RULES_SAVED_SIZE], parent[RULES_SAVED_SIZE];
    open_world(&w, INHIBITED);
    world_poll(&w, 0, SETPOINT, 2);
    world_poll(&w, 1, TEMP, 2);
    rules_save(w.rules, 0, 2, CLOCK_NEVER, child);
    rules_save(w.rules, 1, 2, CLOCK_NEVER, parent);
    world_close(&w);
    open_world(&w, INHIBITED);
    assert_int_equal(rules_restore(w.rules, "child", child, 0, CLOCK_NEVER), 0);
    assert_int_equal(rules_restore(w.rules, "parent", parent, 0, CLOCK_NEVER), 0);
    rules_on_time(w.rules, 0);
    assert_true(rules_status(w.rules, 0).inhibited);
    w.length = 0;
    world_poll(&w, 1, TEMP, 2);
    world_expect(&w, "");
    world_close(&w);
}

static void inhibitors_must_be_rules_and_no_ring(void **state)
{
    (void)state;
    world_refuses(OF("inhibited_by = [ \"b\", \"x\" ] }; b: { sensor = \"room.temp\"; above = 1"),
                  1, "t.cfg:1:106: error: rule \"a\": unknown rule \"x\"");
    world_refuses(OF("inhibited_by = \"a\""), 1,
                  "t.cfg:1:99: error: rule \"a\": rules ask each other in a ring");
}

/* Standby of a device mutes by what an instance reads, whatever its own sensor is. */
static void all_that_read_a_sensor_are_muted_together(void **state)
{
    (void)state;
    struct world w;
    struct error err = {0};
    open_world(&w, "rules: { one: { sensor = \"room.temp\"; above = 1 }"
                   "two: { sensor = \"pump.load\"; above = \"room.temp\" }"
                   "none: { sensor = \"pump.load\"; above = 1 }"
                   "free: { when = \"avg_of(\\\"*.temp\\\") > 1\" } }");
    struct rules_order order = {.kind = ORDER_MUTE, .first_sensor = TEMP, .n_sensors = 1};
    assert_int_equal(world_order(&w, 0, order, &err), 3);
    world_expect(&w, "0 one muted by anna\n0 two muted by anna\n0 free muted by anna\n");
    order.first_sensor = DOOR;
    assert_int_equal(world_order(&w, 0, order, &err), -ENOENT);
    assert_string_equal(err.text, "no rule reads it");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_latch_holds_until_it_is_acknowledged),
        cmocka_unit_test(a_latch_holds_until_it_is_over),
        cmocka_unit_test(what_is_held_by_a_latch_is_one_firing),
        cmocka_unit_test(after_its_end_it_cools_down),
        cmocka_unit_test(for_runs_while_it_cools_down),
        cmocka_unit_test(time_in_which_the_gateway_was_down_cools_nothing),
        cmocka_unit_test(what_is_inhibited_tells_nobody_until_that_ends),
        cmocka_unit_test(both_of_one_poll_are_judged_in_the_right_order),
        cmocka_unit_test(inhibition_is_found_again_after_a_restart),
        cmocka_unit_test(inhibitors_must_be_rules_and_no_ring),
        cmocka_unit_test(all_that_read_a_sensor_are_muted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
