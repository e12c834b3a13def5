#include "tests/unit/rules_order_world.h"

#include <math.h>

#define QUIET     "message = \"m\"; clear_message = \"c\""
#define RULE(key) "rules: { a: { sensor = \"room.temp\"; above = 1; " QUIET "; " key " } }"

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

static void an_alarm_is_acknowledged_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    struct rules_order ack = {.kind = ORDER_ACK, .target = "a"};
    world_refuses_order(&w, 0, ack, -EALREADY, "a: nothing to acknowledge, it is ok");
    world_poll(&w, 1, TEMP, 2);
    world_do(&w, 2, ORDER_ACK, "a");
    world_expect(&w, "1 a ok>firing 1 | m\n2 a acked by anna\n");
    assert_true(rules_status(w.rules, 0).acked);
    world_refuses_order(&w, 3, ack, -EALREADY, "a: it is acknowledged already");
    world_close(&w);
}

static void the_next_firing_is_not_acknowledged(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("keep_for = \"1s\""));
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 0, ORDER_ACK, "a");
    world_poll(&w, 1, TEMP, 0);
    world_poll(&w, 2, TEMP, 2);
    assert_true(rules_status(w.rules, 0).acked); /* it is the same firing */
    world_poll(&w, 3, TEMP, 0);
    rules_on_time(w.rules, 1003);
    assert_false(rules_status(w.rules, 0).acked);
    world_poll(&w, 2000, TEMP, 2);
    assert_false(rules_status(w.rules, 0).acked);
    world_close(&w);
}

static void a_mute_ends_by_itself_at_its_exact_instant(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    struct rules_order mute = {.kind = ORDER_MUTE, .target = "a", .until_ms = 5000};
    assert_int_equal(world_order(&w, 1000, mute, NULL), 1);
    assert_true(rules_status(w.rules, 0).muted);
    assert_int_equal(rules_status(w.rules, 0).muted_until_ms, 5000);
    assert_int_equal(rules_next_ms(w.rules), 5000);
    rules_on_time(w.rules, 9000);
    world_expect(&w, "1000 a muted by anna\n5000 a unmuted (its time is over)\n");
    assert_false(rules_status(w.rules, 0).muted);
    world_close(&w);
}

static void a_mute_without_an_end_is_two_hours(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    world_do(&w, 1000, ORDER_MUTE, "a");
    assert_int_equal(rules_status(w.rules, 0).muted_until_ms, 1000 + 7200000);
    world_close(&w);
}

static void a_mute_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    struct rules_order mute = {.kind = ORDER_MUTE, .target = "a", .until_ms = 1000};
    world_refuses_order(&w, 1000, mute, -ERANGE, "a: the end of this mute has passed");
    mute.until_ms = INT64_MIN;
    world_refuses_order(&w, 1000, mute, -ERANGE, "a: the end of this mute has passed");
    mute.until_ms = CLOCK_NEVER - 1;
    world_refuses_order(&w, 1000, mute, -ERANGE,
                        "a: a mute ends within a year; disable it instead");
    world_close(&w);
}

static void a_second_mute_replaces_the_first(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    struct rules_order mute = {.kind = ORDER_MUTE, .target = "a", .until_ms = 5000};
    world_order(&w, 0, mute, NULL);
    mute.until_ms = 3000;
    assert_int_equal(world_order(&w, 0, mute, NULL), 1);
    assert_int_equal(rules_next_ms(w.rules), 3000);
    world_close(&w);
}

static void what_is_so_already_is_refused(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    world_refuses_order(&w, 0, (struct rules_order){.kind = ORDER_UNMUTE, .target = "a"}, -EALREADY,
                        "a: it is not muted");
    world_refuses_order(&w, 0, (struct rules_order){.kind = ORDER_ENABLE, .target = "a"}, -EALREADY,
                        "a: it is enabled already");
    world_do(&w, 0, ORDER_DISABLE, "a");
    world_expect(&w, "0 a disabled by anna\n");
    world_refuses_order(&w, 0, (struct rules_order){.kind = ORDER_DISABLE, .target = "a"},
                        -EALREADY, "a: it is disabled already");
    world_do(&w, 1, ORDER_ENABLE, "a");
    world_expect(&w, "1 a enabled by anna\n");
    world_close(&w);
}

static void an_unknown_rule_is_refused(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    world_refuses_order(&w, 0, (struct rules_order){.kind = ORDER_ACK, .target = "b"}, -ENOENT,
                        "there is no rule \"b\"");
    world_refuses_order(&w, 0, (struct rules_order){.kind = ORDER_ACK, .target = ""}, -ENOENT,
                        "there is no rule \"\"");
    world_refuses_order(&w, 0, (struct rules_order){.kind = ORDER_ACK}, -EINVAL,
                        "an order needs its kind and a rule");
    world_refuses_order(&w, 0, (struct rules_order){.kind = 99, .target = "a"}, -EINVAL,
                        "an order needs its kind and a rule");
    world_close(&w);
}

static void a_bare_name_means_all_instances(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensors = \"*.temp\"; above = 1; " QUIET " } }");
    struct rules_order order = {.kind = ORDER_DISABLE, .target = "a"};
    assert_int_equal(world_order(&w, 0, order, NULL), 2);
    world_expect(&w, "0 a@room.temp disabled by anna\n0 a@hall.temp disabled by anna\n");
    world_do(&w, 0, ORDER_ENABLE, "a@hall.temp");
    world_expect(&w, "0 a@hall.temp enabled by anna\n");
    struct error err = {0};
    assert_int_equal(world_order(&w, 0, order, &err), 1); /* one of them is disabled already */
    assert_int_equal(err.code, 0);
    world_expect(&w, "0 a@hall.temp disabled by anna\n");
    world_refuses_order(&w, 0, order, -EALREADY, "a@room.temp: it is disabled already");
    world_close(&w);
}

static void an_order_comes_after_what_was_due_before_it(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("for = \"5s\""));
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 7000, ORDER_ACK, "a");
    world_expect(&w, "0 a ok>pending 1\n5000 a pending>firing 1 | m\n7000 a acked by anna\n");
    world_close(&w);
}

static void what_a_person_says_goes_to_the_event(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    struct rules_order order = {.kind = ORDER_MUTE, .target = "a", .note = "painters"};
    assert_int_equal(world_order(&w, 0, order, NULL), 1);
    world_expect(&w, "0 a muted by anna (painters)\n");
    world_close(&w);
}

static void a_limit_is_set_and_judged_at_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("adjustable = true"));
    world_poll(&w, 0, TEMP, 2);
    world_set_limit(&w, 5, "a", "above", 2.5);
    world_expect(&w, "0 a ok>firing 1 | m\n5 a limit above=2.5 by anna\n5 a firing>ok 1 | c\n");
    assert_true(rules_limit(w.rules, 0, 0).value == 2.5);
    assert_true(rules_limit(w.rules, 0, 0).file == 1);
    world_poll(&w, 6, TEMP, 2.4);
    world_expect(&w, "");
    world_poll(&w, 7, TEMP, 2.6);
    world_expect(&w, "7 a ok>firing 2.5 | m\n");
    world_close(&w);
}

static void limits_belong_to_instances(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "rules: { a: { sensors = \"*.temp\"; above = 1; adjustable = true; " QUIET " } }");
    world_set_limit(&w, 0, "a@hall.temp", "above", 5);
    world_expect(&w, "0 a@hall.temp limit above=5 by anna\n");
    world_poll(&w, 1, HALL, 3);
    world_poll(&w, 1, TEMP, 3);
    world_expect(&w, "1 a@room.temp ok>firing 1 | m\n");
    world_close(&w);
}

static void limits_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("adjustable = ( 0, 5, 0.5 )"));
    struct rules_order order = {.kind = ORDER_LIMIT, .target = "a", .key = "above"};
    order.value = 5.5;
    world_refuses_order(&w, 0, order, -ERANGE, "a: above goes from 0 to 5, not to 5.5");
    order.value = 1.2;
    world_refuses_order(&w, 0, order, -ERANGE, "a: above goes in steps of 0.5 from 0, not to 1.2");
    order.value = (double)NAN;
    world_refuses_order(&w, 0, order, -EINVAL, "a: above needs a number");
    order.value = (double)INFINITY;
    world_refuses_order(&w, 0, order, -EINVAL, "a: above needs a number");
    order.value = 1;
    world_refuses_order(&w, 0, order, -EALREADY, "a: above is that already");
    order.key = "below";
    world_refuses_order(&w, 0, order, -ENOENT, "a: it has no limit \"below\", but above");
    order.key = NULL;
    world_refuses_order(&w, 0, order, -ENOENT, "a: it has no limit \"\", but above");
    assert_true(rules_limit(w.rules, 0, 0).value == 1);
    world_close(&w);
}

static void a_fixed_limit_is_refused(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    world_refuses_order(
        &w, 0, (struct rules_order){.kind = ORDER_LIMIT, .target = "a", .key = "above", .value = 2},
        -EPERM, "a: its limits are not adjustable");
    world_close(&w);
}

static void a_reset_ends_what_is_latched_and_takes_limits_back(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("adjustable = true; latch = true; cooldown = \"1h\""));
    world_set_limit(&w, 0, "a", "above", 0);
    world_poll(&w, 1, TEMP, 0.5);
    world_poll(&w, 2, TEMP, -1);
    world_expect(&w, "0 a limit above=0 by anna\n1 a ok>firing 0 | m\n");
    world_do(&w, 3, ORDER_RESET, "a");
    world_expect(&w, "3 a limit above=1 by anna (reset)\n"
                     "3 a firing>ok 0 | a: the alarm is over, reset by anna\n");
    assert_true(rules_limit(w.rules, 0, 0).value == 1);
    world_poll(&w, 4, TEMP, 2);
    world_expect(&w, "4 a ok>firing 1 | m\n"); /* no cooldown is left */
    world_close(&w);
}

static void after_a_reset_it_is_judged_anew_and_rests_as_before(void **state)
{
    (void)state;
    struct world w;
    uint32_t changed;
    open_world(&w, RULE("for = \"1s\""));
    world_poll(&w, 0, TEMP, 2);
    rules_on_time(w.rules, 900);
    world_do(&w, 900, ORDER_DISABLE, "a");
    while (rules_changed(w.rules, &changed))
        ;
    world_expect(&w, "0 a ok>pending 1\n900 a disabled by anna\n");
    world_do(&w, 900, ORDER_RESET, "a");
    assert_true(rules_changed(w.rules, &changed));
    rules_on_time(w.rules, 1899);
    world_expect(&w, "900 a pending>ok 1\n900 a ok>pending 1\n"); /* its time began anew */
    rules_on_time(w.rules, 1900);
    world_expect(&w, "1900 a pending>firing 1 | m\n");
    assert_true(rules_status(w.rules, 0).disabled);
    world_close(&w);
}

static void a_reset_that_the_other_limit_leaves_no_room_for_is_refused(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "room_limits: { low = 2; high = 8; adjustable = true }");
    world_set_limit(&w, 0, "high@room.temp", "high", 20);
    world_set_limit(&w, 0, "low@room.temp", "low", 10);
    w.length = 0;
    struct rules_order reset = {.kind = ORDER_RESET, .target = "high@room.temp"};
    world_refuses_order(&w, 0, reset, -ERANGE,
                        "high@room.temp: high 8 leaves no room: low is 10, and more than 0 must be "
                        "between");
    world_do(&w, 0, ORDER_RESET, "low@room.temp");
    world_do(&w, 0, ORDER_RESET, "high@room.temp");
    assert_true(rules_limit(w.rules, 1, 0).value == 8);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alarm_is_acknowledged_once),
        cmocka_unit_test(the_next_firing_is_not_acknowledged),
        cmocka_unit_test(a_mute_ends_by_itself_at_its_exact_instant),
        cmocka_unit_test(a_mute_without_an_end_is_two_hours),
        cmocka_unit_test(a_mute_that_cannot_be_is_refused),
        cmocka_unit_test(a_second_mute_replaces_the_first),
        cmocka_unit_test(what_is_so_already_is_refused),
        cmocka_unit_test(an_unknown_rule_is_refused),
        cmocka_unit_test(a_bare_name_means_all_instances),
        cmocka_unit_test(an_order_comes_after_what_was_due_before_it),
        cmocka_unit_test(what_a_person_says_goes_to_the_event),
        cmocka_unit_test(a_limit_is_set_and_judged_at_once),
        cmocka_unit_test(limits_belong_to_instances),
        cmocka_unit_test(limits_that_cannot_be_are_refused),
        cmocka_unit_test(a_fixed_limit_is_refused),
        cmocka_unit_test(a_reset_ends_what_is_latched_and_takes_limits_back),
        cmocka_unit_test(after_a_reset_it_is_judged_anew_and_rests_as_before),
        cmocka_unit_test(a_reset_that_the_other_limit_leaves_no_room_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
