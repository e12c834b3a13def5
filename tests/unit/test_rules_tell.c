#include "tests/unit/rules_order_world.h"

/* Notifies, publishes, and does one of what never rests. */
#define RULE                                                                                       \
    "rules: { a: { sensor = \"room.temp\"; above = 1; notify = \"phone\";"                         \
    " message = \"hot {value}\"; clear_message = \"cool after {duration}\";"                       \
    " on_fire = ({ publish = \"t\"; payload = \"ON\" }, { log = \"f\" });"                         \
    " on_clear = ({ publish = \"t\"; payload = \"OFF\" }, { write = \"room.setpoint\"; value = 1 " \
    "}) } }"

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

static void what_happens_is_told_to_everyone_in_order(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 2);
    world_expect(&w, "0 a ok>firing 1 | hot 2.0\nnotify phone: hot 2.0\npublish t ON 1 0\nlog f\n");
    world_poll(&w, 1000, TEMP, 0);
    world_expect(&w, "1000 a firing>ok 1 | cool after 1s\nnotify phone: cool after 1s\n"
                     "publish t OFF 1 0\nwrite room.setpoint 1\n");
    world_close(&w);
}

static void a_firing_in_a_rest_is_told_when_the_rest_ends(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    struct rules_order mute = {.kind = ORDER_MUTE, .target = "a", .until_ms = 60000};
    world_order(&w, 0, mute, NULL);
    world_poll(&w, 1000, TEMP, 2);
    world_poll(&w, 40000, TEMP, 3);
    world_expect(&w, "0 a muted by anna\n1000 a ok>firing 1 | hot 2.0\nlog f\n");
    rules_on_time(w.rules, 60000);
    world_expect(&w, "60000 a unmuted (its time is over)\nnotify phone: hot 3.0\n"
                     "publish t ON 1 0\n");
    world_poll(&w, 61000, TEMP, 0);
    world_expect(&w, "61000 a firing>ok 1 | cool after 1m\nnotify phone: cool after 1m\n"
                     "publish t OFF 1 0\nwrite room.setpoint 1\n");
    world_close(&w);
}

static void an_alarm_that_came_and_went_in_a_rest_is_never_told(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_do(&w, 0, ORDER_DISABLE, "a");
    world_poll(&w, 1, TEMP, 2);
    world_poll(&w, 2, TEMP, 0);
    world_expect(&w, "0 a disabled by anna\n1 a ok>firing 1 | hot 2.0\nlog f\n"
                     "2 a firing>ok 1 | cool after 1ms\nwrite room.setpoint 1\n");
    world_do(&w, 3, ORDER_ENABLE, "a");
    world_expect(&w, "3 a enabled by anna\n");
    world_close(&w);
}

static void a_clear_in_a_rest_is_told_later_when_the_firing_was(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 1000, ORDER_MUTE, "a");
    w.length = 0;
    world_poll(&w, 5000, TEMP, 0);
    world_expect(&w, "5000 a firing>ok 1 | cool after 5s\nwrite room.setpoint 1\n");
    world_do(&w, 9000, ORDER_UNMUTE, "a");
    world_expect(&w, "9000 a unmuted by anna\nnotify phone: cool after 5s\npublish t OFF 1 0\n");
    world_close(&w);
}

static void a_second_firing_in_a_rest_is_told_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 1, ORDER_MUTE, "a");
    world_poll(&w, 2, TEMP, 0);
    world_poll(&w, 3, TEMP, 5);
    w.length = 0;
    world_do(&w, 4, ORDER_UNMUTE, "a");
    world_expect(&w, "4 a unmuted by anna\nnotify phone: hot 5.0\npublish t ON 1 0\n");
    world_do(&w, 5, ORDER_MUTE, "a");
    world_do(&w, 6, ORDER_UNMUTE, "a");
    world_expect(&w, "5 a muted by anna\n6 a unmuted by anna\n");
    world_close(&w);
}

static void it_rests_until_the_last_reason_is_gone(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_do(&w, 0, ORDER_MUTE, "a");
    world_do(&w, 0, ORDER_DISABLE, "a");
    world_poll(&w, 1, TEMP, 2);
    w.length = 0;
    world_do(&w, 2, ORDER_UNMUTE, "a");
    world_expect(&w, "2 a unmuted by anna\n");
    world_do(&w, 3, ORDER_ENABLE, "a");
    world_expect(&w, "3 a enabled by anna\nnotify phone: hot 2.0\npublish t ON 1 0\n");
    world_close(&w);
}

static void blindness_in_a_rest_is_told_when_the_rest_ends(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 0);
    world_do(&w, 0, ORDER_DISABLE, "a");
    rules_on_time(w.rules, 60000);
    world_expect(&w, "0 a disabled by anna\n"
                     "60000 a blind | a is blind: room.temp stale since 00:00\n");
    world_do(&w, 61000, ORDER_ENABLE, "a");
    world_expect(&w, "61000 a enabled by anna\n"
                     "notify phone: a is blind: room.temp stale since 00:00\n");
    world_do(&w, 62000, ORDER_DISABLE, "a");
    world_poll(&w, 63000, TEMP, 0);
    world_expect(&w, "62000 a disabled by anna\n63000 a seeing | a sees again: room.temp 0.0 C\n");
    world_do(&w, 64000, ORDER_ENABLE, "a");
    world_expect(&w, "64000 a enabled by anna\nnotify phone: a sees again: room.temp 0.0 C\n");
    world_close(&w);
}

static void blindness_that_came_and_went_in_a_rest_is_never_told(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE);
    world_poll(&w, 0, TEMP, 0);
    world_do(&w, 0, ORDER_DISABLE, "a");
    rules_on_time(w.rules, 60000);
    world_poll(&w, 63000, TEMP, 0);
    w.length = 0;
    world_do(&w, 64000, ORDER_ENABLE, "a");
    world_expect(&w, "64000 a enabled by anna\n");
    world_close(&w);
}

static void what_changed_is_to_be_saved_once(void **state)
{
    (void)state;
    struct world w;
    uint32_t instance;
    open_world(&w, "rules: { a: { sensors = \"*.temp\"; above = 1; keep_for = \"1s\" } }");
    assert_false(rules_changed(w.rules, &instance));
    world_poll(&w, 0, HALL, 2);
    world_poll(&w, 1, HALL, 0);
    world_poll(&w, 2, HALL, 2);
    assert_true(rules_changed(w.rules, &instance));
    assert_int_equal(instance, 1);
    assert_false(rules_changed(w.rules, &instance));
    world_poll(&w, 3, HALL, 3);
    assert_false(rules_changed(w.rules, &instance));
    world_do(&w, 4, ORDER_ACK, "a@hall.temp");
    assert_true(rules_changed(w.rules, &instance));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happens_is_told_to_everyone_in_order),
        cmocka_unit_test(a_firing_in_a_rest_is_told_when_the_rest_ends),
        cmocka_unit_test(an_alarm_that_came_and_went_in_a_rest_is_never_told),
        cmocka_unit_test(a_clear_in_a_rest_is_told_later_when_the_firing_was),
        cmocka_unit_test(a_second_firing_in_a_rest_is_told_once),
        cmocka_unit_test(it_rests_until_the_last_reason_is_gone),
        cmocka_unit_test(blindness_in_a_rest_is_told_when_the_rest_ends),
        cmocka_unit_test(blindness_that_came_and_went_in_a_rest_is_never_told),
        cmocka_unit_test(what_changed_is_to_be_saved_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
