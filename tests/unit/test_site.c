#include "gateway/core/site.h"

#include "gateway/base/arena.h"
#include "gateway/core/found.h"
#include "gateway/core/site_device.h"
#include "tests/unit/site_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIM "buses: { sim: { adapter = \"sim\" } }\n"

static const struct inventory_sensor *sensor_of(const struct site_world *world, const char *id)
{
    uint32_t index = inventory_find_sensor(world->site->inventory, id);
    assert_true(index < world->site->inventory->n_sensors);
    return &world->site->inventory->sensors[index];
}

/* -- what comes of a config ---------------------------------------------------------------------
 */

static void an_empty_config_is_an_empty_site(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, "");
    assert_int_equal(world.site->inventory->n_devices, 0);
    assert_int_equal(world.site->inventory->n_sensors, 0);
    assert_int_equal(world.site->inventory->n_rules, 0);
    assert_int_equal(world.site->n_buses, 0);
    assert_ptr_equal(world.site->inventory->texts, world.texts);
    site_world_close(&world);
    site_free(NULL);
}

static void a_gateway_without_a_name_has_that_of_its_host_and_ids_hang_on_it(void **state)
{
    struct site_world world;
    struct site_names names;
    char host[256] = "", slug[TEXT_SLUG_MAX + 1];
    (void)state;
    gethostname(host, sizeof(host) - 1);
    text_make_slug(slug, sizeof(slug), host);
    site_world_good(&world, "");
    site_names(conf_root(world.conf), &names);
    assert_string_equal(names.name, slug);
    assert_string_equal(names.id, slug);
    site_world_close(&world);
    site_world_good(&world, "gateway: { name = \"cellar\" }");
    site_names(conf_root(world.conf), &names);
    assert_string_equal(names.id, "cellar");
    site_world_close(&world);
    site_world_good(&world, "gateway: { name = \"cellar\"; id = \"old_cellar\" }");
    assert_string_equal(world.site->inventory->name, "cellar");
    assert_string_equal(world.site->inventory->id, "old_cellar");
    site_world_close(&world);
}

#define DISCOVERS "buses: { w1: { adapter = \"onewire\"; discover = true } }\n"

static void a_bus_that_discovers_is_run_without_devices(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, DISCOVERS "rules: { warm: { sensors = \"w1_*.temp\"; above = 30 } }");
    assert_true(world.site->discovers);
    assert_int_equal(world.site->n_buses, 1);
    assert_string_equal(world.site->buses[0].config.connect, "sysfs:/sys/bus/w1/devices");
    assert_int_equal(world.site->buses[0].config.n_devices, 0);
    site_world_close(&world);
}

static void what_was_found_makes_another_site_of_the_same_config(void **state)
{
    static const struct rules_output nobody = {site_ignore_transition, site_ignore_event,
                                               site_ignore_action};
    struct adapter_found device = {
        .name = "w1_28_0316a2794aff", .key = "address", .value = "28-0316a2794aff", .what = ""};
    struct found *found = found_new();
    struct site_world world;
    struct site_context context = {.output = &nobody, .found = found};
    struct site *again = NULL;
    (void)state;
    site_world_good(&world, "buses: { w1: { adapter = \"onewire\"; discover = true }\n"
                            "sim: { adapter = \"sim\" } }\n"
                            "devices: { a: { bus = \"sim\"; channels: { t: { } } } }");
    context.texts = world.texts;
    found_add(found, "w1", &device);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(site_new(conf_root(world.conf), &context, world.problems, &again), 0);
        assert_int_equal(again->inventory->n_devices, 2);
        assert_true(inventory_find_sensor(again->inventory, "w1_28_0316a2794aff.temp") == 1);
        assert_int_equal(again->n_buses, 2);
        assert_true(again->buses[1].hash == world.site->buses[0].hash); /* that of sim */
        site_free(again);
    }
    found_free(found);
    site_world_close(&world);
}

static void a_bus_that_discovers_nowhere_is_told(void **state)
{
    (void)state;
    site_refuses("buses: { w1: { adapter = \"onewire\"; connect = \"tcp://x\"; discover = true } }",
                 "t.cfg:1:47: error: bus \"w1\": it discovers, and does not say where");
}

static void devices_and_sensors_keep_the_order_of_the_file(void **state)
{
    static const char *const ids[] = {"zeta.b", "zeta.a", "alpha.x", "mid.t"};
    struct site_world world;
    const struct inventory *inventory;
    (void)state;
    site_world_good(&world, SIM "devices: { zeta: { bus = \"sim\"; channels: { b: { } a: { } } }\n"
                                "alpha: { bus = \"sim\"; channels: { x: { } } }\n"
                                "mid: { bus = \"sim\"; channels: { t: { } } } }");
    inventory = world.site->inventory;
    assert_int_equal(inventory->n_devices, 3);
    assert_int_equal(inventory->n_sensors, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(inventory->sensors[i].id, ids[i]);
        assert_int_equal(inventory_find_sensor(inventory, ids[i]), i);
    }
    assert_int_equal(inventory->devices[0].first_sensor, 0);
    assert_int_equal(inventory->devices[0].n_sensors, 2);
    assert_int_equal(inventory->devices[2].first_sensor, 3);
    assert_int_equal(inventory->sensors[3].device, 2);
    site_world_close(&world);
}

static void names_and_labels_are_taken_or_made(void **state)
{
    struct site_world world;
    const struct inventory *inventory;
    (void)state;
    site_world_good(
        &world, "gateway: { name = \"cellar\"; label = \"Keller 1\" }\n"
                "buses: { sim: { adapter = \"sim\"; label = \"Simuliert\" } other: { adapter = "
                "\"sim\" } }\n"
                "devices: { boiler: { bus = \"other\"; label = \"Heizkessel\"; area = \"Keller\";\n"
                "model = \"V200\"; channels: { t: { label = \"Vorlauf\" } u: { } } } }");
    inventory = world.site->inventory;
    assert_string_equal(inventory->name, "cellar");
    assert_string_equal(inventory->id, "cellar");
    assert_string_equal(inventory->label, "Keller 1");
    assert_int_equal(inventory->n_buses, 2);
    assert_string_equal(inventory->buses[0].label, "Simuliert");
    assert_string_equal(inventory->buses[1].label, "other");
    assert_int_equal(inventory->devices[0].bus, 1);
    assert_string_equal(inventory->devices[0].label, "Heizkessel");
    assert_string_equal(inventory->devices[0].area, "Keller");
    assert_string_equal(inventory->devices[0].manufacturer, "");
    assert_string_equal(inventory->sensors[0].label, "Vorlauf");
    assert_string_equal(inventory->sensors[1].label, "u");
    site_world_close(&world);
}

static void a_gateway_without_a_name_has_the_slug_of_its_host(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, "gateway: { id = \"fixed\" }");
    assert_true(world.site->inventory->name[0] != '\0');
    assert_string_equal(world.site->inventory->id, "fixed");
    assert_string_equal(world.site->inventory->label, world.site->inventory->name);
    site_world_close(&world);
}

static void intervals_come_from_device_bus_or_defaults(void **state)
{
    struct site_world world;
    const struct inventory *inventory;
    (void)state;
    site_world_good(&world,
                    "defaults: { every = \"7s\" }\n"
                    "buses: { fast: { adapter = \"sim\"; every = \"100ms\" }\n"
                    "plain: { adapter = \"sim\" } }\n"
                    "devices: { a: { bus = \"fast\"; every = \"0s\"; channels: { t: { } } }\n"
                    "b: { bus = \"fast\"; channels: { t: { } } }\n"
                    "c: { bus = \"plain\"; channels: { t: { } } } }");
    inventory = world.site->inventory;
    assert_int_equal(inventory->devices[0].every_ms, 0);
    assert_int_equal(inventory->devices[1].every_ms, 100);
    assert_int_equal(inventory->devices[2].every_ms, 7000);
    assert_int_equal(world.site->buses[0].config.devices[1].every_ms, 100);
    site_world_close(&world);
}

static void without_defaults_the_interval_is_ten_seconds(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, SIM "devices: { a: { bus = \"sim\"; channels: { t: { } } } }");
    assert_int_equal(world.site->inventory->devices[0].every_ms, 10000);
    site_world_close(&world);
    site_world_good(&world, "defaults: { }\n" SIM
                            "devices: { a: { bus = \"sim\"; channels: { t: { } } } }");
    assert_int_equal(world.site->inventory->devices[0].every_ms, 10000);
    site_world_close(&world);
}

static void stale_is_three_intervals_but_at_least_fifteen_seconds(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world,
                    SIM "devices: { a: { bus = \"sim\"; every = \"1s\"; channels: { t: { } } }\n"
                        "b: { bus = \"sim\"; every = \"1m\"; channels: { t: { } } }\n"
                        "c: { bus = \"sim\"; every = \"0s\"; channels: { t: { } } } }");
    assert_int_equal(sensor_of(&world, "a.t")->stale_ms, 15000);
    assert_int_equal(sensor_of(&world, "b.t")->stale_ms, 180000);
    assert_int_equal(sensor_of(&world, "c.t")->stale_ms, 15000);
    site_world_close(&world);
}

/* An adapter that is never asked says when there is something. */
static void what_pushes_is_stale_after_five_minutes(void **state)
{
    const struct adapter pushes = {.word = "pushes"};
    struct inventory_device device;
    struct inventory_sensor sensor;
    struct site_device read = {0};
    struct site_world world;
    struct arena arena = {0};
    struct section *root;
    (void)state;
    site_world_good(&world,
                    SIM "devices: { a: { bus = \"sim\"; every = \"1s\"; channels: { t: { } } } }");
    root = conf_root(world.conf);
    assert_true(site_device_read(&read, root, section_child(section_child(root, "devices"), "a"),
                                 world.problems));
    read.adapter = &pushes;
    site_device_describe(&read, &arena, 0, 0, &device, &sensor);
    assert_int_equal(sensor.stale_ms, 300000);
    site_device_clear(&read);
    arena_free(&arena);
    site_world_close(&world);
}

static void stale_comes_from_channel_device_or_bus(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, "buses: { sim: { adapter = \"sim\"; stale = \"3s\" } }\n"
                            "devices: { a: { bus = \"sim\"; stale = \"2s\";\n"
                            "channels: { t: { stale = \"1s\" } u: { } } }\n"
                            "b: { bus = \"sim\"; channels: { t: { } } } }");
    assert_int_equal(sensor_of(&world, "a.t")->stale_ms, 1000);
    assert_int_equal(sensor_of(&world, "a.u")->stale_ms, 2000);
    assert_int_equal(sensor_of(&world, "b.t")->stale_ms, 3000);
    site_world_close(&world);
}

static void a_channel_says_what_is_plausible_and_how_it_is_shown(void **state)
{
    struct site_world world;
    const struct inventory_sensor *sensor;
    (void)state;
    site_world_good(&world,
                    SIM "devices: { a: { bus = \"sim\"; channels: {\n"
                        "t: { unit = \"°C\"; class = \"temperature\"; valid = ( -20, 120.5 );\n"
                        "max_step = 5; precision = 1; icon = \"mdi:fire\";\n"
                        "category = \"diagnostic\"; ha = false }\n"
                        "e: { counter = true } plain: { } } } }");
    sensor = sensor_of(&world, "a.t");
    assert_string_equal(sensor->unit, "°C");
    assert_string_equal(sensor->klass, "temperature");
    assert_string_equal(sensor->icon, "mdi:fire");
    assert_string_equal(sensor->category, "diagnostic");
    assert_string_equal(sensor->state_class, "measurement");
    assert_true(sensor->trust && sensor->trust->low == -20 && sensor->trust->high == 120.5);
    assert_true(sensor->trust->max_step == 5);
    assert_int_equal(sensor->decimals, 1);
    assert_false(sensor->ha);
    assert_false(sensor->counter);
    sensor = sensor_of(&world, "a.e");
    assert_true(sensor->counter);
    assert_string_equal(sensor->state_class, "total_increasing");
    sensor = sensor_of(&world, "a.plain");
    assert_null(sensor->trust);
    assert_int_equal(sensor->decimals, -1);
    assert_true(sensor->ha);
    assert_string_equal(sensor->unit, "");
    site_world_close(&world);
}

static void a_channel_without_interval_says_how_often_it_comes(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, SIM "devices: { a: { bus = \"sim\"; every = \"0s\"\n"
                                "channels: { t: { max_rate = 50.0 } u: { } } } }");
    assert_true(rules_sensor(world.site->rules, 0)->max_rate == 50);
    assert_true(rules_sensor(world.site->rules, 1)->max_rate == 0);
    site_world_close(&world);
    site_refuses(SIM "devices: { a: { bus = \"sim\"; channels: { t: { max_rate = 50.0 } } } }",
                 "t.cfg:2:47: error: `max_rate` is for what has no interval (every = \"0s\")");
}

static void a_state_class_is_made_where_none_is_written(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world,
                    SIM "devices: { a: { bus = \"sim\"; channels: { e: { class = \"energy\" }\n"
                        "n: { state_class = \"none\"; counter = true }\n"
                        "m: { class = \"energy\"; state_class = \"measurement\" } } } }");
    assert_string_equal(sensor_of(&world, "a.e")->state_class, "total");
    assert_string_equal(sensor_of(&world, "a.n")->state_class, "");
    assert_string_equal(sensor_of(&world, "a.m")->state_class, "measurement");
    site_world_close(&world);
}

static void kinds_of_sensors_come_from_the_adapter(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world,
                    "buses: { m: { adapter = \"modbus\"; connect = \"tcp://127.0.0.1\" } }\n"
                    "devices: { a: { bus = \"m\"; unit = 1; channels: {\n"
                    "coil: { register = \"coil 3\" }\n"
                    "temp: { register = \"input 0\"; type = \"int16\"; scale = 0.1 }\n"
                    "name: { register = \"holding 10\"; type = \"string\"; length = 4 } } } }");
    assert_int_equal(sensor_of(&world, "a.coil")->kind, SENSOR_BINARY);
    assert_int_equal(sensor_of(&world, "a.temp")->kind, SENSOR_NUMBER);
    assert_int_equal(sensor_of(&world, "a.temp")->decimals, 1);
    assert_int_equal(sensor_of(&world, "a.name")->kind, SENSOR_TEXT);
    assert_string_equal(sensor_of(&world, "a.coil")->state_class, "");
    site_world_close(&world);
}

static void devices_stand_with_those_of_their_bus_and_address_under_their_numbers(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, "buses: { sim: { adapter = \"sim\" } two: { adapter = \"sim\" } }\n"
                            "devices: { a: { bus = \"sim\"; channels: { t: { } } }\n"
                            "b: { bus = \"two\"; channels: { t: { } } }\n"
                            "c: { bus = \"sim\"; connect = \"sim:/x.csv\"; channels: { t: { } } }\n"
                            "d: { bus = \"sim\"; channels: { t: { } } } }");
    assert_int_equal(world.site->n_buses, 3);
    assert_string_equal(world.site->buses[0].config.name, "sim");
    assert_int_equal(world.site->buses[0].config.n_devices, 2);
    assert_int_equal(world.site->buses[0].ids[1], 3);
    assert_string_equal(world.site->buses[0].config.devices[0].connect, "sim:");
    assert_string_equal(world.site->buses[1].config.devices[0].connect, "sim:/x.csv");
    assert_int_equal(world.site->buses[1].ids[0], 2);
    assert_string_equal(world.site->buses[2].config.devices[0].name, "b");
    assert_int_equal(world.site->buses[2].ids[0], 1);
    site_world_close(&world);
}

/* A hash of the first part of a config. */
static uint64_t hash_of(const char *text)
{
    struct site_world world;
    uint64_t hash;

    site_world_good(&world, text);
    hash = world.site->buses[0].hash;
    site_world_close(&world);
    return hash;
}

static void a_bus_has_the_same_hash_while_nothing_of_it_changes(void **state)
{
    const char *before =
        "buses: { sim: { adapter = \"sim\" } }\n"
        "devices: { a: { bus = \"sim\"; every = \"5s\"; channels: { t: { low = 1 } } } }";
    const char *same =
        "gateway: { name = \"other\" } # a comment\nbuses: { sim: { adapter = \"sim\" } }\n"
        "devices: { a: { every = \"5s\"; bus = \"sim\"; channels: { t: { low = 1 } } } }";
    const char *other =
        "buses: { sim: { adapter = \"sim\" } }\n"
        "devices: { a: { bus = \"sim\"; every = \"5s\"; channels: { t: { low = 2 } } } }";
    (void)state;
    assert_true(hash_of(before) == hash_of(same));
    assert_true(hash_of(before) != hash_of(other));
}

static void rules_and_limits_become_instances(void **state)
{
    struct site_world world;
    const struct inventory *inventory;
    uint32_t hot;
    (void)state;
    site_world_good(&world, SIM
                    "devices: { a: { bus = \"sim\"; label = \"Kessel\";\n"
                    "channels: { t: { limits: { high = 85.0; severity = \"critical\" } } } } }\n"
                    "notifiers: { phone: { } } defaults: { notify = \"phone\" }"
                    "rules: { hot: { sensor = \"a.t\"; above = 50; label = \"Too hot\"; ack = true;"
                    "adjustable = ( 0, 100, 0.5 ) } }");
    inventory = world.site->inventory;
    assert_int_equal(inventory->n_rules, 2);
    assert_int_equal(rules_count(world.site->rules), 2);
    hot = inventory_find_rule(inventory, "hot");
    assert_true(hot < 2);
    assert_string_equal(inventory->rules[hot].label, "Too hot");
    assert_int_equal(inventory->rules[hot].sensor, 0);
    assert_true(inventory->rules[hot].ack);
    assert_int_equal(inventory->rules[hot].n_limits, 1);
    assert_string_equal(inventory->rules[hot].limits[0].key, "above");
    assert_true(inventory->rules[hot].limits[0].max == 100);
    assert_true(inventory->rules[hot].limits[0].step == 0.5);
    assert_true(inventory_find_rule(inventory, "high@a.t") < 2);
    assert_int_equal(inventory->rules[inventory_find_rule(inventory, "high@a.t")].severity,
                     SEVERITY_CRITICAL);
    site_world_close(&world);
}

static void an_inventory_outlives_its_site(void **state)
{
    struct site_world world;
    struct inventory *inventory;
    (void)state;
    site_world_good(&world, SIM "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                                "notifiers: { x: { } } "
                                "rules: { hot: { sensor = \"a.t\"; above = 50; notify = \"x\" } }");
    inventory = inventory_hold(world.site->inventory);
    site_world_close(&world);
    assert_string_equal(inventory->sensors[0].id, "a.t");
    assert_string_equal(inventory->rules[0].id, "hot");
    assert_int_equal(inventory_find_sensor(inventory, "a.t"), 0);
    inventory_release(inventory);
}

/* -- what is wrong with it ----------------------------------------------------------------------
 */

static void a_typo_in_the_adapter_is_the_only_error_of_its_bus(void **state)
{
    struct site_world world;
    (void)state;
    site_refuses("buses: {\n  a: { adapter = \"modbuss\"; connect = \"tcp://x\"; parity = 3 } }\n"
                 "devices: { d: { bus = \"a\"; unit = 1; channels: { t: { } } } }",
                 "t.cfg:2:18: error: bus \"a\": no adapter \"modbuss\"");
    site_world_open(&world, "buses: { a: { adapter = \"zzzzzzzz\" } }", NULL);
    assert_int_equal(problems_errors(world.problems), 1);
    site_world_close(&world);
}

static void a_bus_needs_an_adapter(void **state)
{
    (void)state;
    site_refuses("buses: { a: { } }", "t.cfg:1:10: error: missing setting \"adapter\" in \"a\"");
    site_refuses("buses: { a: { adapter = 3 } }",
                 "t.cfg:1:25: error: \"adapter\" must be a text in quotes, not a number");
}

static void unknown_settings_of_a_bus_are_named(void **state)
{
    (void)state;
    site_refuses("buses: { a: { adapter = \"sim\"; lable = \"x\" } }",
                 "t.cfg:1:32: error: unknown setting \"lable\" in \"a\"");
}

static void what_is_no_group_is_said_once_and_survived(void **state)
{
    (void)state;
    site_refuses("buses: { x = 1 }\ndevices: { a: { bus = \"x\"; channels: { t: { } } } }",
                 "t.cfg:1:14: error: \"x\" in \"buses\" must be a group { ... }, not a number");
    site_refuses(SIM "devices: { a = 3 }",
                 "t.cfg:2:16: error: \"a\" in \"devices\" must be a group { ... }, not a number");
    site_refuses(SIM "devices: { a: { bus = \"sim\"; channels: { t = 5 } } }",
                 "t.cfg:2:46: error: \"t\" in \"channels\" must be a group { ... }, not a number");
    site_refuses(
        "buses = 3",
        "t.cfg:1:9: error: \"buses\" must be named groups { name: { ... } }, not a number");
}

static void reserved_names_are_refused(void **state)
{
    static const char *const names[] = {"rule", "event", "health", "status", "gateway"};
    char text[200], lines[200];
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(text, sizeof(text), "buses: { %s: { adapter = \"sim\" } }", names[i]);
        snprintf(lines, sizeof(lines),
                 "t.cfg:1:10: error: \"%s\" is reserved and cannot be the name of a bus", names[i]);
        site_refuses(text, lines);
        snprintf(text, sizeof(text), SIM "devices: { %s: { bus = \"sim\"; channels: { t: { } } } }",
                 names[i]);
        snprintf(lines, sizeof(lines),
                 "t.cfg:2:12: error: \"%s\" is reserved and cannot be the name of a device",
                 names[i]);
        site_refuses(text, lines);
    }
}

static void a_device_and_a_bus_cannot_share_a_name(void **state)
{
    (void)state;
    site_refuses(SIM "devices: { sim: { bus = \"sim\"; channels: { t: { } } } }",
                 "t.cfg:2:12: error: \"sim\" is the name of a bus already");
}

static void names_that_are_no_slugs_are_said_once(void **state)
{
    (void)state;
    site_refuses("buses: { Sim: { adapter = \"sim\" } }",
                 "t.cfg:1:10: error: \"Sim\" cannot be a name in \"buses\"");
    site_refuses(SIM "devices: { a-b: { bus = \"sim\"; channels: { T: { } } } }",
                 "t.cfg:2:12: error: \"a-b\" cannot be a name in \"devices\"\n"
                 "t.cfg:2:44: error: \"T\" cannot be a name in \"channels\"");
}

static void names_of_the_gateway_are_slugs(void **state)
{
    (void)state;
    site_refuses("gateway: { name = \"My Cellar\";\n id = \"x y\" }",
                 "t.cfg:1:19: error: gateway.name: \"My Cellar\" is not a name\n"
                 "t.cfg:2:7: error: gateway.id: \"x y\" is not a name");
}

static void errors_of_rules_are_said_with_those_of_devices(void **state)
{
    struct site_world world;
    (void)state;
    assert_int_equal(site_world_open(&world,
                                     SIM "devices: { a: { bus = \"sin\"; channels: { t: { } } }\n"
                                         "b: { bus = \"sim\"; channels: { t: { } } } }\n"
                                         "rules: { hot: { sensor = \"b.tt\"; above = 50 } }",
                                     NULL),
                     -EINVAL);
    assert_int_equal(problems_errors(world.problems), 2);
    assert_string_equal(problems_line(world.problems, 0),
                        "t.cfg:2:23: error: device \"a\": there is no bus \"sin\"");
    assert_non_null(strstr(problems_line(world.problems, 1), "t.cfg:4:26: error: "));
    assert_non_null(strstr(problems_line(world.problems, 1), "b.tt"));
    site_world_close(&world);
}

static void errors_of_the_adapter_have_their_place(void **state)
{
    (void)state;
    site_refuses(SIM "devices: { a: { bus = \"sim\"; channels: {\n"
                     "t: { wave = \"sine\"; low = 3; high = 2 } } } }",
                 "t.cfg:3:27: error: low is above high");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_config_is_an_empty_site),
        cmocka_unit_test(a_gateway_without_a_name_has_that_of_its_host_and_ids_hang_on_it),
        cmocka_unit_test(a_bus_that_discovers_is_run_without_devices),
        cmocka_unit_test(what_was_found_makes_another_site_of_the_same_config),
        cmocka_unit_test(a_bus_that_discovers_nowhere_is_told),
        cmocka_unit_test(devices_and_sensors_keep_the_order_of_the_file),
        cmocka_unit_test(names_and_labels_are_taken_or_made),
        cmocka_unit_test(a_gateway_without_a_name_has_the_slug_of_its_host),
        cmocka_unit_test(intervals_come_from_device_bus_or_defaults),
        cmocka_unit_test(without_defaults_the_interval_is_ten_seconds),
        cmocka_unit_test(stale_is_three_intervals_but_at_least_fifteen_seconds),
        cmocka_unit_test(what_pushes_is_stale_after_five_minutes),
        cmocka_unit_test(stale_comes_from_channel_device_or_bus),
        cmocka_unit_test(a_channel_says_what_is_plausible_and_how_it_is_shown),
        cmocka_unit_test(a_channel_without_interval_says_how_often_it_comes),
        cmocka_unit_test(a_state_class_is_made_where_none_is_written),
        cmocka_unit_test(kinds_of_sensors_come_from_the_adapter),
        cmocka_unit_test(devices_stand_with_those_of_their_bus_and_address_under_their_numbers),
        cmocka_unit_test(a_bus_has_the_same_hash_while_nothing_of_it_changes),
        cmocka_unit_test(rules_and_limits_become_instances),
        cmocka_unit_test(an_inventory_outlives_its_site),
        cmocka_unit_test(a_typo_in_the_adapter_is_the_only_error_of_its_bus),
        cmocka_unit_test(a_bus_needs_an_adapter),
        cmocka_unit_test(unknown_settings_of_a_bus_are_named),
        cmocka_unit_test(what_is_no_group_is_said_once_and_survived),
        cmocka_unit_test(reserved_names_are_refused),
        cmocka_unit_test(a_device_and_a_bus_cannot_share_a_name),
        cmocka_unit_test(names_that_are_no_slugs_are_said_once),
        cmocka_unit_test(names_of_the_gateway_are_slugs),
        cmocka_unit_test(errors_of_rules_are_said_with_those_of_devices),
        cmocka_unit_test(errors_of_the_adapter_have_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
