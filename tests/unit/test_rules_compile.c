#include "tests/unit/rules_world.h"

#define RULE(keys) "rules: { a: { sensor = \"room.temp\"; above = 1;\n" keys "\n} }"

static void an_unknown_placeholder_is_refused_where_it_stands(void **state)
{
    (void)state;
    world_refuses(RULE("message = \"now {value} of {lable}\""), 1,
                  "t.cfg:2:27: error: rule \"a\": unknown placeholder \"{lable}\"");
    world_refuses(RULE("on_clear = ({ log = \"{room.tmp}\" })"), 1,
                  "t.cfg:2:22: error: rule \"a\": unknown placeholder \"{room.tmp}\"");
}

static void every_text_of_a_rule_is_checked(void **state)
{
    (void)state;
    world_refuses(RULE("message = \"{\"; clear_message = \"{\"; on_fire = ({ publish = \"#\"; "
                       "payload = \"{\" })"),
                  4, "t.cfg:2:12: error: rule \"a\": \"{\" without \"}\"");
}

static void an_action_is_either_publish_or_log(void **state)
{
    (void)state;
    world_refuses(RULE("on_fire = ({ })"), 1,
                  "t.cfg:2:12: error: rule \"a\": an action is either publish or log");
    world_refuses(RULE("on_fire = ({ publish = \"x\"; payload = \"\"; log = \"x\" })"), 1,
                  "t.cfg:2:12: error: rule \"a\": an action is either publish or log");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_placeholder_is_refused_where_it_stands),
        cmocka_unit_test(every_text_of_a_rule_is_checked),
        cmocka_unit_test(an_action_is_either_publish_or_log),
        cmocka_unit_test(a_publish_needs_its_payload),
        cmocka_unit_test(a_log_has_no_options_of_publish),
        cmocka_unit_test(quality_of_service_is_one_by_default),
        cmocka_unit_test(a_single_action_may_stand_without_its_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
