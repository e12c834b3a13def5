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

static void the_own_default_text_may_hold_what_people_may_not_write(void **state)
{
    (void)state;
    world_refuses(RULE("message = \"{#1}\""), 1,
                  "t.cfg:2:12: error: rule \"a\": unknown placeholder \"{#1}\"");
}

static void names_of_notifiers_are_checked_where_they_are_known(void **state)
{
    (void)state;
    world_has_names = true;
    world_refuses(RULE("notify = [ \"phone\", \"fone\" ]"), 1,
                  "t.cfg:2:21: error: unknown notifier \"fone\"");
    world_has_names = false;
    struct world w;
    assert_int_equal(world_open(&w, RULE("notify = \"anything\"")), 0);
    world_close(&w);
}

static void an_unknown_notifier_of_the_defaults_is_told_once(void **state)
{
    (void)state;
    world_has_names = true;
    world_refuses("defaults: { notify = \"fone\" }\n"
                  "rules: { a: { sensor = \"room.temp\"; above = 1 }\n"
                  "         b: { sensor = \"room.temp\"; above = 2 } }",
                  1, "t.cfg:1:22: error: unknown notifier \"fone\"");
    world_has_names = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_placeholder_is_refused_where_it_stands),
        cmocka_unit_test(every_text_of_a_rule_is_checked),
        cmocka_unit_test(the_own_default_text_may_hold_what_people_may_not_write),
        cmocka_unit_test(names_of_notifiers_are_checked_where_they_are_known),
        cmocka_unit_test(an_unknown_notifier_of_the_defaults_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
