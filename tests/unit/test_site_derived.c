/* Derived sensors in the inventory, and on the way of a reading. */
#include "gateway/core/site_derived.h"

#include "gateway/core/pipeline.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/site_world.h"

#include <stdio.h>

static const char config[] =
    "buses: { sim: { adapter = \"sim\"; every = \"1s\" } }\n"
    "devices: {\n"
    "  meter_1: { bus = \"sim\"; channels: { u: { } i: { } } }\n"
    "  other:   { bus = \"sim\"; every = \"1m\"; channels: { u: { } } } }\n"
    "derived: {\n"
    "  va:    { for_each = \"meter_*\"; channels: { s: { value = \".u * .i\"; unit = \"VA\" } } }\n"
    "  house: { label = \"House\"; channels: { u: { value = \"meter_1.u + other.u\" }\n"
    "                                         s: { value = \"meter_1.s * 2\" } } } }\n";

enum { METER_U, METER_I, METER_S, OTHER_U, HOUSE_U, HOUSE_S };
enum { METER, OTHER, HOUSE };

static void they_stand_in_the_inventory_like_any_other(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, config);
    const struct inventory *inventory = world.site->inventory;
    assert_int_equal(inventory->n_devices, 3);
    assert_int_equal(inventory->n_sensors, 6);
    assert_string_equal(inventory->sensors[METER_S].id, "meter_1.s");
    assert_string_equal(inventory->sensors[METER_S].unit, "VA");
    assert_int_equal(inventory->sensors[METER_S].device, METER);
    assert_int_equal(inventory->devices[METER].n_sensors, 3);
    assert_string_equal(inventory->devices[HOUSE].label, "House");
    assert_int_equal(inventory->devices[HOUSE].bus, INVENTORY_NO_BUS);
    site_world_close(&world);
}

static void adapters_know_nothing_of_them(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, config);
    assert_int_equal(world.site->n_buses, 1);
    assert_int_equal(world.site->buses[0].config.n_devices, 2);
    assert_int_equal(world.site->buses[0].config.devices[0].n_channels, 2);
    site_world_close(&world);
}

static void they_keep_the_pace_of_what_they_are_made_of(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, config);
    const struct inventory *inventory = world.site->inventory;
    assert_int_equal(inventory->devices[HOUSE].every_ms, 1000);
    assert_int_equal(inventory->sensors[HOUSE_U].stale_ms, 15000); /* of meter_1.u */
    assert_int_equal(inventory->sensors[HOUSE_S].stale_ms, 15000);
    site_world_close(&world);
}

/* -- on the way ----------------------------------------------------------------------------- */

struct seen {
    char said[500];
    size_t length;
};

static void see_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    struct seen *seen = sink;
    seen->length += (size_t)snprintf(seen->said + seen->length, sizeof seen->said - seen->length,
                                     "%u:", device);
    for (size_t i = 0; i < count; i++)
        seen->length += (size_t)snprintf(
            seen->said + seen->length, sizeof seen->said - seen->length, " %u=%g",
            readings[i].sensor, readings[i].kind == VALUE_NUMBER ? readings[i].number : -1);
    seen->length +=
        (size_t)snprintf(seen->said + seen->length, sizeof seen->said - seen->length, "\n");
}

static void a_device_s_own_go_with_its_poll_and_others_follow(void **state)
{
    static const struct sink_calls calls = {.name = "test", .readings = see_readings};
    struct guard guard;
    struct site_world world;
    struct seen seen = {.length = 0};
    (void)state;
    guard_open(&guard);
    struct pipeline *pipeline = pipeline_new(guard.loop);
    struct site_context context = {
        .output = &pipeline_rules_output, .owner = pipeline, .texts = pipeline_texts(pipeline)};
    assert_int_equal(pipeline_add_sink(pipeline, &calls, &seen), 0);
    assert_int_equal(site_world_open(&world, config, &context), 0);
    assert_int_equal(pipeline_use(pipeline, world.site, NULL), 0);
    int64_t now_ms = clock_boot_ms();
    struct sample other = sample_number(0, now_ms, 100);
    pipeline_accept(pipeline, OTHER, &other, 1);
    struct sample poll[] = {sample_number(0, now_ms, 230), sample_number(1, now_ms, 2)};
    pipeline_accept(pipeline, METER, poll, 2);
    assert_string_equal(seen.said, "1: 3=100\n"
                                   "2: 4=-1\n" /* meter_1 was not read yet */
                                   "0: 0=230 1=2 2=460\n"
                                   "2: 4=330 5=920\n");
    pipeline_free(pipeline);
    site_world_close(&world);
    guard_close(&guard);
}

static void names_that_are_taken_are_refused(void **state)
{
    (void)state;
    site_refuses("buses: { sim: { adapter = \"sim\" } }\n"
                 "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                 "derived: { sim: { channels: { x: { value = \"a.t\" } } } }\n",
                 "t.cfg:3:12: error: \"sim\" stands under `buses` already");
    site_refuses("buses: { sim: { adapter = \"sim\" } }\n"
                 "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                 "derived: { more: { for_each = \"a\"; channels: { t: { value = \"a.t\" } } } }\n",
                 "t.cfg:3:48: error: device \"a\" has a channel \"t\" already");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_stand_in_the_inventory_like_any_other),
        cmocka_unit_test(adapters_know_nothing_of_them),
        cmocka_unit_test(they_keep_the_pace_of_what_they_are_made_of),
        cmocka_unit_test(a_device_s_own_go_with_its_poll_and_others_follow),
        cmocka_unit_test(names_that_are_taken_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
