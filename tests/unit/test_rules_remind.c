#include "tests/unit/rules_order_world.h"

#define OF(keys)                                                                              \
    "rules: { a: { sensor = \"room.temp\"; above = 1; message = \"hot {value} {duration}\"; " \
    "clear_message = \"c\"; " keys " } }"

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

/* Fires at 1 s; readings keep the sensor alive until the end of the test. */
static void fire(struct world *world)
{
    world_poll(world, 1000, TEMP, 2);
    world->length = 0;
}

static void run_to(struct world *world, int64_t from_ms, int64_t to_ms)
{
    for (int64_t at_ms = from_ms; at_ms <= to_ms; at_ms += 10000)
        world_poll(world, at_ms, TEMP, 2);
}

static void it_is_told_again_until_it_is_acknowledged(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("ack = true; repeat = \"30s\"; notify = \"phone\""));
    fire(&w);
    run_to(&w, 10000, 70000);
    world_expect(&w, "notify phone: hot 2.0 30s\nnotify phone: hot 2.0 1m\n");
    world_do(&w, 75000, ORDER_ACK, "a");
    w.length = 0;
    run_to(&w, 80000, 200000);
    world_expect(&w, "");
    world_close(&w);
}

static void it_is_told_again_until_it_is_over(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("repeat = \"30s\"; notify = \"phone\""));
    fire(&w);
    run_to(&w, 10000, 40000);
    world_poll(&w, 50000, TEMP, 0);
    rules_on_time(w.rules, 65000);
    world_expect(&w, "notify phone: hot 2.0 30s\n50000 a firing>ok 1 | c\nnotify phone: c\n");
    world_close(&w);
}

static void it_is_told_so_many_times_at_most(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("repeat = \"30s\"; max_repeats = 2; notify = \"phone\""));
    fire(&w);
    run_to(&w, 10000, 200000);
    world_expect(&w, "notify phone: hot 2.0 30s\nnotify phone: hot 2.0 1m\n");
    world_close(&w);
}

#define ESCALATES                                                                              \
    OF("notify = \"bedside\"; escalate = ( { after = \"2m\"; notify = \"nurse\" }, { after = " \
       "\"5m\"; publish = \"t/{rule}\"; payload = \"{state}\" } )")

static void others_are_told_unless_somebody_has_acknowledged(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, ESCALATES);
    fire(&w);
    run_to(&w, 10000, 400000);
    world_expect(&w, "notify nurse: hot 2.0 2m\npublish t/a firing 1 0\n");
    world_poll(&w, 410000, TEMP, 0);
    world_poll(&w, 420000, TEMP, 2);
    world_do(&w, 430000, ORDER_ACK, "a");
    w.length = 0;
    run_to(&w, 430000, 900000);
    world_expect(&w, "");
    world_close(&w);
}

static void waiting_stands_still_in_a_rest(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, ESCALATES);
    fire(&w);
    run_to(&w, 10000, 60000); /* a minute but a second */
    world_do(&w, 61000, ORDER_DISABLE, "a");
    run_to(&w, 70000, 600000);
    world_do(&w, 601000, ORDER_ENABLE, "a");
    w.length = 0;
    run_to(&w, 610000, 660000);
    world_expect(&w, "");
    world_poll(&w, 661000, TEMP, 3);
    world_expect(&w, "notify nurse: hot 3.0 11m\n");
    world_close(&w);
}

static void waiting_goes_on_after_a_restart_and_a_reload(void **state)
{
    (void)state;
    struct world w, after;
    char text[RULES_SAVED_SIZE];
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    open_world(&w, ESCALATES);
    fire(&w);
    rules_save(w.rules, 0, 101000, CLOCK_NEVER, text);
    world_close(&w);
    open_world(&w, ESCALATES);
    assert_int_equal(rules_restore(w.rules, "a", text, 1000000, CLOCK_NEVER), 0);
    rules_on_time(w.rules, 1000000);
    rules_on_time(w.rules, 1019999);
    world_expect(&w, "");
    rules_on_time(w.rules, 1020000); /* without any reading since */
    world_expect(&w, "notify nurse: hot unknown 2m\n");
    world_poll(&w, 1021000, TEMP, 2);
    open_world(&after, ESCALATES);
    world_adopt(after.rules, w.rules, sensors, 1022000);
    run_to(&after, 1030000, 1200000);
    world_expect(&after, "publish t/a firing 1 0\n");
    world_close(&w);
    world_close(&after);
}

static void a_graver_level_after_the_acknowledgement_begins_anew(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; message = \"{severity}\"; notify = \"n\";"
                   " repeat = \"1m\"; ack = true; levels = ( { severity = \"info\"; above = 1 }, "
                   "{ severity = \"critical\"; above = 5 } ) } }");
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 10000, ORDER_ACK, "a");
    world_poll(&w, 20000, TEMP, 6);
    w.length = 0;
    world_poll(&w, 45000, TEMP, 6);
    world_poll(&w, 70000, TEMP, 6);
    world_expect(&w, "");
    world_poll(&w, 80000, TEMP, 6); /* not a minute after the first firing */
    world_expect(&w, "notify n: critical\n");
    world_close(&w);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    world_refuses(OF("max_repeats = 3; notify = \"n\""), 1,
                  "t.cfg:1:119: error: rule \"a\": \"max_repeats\" goes only with \"repeat\"");
    world_refuses(OF("ack = true; repeat = \"1m\"; max_repeats = 3; notify = \"n\""), 1,
                  "t.cfg:1:146: error: rule \"a\": it repeats until it is acknowledged, and "
                  "\"max_repeats\" would end that");
    world_refuses(OF("repeat = \"1m\""), 1,
                  "t.cfg:1:114: error: rule \"a\": there is nobody to whom it could be repeated");
    world_refuses(OF("escalate = ( { after = \"2m\"; log = \"a\" }, { after = \"1m\"; log = \"b\" "
                     "} )"),
                  1, "t.cfg:1:157: error: rule \"a\": escalations go on in time");
    world_refuses(OF("escalate = ( { log = \"a\" } )"), 1,
                  "t.cfg:1:118: error: missing setting \"after\"");
    world_refuses(OF("escalate = ( { after = \"2m\" } )"), 1,
                  "t.cfg:1:118: error: rule \"a\": an action is one of publish, write, notify, "
                  "run, log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_again_until_it_is_acknowledged),
        cmocka_unit_test(it_is_told_again_until_it_is_over),
        cmocka_unit_test(it_is_told_so_many_times_at_most),
        cmocka_unit_test(others_are_told_unless_somebody_has_acknowledged),
        cmocka_unit_test(waiting_stands_still_in_a_rest),
        cmocka_unit_test(waiting_goes_on_after_a_restart_and_a_reload),
        cmocka_unit_test(a_graver_level_after_the_acknowledgement_begins_anew),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
