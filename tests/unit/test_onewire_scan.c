#include "adapters/onewire/scan.h"

#include "gateway/base/reading.h"
#include "gateway/base/text.h"
#include "made_onewire.h"
#include "made_owserver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define A "28-0000000000aa"
#define B "10-0000000000bb"

static struct files files;
static char seen[1000]; /* a line for each sensor, in an order of its own */
static size_t length;
static size_t most;

static bool take(void *owner, const struct onewire_seen *sensor)
{
    (void)owner;
    text_append(seen, sizeof(seen), &length, "%s %s %s %s %d p%d b%d\n", sensor->address.text,
                sensor->type, sensor->where, quality_name(sensor->value.quality),
                sensor->value.milli_c, (int)sensor->power, sensor->bits);
    return --most > 0;
}

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    seen[length = 0] = '\0';
    most = 100;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    files_remove(&files, "");
    return 0;
}

static int scan_files(struct error *reterr)
{
    char connect[100];

    snprintf(connect, sizeof(connect), "sysfs:%s", files.root);
    return onewire_scan(connect, take, NULL, reterr);
}

static void each_sensor_of_the_kernel_is_told(void **state)
{
    (void)state;
    made_sensor(&files, "w1_bus_master1", A, 21500);
    files_put(&files, "w1_bus_master1/" A "/ext_power", "1\n");
    files_put(&files, "w1_bus_master1/" A "/resolution", "12\n");
    made_sensor(&files, "w1_bus_master2", B, 4500);
    files_put(&files, "w1_bus_master2/" B "/ext_power", "0\n");
    files_put_folder(&files, "1d-0000000000cc");
    assert_int_equal(scan_files(NULL), 2);
    assert_non_null(strstr(seen, A " DS18B20 w1_bus_master1 good 21500 p2 b12\n"));
    assert_non_null(strstr(seen, B " DS18S20 w1_bus_master2 good 4500 p1 b0\n"));
}

static void who_has_seen_enough_ends_it(void **state)
{
    (void)state;
    made_sensor(&files, "w1_bus_master1", A, 21500);
    made_sensor(&files, "w1_bus_master1", B, 21500);
    most = 1;
    scan_files(NULL);
    assert_ptr_equal(strchr(seen, '\n'), strrchr(seen, '\n'));
}

static void where_there_is_nothing_the_reason_is_told(void **state)
{
    struct error error;

    (void)state;
    assert_int_equal(scan_files(&error), -ENODEV);
    assert_non_null(strstr(error.text, "add dtoverlay=w1-gpio to config.txt"));
    files_put(&files, "w1_bus_master1/w1_master_slaves", "not found.\n");
    assert_int_equal(scan_files(&error), -ENODEV);
    assert_non_null(strstr(error.text, "the master sees no thermometer"));
}

static void sensors_of_an_owserver_are_told_with_their_types(void **state)
{
    struct ows server = {.port = 0};

    (void)state;
    ows_start(&server);
    ows_answer(&server, "/uncached",
               "/uncached/28.0000000000AA,/uncached/29.0000000000CC,/uncached/rubbish,x");
    ows_answer(&server, "/simultaneous/temperature", "");
    ows_answer(&server, "/uncached/28.0000000000AA/type", "DS18B20");
    ows_answer(&server, "/uncached/28.0000000000AA/temperature", "     21.5625");
    ows_answer(&server, "/uncached/28.0000000000AA/power", "1");
    ows_answer(&server, "/uncached/29.0000000000CC/type", "DS2408");
    assert_int_equal(onewire_scan(server.connect, take, NULL, NULL), 2);
    assert_string_equal(seen, A " DS18B20  good 21562 p2 b0\n"
                                "29-0000000000cc DS2408  not_read 0 p0 b0\n");
    ows_stop(&server);
}

static void a_server_that_is_not_there_is_told(void **state)
{
    struct ows server = {.port = 0};
    struct error error;

    (void)state;
    ows_start(&server);
    ows_stop(&server);
    assert_int_equal(onewire_scan(server.connect, take, NULL, &error), -ECONNREFUSED);
    assert_non_null(strstr(error.text, "connection refused"));
}

static void other_addresses_are_refused(void **state)
{
    struct error error;

    (void)state;
    assert_int_equal(onewire_scan("/dev/ttyUSB0", take, NULL, &error), -EINVAL);
    assert_int_equal(onewire_scan("owserver://", take, NULL, &error), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_sensor_of_the_kernel_is_told),
        TEST(who_has_seen_enough_ends_it),
        TEST(where_there_is_nothing_the_reason_is_told),
        TEST(sensors_of_an_owserver_are_told_with_their_types),
        TEST(a_server_that_is_not_there_is_told),
        TEST(other_addresses_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
