#include "adapters/sysfs/chip.h"

#include "made_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define IIO   "sys/bus/iio/devices/"
#define HWMON "sys/class/hwmon/"

static struct files files;
static struct chip_file file;

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    files_remove(&files, "");
    return 0;
}

static int find(enum chip_kind kind, const char *name, const char *at, const char *input)
{
    struct chip chip = {kind, name, at};

    return chip_find(files.root, &chip, input, &file);
}

static void assert_found(enum chip_kind kind, const char *name, const char *at, const char *input,
                         const char *path)
{
    char whole[FILES_PATH_MAX];

    assert_int_equal(find(kind, name, at, input), 0);
    assert_string_equal(file.path, files_path(&files, path, whole));
}

static void an_iio_device_is_found_by_its_name_wherever_it_stands(void **state)
{
    (void)state;
    files_put(&files, IIO "iio:device0/name", "ads1115\n");
    files_put(&files, IIO "iio:device7/name", "bme280\n");
    files_put(&files, IIO "iio:device7/in_temp_input", "21340\n");
    assert_found(CHIP_IIO, "bme280", NULL, "temp", IIO "iio:device7/in_temp_input");
    assert_true(file.factor == 0.001 && file.offset == 0);
    assert_int_equal(find(CHIP_IIO, "bme280", NULL, "pressure"), -ENOENT);
    assert_int_equal(find(CHIP_IIO, "bmp085", NULL, "temp"), -ENOENT);
}

static void raw_numbers_have_the_scale_and_offset_of_the_kernel(void **state)
{
    (void)state;
    files_put(&files, IIO "iio:device0/name", "hdc1010\n");
    files_put(&files, IIO "iio:device0/in_temp_raw", "26000\n");
    files_put(&files, IIO "iio:device0/in_temp_scale", "2.517700195\n");
    files_put(&files, IIO "iio:device0/in_temp_offset", "-15887.515\n");
    assert_found(CHIP_IIO, "hdc1010", NULL, "temp", IIO "iio:device0/in_temp_raw");
    assert_true((26000 + file.offset) * file.factor > 25.4);
    assert_true((26000 + file.offset) * file.factor < 25.5);
}

static void channels_of_one_kind_may_share_a_scale(void **state)
{
    (void)state;
    files_put(&files, IIO "iio:device0/name", "ads1115\n");
    files_put(&files, IIO "iio:device0/in_voltage_scale", "3\n");
    files_put(&files, IIO "iio:device0/in_voltage0_raw", "100\n");
    files_put(&files, IIO "iio:device0/in_voltage1_raw", "100\n");
    files_put(&files, IIO "iio:device0/in_voltage1_scale", "0.125\n");
    assert_found(CHIP_IIO, "ads1115", NULL, "voltage0", IIO "iio:device0/in_voltage0_raw");
    assert_true(file.factor == 0.003);
    assert_found(CHIP_IIO, "ads1115", NULL, "voltage1", IIO "iio:device0/in_voltage1_raw");
    assert_true(file.factor == 0.000125);
}

static void an_input_of_hwmon_is_found_by_number_or_label(void **state)
{
    (void)state;
    files_put(&files, HWMON "hwmon0/name", "coretemp\n");
    files_put(&files, HWMON "hwmon0/temp1_input", "45000\n");
    files_put(&files, HWMON "hwmon0/temp2_input", "46000\n");
    files_put(&files, HWMON "hwmon0/temp2_label", "Core 0\n");
    assert_found(CHIP_HWMON, "coretemp", NULL, "temp1", HWMON "hwmon0/temp1_input");
    assert_true(file.factor == 0.001);
    assert_found(CHIP_HWMON, "coretemp", NULL, "Core 0", HWMON "hwmon0/temp2_input");
    assert_true(file.factor == 0.001);
    assert_int_equal(find(CHIP_HWMON, "coretemp", NULL, "Core 1"), -ENOENT);
}

static void a_thermal_zone_is_found_by_its_type(void **state)
{
    (void)state;
    files_put(&files, "sys/class/thermal/cooling_device0/type", "cpu-thermal\n");
    files_put(&files, "sys/class/thermal/thermal_zone1/type", "cpu-thermal\n");
    files_put(&files, "sys/class/thermal/thermal_zone1/temp", "45678\n");
    assert_found(CHIP_THERMAL, "cpu-thermal", NULL, "temp", "sys/class/thermal/thermal_zone1/temp");
    assert_true(file.factor == 0.001);
}

static void two_of_one_name_are_told_apart_by_where_they_are(void **state)
{
    (void)state;
    files_put(&files, "sys/devices/i2c-1/1-0076/iio:device0/name", "bme280\n");
    files_put(&files, "sys/devices/i2c-1/1-0076/iio:device0/in_temp_input", "1\n");
    files_put(&files, "sys/devices/i2c-1/1-0077/iio:device1/name", "bme280\n");
    files_put(&files, "sys/devices/i2c-1/1-0077/iio:device1/in_temp_input", "2\n");
    files_put_folder(&files, "sys/bus");
    files_put_folder(&files, "sys/bus/iio");
    files_put_folder(&files, "sys/bus/iio/devices");
    files_put_link(&files, IIO "iio:device0", "../../../devices/i2c-1/1-0076/iio:device0");
    files_put_link(&files, IIO "iio:device1", "../../../devices/i2c-1/1-0077/iio:device1");
    assert_found(CHIP_IIO, "bme280", "1-0077", "temp", IIO "iio:device1/in_temp_input");
    assert_found(CHIP_IIO, "bme280", "1-0076", "temp", IIO "iio:device0/in_temp_input");
    assert_int_equal(find(CHIP_IIO, "bme280", "1-007", "temp"), -ENOENT);
}

static void of_several_the_first_that_has_the_input_is_taken(void **state)
{
    (void)state;
    files_put(&files, HWMON "hwmon0/name", "nvme\n");
    files_put(&files, HWMON "hwmon1/name", "nvme\n");
    files_put(&files, HWMON "hwmon1/temp1_input", "40000\n");
    assert_found(CHIP_HWMON, "nvme", NULL, "temp1", HWMON "hwmon1/temp1_input");
}

static void what_numbers_mean_is_known_by_how_inputs_begin(void **state)
{
    (void)state;
    assert_string_equal(chip_quantity(CHIP_IIO, "humidityrelative")->unit, "%");
    assert_string_equal(chip_quantity(CHIP_IIO, "pressure")->unit, "hPa");
    assert_string_equal(chip_quantity(CHIP_IIO, "temp_ambient")->klass, "temperature");
    assert_string_equal(chip_quantity(CHIP_HWMON, "in0")->unit, "V");
    assert_string_equal(chip_quantity(CHIP_HWMON, "power1")->unit, "W");
    assert_null(chip_quantity(CHIP_HWMON, "intrusion0"));
    assert_null(chip_quantity(CHIP_THERMAL, "mode"));
}

static void nothing_at_all_is_no_chip(void **state)
{
    (void)state;
    assert_int_equal(find(CHIP_IIO, "bme280", NULL, "temp"), -ENOENT);
    assert_int_equal(find(CHIP_THERMAL, "cpu-thermal", NULL, "temp"), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_iio_device_is_found_by_its_name_wherever_it_stands),
        TEST(raw_numbers_have_the_scale_and_offset_of_the_kernel),
        TEST(channels_of_one_kind_may_share_a_scale),
        TEST(an_input_of_hwmon_is_found_by_number_or_label),
        TEST(a_thermal_zone_is_found_by_its_type),
        TEST(two_of_one_name_are_told_apart_by_where_they_are),
        TEST(of_several_the_first_that_has_the_input_is_taken),
        TEST(what_numbers_mean_is_known_by_how_inputs_begin),
        TEST(nothing_at_all_is_no_chip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
