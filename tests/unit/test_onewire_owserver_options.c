#include "adapters/onewire/onewire.h"
#include "adapters/onewire/options.h"

#include "adapter_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CONNECT "owserver://127.0.0.1"
#define A       "28.0000000000AA"

static struct made *made;

static int teardown(void **state)
{
    (void)state;
    made_free(made);
    return 0;
}

static const struct section *channel(size_t i)
{
    return made->channels[0][i].options;
}

static void a_thermometer_without_channels_has_its_temperature(void **state)
{
    (void)state;
    made = made_bus(&onewire_owserver_adapter, CONNECT, "a: { address = \"" A "\" }");
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(made->devices[0].n_channels, 1);
    assert_string_equal(made->channels[0][0].name, "temp");
    assert_string_equal(onewire_property(channel(0)), "temperature");
    assert_string_equal(section_text(channel(0), "unit"), "°C");
    assert_string_equal(section_text(made->devices[0].options, "model"), "DS18B20");
    assert_int_equal(onewire_owserver_traits(channel(0)).decimals, 3);
}

static void other_families_have_the_channels_that_are_written(void **state)
{
    (void)state;
    made = made_bus(&onewire_owserver_adapter, CONNECT,
                    "a: { address = \"29-0000000000aa\"; channels: { pio_0: { property = "
                    "\"PIO.0\" } sensed: { } all: { property = \"PIO.ALL\"; type = \"text\" } "
                    "byte: { property = \"PIO.BYTE\" } } }");
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(onewire_owserver_traits(channel(0)).kind, CHANNEL_BINARY);
    assert_string_equal(onewire_property(channel(1)), "sensed");
    assert_int_equal(onewire_owserver_traits(channel(1)).kind, CHANNEL_BINARY);
    assert_int_equal(onewire_owserver_traits(channel(2)).kind, CHANNEL_TEXT);
    assert_int_equal(onewire_owserver_traits(channel(3)).kind, CHANNEL_NUMBER);
    assert_null(section_text(channel(0), "unit"));
}

static void only_thermometers_have_temperatures_that_convert(void **state)
{
    (void)state;
    assert_true(onewire_is_temperature(0x28, "/uncached/28.0000000000AA/temperature9"));
    assert_true(onewire_is_temperature(0x10, "temperature"));
    assert_false(onewire_is_temperature(0x28, "/28.0000000000AA/temphigh"));
    assert_false(onewire_is_temperature(0x26, "/26.0000000000AA/temperature"));
}

static void assert_problem(const char *connect, const char *devices, const char *line)
{
    struct made *wrong = made_bus(&onewire_owserver_adapter, connect, devices);

    assert_int_equal(problems_errors(wrong->problems), 1);
    assert_non_null(strstr(problems_line(wrong->problems, 0), line));
    made_free(wrong);
}

static void wrong_options_are_told(void **state)
{
    (void)state;
    assert_problem("owserver:", "a: { address = \"" A "\" }", "is no address of an owserver");
    assert_problem(CONNECT, "a: { address = \"hall\" }", "is no address of a 1-Wire sensor");
    assert_problem(CONNECT, "a: { address = \"" A "\" } b: { address = \"28-0000000000aa\" }",
                   "is the address of device \"a\" already");
    assert_problem(CONNECT, "a: { address = \"" A "\"; channels: { t: { property = \"../x\" } } }",
                   "no property of a 1-Wire sensor");
    assert_problem(CONNECT, "a: { address = \"" A "\"; channels: { t: { property = \"\" } } }",
                   "no property of a 1-Wire sensor");
    assert_problem(CONNECT, "a: { address = \"" A "\"; channels: { t: { scale = 0 } } }",
                   "leaves nothing of the value");
    assert_problem(CONNECT, "a: { address = \"" A "\"; channels: { t: { type = \"float\" } } }",
                   "float");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_thermometer_without_channels_has_its_temperature, teardown),
        cmocka_unit_test_teardown(other_families_have_the_channels_that_are_written, teardown),
        cmocka_unit_test(only_thermometers_have_temperatures_that_convert),
        cmocka_unit_test(wrong_options_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
