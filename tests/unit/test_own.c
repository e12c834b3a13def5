/* The gateway's own sensors: their numbers, and how they reach the rules. */
#include "gateway/core/own.h"

#include "gateway/base/clock.h"
#include "gateway/core/pipeline.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/site_world.h"

static const char config[] = "buses: { one: { adapter = \"sim\" } two: { adapter = \"sim\" } }\n"
                             "devices: { a: { bus = \"one\"; channels: { t: { } } }\n"
                             "           b: { bus = \"one\"; channels: { t: { } } } }\n"
                             "rules: { bus:    { sensor = \"one.online\"; equals = 0 }\n"
                             "         device: { sensor = \"a.online\"; equals = 0 }\n"
                             "         busy:   { sensor = \"two.load\"; above = 90 }\n"
                             "         broker: { sensor = \"gateway.broker\"; equals = 0 } }\n";

enum { RULE_BUS, RULE_DEVICE, RULE_BUSY, RULE_BROKER };

struct world {
    struct guard guard;
    struct pipeline *pipeline;
    struct site_world site;
};

static int open_world(void **state)
{
    static struct world world;
    struct site_context context = {.output = &pipeline_rules_output};
    guard_open(&world.guard);
    world.pipeline = pipeline_new(world.guard.loop);
    context.owner = world.pipeline;
    context.texts = pipeline_texts(world.pipeline);
    assert_int_equal(site_world_open(&world.site, config, &context), 0);
    assert_int_equal(pipeline_use(world.pipeline, world.site.site, NULL), 0);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    pipeline_free(world->pipeline);
    site_world_close(&world->site);
    guard_close(&world->guard);
    return 0;
}

static void expect(const struct world *world, uint32_t rule, uint8_t wanted)
{
    assert_int_equal(rules_status(world->site.site->rules, rule).to, wanted);
}

static void tell(struct world *world, uint32_t device, uint8_t why)
{
    pipeline_device(world->pipeline, device, why, clock_boot_ms());
}

static void they_stand_behind_those_of_the_inventory(void **state)
{
    const struct world *world = *state;
    const struct inventory *inventory = world->site.site->inventory;
    const struct rules *rules = world->site.site->rules;
    assert_int_equal(inventory->n_sensors, 2);
    assert_int_equal(rules_sensors(rules), 2 + own_count(inventory));
    assert_int_equal(rules_find_sensor(rules, "b.online"), own_device_online(inventory, 1));
    assert_int_equal(rules_find_sensor(rules, "two.online"), own_bus_online(inventory, 1));
    assert_int_equal(rules_find_sensor(rules, "two.load"), own_bus_load(inventory, 1));
    assert_int_equal(rules_find_sensor(rules, "gateway.undervoltage"),
                     own_gateway(inventory, OWN_UNDERVOLTAGE));
    assert_int_equal(inventory->rules[RULE_BUS].sensor, UINT32_MAX);
}

static void a_device_that_is_away_is_not_online(void **state)
{
    struct world *world = *state;
    tell(world, 0, QUALITY_TIMEOUT);
    expect(world, RULE_DEVICE, RULE_FIRING);
    tell(world, 0, QUALITY_GOOD);
    expect(world, RULE_DEVICE, RULE_OK);
}

static void a_bus_is_down_when_all_its_connections_are(void **state)
{
    struct world *world = *state;
    tell(world, 0, QUALITY_DISCONNECTED);
    expect(world, RULE_BUS, RULE_OK); /* nothing is known of the other one */
    tell(world, 1, QUALITY_TIMEOUT);
    expect(world, RULE_BUS, RULE_OK);
    tell(world, 1, QUALITY_DISCONNECTED);
    expect(world, RULE_BUS, RULE_FIRING);
    tell(world, 0, QUALITY_GOOD);
    expect(world, RULE_BUS, RULE_OK);
}

static void the_bus_of_a_device_that_goes_is_doubted(void **state)
{
    struct world *world = *state;
    struct rules *rules = world->site.site->rules;
    struct rules_part parts[RULES_PARTS_MAX];
    tell(world, 0, QUALITY_GOOD);
    tell(world, 1, QUALITY_GOOD);
    pipeline_doubt(world->pipeline, 0);
    tell(world, 0, QUALITY_DISCONNECTED);
    expect(world, RULE_DEVICE, RULE_FIRING);
    size_t n = rules_explain(rules, RULE_DEVICE, clock_boot_ms(), parts, RULES_PARTS_MAX);
    assert_string_equal(parts[n - 1].what, "its bus");
    assert_string_equal(parts[n - 1].value, "may be down, or has just come back");
}

static void what_others_feel_reaches_the_rules(void **state)
{
    struct world *world = *state;
    pipeline_own(world->pipeline, OWN_BROKER, 0);
    expect(world, RULE_BROKER, RULE_FIRING);
    pipeline_own(world->pipeline, OWN_BROKER, 1);
    expect(world, RULE_BROKER, RULE_OK);
    pipeline_bus_load(world->pipeline, 1, 95);
    expect(world, RULE_BUSY, RULE_FIRING);
}

static void they_are_known_over_a_reload(void **state)
{
    struct world *world = *state;
    struct site_world before = world->site;
    struct site_context context = {.output = &pipeline_rules_output,
                                   .owner = world->pipeline,
                                   .texts = pipeline_texts(world->pipeline)};
    tell(world, 0, QUALITY_DISCONNECTED);
    tell(world, 1, QUALITY_GOOD);
    assert_int_equal(site_world_open(&world->site, config, &context), 0);
    assert_int_equal(pipeline_use(world->pipeline, world->site.site, NULL), 0);
    site_world_close(&before);
    expect(world, RULE_DEVICE, RULE_FIRING);
    tell(world, 1, QUALITY_DISCONNECTED);
    expect(world, RULE_BUS, RULE_FIRING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_stand_behind_those_of_the_inventory, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(a_device_that_is_away_is_not_online, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(a_bus_is_down_when_all_its_connections_are, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(the_bus_of_a_device_that_goes_is_doubted, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(what_others_feel_reaches_the_rules, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(they_are_known_over_a_reload, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
