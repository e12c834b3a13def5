#include "gateway/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/section.h"

static struct store_options options_of(const char *key, const char *text, const char *key2,
                                       const char *text2, size_t *ret_errors)
{
    static struct section *section;
    const struct setting *tables[] = {store_settings};
    struct problems *problems = problems_new();
    struct place place = {0};
    struct store_options options;

    section_free(section); /* the path is borrowed from it */
    section = section_new("store", place);
    if (key)
        value_text(section_add(section, key, place), place, text, NULL);
    if (key2)
        value_text(section_add(section, key2, place), place, text2, NULL);
    *ret_errors = section_check(section, tables, 1, problems);
    problems_free(problems);
    options = store_options(section);
    return options;
}

static void test_the_defaults_are_those_of_the_manual(void **state)
{
    size_t errors;
    struct store_options options = options_of(NULL, NULL, NULL, NULL, &errors);

    (void)state;
    assert_int_equal(errors, 0);
    assert_string_equal(options.path, "/var/lib/thermogate");
    assert_int_equal(options.keep_ms, 30 * INT64_C(86400000));
    assert_int_equal(options.keep_minutes_ms, 400 * INT64_C(86400000));
    assert_int_equal(options.keep_hours_ms, 3650 * INT64_C(86400000));
    assert_int_equal(options.commit_every_ms, 60000);
    assert_int_equal(options.max_size, 2000000000);
    assert_null(options.vfs);
}

static void test_a_card_is_written_to_every_ten_minutes_unless_said_otherwise(void **state)
{
    size_t errors;

    (void)state;
    assert_int_equal(options_of("profile", "sdcard", NULL, NULL, &errors).commit_every_ms, 600000);
    assert_int_equal(options_of("profile", "sdcard", "commit_every", "5s", &errors).commit_every_ms,
                     5000);
    assert_int_equal(errors, 0);
}

static void test_what_cannot_be_is_an_error(void **state)
{
    size_t errors;

    (void)state;
    options_of("keep", "1h", NULL, NULL, &errors);
    assert_int_equal(errors, 1);
    options_of("profile", "floppy", NULL, NULL, &errors);
    assert_int_equal(errors, 1);
    options_of("max_size", "1 MB", NULL, NULL, &errors);
    assert_int_equal(errors, 1);
    options_of(NULL, NULL, NULL, NULL, &errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_defaults_are_those_of_the_manual),
        cmocka_unit_test(test_a_card_is_written_to_every_ten_minutes_unless_said_otherwise),
        cmocka_unit_test(test_what_cannot_be_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
