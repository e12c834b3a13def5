#include "gateway/base/supply.h"

#include "made_files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct files files;

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    files_put(&files, "hwmon0/name", "cpu_thermal\n");
    files_put(&files, "hwmon1/name", "rpi_volt\n");
    files_put(&files, "hwmon1/in0_lcrit_alarm", "0\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    files_remove(&files, "");
    return 0;
}

static void a_good_supply_is_good(void **state)
{
    (void)state;
    assert_int_equal(supply_undervoltage(files.root), 0);
}

static void a_weak_one_is_told(void **state)
{
    (void)state;
    files_put(&files, "hwmon1/in0_lcrit_alarm", "1\n");
    assert_int_equal(supply_undervoltage(files.root), 1);
}

static void where_nobody_watches_it_there_is_no_telling(void **state)
{
    (void)state;
    files_remove(&files, "hwmon1/in0_lcrit_alarm");
    assert_int_equal(supply_undervoltage(files.root), -ENOENT);
    assert_int_equal(supply_undervoltage("/nowhere"), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_supply_is_good),
        TEST(a_weak_one_is_told),
        TEST(where_nobody_watches_it_there_is_no_telling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
