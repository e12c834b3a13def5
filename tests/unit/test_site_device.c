/* What is wrong with a device, and what it says then: through site_new(), as people meet it. */

#include "gateway/core/site_device.h"

#include "tests/unit/site_world.h"

#include <stdio.h>

#define SIM "buses: { sim: { adapter = \"sim\" } }\n"
#define PLC "buses: { plc: { adapter = \"modbus\" } }\n"

/* The first problem as people see it, with its hint. */
static void expect_hint(const char *text, const char *hint)
{
    struct site_world world;
    char printed[2000] = "";
    FILE *file = fmemopen(printed, sizeof(printed), "w");
    site_world_open(&world, text, NULL);
    problems_print(world.problems, file);
    fclose(file);
    if (!strstr(printed, hint))
        fail_msg("no \"%s\" in:\n%s", hint, printed);
    site_world_close(&world);
}

static void a_device_needs_a_bus(void **state)
{
    (void)state;
    site_refuses(SIM "devices: { a: { channels: { t: { } } } }",
                 "t.cfg:2:12: error: device \"a\" does not say on which bus it is");
}

static void options_of_an_adapter_are_no_error_where_the_bus_is_missing(void **state)
{
    (void)state;
    site_refuses(PLC "devices: { a: { unit = 3; channels: { t: { register = \"input 0\" } } } }",
                 "t.cfg:2:12: error: device \"a\" does not say on which bus it is");
}

static void a_bus_that_is_no_text_is_no_bus(void **state)
{
    (void)state;
    site_refuses(SIM "devices: { a: { bus = 3; channels: { t: { } } } }",
                 "t.cfg:2:23: error: device \"a\" does not say on which bus it is");
}

static void a_channel_is_read_less_often_than_its_device_or_not_at_all_by_itself(void **state)
{
    (void)state;
    site_refuses(PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"; every = \"10s\"\n"
                     "channels: { t: { register = \"input 0\"; every = \"5s\" }\n"
                     "u: { register = \"input 1\" } } } }",
                 "t.cfg:3:48: error: its device is not polled that often");
    site_refuses(SIM "devices: { a: { bus = \"sim\"; every = \"1s\"\n"
                     "channels: { t: { every = \"5s\" } } } }",
                 "t.cfg:3:26: error: channels of a device of sim are read together");
}

static void a_device_of_which_each_channel_has_an_interval_is_polled_at_the_shortest(void **state)
{
    struct site_world world;
    (void)state;
    site_world_open(&world,
                    PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"\n"
                        "channels: { t: { register = \"input 0\"; every = \"30s\" }\n"
                        "u: { register = \"input 1\"; every = \"5m\" } } } }",
                    NULL);
    assert_non_null(world.site);
    assert_int_equal(world.site->inventory->devices[0].every_ms, 30000);
    assert_int_equal(world.site->inventory->sensors[0].stale_ms, 90000);
    assert_int_equal(world.site->inventory->sensors[1].stale_ms, 900000);
    site_world_close(&world);
}

static void max_on_needs_a_value_that_is_off(void **state)
{
    (void)state;
    site_refuses(PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"\n"
                     "channels: { t: { register = \"holding 0\"; writable = true; min = 20\n"
                     "max_on = \"1h\" } } } }",
                 "t.cfg:4:1: error: 0 may not be written, so `max_on` cannot switch it off");
}

static void an_enumeration_has_options_and_no_limits(void **state)
{
    struct site_world world;
    const struct inventory_sensor *sensor;

    (void)state;
    site_world_good(&world, PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"\n"
                                "channels: { t: { register = \"holding 0\"; writable = true\n"
                                "enum = [ \"4: auto\", \"0: off\" ]; safe = \"auto\" } } } }");
    sensor = &world.site->inventory->sensors[0];
    assert_int_equal(sensor->n_options, 2);
    assert_string_equal(sensor->options[0].text, "auto");
    assert_true(sensor->options[0].number == 4);
    assert_string_equal(sensor->options[1].text, "off");
    assert_true(sensor->write->safe == 4);
    site_world_close(&world);
    site_refuses(PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"\n"
                     "channels: { t: { register = \"holding 0\"; writable = true\n"
                     "enum = [ \"0: off\" ]\nmax = 4 } } } }",
                 "t.cfg:5:1: error: `max` is for numbers and switches, this is an enumeration");
}

static void a_safe_value_is_one_that_the_channel_can_have(void **state)
{
    (void)state;
    site_refuses(PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"\n"
                     "channels: { t: { register = \"holding 0\"; writable = true\n"
                     "enum = [ \"0: off\" ]\nsafe = \"on\" } } } }",
                 "t.cfg:5:8: error: this cannot be the value of the channel");
    site_refuses(PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"\n"
                     "channels: { t: { register = \"holding 0\"; writable = true\n"
                     "enum = [ \"0: off\" ]\nsafe = 0 } } } }",
                 "t.cfg:5:8: error: this cannot be the value of the channel");
    site_refuses(PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"\n"
                     "channels: { t: { register = \"holding 0\"; writable = true\n"
                     "safe = \"off\" } } } }",
                 "t.cfg:4:8: error: this cannot be the value of the channel");
}

#define MODE                                                              \
    PLC "devices: { a: { bus = \"plc\"; connect = \"tcp://x\"\n"          \
        "channels: { mode: { register = \"holding 0\"; writable = true\n" \
        "enum = [ \"0: off\", \"4: auto\" ] } t: { register = \"input 0\" } } } }\n"

static void a_rule_writes_an_enumeration_only_what_it_can_have(void **state)
{
    static const char wrong[] = MODE "rules: { hot: { sensor = \"a.t\"; above = 1\n"
                                     "on_fire = { write = \"a.mode\"; value = \"on\" } } }";
    struct site_world world;
    (void)state;
    site_refuses(wrong, "t.cfg:6:39: error: rule \"hot\": this is none of its values");
    expect_hint(wrong, "write \"off\", \"auto\"");
    site_world_good(&world, MODE "rules: { hot: { sensor = \"a.t\"; above = 1\n"
                                 "on_fire = ( { write = \"a.mode\"; value = \"auto\" },\n"
                                 "{ write = \"a.mode\"; value = \"{a.mode}\" } ) } }");
    site_world_close(&world);
}

static void an_unknown_bus_is_named_with_the_nearest(void **state)
{
    static const char text[] =
        "buses: { cellar: { adapter = \"sim\" } seller: { adapter = \"sim\" } }\n"
        "devices: { a: { bus = \"sellar\"; channels: { t: { } } } }";
    (void)state;
    site_refuses(text, "t.cfg:2:23: error: device \"a\": there is no bus \"sellar\"");
    expect_hint(text, "did you mean \"cellar\"?");
    expect_hint("buses: { rs485: { adapter = \"sim\" } }\n"
                "devices: { a: { bus = \"upstairs\"; channels: { t: { } } } }",
                "did you mean \"rs485\"?");
    expect_hint("buses: { rs485: { adapter = \"sim\" } w1: { adapter = \"sim\" } }\n"
                "devices: { a: { bus = \"upstairs\"; channels: { t: { } } } }",
                "add it under `buses`");
    expect_hint("devices: { a: { bus = \"upstairs\"; channels: { t: { } } } }",
                "add it under `buses`");
}

static void an_unknown_adapter_is_named_with_the_nearest(void **state)
{
    (void)state;
    expect_hint("buses: { a: { adapter = \"modbuss\" } }", "did you mean \"modbus\"?");
    expect_hint("buses: { a: { adapter = \"zigbee\" } }", "there are: modbus");
}

static void an_address_of_another_scheme_is_refused(void **state)
{
    (void)state;
    site_refuses(SIM
                 "devices: { a: { bus = \"sim\"; connect = \"tcp://x\"; channels: { t: { } } } }",
                 "t.cfg:2:40: error: \"tcp://x\" is no address of sim");
    expect_hint(SIM "devices: { a: { bus = \"sim\"; connect = \"x\"; channels: { t: { } } } }",
                "write connect = \"sim:\"");
}

static void a_wrong_address_of_the_bus_is_shown_there(void **state)
{
    (void)state;
    site_refuses("buses: { sim: { adapter = \"sim\"; connect = \"tcp://x\" } }\n"
                 "devices: { a: { bus = \"sim\"; channels: { t: { } } } }",
                 "t.cfg:1:44: error: \"tcp://x\" is no address of sim");
}

static void a_missing_address_is_missed_where_there_is_no_default(void **state)
{
    static const char text[] = PLC
        "devices: { a: { bus = \"plc\"; unit = 1; channels: { t: { register = \"input 0\" } } } }";
    (void)state;
    site_refuses(
        text, "t.cfg:2:12: error: device \"a\": neither it nor bus \"plc\" says where to connect");
    expect_hint(text, "write connect = \"tcp://HOST[:PORT]\"");
}

static void a_device_without_channels_is_refused(void **state)
{
    (void)state;
    site_refuses(SIM "devices: { a: { bus = \"sim\" } }",
                 "t.cfg:2:12: error: device \"a\" has no channels");
    site_refuses(SIM "devices: { a: { bus = \"sim\"; channels: { } } }",
                 "t.cfg:2:12: error: device \"a\" has no channels");
}

static void reserved_channels_are_refused(void **state)
{
    static const char *const names[] = {"ts",     "quality", "state",  "availability",
                                        "replay", "set",     "result", "online"};
    char text[200], lines[200];
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(text, sizeof(text), SIM "devices: { a: { bus = \"sim\"; channels: { %s: { } } } }",
                 names[i]);
        snprintf(lines, sizeof(lines),
                 "t.cfg:2:42: error: \"%s\" is reserved and cannot be the name of a channel",
                 names[i]);
        site_refuses(text, lines);
    }
}

static void unknown_settings_are_named_with_the_nearest(void **state)
{
    (void)state;
    site_refuses(SIM "devices: { a: { bus = \"sim\"; evry = \"1s\"; channels: { t: { } } } }",
                 "t.cfg:2:30: error: unknown setting \"evry\" in \"a\"");
    site_refuses(SIM "devices: { a: { bus = \"sim\"; channels: { t: { uint = \"C\" } } } }",
                 "t.cfg:2:47: error: unknown setting \"uint\" in \"t\"");
    expect_hint(SIM "devices: { a: { bus = \"sim\"; channels: { t: { uint = \"C\" } } } }", "unit");
}

static void wrong_forms_and_ranges_are_named(void **state)
{
    struct site_world world;
    (void)state;
    site_world_open(&world,
                    SIM "devices: { a: { bus = \"sim\"; every = 5; channels: {\n"
                        "t: { precision = 12 }\nu: { valid = ( 5, 1 ) }\n"
                        "v: { max_step = -1 }\nw: { stale = \"soon\" }\n"
                        "x: { state_class = \"sum\" } } } }",
                    NULL);
    assert_int_equal(problems_errors(world.problems), 6);
    for (size_t i = 0; i < 6; i++) {
        char place[20];
        snprintf(place, sizeof(place), "t.cfg:%zu:", i + 2);
        assert_memory_equal(problems_line(world.problems, i), place, strlen(place));
    }
    assert_null(world.site);
    site_world_close(&world);
}

static void every_broken_device_is_told(void **state)
{
    (void)state;
    site_refuses(SIM "devices: {\na: { bus = \"sim\" }\nb: { bus = \"s\"; channels: { t: { } } }\n"
                     "c: { channels: { t: { } } } }",
                 "t.cfg:3:1: error: device \"a\" has no channels\n"
                 "t.cfg:4:12: error: device \"b\": there is no bus \"s\"\n"
                 "t.cfg:5:1: error: device \"c\" does not say on which bus it is");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_needs_a_bus),
        cmocka_unit_test(options_of_an_adapter_are_no_error_where_the_bus_is_missing),
        cmocka_unit_test(a_bus_that_is_no_text_is_no_bus),
        cmocka_unit_test(a_channel_is_read_less_often_than_its_device_or_not_at_all_by_itself),
        cmocka_unit_test(a_device_of_which_each_channel_has_an_interval_is_polled_at_the_shortest),
        cmocka_unit_test(max_on_needs_a_value_that_is_off),
        cmocka_unit_test(an_enumeration_has_options_and_no_limits),
        cmocka_unit_test(a_safe_value_is_one_that_the_channel_can_have),
        cmocka_unit_test(a_rule_writes_an_enumeration_only_what_it_can_have),
        cmocka_unit_test(an_unknown_bus_is_named_with_the_nearest),
        cmocka_unit_test(an_unknown_adapter_is_named_with_the_nearest),
        cmocka_unit_test(an_address_of_another_scheme_is_refused),
        cmocka_unit_test(a_wrong_address_of_the_bus_is_shown_there),
        cmocka_unit_test(a_missing_address_is_missed_where_there_is_no_default),
        cmocka_unit_test(a_device_without_channels_is_refused),
        cmocka_unit_test(reserved_channels_are_refused),
        cmocka_unit_test(unknown_settings_are_named_with_the_nearest),
        cmocka_unit_test(wrong_forms_and_ranges_are_named),
        cmocka_unit_test(every_broken_device_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
