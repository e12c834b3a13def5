#include "adapters/onewire/bulk.h"

#include "adapter_config.h"
#include "adapters/onewire/tree.h"
#include "made_onewire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"

#define M1 "w1_bus_master1"
#define A  "28-0000000000aa"
#define B  "28-0000000000bb"

static struct files files;
static struct made_host host;
static struct made_bulk kernel;
static struct onewire_bulk bulk;
static char folder[FILES_PATH_MAX];

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    host_init(&host);
    onewire_bulk_init(&bulk);
    files_path(&files, M1, folder);
    files_put(&files, M1 "/w1_master_slaves", A "\n" B "\n");
    files_put(&files, M1 "/" A "/ext_power", "1\n");
    files_put(&files, M1 "/" B "/ext_power", "1\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_bulk_stop(&kernel);
    onewire_bulk_clear(&bulk);
    clock_use_system();
    files_remove(&files, "");
    return 0;
}

static enum onewire_bulk_result ask(uint32_t *seen)
{
    return onewire_bulk_measure(&bulk, folder, seen, &host.host);
}

static void all_of_a_master_are_measured_by_one_conversion(void **state)
{
    uint32_t a = 0, b = 0;

    (void)state;
    made_bulk_start(&kernel, &files, M1);
    assert_int_equal(ask(&a), ONEWIRE_DONE);
    assert_int_equal(ask(&b), ONEWIRE_DONE);
    assert_int_equal(made_bulk_count(&kernel), 1);
    assert_int_equal(ask(&a), ONEWIRE_DONE);
    assert_int_equal(ask(&b), ONEWIRE_DONE);
    assert_int_equal(made_bulk_count(&kernel), 2);
    assert_int_equal(host.n_links, 0);
}

static void a_result_that_has_grown_old_is_measured_anew(void **state)
{
    uint32_t a = 0, b = 0;
    int64_t now_ms = clock_boot_ms();

    (void)state;
    made_bulk_start(&kernel, &files, M1);
    clock_use_fixed(now_ms, 0);
    assert_int_equal(ask(&a), ONEWIRE_DONE);
    clock_use_fixed(now_ms + 60000, 0);
    assert_int_equal(ask(&b), ONEWIRE_DONE);
    assert_int_equal(made_bulk_count(&kernel), 2);
}

static void an_old_result_is_to_be_read_away_where_nothing_new_can_be_measured(void **state)
{
    uint32_t a = 0, b = 0;
    int64_t now_ms = clock_boot_ms();

    (void)state;
    made_bulk_start(&kernel, &files, M1);
    clock_use_fixed(now_ms, 0);
    assert_int_equal(ask(&a), ONEWIRE_DONE);
    made_bulk_stop(&kernel);
    files_remove(&files, M1 "/therm_bulk_read");
    clock_use_fixed(now_ms + 60000, 0);
    assert_int_equal(ask(&b), ONEWIRE_OLD);
    assert_int_equal(ask(&b), ONEWIRE_ALONE);
    assert_int_equal(ask(&a), ONEWIRE_ALONE);
}

static void a_master_without_it_is_told_once(void **state)
{
    uint32_t a = 0;

    (void)state;
    assert_int_equal(ask(&a), ONEWIRE_ALONE);
    assert_int_equal(ask(&a), ONEWIRE_ALONE);
    assert_int_equal(host.n_links, 1);
    assert_string_equal(host.links[0],
                        "note: " M1 ": its sensors are measured one after the other: this master "
                        "has no therm_bulk_read");
}

/* Root may write whatever its rights say: a link to itself refuses everybody. */
static void one_that_refuses_is_told_once_and_tried_again_later(void **state)
{
    uint32_t a = 0;
    int64_t now_ms = clock_boot_ms();

    (void)state;
    clock_use_fixed(now_ms, 0);
    files_put_link(&files, M1 "/therm_bulk_read", "therm_bulk_read");
    assert_int_equal(ask(&a), ONEWIRE_ALONE);
    assert_non_null(strstr(host.links[0], "therm_bulk_read: Too many levels of symbolic links"));
    files_remove(&files, M1 "/therm_bulk_read");
    made_bulk_start(&kernel, &files, M1);
    assert_int_equal(ask(&a), ONEWIRE_ALONE);
    clock_use_fixed(now_ms + 301000, 0);
    assert_int_equal(ask(&a), ONEWIRE_DONE);
    assert_int_equal(host.n_links, 2);
    assert_string_equal(host.links[1], "note: " M1 ": its sensors are measured at once again");
}

static void sensors_on_parasite_power_are_never_measured_together(void **state)
{
    uint32_t a = 0;

    (void)state;
    files_put(&files, M1 "/" B "/ext_power", "0\n");
    made_bulk_start(&kernel, &files, M1);
    assert_int_equal(ask(&a), ONEWIRE_ALONE);
    assert_int_equal(made_bulk_count(&kernel), 0);
    assert_non_null(strstr(host.links[0], B " lives on the power of the line"));
    files_put(&files, M1 "/w1_master_slaves", A "\n28-0000000000cc\n"); /* it was exchanged */
    assert_int_equal(ask(&a), ONEWIRE_DONE);
}

static void a_single_sensor_is_left_to_itself(void **state)
{
    uint32_t a = 0;

    (void)state;
    files_put(&files, M1 "/w1_master_slaves", A "\n1d-0000000000cc\n");
    made_bulk_start(&kernel, &files, M1);
    assert_int_equal(ask(&a), ONEWIRE_ALONE);
    assert_int_equal(made_bulk_count(&kernel), 0);
    assert_int_equal(host.n_links, 0);
}

static void a_conversion_that_never_ends_is_given_up(void **state)
{
    uint32_t a = 0;

    (void)state;
    files_put(&files, M1 "/therm_bulk_read", "-1\n"); /* nobody is there who would change it */
    assert_int_equal(ask(&a), ONEWIRE_ALONE);
    assert_non_null(strstr(host.links[0], "Connection timed out"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_of_a_master_are_measured_by_one_conversion),
        TEST(a_result_that_has_grown_old_is_measured_anew),
        TEST(an_old_result_is_to_be_read_away_where_nothing_new_can_be_measured),
        TEST(a_master_without_it_is_told_once),
        TEST(one_that_refuses_is_told_once_and_tried_again_later),
        TEST(sensors_on_parasite_power_are_never_measured_together),
        TEST(a_single_sensor_is_left_to_itself),
        TEST(a_conversion_that_never_ends_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
