#include "tests/unit/rules_world.h"

/* All parts of the first instance at `now_ms`, as "what=value" lines. */
static void expect_parts(struct world *world, int64_t now_ms, const char *lines)
{
    struct rules_part parts[RULES_PARTS_MAX];
    char got[1000] = "";
    size_t n = rules_explain(world->rules, 0, now_ms, parts, RULES_PARTS_MAX), length = 0;
    for (size_t i = 0; i < n; i++)
        text_append(got, sizeof got, &length, "%s=%s\n", parts[i].what, parts[i].value);
    assert_string_equal(got, lines);
}

static void open_world(struct world *world, const char *rule)
{
    char config[500];
    snprintf(config, sizeof config,
             "rules: { a: { %s }; b: { sensor = \"pump.load\"; above = 1 } }", rule);
    assert_int_equal(world_open(world, config), 0);
}

static void each_part_is_told_with_what_it_is(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "when = \"avg(room.temp, #2) > 20 and door.event == \\\"open\\\" and "
                       "not firing(b) and hall.temp > 1 and max_of(\\\"*.temp\\\") > 2\"");
    world_poll(&world, 0, TEMP, 20);
    world_poll(&world, 10000, TEMP, 23);
    world_poll_text(&world, 10000, DOOR, "shut");
    expect_parts(&world, 10000,
                 "avg(room.temp, #2)=21.5\n"
                 "door.event=\"shut\"\n"
                 "firing(b)=false\n"
                 "hall.temp=unknown yet\n"
                 "max_of(2 sensors)=23\n");
    world_close(&world);
}

static void counts_of_different_texts_are_told_apart(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "when = \"count(door.event, \\\"open\\\", #2) > "
                       "count(door.event, \\\"shut\\\", #2)\"");
    world_poll_text(&world, 0, DOOR, "shut");
    world_poll_text(&world, 1000, DOOR, "shut");
    expect_parts(&world, 1000,
                 "count(door.event, \"open\", #2)=0\n"
                 "count(door.event, \"shut\", #2)=2\n");
    world_close(&world);
}

static void a_timer_that_runs_is_told(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "sensor = \"room.temp\"; above = 20; for = \"1m\"");
    world_poll(&world, 0, TEMP, 21);
    expect_parts(&world, 15000, "room.temp=21\nfor=15s of 1m\n");
    world_close(&world);
}

static void a_limit_that_people_set_has_its_name(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "sensor = \"room.temp\"; above = 20; adjustable = true");
    world_poll(&world, 0, TEMP, 19);
    expect_parts(&world, 40000, "room.temp=unknown: its sensor has no value\nabove=20\n");
    world_close(&world);
}

static void a_window_that_more_came_for_than_it_holds_says_so(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "when = \"sum(room.temp, 20s) > 0\"");
    for (int64_t at_ms = 0; at_ms <= 20000; at_ms += 10000)
        world_poll(&world, at_ms, TEMP, 1);
    expect_parts(&world, 20000, "sum(room.temp, 20s)=2\n");
    for (int64_t at_ms = 20100; at_ms <= 24000; at_ms += 100)
        world_poll(&world, at_ms, TEMP, 1);
    struct rules_part part;
    rules_explain(world.rules, 0, 24000, &part, 1);
    assert_non_null(strstr(part.value, ", of a part of it"));
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_told_with_what_it_is),
        cmocka_unit_test(counts_of_different_texts_are_told_apart),
        cmocka_unit_test(a_timer_that_runs_is_told),
        cmocka_unit_test(a_limit_that_people_set_has_its_name),
        cmocka_unit_test(a_window_that_more_came_for_than_it_holds_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
