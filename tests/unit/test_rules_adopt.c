#include "tests/unit/rules_order_world.h"

#define QUIET     "message = \"m\"; clear_message = \"c\"; notify = \"phone\""
#define RULE(key) "rules: { a: { sensor = \"room.temp\"; above = 1; " QUIET "; " key " } }"

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

/* From the old world to the new one; texts of both are those of the old. */
static void reload(struct world *old, struct world *fresh, const char *config, int64_t now_ms)
{
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    open_world(fresh, config);
    world_adopt(fresh->rules, old->rules, sensors, now_ms);
}

static void what_did_not_change_goes_on(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE("for = \"10s\""));
    world_poll(&old, 0, TEMP, 2);
    world_expect(&old, "0 a ok>pending 1\n");
    reload(&old, &fresh, RULE("for = \"10s\"; severity = \"critical\""), 4000);
    world_expect(&old, "");
    assert_int_equal(rules_next_ms(fresh.rules), 10000);
    rules_on_time(fresh.rules, 20000);
    world_expect(&fresh, "10000 a pending>firing 1 | m\nnotify phone: m\n");
    assert_int_equal(rules_status(fresh.rules, 0).severity, SEVERITY_CRITICAL);
    rules_on_time(fresh.rules, 59999); /* sight goes on as well: stale since 30 s */
    world_expect(&fresh, "");
    rules_on_time(fresh.rules, 60000);
    world_expect(&fresh, "60000 a blind | a is blind: room.temp stale since 00:00\n"
                         "notify phone: a is blind: room.temp stale since 00:00\n");
    world_close(&old);
    world_close(&fresh);
}

static void flags_and_limits_go_along(void **state)
{
    (void)state;
    struct world old, fresh;
    uint32_t instance;
    open_world(&old, RULE("adjustable = true"));
    world_poll(&old, 0, TEMP, 4);
    world_do(&old, 1, ORDER_ACK, "a");
    world_do(&old, 1, ORDER_MUTE, "a");
    world_set_limit(&old, 1, "a", "above", 3);
    old.length = 0;
    reload(&old, &fresh, RULE("adjustable = true"), 10);
    world_expect(&old, "");
    world_close(&old);
    struct rule_transition status = rules_status(fresh.rules, 0);
    assert_true(status.acked && status.muted && status.to == RULE_FIRING);
    assert_int_equal(status.muted_until_ms, 7200001);
    assert_int_equal(status.instance, 0);
    assert_true(rules_limit(fresh.rules, 0, 0).value == 3);
    assert_true(rules_changed(fresh.rules, &instance));
    world_poll(&fresh, 20, TEMP, 2);
    world_expect(&fresh, "20 a firing>ok 1 | c\n");
    world_close(&fresh);
}

static void another_condition_ends_what_fires_and_begins_anew(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE(""));
    world_poll(&old, 0, TEMP, 4);
    world_do(&old, 1, ORDER_ACK, "a");
    old.length = 0;
    reload(&old, &fresh, RULE("for = \"1s\""), 10);
    world_expect(&old, "10 a firing>ok 1 | a: the alarm is over, the rule has changed\n"
                       "notify phone: a: the alarm is over, the rule has changed\n");
    world_close(&old);
    world_expect(&fresh, "");
    rules_on_time(fresh.rules, 2000); /* the value is known still */
    world_expect(&fresh, "10 a ok>pending 1\n1010 a pending>firing 1 | m\nnotify phone: m\n");
    assert_false(rules_status(fresh.rules, 0).acked);
    world_close(&fresh);
}

static void another_condition_keeps_what_people_set(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE("adjustable = true"));
    world_poll(&old, 0, TEMP, 4);
    world_do(&old, 1, ORDER_MUTE, "a");
    world_set_limit(&old, 1, "a", "above", 3);
    old.length = 0;
    reload(&old, &fresh, RULE("adjustable = true; for = \"1s\""), 10);
    world_expect(&old, "10 a firing>ok 1 | a: the alarm is over, the rule has changed\n");
    world_close(&old);
    assert_true(rules_status(fresh.rules, 0).muted);
    assert_true(rules_limit(fresh.rules, 0, 0).value == 3);
    world_do(&fresh, 20, ORDER_UNMUTE, "a"); /* the end of what had been told */
    world_expect(&fresh, "10 a ok>pending 3\n20 a unmuted by anna\nnotify phone: c\n");
    world_close(&fresh);
}

static void the_file_wins_with_a_new_value_of_a_limit(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE("adjustable = true"));
    world_set_limit(&old, 1, "a", "above", 3);
    reload(&old, &fresh,
           "rules: { a: { sensor = \"room.temp\"; above = 2; adjustable = true; " QUIET " } }", 10);
    world_expect(&fresh, "10 a limit above=2 (the file has a new value; it was set to 3)\n");
    world_close(&old);
    world_close(&fresh);
}

static void what_is_gone_ends_and_says_so(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE(""));
    world_poll(&old, 0, TEMP, 4);
    rules_on_time(old.rules, 60000);
    world_do(&old, 60000, ORDER_MUTE, "a"); /* the end is told nevertheless: nobody could later */
    old.length = 0;
    reload(&old, &fresh, "", 70000);
    world_expect(&old, "70000 a firing>ok 1 | a: the alarm is over, the rule is gone\n"
                       "notify phone: a: the alarm is over, the rule is gone\n"
                       "70000 a seeing (the rule is gone) | a is blind no more, the rule is gone\n"
                       "notify phone: a is blind no more, the rule is gone\n");
    world_close(&old);
    world_close(&fresh);
}

static void what_is_gone_and_was_never_told_ends_in_silence(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE(""));
    world_do(&old, 0, ORDER_MUTE, "a");
    world_poll(&old, 0, TEMP, 4);
    old.length = 0;
    reload(&old, &fresh, "", 10);
    world_expect(&old, "10 a firing>ok 1 | a: the alarm is over, the rule is gone\n");
    world_close(&old);
    world_close(&fresh);
}

static void an_end_that_is_owed_is_told_before_the_rule_is_gone(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE(""));
    world_poll(&old, 0, TEMP, 4);
    world_do(&old, 1, ORDER_MUTE, "a");
    world_poll(&old, 2, TEMP, 0);
    old.length = 0;
    reload(&old, &fresh, "", 10);
    world_expect(&old, "notify phone: c\n");
    world_close(&old);
    world_close(&fresh);
}

static void it_cools_down_as_long_as_before(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE("cooldown = \"10s\""));
    world_poll(&old, 0, TEMP, 4);
    world_poll(&old, 1000, TEMP, 0);
    reload(&old, &fresh, RULE("cooldown = \"10s\""), 2000);
    world_poll(&fresh, 3000, TEMP, 4);
    world_expect(&fresh, "3000 a ok>pending 1\n");
    rules_on_time(fresh.rules, 20000);
    world_expect(&fresh, "11000 a pending>firing 1 | m\nnotify phone: m\n");
    world_close(&old);
    world_close(&fresh);
}

static void a_new_rule_is_judged_by_what_is_known(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE(""));
    world_poll(&old, 0, TEMP, 4);
    old.length = 0;
    reload(&old, &fresh,
           "rules: { b: { sensor = \"room.temp\"; above = 3; " QUIET " }"
           "a: { sensor = \"room.temp\"; above = 1; " QUIET " } }",
           10);
    world_expect(&old, "");
    rules_on_time(fresh.rules, 10);
    world_expect(&fresh, "10 b ok>firing 3 | m\nnotify phone: m\n");
    assert_int_equal(rules_status(fresh.rules, 1).to, RULE_FIRING); /* told by the old one */
    assert_int_equal(rules_status(fresh.rules, 1).instance, 1);
    world_close(&old);
    world_close(&fresh);
}

static void what_was_due_before_it_is_judged_by_the_old_rules(void **state)
{
    (void)state;
    struct world old, fresh;
    open_world(&old, RULE("for = \"5s\""));
    world_poll(&old, 0, TEMP, 4);
    reload(&old, &fresh, RULE("for = \"5s\""), 7000);
    world_expect(&old, "0 a ok>pending 1\n5000 a pending>firing 1 | m\nnotify phone: m\n");
    rules_on_time(fresh.rules, 8000);
    world_expect(&fresh, "");
    world_close(&old);
    world_close(&fresh);
}

static void a_sensor_that_is_gone_or_new_is_no_one_elses(void **state)
{
    (void)state;
    static const uint32_t sensors[N_SENSORS] = {HALL, RULES_NO_SENSOR, DOOR, RULES_NO_SENSOR, LOAD};
    struct world old, fresh;
    const char *config = "rules: { a: { sensors = \"*.temp\"; above = 1; " QUIET " } }";
    open_world(&old, config);
    open_world(&fresh, "rules: { b: { sensors = \"*.temp\"; above = 1; " QUIET " } }");
    world_poll(&old, 0, TEMP, 4);
    world_poll(&old, 0, HALL, 5);
    world_adopt(fresh.rules, old.rules, sensors, 10);
    rules_on_time(fresh.rules, 10);
    world_expect(&fresh, "10 b@hall.temp ok>firing 1 | m\nnotify phone: m\n");
    world_close(&old);
    world_close(&fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_did_not_change_goes_on),
        cmocka_unit_test(flags_and_limits_go_along),
        cmocka_unit_test(another_condition_ends_what_fires_and_begins_anew),
        cmocka_unit_test(another_condition_keeps_what_people_set),
        cmocka_unit_test(the_file_wins_with_a_new_value_of_a_limit),
        cmocka_unit_test(what_is_gone_ends_and_says_so),
        cmocka_unit_test(what_is_gone_and_was_never_told_ends_in_silence),
        cmocka_unit_test(an_end_that_is_owed_is_told_before_the_rule_is_gone),
        cmocka_unit_test(it_cools_down_as_long_as_before),
        cmocka_unit_test(a_new_rule_is_judged_by_what_is_known),
        cmocka_unit_test(what_was_due_before_it_is_judged_by_the_old_rules),
        cmocka_unit_test(a_sensor_that_is_gone_or_new_is_no_one_elses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
