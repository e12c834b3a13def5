#include "adapters/onewire/onewire.h"

#include "adapter_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define A "28-0000000000aa"

static struct made *made;

static int teardown(void **state)
{
    (void)state;
    made_free(made);
    return 0;
}

static void a_device_without_channels_has_its_temperature(void **state)
{
    const struct section *channel;

    (void)state;
    made = made_bus(&onewire_sysfs_adapter, "sysfs:/none", "a: { address = \"28.0316A2794AFF\" }");
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(made->devices[0].n_channels, 1);
    assert_string_equal(made->channels[0][0].name, "temp");
    channel = made->channels[0][0].options;
    assert_string_equal(section_text(channel, "unit"), "°C");
    assert_string_equal(section_text(channel, "class"), "temperature");
    assert_string_equal(section_text(made->devices[0].options, "model"), "DS18B20");
    assert_string_equal(section_text(made->devices[0].options, "serial_number"), "28-0316a2794aff");
    assert_int_equal(onewire_sysfs_adapter.traits(channel).decimals, 3);
}

static void what_a_person_wrote_wins(void **state)
{
    const struct section *channel;

    (void)state;
    made = made_bus(&onewire_sysfs_adapter, "sysfs:/none",
                    "a: { address = \"" A "\"; model = \"probe\"; "
                    "channels: { inside: { class = \"water\" } } }");
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(made->devices[0].n_channels, 1);
    channel = made->channels[0][0].options;
    assert_string_equal(section_name(channel), "inside");
    assert_string_equal(section_text(channel, "class"), "water");
    assert_string_equal(section_text(channel, "unit"), "°C");
    assert_string_equal(section_text(made->devices[0].options, "model"), "probe");
}

static void assert_problem(const char *connect, const char *devices, const char *line)
{
    struct made *wrong = made_bus(&onewire_sysfs_adapter, connect, devices);

    assert_int_equal(problems_errors(wrong->problems), 1);
    assert_non_null(strstr(problems_line(wrong->problems, 0), line));
    made_free(wrong);
}

static void wrong_options_are_told(void **state)
{
    (void)state;
    assert_problem("sysfs:/x", "a: { }", "\"address\"");
    assert_problem("sysfs:/x", "a: { address = \"freezer\" }",
                   "\"freezer\" is no address of a 1-Wire sensor");
    assert_problem("sysfs:/x", "a: { address = \"26-0316a2794aff\" }",
                   "family 26 is no thermometer");
    assert_problem("sysfs:/x", "a: { address = \"" A "\"; resolution = 13 }", "13");
    assert_problem("sysfs:/x", "a: { address = \"10-0316a2794aff\"; resolution = 9 }",
                   "a DS18S20 has one resolution only");
    assert_problem("sysfs:/x", "a: { address = \"" A "\" } b: { address = \"28.0000000000AA\" }",
                   "is the address of device \"a\" already");
    assert_problem("sysfs:/x", "a: { address = \"" A "\"; channels: { one: { } two: { } } }",
                   "has one value, \"one\"");
    assert_problem("sysfs:/x", "a: { address = \"" A "\"; channels: { temp: { unit = \"°F\" } } }",
                   "give °C, not \"°F\"");
    assert_problem("sysfs:/x", "a: { address = \"" A "\"; channels: { temp: { scale = 2 } } }",
                   "\"scale\"");
}

static void channels_that_are_no_group_are_told_and_harm_nothing(void **state)
{
    (void)state;
    assert_problem("sysfs:/x", "a: { address = \"" A "\"; channels = 5 }", "\"channels\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_device_without_channels_has_its_temperature, teardown),
        cmocka_unit_test_teardown(what_a_person_wrote_wins, teardown),
        cmocka_unit_test(wrong_options_are_told),
        cmocka_unit_test(channels_that_are_no_group_are_told_and_harm_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
