#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/templates.h"
#include "gateway/base/section.h"
#include "tests/unit/made_files.h"

#include <errno.h>
#include <string.h>

static const struct setting root_table[] = {
    {.key = "devices", .forms = SETTING_NAMED | SETTING_OPEN},
    {0},
};

static struct files files;
static struct problems *problems;
static struct conf *conf;
static struct conf_templates *templates;
static char first[FILES_PATH_MAX], second[FILES_PATH_MAX];

static int set_up(void **state)
{
    (void)state;
    files_init(&files);
    files_path(&files, "first", first);
    files_path(&files, "second", second);
    const char *folders[] = {first, second, NULL};
    problems = problems_new();
    templates = conf_templates_new(folders);
    conf = NULL;
    return problems && templates ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (!conf)
        conf_templates_free(templates);
    conf_free(conf);
    problems_free(problems);
    files_remove(&files, "");
    return 0;
}

static const char meter[] =
    "title = \"a meter\"; source = \"a sheet\"; model = \"M1\"; order = \"CDAB\"\n"
    "signature = ( { register = \"input 0\" } )\n"
    "channels: { power: { register = \"input 0\"; unit = \"W\" }\n"
    "            rare: { default = false; register = \"input 2\" } }\n";

/* Reads a config with these devices and completes it. */
static int use(const char *devices)
{
    char text[1000];
    snprintf(text, sizeof(text), "devices: { %s }\n", devices);
    assert_int_equal(conf_read_text("t.cfg", text, strlen(text), root_table, problems, &conf), 0);
    return conf_use_templates(conf, templates, problems);
}

static struct section *device(const char *name)
{
    return section_child(section_child(conf_root(conf), "devices"), name);
}

static bool has_channel(const char *name, const char *channel)
{
    return section_has(section_child(device(name), "channels"), channel);
}

static void a_device_takes_what_its_template_says(void **state)
{
    (void)state;
    files_put(&files, "first/meter.cfg", meter);
    assert_int_equal(use("a: { template = \"meter\" }"), 0);
    assert_string_equal(section_text(device("a"), "model"), "M1");
    assert_string_equal(section_text(device("a"), "order"), "CDAB");
    assert_true(has_channel("a", "power"));
    assert_false(has_channel("a", "rare"));
}

static void what_is_for_people_and_scans_stays_with_the_template(void **state)
{
    (void)state;
    files_put(&files, "first/meter.cfg", meter);
    assert_int_equal(use("a: { template = \"meter\"; also = \"rare\" }"), 0);
    assert_false(section_has(device("a"), "title"));
    assert_false(section_has(device("a"), "source"));
    assert_false(section_has(device("a"), "signature"));
    struct section *rare = section_child(section_child(device("a"), "channels"), "rare");
    assert_false(section_has(rare, "default"));
}

static void only_and_also_choose_channels(void **state)
{
    (void)state;
    files_put(&files, "first/meter.cfg", meter);
    assert_int_equal(use("a: { template = \"meter\"; only = [ \"r*\" ] }\n"
                         "b: { template = \"meter\"; also = [ \"r?re\" ] }"),
                     0);
    assert_false(has_channel("a", "power"));
    assert_true(has_channel("a", "rare"));
    assert_true(has_channel("b", "power"));
    assert_true(has_channel("b", "rare"));
}

static void what_a_device_says_itself_wins_key_by_key(void **state)
{
    (void)state;
    files_put(&files, "first/meter.cfg", meter);
    assert_int_equal(use("a: { template = \"meter\"; model = \"M2\"; only = \"power\"\n"
                         "channels: { power: { unit = \"kW\" } rare: { unit = \"V\" } } }"),
                     0);
    struct section *channels = section_child(device("a"), "channels");
    assert_string_equal(section_text(device("a"), "model"), "M2");
    assert_string_equal(section_text(section_child(channels, "power"), "unit"), "kW");
    assert_string_equal(section_text(section_child(channels, "power"), "register"), "input 0");
    assert_string_equal(section_text(section_child(channels, "rare"), "register"), "input 2");
}

static void the_first_folder_wins(void **state)
{
    (void)state;
    files_put(&files, "first/meter.cfg", "title = \"mine\"; source = \"me\"; channels: {}\n");
    files_put(&files, "second/meter.cfg", meter);
    const struct conf_template *template =
        conf_templates_get(templates, "meter", (struct place){NULL, 0}, problems);
    assert_non_null(template);
    assert_string_equal(template->title, "mine");
}

static void note_name(void *owner, const char *name, const char *path)
{
    char *names = owner;
    strcat(strcat(names, name), strstr(path, "/first/") ? "1 " : "2 ");
}

static void each_name_is_listed_once_and_in_order(void **state)
{
    char names[200] = "";
    (void)state;
    files_put(&files, "second/b.cfg", meter);
    files_put(&files, "second/a.cfg", meter);
    files_put(&files, "first/b.cfg", meter);
    files_put(&files, "first/B.cfg", meter);
    files_put(&files, "first/note.txt", meter);
    conf_templates_each(templates, note_name, names);
    assert_string_equal(names, "a2 b1 ");
}

static void a_missing_one_is_said_where_it_is_asked_for(void **state)
{
    (void)state;
    files_put(&files, "first/meter.cfg", meter);
    assert_int_equal(use("a: { template = \"metre\" }"), -ENOENT);
    assert_string_equal(problems_line(problems, 0),
                        "t.cfg:1:28: error: there is no template \"metre\"");
}

static void a_broken_one_is_said_in_its_own_lines(void **state)
{
    (void)state;
    files_put(&files, "first/meter.cfg", "title = \"x\"\nchannels: {}\n");
    assert_int_equal(use("a: { template = \"meter\" }\n b: { template = \"meter\" }"), -ENOENT);
    assert_int_equal(problems_errors(problems), 1);
    assert_non_null(strstr(problems_line(problems, 0), "first/meter.cfg:1:1: error: missing"));
}

static void a_pattern_that_matches_nothing_is_a_slip(void **state)
{
    (void)state;
    files_put(&files, "first/meter.cfg", meter);
    assert_int_equal(use("a: { template = \"meter\"; only = [ \"pow*\", \"energy*\" ] }"), -EINVAL);
    assert_string_equal(problems_line(problems, 0),
                        "t.cfg:1:54: error: template \"meter\" has no channel \"energy*\"");
}

static void choosing_without_a_template_is_a_slip(void **state)
{
    (void)state;
    assert_int_equal(use("a: { also = \"x\" }"), -EINVAL);
    assert_non_null(strstr(problems_line(problems, 0), "`also` chooses among the channels"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_takes_what_its_template_says),
        TEST(what_is_for_people_and_scans_stays_with_the_template),
        TEST(only_and_also_choose_channels),
        TEST(what_a_device_says_itself_wins_key_by_key),
        TEST(the_first_folder_wins),
        TEST(each_name_is_listed_once_and_in_order),
        TEST(a_missing_one_is_said_where_it_is_asked_for),
        TEST(a_broken_one_is_said_in_its_own_lines),
        TEST(a_pattern_that_matches_nothing_is_a_slip),
        TEST(choosing_without_a_template_is_a_slip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
