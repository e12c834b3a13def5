/* Expressions beside the rules, as tests ask them. */
#include "rules/formula.h"

#include "tests/unit/rules_world.h"

/* The value of `text` at 20 s, after two readings of room.temp and one of the door. */
static struct rules_value ask(const char *text)
{
    static struct world world;
    char config[300];
    snprintf(config, sizeof config, "probes: { p = \"%s\" }", text);
    assert_int_equal(world_open(&world, config), 0);
    world_poll(&world, 0, TEMP, 20);
    world_poll(&world, 10000, TEMP, 23);
    world_poll_text(&world, 10000, DOOR, "open");
    struct rules_value value = rules_probe(world.rules, 0, 20000);
    if (value.kind == RULES_TEXT) /* it lives no longer than the world */
        assert_string_equal(value.text, "open");
    world_close(&world);
    return value;
}

static void a_formula_gives_a_number_a_condition_or_a_text(void **state)
{
    (void)state;
    struct rules_value number = ask("prev(room.temp) + 1");
    assert_int_equal(number.kind, RULES_NUMBER);
    assert_true(number.number == 21);
    assert_int_equal(ask("room.temp > 20").kind, RULES_CONDITION);
    assert_true(ask("room.temp > 20").is);
    assert_int_equal(ask("door.event").kind, RULES_TEXT);
}

static void what_is_not_known_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(ask("hall.temp + 1").kind, RULES_UNKNOWN);
}

static void what_is_wrong_is_told_at_the_byte(void **state)
{
    (void)state;
    world_refuses("probes: { p = \"1 + room.tmp\" }", 1,
                  "t.cfg:1:20: error: expression: unknown sensor \"room.tmp\"");
    world_refuses("probes: { p = \"value\" }", 1,
                  "t.cfg:1:16: error: expression: value is the own sensor's, and this rule has no "
                  "sensor of its own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_formula_gives_a_number_a_condition_or_a_text),
        cmocka_unit_test(what_is_not_known_is_unknown),
        cmocka_unit_test(what_is_wrong_is_told_at_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
