#include "tests/unit/rules_world.h"

#include "rules/compile.h"

#define BASE "sensor = \"room.temp\"; above = 25; for = \"1m\""

static uint64_t print_of(const char *keys)
{
    struct world w;
    char config[500];
    snprintf(config, sizeof config, "rules: { a: { %s } }", keys);
    assert_int_equal(world_open(&w, config), 0);
    uint64_t print = compile_print(section_child(world_child(&w, "rules"), "a"), NULL);
    world_close(&w);
    return print;
}

static void what_decides_makes_another_print(void **state)
{
    (void)state;
    static const char *const others[] = {
        "sensor = \"hall.temp\"; above = 25; for = \"1m\"",
        "sensors = \"room.temp\"; above = 25; for = \"1m\"",
        "sensor = \"room.temp\"; above = 26; for = \"1m\"",
        "sensor = \"room.temp\"; below = 25; for = \"1m\"",
        "sensor = \"room.temp\"; above = \"room.setpoint\"; for = \"1m\"",
        "sensor = \"room.temp\"; above = 25",
        BASE "; hysteresis = 1",
        BASE "; keep_for = \"1s\"",
        BASE "; if_unknown = \"ok\"",
        BASE "; clear_below = 20",
        BASE "; inside = (1, 30)",
        BASE "; inside = (1, 31)",
        BASE "; equals = 1",
        BASE "; not_equals = 1",
    };
    uint64_t prints[sizeof others / sizeof others[0]];
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        prints[i] = print_of(others[i]);
        assert_true(prints[i] != print_of(BASE));
        for (size_t j = 0; j < i; j++)
            assert_true(prints[i] != prints[j]);
    }
}

static void what_only_tells_does_not(void **state)
{
    (void)state;
    static const char *const same[] = {
        BASE,
        "for = \"1m\"; above = 25.0; sensor = \"room.temp\"",
        BASE "; label = \"x\"; severity = \"critical\"; message = \"m\"; clear_message = \"c\"",
        BASE "; notify = [ \"a\", \"b\" ]; blind = \"quiet\"; ack = true; adjustable = true",
        BASE "; on_fire = ({ log = \"x\" }); on_clear = ({ log = \"x\" })",
        BASE "; on_change = ({ log = \"x\" }); on_nodata = { log = \"x\" }",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(print_of(same[i]) == print_of(BASE));
}

static void the_other_limit_of_a_sensor_is_no_part_of_it(void **state)
{
    (void)state;
    uint64_t prints[2];
    const char *const limits[] = {"room_limits: { low = 1; high = 9; for = \"1s\" }",
                                  "room_limits: { high = 8; for = \"1s\"; low = 1 }"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        assert_int_equal(world_open(&w, limits[i]), 0);
        prints[i] = compile_print(world_child(&w, "room_limits"), "high");
        assert_true(prints[i] != compile_print(world_child(&w, "room_limits"), "low"));
        world_close(&w);
    }
    assert_true(prints[0] == prints[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_decides_makes_another_print),
        cmocka_unit_test(what_only_tells_does_not),
        cmocka_unit_test(the_other_limit_of_a_sensor_is_no_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
