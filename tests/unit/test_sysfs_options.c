#include "adapters/sysfs/options.h"

#include "adapter_config.h"
#include "adapters/sysfs/sysfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct made *made;

static int teardown(void **state)
{
    (void)state;
    made_free(made);
    return 0;
}

static void open_devices(const char *devices)
{
    made = made_bus(&sysfs_adapter, "sysfs:/", devices);
    assert_int_equal(problems_errors(made->problems), 0);
}

static void a_chip_is_known_by_one_of_its_names(void **state)
{
    struct chip chip;

    (void)state;
    open_devices("a: { iio = \"bme280\"; at = \"1-0076\"; channels: { temp: { } } } "
                 "b: { channels: { x: { file = \"/x\" } } }");
    assert_true(sysfs_chip(made->devices[0].options, &chip));
    assert_int_equal(chip.kind, CHIP_IIO);
    assert_string_equal(chip.name, "bme280");
    assert_string_equal(chip.at, "1-0076");
    assert_false(sysfs_chip(made->devices[1].options, &chip));
}

static void what_the_kernel_says_of_a_quantity_is_added(void **state)
{
    (void)state;
    open_devices("a: { hwmon = \"sht3x\"; channels: { temp1: { } "
                 "damp: { input = \"humidity1\"; unit = \"percent\" } "
                 "raw: { input = \"temp1\"; scale = 2 } } }");
    assert_string_equal(section_text(made->channels[0][0].options, "unit"), "°C");
    assert_string_equal(section_text(made->channels[0][0].options, "class"), "temperature");
    assert_string_equal(section_text(made->channels[0][1].options, "unit"), "percent");
    assert_null(section_text(made->channels[0][2].options, "unit"));
    assert_string_equal(sysfs_input(made->channels[0][1].options), "humidity1");
    assert_string_equal(sysfs_input(made->channels[0][0].options), "temp1");
    assert_string_equal(section_text(made->devices[0].options, "model"), "sht3x");
}

static void assert_problem(const char *devices, const char *line)
{
    struct made *wrong = made_bus(&sysfs_adapter, "sysfs:/", devices);

    assert_int_equal(problems_errors(wrong->problems), 1);
    assert_non_null(strstr(problems_line(wrong->problems, 0), line));
    made_free(wrong);
}

static void wrong_options_are_told(void **state)
{
    (void)state;
    assert_problem("a: { channels: { t: { } } }", "nothing says what channel \"t\" reads");
    assert_problem("a: { channels: { t: { file = \"temp\" } } }", "is no path from /");
    assert_problem("a: { iio = \"x\"; channels: { t: { file = \"/x\"; input = \"temp\" } } }",
                   "either a file or an input");
    assert_problem("a: { iio = \"x\"; channels: { t: { input = \"../temp\" } } }",
                   "is no input of a chip");
    assert_problem("a: { iio = \"x\"; hwmon = \"y\"; channels: { t: { } } }",
                   "a device is one chip");
    assert_problem("a: { iio = \"x\"; at = \"/sys/1-0077\"; channels: { t: { } } }",
                   "is a whole path");
    assert_problem("a: { iio = \"x\"; channels: { t: { scale = 0 } } }",
                   "leaves nothing of the value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_chip_is_known_by_one_of_its_names, teardown),
        cmocka_unit_test_teardown(what_the_kernel_says_of_a_quantity_is_added, teardown),
        cmocka_unit_test(wrong_options_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
