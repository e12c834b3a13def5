#include "tests/unit/rules_order_world.h"

#define LEVELS                                                                               \
    "levels = ( { severity = \"warning\"; above = 75 }, { severity = \"critical\"; above = " \
    "85; for = \"30s\" } )"
#define RULE                                                                       \
    "rules: { a: { sensor = \"room.temp\"; hysteresis = 2.0; notify = \"phone\"; " \
    "message = \"{severity} {value} over {limit}\"; clear_message = \"over\"; " LEVELS " } }"

static void open_world(struct world *world, const char *config)
{
    int result = world_open(world, config);
    for (size_t i = 0; result && problems_line(world->problems, i); i++)
        print_error("%s\n", problems_line(world->problems, i));
    assert_int_equal(result, 0);
}

static void every_level_is_told_and_it_is_one_alarm(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 76);
    world_expect(&w, "0 a ok>firing 75 | warning 76.0 over 75\n"
                     "notify phone: warning 76.0 over 75\n");
    world_poll(&w, 10000, TEMP, 86);
    world_expect(&w, "");
    world_poll(&w, 39000, TEMP, 87);
    rules_on_time(w.rules, 41000);
    world_expect(&w, "40000 a firing>firing 85\n40000 a level | critical 87.0 over 85\n"
                     "notify phone: critical 87.0 over 85\n");
    assert_int_equal(rules_status(w.rules, 0).since_ms, 0);
    world_poll(&w, 50000, TEMP, 83.5); /* not back by the hysteresis */
    world_expect(&w, "");
    world_poll(&w, 51000, TEMP, 83);
    world_expect(&w, "51000 a firing>firing 75\n51000 a level | warning 83.0 over 75\n"
                     "notify phone: warning 83.0 over 75\n");
    assert_int_equal(w.severity, SEVERITY_CRITICAL); /* who was told of that is told of this */
    world_poll(&w, 52000, TEMP, 73);
    world_expect(&w, "52000 a firing>ok 75 | over\nnotify phone: over\n");
    world_close(&w);
}

/* What is critical is a warning as well, without its own time once more. */
static void a_step_down_does_not_wait_for_the_lower_level(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; message = \"m\"; clear_message = \"c\";"
                   " levels = ( { severity = \"info\"; above = 1; for = \"1h\" },"
                   "            { severity = \"warning\"; above = 5 } ) } }");
    world_poll(&w, 0, TEMP, 9);
    world_expect(&w, "0 a ok>firing 5 | m\n");
    world_poll(&w, 1000, TEMP, 3);
    world_expect(&w, "1000 a firing>firing 1\n1000 a level | m\n");
    world_poll(&w, 2000, TEMP, 1);
    world_expect(&w, "2000 a firing>ok 1 | c\n");
    world_close(&w);
}

static void a_level_waits_for_its_own_clearing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; message = \"m\"; clear_message = \"c\";"
                   " levels = ( { severity = \"warning\"; above = 1 },"
                   "  { severity = \"critical\"; above = 5; keep_for = \"5s\"; hits = \"2 of 2\" } "
                   ") } }");
    world_poll(&w, 0, TEMP, 9);
    world_expect(&w, "0 a ok>firing 1 | m\n");
    world_poll(&w, 1000, TEMP, 9);
    world_expect(&w, "1000 a firing>firing 5\n1000 a level | m\n");
    world_poll(&w, 2000, TEMP, 3);
    world_expect(&w, "2000 a firing>recovering 5\n");
    rules_on_time(w.rules, 7000);
    world_expect(&w, "7000 a recovering>firing 1\n7000 a level | m\n");
    world_close(&w);
}

static void levels_come_back_after_a_restart_and_a_reload(void **state)
{
    (void)state;
    struct world w, after;
    char text[RULES_SAVED_SIZE];
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 90);
    world_poll(&w, 20000, TEMP, 90);
    rules_on_time(w.rules, 30000);
    assert_int_equal(rules_status(w.rules, 0).level, 1);
    rules_save(w.rules, 0, 30000, CLOCK_NEVER, text);
    world_close(&w);
    open_world(&w, RULE);
    assert_int_equal(rules_restore(w.rules, "a", text, 100, CLOCK_NEVER), 0);
    world_poll(&w, 200, TEMP, 90);
    world_expect(&w, "");
    open_world(&after, RULE);
    world_adopt(after.rules, w.rules, sensors, 300);
    world_poll(&after, 400, TEMP, 80);
    world_expect(&after, "400 a firing>firing 75\n400 a level | warning 80.0 over 75\n"
                         "notify phone: warning 80.0 over 75\n");
    assert_int_equal(rules_status(after.rules, 0).severity, SEVERITY_WARNING);
    world_close(&w);
    world_close(&after);
}

static void a_level_reached_in_a_rest_is_told_when_the_rest_ends(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 76);
    world_do(&w, 0, ORDER_DISABLE, "a");
    world_poll(&w, 10000, TEMP, 90);
    rules_on_time(w.rules, 39999);
    world_poll(&w, 40000, TEMP, 90);
    w.length = 0;
    world_do(&w, 50000, ORDER_ENABLE, "a");
    world_expect(&w, "50000 a enabled by anna\nnotify phone: critical 90.0 over 85\n");
    world_close(&w);
}

static void a_graver_level_wants_to_be_seen_anew(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 76);
    world_do(&w, 0, ORDER_ACK, "a");
    world_poll(&w, 10000, TEMP, 90);
    world_poll(&w, 35000, TEMP, 90);
    assert_true(rules_status(w.rules, 0).acked);
    rules_on_time(w.rules, 40000);
    assert_false(rules_status(w.rules, 0).acked);
    world_close(&w);
}

static void every_level_has_its_own_limits_to_adjust(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; adjustable = true; message = \"m\"; "
                   "clear_message = \"c\"; " LEVELS " } }");
    assert_int_equal(rules_info(w.rules, 0).n_limits, 2);
    assert_string_equal(rules_limit(w.rules, 0, 0).key, "warning_above");
    assert_string_equal(rules_limit(w.rules, 0, 1).key, "critical_above");
    world_set_limit(&w, 0, "a", "warning_above", 70);
    w.length = 0;
    world_poll(&w, 1, TEMP, 71);
    world_expect(&w, "1 a ok>firing 70 | m\n");
    world_close(&w);
}

static void levels_of_expressions_need_no_sensor(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { message = \"m\"; levels = ( { severity = \"info\"; when = "
                   "\"room.temp > 1\" }, { severity = \"critical\"; when = \"hall.temp > 1\"; "
                   "clear_when = \"hall.temp < 0\" } ) } }");
    assert_string_equal(rules_info(w.rules, 0).summary,
                        "room.temp > 1 (info), hall.temp > 1 (critical)");
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 0, HALL, 2);
    assert_int_equal(rules_status(w.rules, 0).severity, SEVERITY_CRITICAL);
    world_poll(&w, 0, HALL, 1);
    assert_int_equal(rules_status(w.rules, 0).severity, SEVERITY_CRITICAL);
    world_poll(&w, 0, HALL, -1);
    assert_int_equal(rules_status(w.rules, 0).severity, SEVERITY_INFO);
    world_close(&w);
}

#define OF(keys) "rules: { a: { sensor = \"room.temp\"; " keys " } }"

static void levels_are_one_for_each_severity_in_order(void **state)
{
    (void)state;
    world_refuses(OF("levels = ( { severity = \"critical\"; above = 1 }, { severity = "
                     "\"warning\"; above = 2 } )"),
                  1,
                  "t.cfg:1:99: error: rule \"a\": each level must be graver than the one before");
    world_refuses(OF("levels = ( )"), 1,
                  "t.cfg:1:46: error: rule \"a\": a rule has one to 3 levels");
    world_refuses(OF("above = 3; levels = ( { severity = \"info\"; above = 1 } )"), 1,
                  "t.cfg:1:45: error: rule \"a\": \"above\" does not go with \"levels\"");
    world_refuses(OF("severity = \"info\"; levels = ( { severity = \"info\"; above = 1 } )"), 1,
                  "t.cfg:1:48: error: rule \"a\": \"severity\" does not go with \"levels\"");
    world_refuses(OF("levels = ( { above = 1 } )"), 1,
                  "t.cfg:1:48: error: missing setting \"severity\"");
}

static void hits_are_so_many_of_so_many(void **state)
{
    (void)state;
    world_refuses(OF("above = 1; hits = \"3\""), 1,
                  "t.cfg:1:55: error: rule \"a\": these are no hits");
    world_refuses(OF("above = 1; hits = \"0 of 5\""), 1,
                  "t.cfg:1:55: error: rule \"a\": these are no hits");
    world_refuses(OF("above = 1; hits = \"3 of 65\""), 1,
                  "t.cfg:1:55: error: rule \"a\": these are no hits");
    world_refuses(OF("above = 1; hits = \"3 of 5 x\""), 1,
                  "t.cfg:1:55: error: rule \"a\": these are no hits");
    world_refuses(OF("above = 1; hits = \"5 of 3\""), 1,
                  "t.cfg:1:55: error: rule \"a\": 5 of 3 readings cannot be");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_is_told_and_it_is_one_alarm),
        cmocka_unit_test(a_step_down_does_not_wait_for_the_lower_level),
        cmocka_unit_test(a_level_waits_for_its_own_clearing),
        cmocka_unit_test(levels_come_back_after_a_restart_and_a_reload),
        cmocka_unit_test(a_level_reached_in_a_rest_is_told_when_the_rest_ends),
        cmocka_unit_test(a_graver_level_wants_to_be_seen_anew),
        cmocka_unit_test(every_level_has_its_own_limits_to_adjust),
        cmocka_unit_test(levels_of_expressions_need_no_sensor),
        cmocka_unit_test(levels_are_one_for_each_severity_in_order),
        cmocka_unit_test(hits_are_so_many_of_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
