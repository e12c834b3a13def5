#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/tables.h"
#include "gateway/base/section.h"
#include "tests/unit/made_files.h"

#include <errno.h>
#include <string.h>

static const struct setting root_table[] = {
    {.key = "devices", .forms = SETTING_NAMED | SETTING_OPEN},
    {.key = "device_tables", .forms = SETTING_GROUPS, .inside = conf_table_settings},
    {0},
};

static const struct setting device_table[] = {
    {.key = "bus", .forms = SETTING_TEXT},
    {.key = "unit", .forms = SETTING_INT},
    {.key = "factor", .forms = SETTING_NUMBER},
    {.key = "label", .forms = SETTING_TEXT},
    {.key = "every", .forms = SETTING_DURATION},
    {.key = "ha", .forms = SETTING_BOOL},
    {.key = "only", .forms = SETTING_TEXTS},
    {.key = "channels", .forms = SETTING_NAMED | SETTING_OPEN},
    {0},
};

static struct files files;
static struct problems *problems;
static struct conf *conf;

static int set_up(void **state)
{
    (void)state;
    files_init(&files);
    problems = problems_new();
    conf = NULL;
    return problems ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    conf_free(conf);
    problems_free(problems);
    files_remove(&files, "");
    return 0;
}

/* The result of a config with this table, and devices of its own. */
static int add(const char *csv, const char *devices)
{
    static const struct setting *const tables[] = {device_table};
    char path[FILES_PATH_MAX], text[400];

    if (csv)
        files_put(&files, "t.csv", csv);
    snprintf(text, sizeof(text),
             "device_tables = ( { bus = \"plant\"; file = \"t.csv\" } )\ndevices: { %s }\n",
             devices);
    files_put(&files, "t.cfg", text);
    assert_int_equal(conf_read(files_path(&files, "t.cfg", path), root_table, problems, &conf), 0);
    return conf_add_tables(conf, tables, 1, problems);
}

static struct section *device(const char *name)
{
    return section_child(section_child(conf_root(conf), "devices"), name);
}

/* The i-th problem, from the file's name on. */
static const char *said(size_t i)
{
    const char *line = problems_line(problems, i);

    return line ? strstr(line, "t.c") : "nothing";
}

static void each_line_is_a_device(void **state)
{
    (void)state;
    assert_int_equal(add("name,unit,label\na,1,Left\n# a note\nb,2,\"Right, far\"\n", ""), 0);
    assert_int_equal(section_int(device("a"), "unit"), 1);
    assert_string_equal(section_text(device("b"), "label"), "Right, far");
    assert_string_equal(section_text(device("b"), "bus"), "plant");
}

static void fields_are_read_as_their_options_want_them(void **state)
{
    (void)state;
    assert_int_equal(add("name;label;factor;ha;only;every\na;12;2.5;false;x* y;5s\n", ""), 0);
    assert_string_equal(section_text(device("a"), "label"), "12");
    assert_true(section_number(device("a"), "factor") == 2.5);
    assert_int_equal(section_form(device("a"), "ha"), SETTING_BOOL);
    assert_int_equal(section_count(device("a"), "only"), 2);
    assert_string_equal(section_text_at(device("a"), "only", 1), "y");
    assert_string_equal(section_text(device("a"), "every"), "5s");
}

static void an_empty_field_is_not_written(void **state)
{
    (void)state;
    assert_int_equal(add("name,unit,bus\na,,\nb,2,other\n", ""), 0);
    assert_false(section_has(device("a"), "unit"));
    assert_string_equal(section_text(device("a"), "bus"), "plant");
    assert_string_equal(section_text(device("b"), "bus"), "other");
}

static void places_are_those_of_the_table(void **state)
{
    uint32_t line, column;

    (void)state;
    assert_int_equal(add("name,unit\na,1\nbb,  x\n", ""), 0);
    place_line_column(section_place(device("bb"), "unit"), &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 6);
}

static void a_name_given_twice_is_said_with_both_places(void **state)
{
    (void)state;
    assert_int_equal(add("name,unit\na,1\nb,2\na,3\n", "b: { unit = 4 }"), -EINVAL);
    assert_string_equal(said(0), "t.csv:3:1: error: \"b\" is given twice");
    assert_string_equal(said(1), "t.csv:4:1: error: \"a\" is given twice");
}

static void what_no_device_has_is_said_at_its_column(void **state)
{
    (void)state;
    assert_int_equal(add("name,unti,channels\na,1,2\n", ""), -EINVAL);
    assert_string_equal(said(0), "t.csv:1:6: error: a device has no option \"unti\"");
    assert_string_equal(said(1), "t.csv:1:11: error: a device has no option \"channels\"");
}

static void lines_that_do_not_fit_are_said(void **state)
{
    (void)state;
    assert_int_equal(add("name,label\na,x,y\nB,x\n,x\nc,\"x\n", ""), -EINVAL);
    assert_string_equal(said(0), "t.csv:2:1: error: this line has 3 fields, the first one names 2");
    assert_string_equal(said(1), "t.csv:3:1: error: \"B\" is not a name");
    assert_string_equal(said(2), "t.csv:4:1: error: \"\" is not a name");
    assert_string_equal(said(3),
                        "t.csv:5:1: error: a quote is not closed, or something follows it");
}

static void a_header_without_names_is_said(void **state)
{
    (void)state;
    assert_int_equal(add("unit,label\n1,x\n", ""), -EINVAL);
    assert_string_equal(said(0), "t.csv:1:1: error: the first line has no column \"name\"");
}

static void a_missing_file_is_said(void **state)
{
    (void)state;
    assert_int_equal(add(NULL, ""), -ENOENT);
    assert_non_null(strstr(problems_line(problems, 0), "t.csv: No such file"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_line_is_a_device),
        TEST(fields_are_read_as_their_options_want_them),
        TEST(an_empty_field_is_not_written),
        TEST(places_are_those_of_the_table),
        TEST(a_name_given_twice_is_said_with_both_places),
        TEST(what_no_device_has_is_said_at_its_column),
        TEST(lines_that_do_not_fit_are_said),
        TEST(a_header_without_names_is_said),
        TEST(a_missing_file_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
