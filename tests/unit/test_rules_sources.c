#include "tests/unit/rules_world.h"

/* Of the rule of that name, as letters: t, s, d, h, l for the sensors of the world. */
static void expect_sources(const char *config, const char *id, const char *letters)
{
    struct world world;
    bool sensors[N_SENSORS] = {false};
    char found[N_SENSORS + 1] = "";
    size_t length = 0;
    assert_int_equal(world_open(&world, config), 0);
    uint32_t instance = rules_find(world.rules, id);
    assert_int_not_equal(instance, RULES_NO_INSTANCE);
    assert_int_equal(rules_sources(world.rules, instance, sensors), 0);
    for (size_t i = 0; i < N_SENSORS; i++)
        if (sensors[i])
            found[length++] = "tsdhl"[i];
    assert_string_equal(found, letters);
    world_close(&world);
}

static void a_rule_depends_on_what_it_reads(void **state)
{
    (void)state;
    expect_sources("rules: { a: { when = \"avg(room.temp, 10m) > room.setpoint\" } }", "a", "ts");
    expect_sources("rules: { a: { when = \"sum_of(\\\"*.temp\\\") > 3\" } }", "a", "th");
    expect_sources("rules: { a: { sensors = \"*.temp\"; above = 3 } }", "a@hall.temp", "h");
}

static void and_on_what_the_rules_read_that_it_asks(void **state)
{
    static const char config[] = "rules: { a: { when = \"firing(b) and pump.load > 1\" }\n"
                                 "b: { sensor = \"room.temp\"; above = 3; inhibited_by = \"c\" }\n"
                                 "c: { sensors = \"hall.*\"; above = 1 } }";
    (void)state;
    expect_sources(config, "a", "thl");
    expect_sources(config, "b", "th");
    expect_sources(config, "c@hall.temp", "h");
}

static void what_was_marked_before_stays(void **state)
{
    struct world world;
    bool sensors[N_SENSORS] = {[DOOR] = true};
    (void)state;
    assert_int_equal(world_open(&world, "rules: { a: { sensor = \"room.temp\"; above = 3 } }"), 0);
    assert_int_equal(rules_sources(world.rules, 0, sensors), 0);
    assert_true(sensors[DOOR]);
    assert_true(sensors[TEMP]);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_depends_on_what_it_reads),
        cmocka_unit_test(and_on_what_the_rules_read_that_it_asks),
        cmocka_unit_test(what_was_marked_before_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
