#include "adapters/onewire/prepare.h"

#include "adapter_config.h"
#include "adapters/attribute.h"
#include "made_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define A "28-0000000000aa"

static struct files files;
static struct made_host host;
static struct onewire_prepared prepared;

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    host_init(&host);
    memset(&prepared, 0, sizeof(prepared));
    files_put(&files, "ext_power", "1\n");
    files_put(&files, "resolution", "12\n");
    files_put(&files, "features", "1\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    files_remove(&files, "");
    return 0;
}

static void prepare(int bits)
{
    onewire_prepare(&prepared, A, files.root, bits, &host.host);
}

static void unprepare(uint8_t quality)
{
    onewire_unprepare(&prepared, A, files.root, quality, &host.host);
}

static void assert_file(const char *name, const char *wanted)
{
    char path[FILES_PATH_MAX], text[ATTRIBUTE_MAX + 1];

    assert_true(attribute_read(files_path(&files, name, path), text) >= 0);
    assert_string_equal(text, wanted);
}

static void power_is_known_by_its_file(void **state)
{
    (void)state;
    assert_int_equal(onewire_power(files.root), ONEWIRE_SUPPLIED);
    files_put(&files, "ext_power", "0\n");
    assert_int_equal(onewire_power(files.root), ONEWIRE_PARASITE);
    files_put(&files, "ext_power", "-5\n");
    assert_int_equal(onewire_power(files.root), ONEWIRE_POWER_UNKNOWN);
    files_remove(&files, "ext_power");
    assert_int_equal(onewire_power(files.root), ONEWIRE_POWER_UNKNOWN);
}

static void a_resolution_that_is_wanted_is_set_once(void **state)
{
    (void)state;
    prepare(9);
    assert_file("resolution", "9\n");
    assert_int_equal(onewire_resolution(files.root), 9);
    files_put(&files, "resolution", "12\n");
    prepare(9);
    assert_file("resolution", "12\n");
}

static void a_resolution_that_nobody_wants_is_left(void **state)
{
    (void)state;
    files_put(&files, "resolution", "11\n");
    prepare(0);
    assert_file("resolution", "11\n");
}

static void after_a_bad_answer_it_is_set_again(void **state)
{
    (void)state;
    prepare(9);
    unprepare(QUALITY_POWER_ON);
    files_put(&files, "resolution", "12\n");
    prepare(9);
    assert_file("resolution", "9\n");
}

static void a_resolution_that_cannot_be_set_is_told_once(void **state)
{
    (void)state;
    files_remove(&files, "resolution");
    files_put_link(&files, "resolution", "resolution");
    prepare(9);
    unprepare(QUALITY_CRC);
    prepare(9);
    assert_non_null(strstr(host.links[0], A ": its resolution cannot be set to 9 bits: Too many"));
    assert_null(strstr(host.links[1], "resolution"));
}

static void polling_for_completion_is_tried(void **state)
{
    (void)state;
    prepare(0);
    assert_file("features", "3\n");
}

static void and_taken_back_for_good_at_the_first_bad_answer(void **state)
{
    (void)state;
    prepare(0);
    unprepare(QUALITY_POWER_ON);
    assert_file("features", "1\n");
    assert_int_equal(host.n_links, 1);
    assert_non_null(strstr(host.links[0], "waited out from now on (it said: power_on)"));
    prepare(0);
    assert_file("features", "1\n");
}

static void a_sensor_that_was_away_is_no_reason_for_that(void **state)
{
    (void)state;
    prepare(0);
    unprepare(QUALITY_NO_SENSOR);
    files_put(&files, "features", "1\n");
    prepare(0);
    assert_file("features", "3\n");
}

static void with_parasite_power_nothing_is_polled(void **state)
{
    (void)state;
    files_put(&files, "ext_power", "0\n");
    prepare(0);
    assert_file("features", "1\n");
}

static void what_is_on_already_is_left_on(void **state)
{
    (void)state;
    files_put(&files, "features", "2\n");
    prepare(0);
    unprepare(QUALITY_CRC);
    assert_file("features", "2\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(power_is_known_by_its_file),
        TEST(a_resolution_that_is_wanted_is_set_once),
        TEST(a_resolution_that_nobody_wants_is_left),
        TEST(after_a_bad_answer_it_is_set_again),
        TEST(a_resolution_that_cannot_be_set_is_told_once),
        TEST(polling_for_completion_is_tried),
        TEST(and_taken_back_for_good_at_the_first_bad_answer),
        TEST(a_sensor_that_was_away_is_no_reason_for_that),
        TEST(with_parasite_power_nothing_is_polled),
        TEST(what_is_on_already_is_left_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
