#include "tests/unit/rules_world.h"

static void expect(const char *keys, const char *summary, const char *message)
{
    struct world w;
    char config[400], line[400];
    snprintf(config, sizeof config, "rules: { a: { sensor = \"room.temp\"; %s } }", keys);
    assert_int_equal(world_open(&w, config), 0);
    assert_string_equal(rules_info(w.rules, 0).summary, summary);
    struct reading both[] = {world_number(0, SETPOINT, 3), world_number(0, TEMP, 5)};
    rules_on_poll(w.rules, both, 2, 0);
    snprintf(line, sizeof line, " | %s\n", message);
    w.log[w.length] = '\0';
    assert_non_null(strstr(w.log, line));
    world_close(&w);
}

static void every_key_has_its_words(void **state)
{
    (void)state;
    expect("above = 4", "room.temp above 4", "Room temp 5.0 C, above 4 C since 00:00");
    expect("below = 6.5", "room.temp below 6.5", "Room temp 5.0 C, below 6.5 C since 00:00");
    expect("outside = (6, 7)", "room.temp outside 6 to 7",
           "Room temp 5.0 C, outside 6 to 7 C since 00:00");
    expect("inside = (4, 7)", "room.temp inside 4 to 7",
           "Room temp 5.0 C, inside 4 to 7 C since 00:00");
    expect("equals = 5", "room.temp at 5", "Room temp 5.0 C, at 5 C since 00:00");
    expect("not_equals = 4", "room.temp not at 4", "Room temp 5.0 C, not at 4 C since 00:00");
    expect("above = 4; below = 6", "room.temp above 4 and below 6",
           "Room temp 5.0 C, above 4 C and below 6 C since 00:00");
}

static void a_sensor_as_limit_is_named_and_told_with_its_value(void **state)
{
    (void)state;
    expect("above = \"room.setpoint\"", "room.temp above room.setpoint",
           "Room temp 5.0 C, above 3 C since 00:00");
}

static void an_adjustable_limit_is_told_as_it_is(void **state)
{
    (void)state;
    expect("outside = (6, 7); adjustable = true", "room.temp outside 6 to 7",
           "Room temp 5.0 C, outside 6 to 7 C since 00:00");
}

static void limits_of_a_sensor_are_named_after_it(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, "room_limits: { low = 1; high = 9 }"
                                    "rules: { a: { sensors = \"room.temp\"; above = 1 }"
                                    "b: { sensors = \"room.temp\"; above = 1; label = \"Bee\" } }"),
                     0);
    assert_string_equal(rules_info(w.rules, 0).label, "a@room.temp");
    assert_string_equal(rules_info(w.rules, 1).label, "Bee");
    assert_string_equal(rules_info(w.rules, 2).label, "Room temp low");
    assert_string_equal(rules_info(w.rules, 3).label, "Room temp high");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_its_words),
        cmocka_unit_test(a_sensor_as_limit_is_named_and_told_with_its_value),
        cmocka_unit_test(an_adjustable_limit_is_told_as_it_is),
        cmocka_unit_test(limits_of_a_sensor_are_named_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
