#include "adapters/sysfs/sysfs.h"

#include "adapter_config.h"
#include "made_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct files files;
static struct made_host host;
static struct made *made;
static void *bus;

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    host_init(&host);
    made = NULL;
    bus = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sysfs_adapter.close(bus);
    if (made)
        made_free(made);
    files_remove(&files, "");
    return 0;
}

/* `channels` go into a device under the test's own root. */
static void open_device(const char *channels)
{
    char connect[100], device[2000];
    struct error error;

    snprintf(connect, sizeof(connect), "sysfs:%s", files.root);
    snprintf(device, sizeof(device), "pi: { channels: { %s } }", channels);
    made = made_bus(&sysfs_adapter, connect, device);
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(sysfs_adapter.open(&made->config, &host.host, &bus, &error), 0);
}

static uint8_t poll_device(void)
{
    return sysfs_adapter.poll(bus, 0, 0);
}

static void assert_number(size_t channel, double number)
{
    const struct sample *sample = &host.samples[0][channel];

    assert_int_equal(sample->quality, QUALITY_GOOD);
    assert_int_equal(sample->kind, VALUE_NUMBER);
    if (sample->number != number)
        fail_msg("%.17g is not %.17g", sample->number, number);
}

/* One file with these bytes: its quality, and a value only when that is good. */
static void assert_text(const char *bytes, size_t length, uint8_t quality, double number)
{
    uint8_t ended;

    files_put_bytes(&files, "value", bytes, length);
    host.n_reports[0] = 0;
    ended = poll_device();
    assert_string_equal(quality_name(ended), quality_name(quality));
    if (quality == QUALITY_GOOD)
        assert_number(0, number);
    else
        assert_int_equal(host.n_reports[0], 0);
}

static void a_number_in_a_file_is_scaled(void **state)
{
    (void)state;
    open_device("temp: { file = \"/class/temp\"; scale = 0.001 } "
                "raw: { file = \"/class/temp\" } "
                "shifted: { file = \"/class/temp\"; scale = 0.001; offset = -0.678 }");
    files_put(&files, "class/temp", "45678\n");
    assert_int_equal(poll_device(), QUALITY_GOOD);
    assert_int_equal(host.n_reports[0], 3);
    assert_number(0, 45.678);
    assert_number(1, 45678);
    assert_number(2, 45);
}

static void numbers_are_read_in_their_plain_forms(void **state)
{
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        {"0\n", 0},
        {"-5", -5},
        {"+7\n", 7},
        {" \t 12 \r\n\n", 12},
        {"21.57\n", 21.57},
        {"1e3\n", 1000},
        {"18446744073709551615\n", 18446744073709551615.0},
        {"007\n", 7},
        {".5\n", 0.5},
    };

    (void)state;
    open_device("value: { file = \"/value\" }");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_text(cases[i].text, strlen(cases[i].text), QUALITY_GOOD, cases[i].number);
}

static void what_is_no_number_is_no_value(void **state)
{
    static const char *const wrong[] = {
        "",      "\n",    "   ", "warm\n", "0x10\n", "12 C\n",   "12\n13\n", "nan\n",   "inf\n",
        "1,5\n", "--1\n", "-\n", "1e\n",   ".\n",    "\xff\xfe", "12abc\n",  "°C 21\n", "1 2\n",
    };

    (void)state;
    open_device("value: { file = \"/value\" }");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_text(wrong[i], strlen(wrong[i]), QUALITY_PROTOCOL, 0);
    assert_text("12\0\n", 4, QUALITY_PROTOCOL, 0);
    assert_text("12\0", 3, QUALITY_PROTOCOL, 0);
}

static void a_number_beyond_all_measure_is_out_of_range(void **state)
{
    (void)state;
    open_device("value: { file = \"/value\"; scale = 1e10 }");
    assert_text("1e999\n", 6, QUALITY_OUT_OF_RANGE, 0);
    assert_text("1e305\n", 6, QUALITY_OUT_OF_RANGE, 0);
}

static void a_large_file_is_no_value(void **state)
{
    static char zeros[100000];

    (void)state;
    memset(zeros, '0', sizeof(zeros));
    open_device("value: { file = \"/value\" }");
    assert_text(zeros, sizeof(zeros), QUALITY_PROTOCOL, 0);
    assert_text(zeros, 4096, QUALITY_GOOD, 0);
}

static void a_missing_file_is_no_sensor_and_comes_back(void **state)
{
    (void)state;
    open_device("value: { file = \"/value\" }");
    assert_int_equal(poll_device(), QUALITY_NO_SENSOR);
    assert_text("5\n", 2, QUALITY_GOOD, 5);
    files_remove(&files, "value");
    assert_int_equal(poll_device(), QUALITY_NO_SENSOR);
    assert_int_equal(host.n_links, 0);
}

/* None of these may hang; the test would. */
static void what_is_no_regular_file_is_an_error_with_words_said_once(void **state)
{
    (void)state;
    open_device("fifo: { file = \"/fifo\" } folder: { file = \"/folder\" } "
                "endless: { file = \"/endless\" }");
    files_put_fifo(&files, "fifo");
    files_put_folder(&files, "folder");
    files_put_link(&files, "endless", "/dev/zero");
    for (int i = 0; i < 3; i++)
        assert_int_equal(poll_device(), QUALITY_ERROR);
    assert_int_equal(host.n_links, 3);
    assert_non_null(strstr(host.links[0], "/fifo down: it is no regular file"));
}

/* Root may read everything, so it becomes somebody else for the polls. */
static void a_file_that_may_not_be_read_is_an_error_until_it_may(void **state)
{
    char path[FILES_PATH_MAX];
    uid_t user = geteuid();
    uint8_t ends[3];

    (void)state;
    open_device("value: { file = \"/value\" }");
    files_put(&files, "value", "5\n");
    assert_int_equal(chmod(files.root, 0777) | chmod(files_path(&files, "value", path), 0), 0);
    assert_int_equal(user == 0 ? seteuid(65534) : 0, 0);
    ends[0] = poll_device();
    ends[1] = poll_device();
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(chmod(path, 0666), 0);
    ends[2] = poll_device();
    assert_int_equal(ends[0], QUALITY_ERROR);
    assert_int_equal(ends[1], QUALITY_ERROR);
    assert_int_equal(ends[2], QUALITY_GOOD);
    assert_int_equal(host.n_links, 2);
    assert_non_null(strstr(host.links[0], "/value down: Permission denied"));
    assert_non_null(strstr(host.links[1], "/value up"));
}

static void an_error_is_over_when_the_file_was_read_not_when_it_is_gone(void **state)
{
    (void)state;
    open_device("value: { file = \"/value\" }");
    files_put_folder(&files, "value");
    assert_int_equal(poll_device(), QUALITY_ERROR);
    files_remove(&files, "value");
    assert_int_equal(poll_device(), QUALITY_NO_SENSOR);
    assert_int_equal(host.n_links, 1);
    assert_text("5\n", 2, QUALITY_GOOD, 5);
    assert_int_equal(host.n_links, 2);
}

static void one_bad_file_leaves_the_others_their_values(void **state)
{
    (void)state;
    open_device("a: { file = \"/a\" } b: { file = \"/b\" } c: { file = \"/c\" }");
    files_put(&files, "a", "1\n");
    files_put(&files, "c", "warm\n");
    assert_int_equal(poll_device(), QUALITY_GOOD);
    assert_number(0, 1);
    assert_int_equal(host.samples[0][1].quality, QUALITY_NO_SENSOR);
    assert_int_equal(host.samples[0][1].kind, VALUE_NONE);
    assert_int_equal(host.samples[0][2].quality, QUALITY_PROTOCOL);
}

static void files_that_are_bad_for_different_reasons_keep_them(void **state)
{
    (void)state;
    open_device("a: { file = \"/a\" } b: { file = \"/b\" }");
    files_put(&files, "b", "warm\n");
    assert_int_equal(poll_device(), QUALITY_GOOD);
    assert_int_equal(host.samples[0][0].quality, QUALITY_NO_SENSOR);
    assert_int_equal(host.samples[0][1].quality, QUALITY_PROTOCOL);
}

static void the_root_of_all_files_adds_nothing(void **state)
{
    struct error error;

    (void)state;
    made = made_bus(&sysfs_adapter, sysfs_adapter.default_connect,
                    "pi: { channels: { pid: { file = \"/proc/sys/kernel/pid_max\" } } }");
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(sysfs_adapter.open(&made->config, &host.host, &bus, &error), 0);
    assert_int_equal(poll_device(), QUALITY_GOOD);
    assert_true(host.samples[0][0].number > 100);
}

static void open_chip(const char *device)
{
    char connect[100];
    struct error error;

    snprintf(connect, sizeof(connect), "sysfs:%s", files.root);
    made = made_bus(&sysfs_adapter, connect, device);
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(sysfs_adapter.open(&made->config, &host.host, &bus, &error), 0);
}

static void a_chip_is_read_in_the_units_of_people(void **state)
{
    (void)state;
    files_put(&files, "sys/bus/iio/devices/iio:device0/name", "bme280\n");
    files_put(&files, "sys/bus/iio/devices/iio:device0/in_temp_input", "21340\n");
    files_put(&files, "sys/bus/iio/devices/iio:device0/in_pressure_input", "101.325000000\n");
    files_put(&files, "sys/bus/iio/devices/iio:device0/in_humidityrelative_input", "45123\n");
    open_chip("air: { iio = \"bme280\"; channels: { temp: { } pressure: { offset = 1.5 } "
              "humidity: { input = \"humidityrelative\" } } }");
    assert_int_equal(poll_device(), QUALITY_GOOD);
    assert_number(0, 21.34);
    assert_number(1, 1014.75);
    assert_number(2, 45.123);
}

static void a_chip_that_has_moved_is_found_again(void **state)
{
    (void)state;
    files_put(&files, "sys/class/hwmon/hwmon0/name", "sht3x\n");
    files_put(&files, "sys/class/hwmon/hwmon0/temp1_input", "21000\n");
    open_chip("air: { hwmon = \"sht3x\"; channels: { temp: { input = \"temp1\" } } }");
    assert_int_equal(poll_device(), QUALITY_GOOD);
    assert_number(0, 21);
    files_remove(&files, "sys/class/hwmon/hwmon0");
    assert_int_equal(poll_device(), QUALITY_NO_SENSOR);
    files_put(&files, "sys/class/hwmon/hwmon5/name", "sht3x\n");
    files_put(&files, "sys/class/hwmon/hwmon5/temp1_input", "22000\n");
    assert_int_equal(poll_device(), QUALITY_GOOD);
    assert_number(0, 22);
}

static void assert_problem(const char *connect, const char *device, const char *line)
{
    struct made *wrong = made_bus(&sysfs_adapter, connect, device);

    assert_int_equal(problems_errors(wrong->problems), 1);
    assert_non_null(strstr(problems_line(wrong->problems, 0), line));
    made_free(wrong);
}

static void wrong_options_are_told(void **state)
{
    (void)state;
    assert_problem("sysfs:/", "pi: { channels: { a: { file = \"sys/temp\" } } }",
                   "\"sys/temp\" is no path from /");
    assert_problem("sysfs:/", "pi: { channels: { a: { file = \"\" } } }", "\"\" is no path from /");
    assert_problem("sysfs:/", "pi: { channels: { a: { file = \"/a\"; scale = 0 } } }",
                   "a scale of 0");
    assert_problem("sysfs:made", "pi: { channels: { a: { file = \"/a\" } } }",
                   "\"sysfs:made\" is no path from /");
}

static void decimals_follow_the_scale_where_there_is_one(void **state)
{
    (void)state;
    open_device(
        "a: { file = \"/a\" } b: { file = \"/a\"; scale = 0.001 } "
        "c: { file = \"/a\"; scale = 0.1; offset = 273.15 } d: { file = \"/a\"; scale = 10 }");
    assert_int_equal(sysfs_adapter.traits(made->channels[0][0].options).decimals, -1);
    assert_int_equal(sysfs_adapter.traits(made->channels[0][1].options).decimals, 3);
    assert_int_equal(sysfs_adapter.traits(made->channels[0][2].options).decimals, 2);
    assert_int_equal(sysfs_adapter.traits(made->channels[0][3].options).decimals, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chip_is_read_in_the_units_of_people),
        TEST(a_chip_that_has_moved_is_found_again),
        TEST(a_number_in_a_file_is_scaled),
        TEST(numbers_are_read_in_their_plain_forms),
        TEST(what_is_no_number_is_no_value),
        TEST(a_number_beyond_all_measure_is_out_of_range),
        TEST(a_large_file_is_no_value),
        TEST(a_missing_file_is_no_sensor_and_comes_back),
        TEST(what_is_no_regular_file_is_an_error_with_words_said_once),
        TEST(a_file_that_may_not_be_read_is_an_error_until_it_may),
        TEST(an_error_is_over_when_the_file_was_read_not_when_it_is_gone),
        TEST(one_bad_file_leaves_the_others_their_values),
        TEST(files_that_are_bad_for_different_reasons_keep_them),
        TEST(the_root_of_all_files_adds_nothing),
        TEST(wrong_options_are_told),
        TEST(decimals_follow_the_scale_where_there_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
