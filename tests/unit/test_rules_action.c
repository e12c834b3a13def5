#include "tests/unit/rules_world.h"

#define RULE(keys) "rules: { a: { sensor = \"room.temp\"; above = 1;\n" keys "\n} }"

static void an_action_does_one_thing(void **state)
{
    (void)state;
    world_refuses(
        RULE("on_fire = ({ })"), 1,
        "t.cfg:2:12: error: rule \"a\": an action is one of publish, write, notify, run, log");
    world_refuses(
        RULE("on_fire = ({ publish = \"x\"; payload = \"\"; log = \"x\" })"), 1,
        "t.cfg:2:12: error: rule \"a\": an action is one of publish, write, notify, run, log");
}

static void a_publish_needs_its_payload(void **state)
{
    (void)state;
    world_refuses(RULE("on_fire = ({ publish = \"x\" })"), 1,
                  "t.cfg:2:12: error: rule \"a\": publish needs a payload");
}

static void a_log_has_no_options_of_publish(void **state)
{
    (void)state;
    world_refuses(RULE("on_fire = ({ log = \"x\"; retain = true })"), 1,
                  "t.cfg:2:12: error: rule \"a\": payload, qos and retain belong to publish");
}

static void quality_of_service_is_one_by_default(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, RULE("on_fire = ({ publish = \"x\"; payload = \"y\" });"
                                         "message = \"m\"")),
                     0);
    world_poll(&w, 0, TEMP, 2);
    world_expect(&w, "0 a ok>firing 1 | m\npublish x y 1 0\n");
    world_close(&w);
}

static void a_single_action_may_stand_without_its_list(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, RULE("on_fire = { log = \"x\" }; message = \"m\"")), 0);
    world_poll(&w, 0, TEMP, 2);
    world_expect(&w, "0 a ok>firing 1 | m\nlog x\n");
    world_close(&w);
}

static void a_write_gives_its_number(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, RULE("on_fire = ({ write = \"room.setpoint\"; value = 18.5 },"
                                         "{ write = \"room.setpoint\"; value = true },"
                                         "{ write = \"door.event\"; value = \"open {rule}\" },"
                                         "{ write = \"door.event\"; value = \"\" });"
                                         "message = \"m\"")),
                     0);
    world_poll(&w, 0, TEMP, 2);
    world_expect(&w, "0 a ok>firing 1 | m\nwrite room.setpoint 18.5\nwrite room.setpoint 1\n"
                     "write door.event open a\nwrite door.event \n");
    world_close(&w);
}

static void a_write_goes_to_what_is_there_and_writable(void **state)
{
    (void)state;
    world_refuses(RULE("on_fire = ({ write = \"room.setpont\"; value = 1 })"), 1,
                  "t.cfg:2:22: error: rule \"a\": unknown sensor \"room.setpont\"");
    world_refuses(RULE("on_fire = ({ write = \"hall.temp\"; value = 1 })"), 1,
                  "t.cfg:2:22: error: rule \"a\": this sensor is not writable");
}

static void a_write_has_a_value_of_the_sensors_kind(void **state)
{
    (void)state;
    world_refuses(RULE("on_fire = ({ write = \"room.setpoint\" })"), 1,
                  "t.cfg:2:12: error: rule \"a\": write needs a value");
    world_refuses(RULE("on_fire = ({ write = \"room.setpoint\"; value = \"high\" })"), 1,
                  "t.cfg:2:48: error: rule \"a\": \"high\" alone means nothing");
    world_refuses(RULE("on_fire = ({ write = \"door.event\"; value = 1 })"), 1,
                  "t.cfg:2:44: error: rule \"a\": this sensor takes a text");
    world_refuses(RULE("on_fire = ({ write = \"door.event\"; value = \"0123456789012345678901234567"
                       "890123456789012345678901234567890123\" })"),
                  1, "t.cfg:2:44: error: rule \"a\": the text is too long for a sensor");
}

static void a_value_belongs_to_write(void **state)
{
    (void)state;
    world_refuses(RULE("on_fire = ({ log = \"x\"; value = 1 })"), 1,
                  "t.cfg:2:12: error: rule \"a\": value belongs to write");
}

static void notify_and_run_get_the_message(void **state)
{
    (void)state;
    struct world w;
    world_has_names = true;
    assert_int_equal(world_open(&w, RULE("on_fire = ({ notify = \"phone\" }, { run = \"siren\" });"
                                         "on_clear = ({ notify = \"siren\" });"
                                         "message = \"m {value}\"; clear_message = \"c\"")),
                     0);
    world_has_names = false;
    world_poll(&w, 0, TEMP, 2);
    world_expect(&w, "0 a ok>firing 1 | m 2.0\nnotify phone: m 2.0\nrun siren: m 2.0\n");
    world_poll(&w, 1, TEMP, 0);
    world_expect(&w, "1 a firing>ok 1 | c\nnotify siren: c\n");
    world_close(&w);
}

static void names_of_notifiers_and_hooks_are_checked(void **state)
{
    (void)state;
    world_has_names = true;
    world_refuses(RULE("on_fire = ({ notify = \"phon\" })"), 1,
                  "t.cfg:2:23: error: unknown notifier \"phon\"");
    world_refuses(RULE("on_clear = ({ run = \"sirn\" })"), 1,
                  "t.cfg:2:21: error: unknown hook \"sirn\"");
    world_has_names = false;
}

static void on_change_acts_after_both_others(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(
        world_open(&w, RULE("on_fire = ({ log = \"f\" }); on_clear = ({ log = \"c\" });"
                            "on_change = ({ log = \"{state}\" });"
                            "message = \"m\"; clear_message = \"c\"; keep_for = \"1s\"")),
        0);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    world_poll(&w, 2000, TEMP, 0);
    world_expect(&w, "0 a ok>firing 1 | m\nlog f\nlog firing\n"
                     "1000 a firing>recovering 1\n"
                     "2000 a recovering>ok 1 | c\nlog c\nlog ok\n");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_does_one_thing),
        cmocka_unit_test(a_publish_needs_its_payload),
        cmocka_unit_test(a_log_has_no_options_of_publish),
        cmocka_unit_test(quality_of_service_is_one_by_default),
        cmocka_unit_test(a_single_action_may_stand_without_its_list),
        cmocka_unit_test(a_write_gives_its_number),
        cmocka_unit_test(a_write_goes_to_what_is_there_and_writable),
        cmocka_unit_test(a_write_has_a_value_of_the_sensors_kind),
        cmocka_unit_test(a_value_belongs_to_write),
        cmocka_unit_test(notify_and_run_get_the_message),
        cmocka_unit_test(names_of_notifiers_and_hooks_are_checked),
        cmocka_unit_test(on_change_acts_after_both_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
