#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/section.h"

#include <math.h>
#include <string.h>

static const struct setting inside[] = {
    {"listen", SETTING_TEXT, "127.0.0.1:8377", 0, 0, NULL, NULL, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static const struct setting table[] = {
    {"on", SETTING_BOOL, "true", 0, 0, NULL, NULL, ""},
    {"port", SETTING_INT, "1883", 1, 65535, NULL, NULL, ""},
    {"scale", SETTING_NUMBER, "0.1", 0, 0, NULL, NULL, ""},
    {"every", SETTING_DURATION, "1m 30s", 0, 0, NULL, NULL, ""},
    {"most", SETTING_SIZE, "2 GB", 0, 0, NULL, NULL, ""},
    {"payload", SETTING_CHOICE, "plain", 0, 0, "json plain", NULL, ""},
    {"host", SETTING_TEXT, "localhost", 0, 0, NULL, NULL, ""},
    {"notify", SETTING_TEXTS, "phone", 0, 0, NULL, NULL, ""},
    {"bare", SETTING_INT | SETTING_NUMBER | SETTING_TEXT, NULL, 0, 0, NULL, NULL, ""},
    {"web", SETTING_GROUP, "{}", 0, 0, NULL, inside, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static const struct setting second_table[] = {{"port", SETTING_INT, "1", 0, 0, NULL, NULL, ""},
                                              {"extra", SETTING_INT, "7", 0, 0, NULL, NULL, ""},
                                              {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static const struct place nowhere = {NULL, 0};
static const struct setting *const tables[] = {table, second_table};
static struct section *root;
static struct problems *problems;

static int set_up(void **state)
{
    (void)state;
    root = section_new("", nowhere);
    problems = problems_new();
    return root != NULL && problems != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    section_free(root);
    problems_free(problems);
    return 0;
}

static void put_text(const char *key, const char *text)
{
    assert_int_equal(value_text(section_add(root, key, nowhere), nowhere, text, NULL), 0);
}

static void what_was_not_written_has_its_default(void **state)
{
    (void)state;
    assert_int_equal(section_check(root, tables, 2, problems), 0);
    assert_true(section_bool(root, "on"));
    assert_int_equal(section_int(root, "port"), 1883);
    assert_true(section_number(root, "scale") == 0.1);
    assert_int_equal(section_duration_ms(root, "every"), 90000);
    assert_int_equal(section_size(root, "most"), 2000000000);
    assert_int_equal(section_choice(root, "payload"), 1);
    assert_string_equal(section_text(root, "host"), "localhost");
    assert_int_equal(section_count(root, "notify"), 1);
    assert_string_equal(section_text_at(root, "notify", 0), "phone");
    assert_int_equal(section_int(root, "extra"), 7);
    assert_false(section_has(root, "port"));
    assert_int_equal(section_form(root, "port"), 0);
}

static void what_was_written_counts_before_the_default(void **state)
{
    (void)state;
    value_bool(section_add(root, "on", nowhere), nowhere, false);
    value_int(section_add(root, "port", nowhere), nowhere, 8883);
    value_int(section_add(root, "scale", nowhere), nowhere, 3);
    put_text("every", "5s");
    put_text("most", "3 kB");
    put_text("payload", "json");
    put_text("host", "broker");
    put_text("notify", "admin");
    assert_int_equal(section_check(root, tables, 2, problems), 0);
    assert_false(section_bool(root, "on"));
    assert_int_equal(section_int(root, "port"), 8883);
    assert_true(section_number(root, "scale") == 3);
    assert_int_equal(section_duration_ms(root, "every"), 5000);
    assert_int_equal(section_size(root, "most"), 3000);
    assert_int_equal(section_choice(root, "payload"), 0);
    assert_string_equal(section_text(root, "host"), "broker");
    assert_string_equal(section_text_at(root, "notify", 0), "admin");
}

static void without_value_and_default_there_is_nothing(void **state)
{
    (void)state;
    section_check(root, tables, 2, problems);
    assert_false(section_bool(root, "bare"));
    assert_int_equal(section_int(root, "bare"), 0);
    assert_true(isnan(section_number(root, "bare")));
    assert_null(section_text(root, "bare"));
    assert_int_equal(section_duration_ms(root, "bare"), 0);
    assert_int_equal(section_size(root, "unheard"), 0);
    assert_int_equal(section_choice(root, "unheard"), -1);
    assert_int_equal(section_count(root, "bare"), 0);
    assert_true(isnan(section_number_at(root, "bare", 0)));
    assert_null(section_text_at(root, "bare", 0));
    assert_null(section_child(root, "bare"));
}

static void a_value_of_another_form_is_not_converted(void **state)
{
    (void)state;
    value_number(section_add(root, "port", nowhere), nowhere, 5.7);
    put_text("scale", "3");
    put_text("payload", "xml");
    put_text("every", "soon");
    value_int(section_add(root, "bare", nowhere), nowhere, 5);
    section_check(root, tables, 2, problems);
    assert_int_equal(section_int(root, "port"), 1883);
    assert_true(section_number(root, "scale") == 0.1);
    assert_int_equal(section_choice(root, "payload"), -1);
    assert_int_equal(section_duration_ms(root, "every"), 90000);
    assert_null(section_text(root, "bare"));
}

static void a_group_that_was_not_written_still_has_its_defaults(void **state)
{
    (void)state;
    section_check(root, tables, 2, problems);
    section_check(root, tables, 2, problems);
    assert_false(section_has(root, "web"));
    assert_int_equal(section_form(root, "web"), 0);
    assert_null(section_key(root, 0));
    assert_string_equal(section_text(section_child(root, "web"), "listen"), "127.0.0.1:8377");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_not_written_has_its_default),
        TEST(what_was_written_counts_before_the_default),
        TEST(without_value_and_default_there_is_nothing),
        TEST(a_value_of_another_form_is_not_converted),
        TEST(a_group_that_was_not_written_still_has_its_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
