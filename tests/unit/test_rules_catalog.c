#include "tests/unit/rules_world.h"

static void an_unknown_sensor_is_refused_with_its_place(void **state)
{
    (void)state;
    world_refuses("rules: { a: {\n  sensor = \"rom.temp\"; above = 1 } }", 1,
                  "t.cfg:2:12: error: rule \"a\": unknown sensor \"rom.temp\"");
}

static void the_nearest_sensor_is_suggested(void **state)
{
    (void)state;
    struct world w;
    char *text = NULL;
    size_t size;
    world_open(&w, "rules: { a: { sensor = \"rom.temp\"; above = 1 } }");
    FILE *to = open_memstream(&text, &size);
    problems_print(w.problems, to);
    fclose(to);
    assert_non_null(strstr(text, "did you mean \"room.temp\"?"));
    free(text);
    world_close(&w);
}

static void all_errors_are_told_at_once(void **state)
{
    (void)state;
    world_refuses("rules: { a: { sensor = \"x.y\"; above = 1 }\n"
                  "b: { sensor = \"room.temp\"; below = \"x.y\"; message = \"{x}\" }\n"
                  "c: { sensor = \"room.temp\" } }\n"
                  "room_limits: { }",
                  5, "t.cfg:1:24: error: rule \"a\": unknown sensor \"x.y\"");
}

static void a_rule_needs_one_of_sensor_and_sensors(void **state)
{
    (void)state;
    world_refuses("rules: { a: { above = 1 } }", 1,
                  "t.cfg:1:10: error: rule \"a\": it names no sensor");
    world_refuses("rules: { a: { sensor = \"room.temp\"; sensors = \"*\"; above = 1 } }", 1,
                  "t.cfg:1:10: error: rule \"a\": it has both sensor and sensors");
}

static void a_pattern_in_sensor_is_told(void **state)
{
    (void)state;
    world_refuses("rules: { a: { sensor = \"*.temp\"; above = 1 } }", 1,
                  "t.cfg:1:24: error: rule \"a\": \"*.temp\" is no sensor but a pattern");
}

static void the_names_of_limits_are_reserved(void **state)
{
    (void)state;
    world_refuses("rules: { high: { sensor = \"room.temp\"; above = 1 } }", 1,
                  "t.cfg:1:10: error: rule \"high\": the name belongs to the limits of sensors");
}

static void a_pattern_that_matches_nothing_is_a_warning(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, "rules: { a: { sensors = \"*.tmp\"; above = 1 } }"), 0);
    assert_int_equal(problems_warnings(w.problems), 1);
    assert_int_equal(rules_count(w.rules), 0);
    world_close(&w);
}

static void a_pattern_over_texts_and_numbers_is_refused(void **state)
{
    (void)state;
    world_refuses(
        "rules: { a: { sensors = \"*\"; equals = 1 } }", 1,
        "t.cfg:1:25: error: rule \"a\": \"room.temp\" gives numbers, \"door.event\" gives "
        "texts");
}

static void limits_need_low_or_high(void **state)
{
    (void)state;
    world_refuses("room_limits: { hysteresis = 1 }", 1,
                  "t.cfg:1:1: error: limits of \"room.temp\": there is neither low nor high");
}

static void limits_are_refused_once_when_both_have_the_error(void **state)
{
    (void)state;
    world_refuses("room_limits: { low = 1; high = 5; message = \"{x}\" }", 1,
                  "t.cfg:1:46: error: limits of \"room.temp\": unknown placeholder \"{x}\"");
}

static void low_must_be_less_than_high(void **state)
{
    (void)state;
    world_refuses("room_limits: { low = 5; high = 5.0 }", 1,
                  "t.cfg:1:22: error: limits of \"room.temp\": low must be less than high");
    world_refuses(
        "room_limits: { low = 5; high = 6; hysteresis = 1 }", 1,
        "t.cfg:1:48: error: limits of \"room.temp\": hysteresis reaches from one limit to "
        "the other");
}

static void limits_may_be_other_sensors(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(
        world_open(&w, "room_limits: { low = \"hall.temp\"; high = \"room.setpoint\" }"), 0);
    assert_string_equal(rules_info(w.rules, 0).summary, "room.temp below hall.temp");
    world_close(&w);
}

/* 63 windows and the sensor of the rule are all that an instance may read. */
static void levels_may_read_no_more_than_one_expression_could(void **state)
{
    (void)state;
    char config[4000];
    size_t length = 0;
    text_append(config, sizeof config, &length,
                "rules: { a: { sensor = \"room.temp\"; levels = ( { severity = \"info\"; "
                "when = \"value");
    for (int i = 1; i <= 63; i++)
        text_append(config, sizeof config, &length, " + avg(value, %ds)", i);
    text_append(config, sizeof config, &length,
                " > 9\" },\n{ severity = \"warning\"; above = \"hall.temp\" } ) } }");
    world_refuses(config, 1,
                  "t.cfg:2:33: error: rule \"a\": all levels together read too many sensors "
                  "and windows");
}

static void ten_thousand_rules_are_compiled(void **state)
{
    (void)state;
    struct world w;
    size_t size = 2000000, length = 0;
    char *config = malloc(size);
    text_append(config, size, &length, "rules: {");
    for (int i = 0; i < 10000; i++)
        text_append(config, size, &length, " r%d: { sensor = \"room.temp\"; above = %d }\n", i, i);
    text_append(config, size, &length, "}");
    assert_int_equal(world_open(&w, config), 0);
    assert_int_equal(rules_count(w.rules), 10000);
    world_poll(&w, 0, TEMP, 5000.5);
    assert_int_equal(rules_status(w.rules, 5000).to, RULE_FIRING);
    assert_int_equal(rules_status(w.rules, 5001).to, RULE_OK);
    world_close(&w);
    free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_sensor_is_refused_with_its_place),
        cmocka_unit_test(the_nearest_sensor_is_suggested),
        cmocka_unit_test(all_errors_are_told_at_once),
        cmocka_unit_test(a_rule_needs_one_of_sensor_and_sensors),
        cmocka_unit_test(a_pattern_in_sensor_is_told),
        cmocka_unit_test(the_names_of_limits_are_reserved),
        cmocka_unit_test(a_pattern_that_matches_nothing_is_a_warning),
        cmocka_unit_test(a_pattern_over_texts_and_numbers_is_refused),
        cmocka_unit_test(limits_need_low_or_high),
        cmocka_unit_test(limits_are_refused_once_when_both_have_the_error),
        cmocka_unit_test(low_must_be_less_than_high),
        cmocka_unit_test(limits_may_be_other_sensors),
        cmocka_unit_test(levels_may_read_no_more_than_one_expression_could),
        cmocka_unit_test(ten_thousand_rules_are_compiled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
