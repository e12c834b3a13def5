#include "gateway/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void an_error_has_its_code_and_its_words(void **state)
{
    struct error err = {0};
    (void)state;
    assert_int_equal(error_set(&err, -EIO, "line %d: %s", 3, "broken"), -EIO);
    assert_int_equal(err.code, -EIO);
    assert_string_equal(err.text, "line 3: broken");
}

static void who_wants_the_code_only_passes_null(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, -EIO, "unheard %s", "words"), -EIO);
    error_prefix(NULL, "nor %s", "this");
}

static void each_level_adds_its_place_in_front(void **state)
{
    struct error err = {0};
    (void)state;
    error_set(&err, -ENOENT, "no such file");
    assert_int_equal(error_prefix(&err, "bus %s", "w1"), -ENOENT);
    assert_int_equal(error_prefix(&err, "start"), -ENOENT);
    assert_string_equal(err.text, "start: bus w1: no such file");
    assert_int_equal(err.code, -ENOENT);
}

static void a_text_that_just_fits_is_not_marked(void **state)
{
    struct error err = {0};
    char text[sizeof(err.text)];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&err, -EIO, "%s", text);
    assert_string_equal(err.text, text);
}

static void a_text_that_is_too_long_ends_in_dots(void **state)
{
    struct error err = {0};
    char text[2 * sizeof(err.text)];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&err, -EIO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_string_equal(err.text + sizeof(err.text) - 5, "x...");
}

static void a_prefix_to_a_full_text_keeps_the_prefix(void **state)
{
    struct error err = {0};
    char text[sizeof(err.text)];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&err, -EIO, "%s", text);
    assert_int_equal(error_prefix(&err, "bus w1"), -EIO);
    assert_memory_equal(err.text, "bus w1: xxx", 11);
    assert_string_equal(err.text + sizeof(err.text) - 5, "x...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_its_code_and_its_words),
        cmocka_unit_test(who_wants_the_code_only_passes_null),
        cmocka_unit_test(each_level_adds_its_place_in_front),
        cmocka_unit_test(a_text_that_just_fits_is_not_marked),
        cmocka_unit_test(a_text_that_is_too_long_ends_in_dots),
        cmocka_unit_test(a_prefix_to_a_full_text_keeps_the_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
