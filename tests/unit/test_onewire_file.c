#include "adapters/onewire/file.h"

#include "gateway/base/reading.h"
#include "made_onewire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define A "28-0000000000aa"

static struct files files;
static int error;

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

static struct onewire_value read_sensor(void)
{
    char folder[FILES_PATH_MAX];

    return onewire_file_read(files_path(&files, A, folder), 0x28, &error);
}

static void the_file_with_a_sum_is_read_first(void **state)
{
    char text[200];

    (void)state;
    files_put(&files, A "/w1_slave", made_slave_text(21562, text));
    files_put(&files, A "/temperature", "99000\n");
    assert_int_equal(read_sensor().milli_c, 21562);
    assert_int_equal(error, 0);
}

static void the_bare_number_where_there_is_nothing_better(void **state)
{
    (void)state;
    files_put(&files, A "/temperature", "21562\n");
    assert_int_equal(read_sensor().milli_c, 21562);
}

static void errors_have_a_quality(void **state)
{
    (void)state;
    assert_int_equal(read_sensor().quality, QUALITY_NO_SENSOR);
    assert_int_equal(error, -ENOENT);
    files_put_folder(&files, A "/w1_slave");
    assert_int_equal(read_sensor().quality, QUALITY_PROTOCOL);
    assert_int_equal(error, -EISDIR);
    files_remove(&files, A "/w1_slave");
    files_put_link(&files, A "/w1_slave", "w1_slave");
    assert_int_equal(read_sensor().quality, QUALITY_ERROR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_with_a_sum_is_read_first),
        TEST(the_bare_number_where_there_is_nothing_better),
        TEST(errors_have_a_quality),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
