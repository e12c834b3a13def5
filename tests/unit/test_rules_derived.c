/* Derived sensors: their order, their pace, and what comes of a poll. */
#include "rules/formula.h"

#include "tests/unit/rules_world.h"

/* A world with two more sensors: hall.sum, of hall.twice and room.temp; hall.twice, of hall.temp.
 * The one that needs the other stands before it. */
enum { SUM = N_SENSORS, TWICE, N_ALL };

static int open_derived(struct world *world, const char *sum, const char *twice)
{
    static const struct rules_output output = {world_transition, world_event, world_action};
    static const struct setting settings[] = {{.key = "value", .forms = SETTING_TEXT}, {0}};
    static const struct setting root[] = {
        {.key = "sum", .forms = SETTING_GROUP, .inside = settings},
        {.key = "twice", .forms = SETTING_GROUP, .inside = settings},
        {.key = "rules", .forms = SETTING_NAMED, .inside = rules_settings},
        {0}};
    char config[500];
    struct rules_sensor sensors[N_ALL];
    memset(world, 0, sizeof *world);
    snprintf(config, sizeof config,
             "sum: { value = \"%s\" }\ntwice: { value = \"%s\" }\n"
             "rules: { big: { sensor = \"hall.sum\"; above = 50 } }\n",
             sum, twice);
    world->problems = problems_new();
    world->texts = text_table_new();
    assert_int_equal(
        conf_read_text("t.cfg", config, strlen(config), root, world->problems, &world->conf), 0);
    for (size_t i = 0; i < N_SENSORS; i++)
        sensors[i] = world_sensors[i];
    sensors[SUM] = (struct rules_sensor){.id = "hall.sum"};
    sensors[TWICE] = (struct rules_sensor){.id = "hall.twice"};
    const struct rules_origin origins[N_ALL] = {
        [SUM] = {.derived = world_child(world, "sum")},
        [TWICE] = {.derived = world_child(world, "twice")},
    };
    struct rules_config all = {.rules = world_child(world, "rules"),
                               .sensors = sensors,
                               .origins = origins,
                               .n_sensors = N_ALL,
                               .texts = world->texts};
    return rules_new(&all, &output, world, world->problems, &world->rules);
}

static void they_come_each_after_those_it_is_made_of(void **state)
{
    struct world world;
    size_t n;
    (void)state;
    assert_int_equal(open_derived(&world, ".twice + room.temp", ".temp * 2"), 0);
    struct reading readings[] = {world_number(0, HALL, 10), world_number(0, TEMP, 40)};
    const struct reading *derived = rules_take(world.rules, readings, 2, 0, &n);
    assert_int_equal(n, 2);
    assert_int_equal(derived[0].sensor, TWICE);
    assert_true(derived[0].number == 20);
    assert_int_equal(derived[1].sensor, SUM);
    assert_true(derived[1].number == 60);
    world_expect(&world, "");
    rules_judge(world.rules, readings, 2, 0);
    assert_non_null(strstr(world.log, "0 big ok>firing 50 | hall.sum 60, above 50"));
    world_close(&world);
}

static void its_time_is_that_of_the_newest_of_those_it_is_made_of(void **state)
{
    struct world world;
    size_t n;
    (void)state;
    assert_int_equal(open_derived(&world, ".twice + room.temp", ".temp * 2"), 0);
    struct reading first = world_number(5000, HALL, 10);
    rules_take(world.rules, &first, 1, 5000, &n);
    struct reading readings[] = {world_number(4000, TEMP, 40), world_number(6000, LOAD, 1)};
    const struct reading *derived = rules_take(world.rules, readings, 2, 7000, &n);
    assert_int_equal(n, 1);
    assert_int_equal(derived[0].sensor, SUM);
    assert_int_equal(derived[0].at_ms, 5000);
    readings[0].at_ms = 8000;
    derived = rules_take(world.rules, readings, 1, 9000, &n);
    assert_int_equal(derived[0].at_ms, 8000);
    world_close(&world);
}

static void what_is_not_touched_is_not_reckoned(void **state)
{
    struct world world;
    size_t n;
    (void)state;
    assert_int_equal(open_derived(&world, ".twice + room.temp", ".temp * 2"), 0);
    struct reading reading = world_number(0, LOAD, 1);
    rules_take(world.rules, &reading, 1, 0, &n);
    assert_int_equal(n, 0);
    reading = world_number(1000, TEMP, 1);
    const struct reading *derived = rules_take(world.rules, &reading, 1, 1000, &n);
    assert_int_equal(n, 1);
    assert_int_equal(derived[0].sensor, SUM);
    assert_int_equal(derived[0].quality, QUALITY_NOT_READ);
    world_close(&world);
}

static void a_rule_depends_on_all_that_its_sensor_is_made_of(void **state)
{
    struct world world;
    bool sensors[N_ALL] = {false};
    (void)state;
    assert_int_equal(open_derived(&world, ".twice + room.temp", ".temp * 2"), 0);
    assert_int_equal(rules_sources(world.rules, 0, sensors), 0);
    for (uint32_t i = 0; i < N_ALL; i++)
        assert_int_equal(sensors[i], i == SUM || i == TWICE || i == HALL || i == TEMP);
    world_close(&world);
}

static void they_keep_the_pace_of_the_fastest_and_the_age_of_the_youngest(void **state)
{
    struct world world;
    (void)state;
    assert_int_equal(open_derived(&world, ".twice + room.temp", ".temp * 2"), 0);
    const struct rules_sensor *sum = rules_sensor(world.rules, SUM);
    const struct rules_sensor *twice = rules_sensor(world.rules, TWICE);
    assert_int_equal(sum->every_ms, 10000);
    assert_int_equal(sum->stale_ms, 30000);
    assert_int_equal(twice->every_ms, 20000);
    assert_int_equal(twice->stale_ms, 60000);
    world_close(&world);
}

static void a_ring_is_refused(void **state)
{
    struct world world;
    (void)state;
    assert_int_equal(open_derived(&world, ".twice + 1", ".sum + 1"), -EINVAL);
    assert_string_equal(
        problems_line(world.problems, 0),
        "t.cfg:1:16: error: derived sensor \"hall.sum\": it is made of itself, or of "
        "others that are made of it");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_each_after_those_it_is_made_of),
        cmocka_unit_test(its_time_is_that_of_the_newest_of_those_it_is_made_of),
        cmocka_unit_test(what_is_not_touched_is_not_reckoned),
        cmocka_unit_test(a_rule_depends_on_all_that_its_sensor_is_made_of),
        cmocka_unit_test(they_keep_the_pace_of_the_fastest_and_the_age_of_the_youngest),
        cmocka_unit_test(a_ring_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
