#include "tests/unit/rules_world.h"

#define RULE(keys) "rules: { a: { sensor = \"room.temp\"; above = 1;\n" keys "\n} }"

/* Refused when the section is held against the table, before anything is compiled. */
static void refused(const char *config)
{
    struct world w;
    assert_int_equal(world_open(&w, config), -EINVAL);
    assert_int_equal(problems_errors(w.problems), 1);
    assert_null(w.rules);
    world_close(&w);
}

static void unknown_keys_are_refused(void **state)
{
    (void)state;
    refused(RULE("abov = 1"));
    refused("room_limits: { high = 1; above = 1 }");
    refused(RULE("on_fire = ({ log = \"x\"; topic = \"x\" })"));
}

static void words_outside_of_the_choices_are_refused(void **state)
{
    (void)state;
    refused(RULE("severity = \"bad\""));
    refused(RULE("if_unknown = \"fire\""));
}

static void numbers_and_times_out_of_range_are_refused(void **state)
{
    (void)state;
    refused(RULE("for = \"2000d\""));
    refused(RULE("keep_for = \"soon\""));
    refused(RULE("on_fire = ({ publish = \"x\"; payload = \"\"; qos = 3 })"));
}

static void wrong_forms_are_refused(void **state)
{
    (void)state;
    refused("rules: { a: { sensor = 3; above = 1 } }");
    refused("rules: { a: { sensor = \"room.temp\"; outside = 5 } }");
    refused("rules: { a: { sensor = \"room.temp\"; above = true } }");
    refused(RULE("notify = 3"));
}

static void every_setting_has_its_help(void **state)
{
    (void)state;
    const struct setting *const tables[] = {rules_settings, rules_limits_settings};
    for (size_t i = 0; i < 2; i++)
        for (const struct setting *setting = tables[i]; setting->key; setting++)
            assert_non_null(setting->help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys_are_refused),
        cmocka_unit_test(words_outside_of_the_choices_are_refused),
        cmocka_unit_test(numbers_and_times_out_of_range_are_refused),
        cmocka_unit_test(wrong_forms_are_refused),
        cmocka_unit_test(every_setting_has_its_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
