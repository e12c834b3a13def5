#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "tests/unit/steps.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct setting mqtt[] = {{"host", SETTING_TEXT, "localhost", 0, 0, NULL, NULL, ""},
                                      {"port", SETTING_INT, "1883", 1, 65535, NULL, NULL, ""},
                                      {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static const struct setting table[] = {
    {"mqtt", SETTING_GROUP, "{}", 0, 0, NULL, mqtt, ""},
    {"devices", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, ""},
    {"rules", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static char directory[] = "/tmp/thermogate-conf-XXXXXX";
static struct problems *problems;
static struct conf *conf;
static char *said;

static int set_up(void **state)
{
    (void)state;
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    problems = problems_new();
    conf = NULL;
    said = NULL;
    return problems != NULL && mkdtemp(directory) != NULL ? 0 : -1;
}

static void remove_all(const char *path)
{
    DIR *entries = opendir(path);
    struct dirent *entry;
    char inner[500];

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            remove_all(inner);
    }
    if (entries != NULL)
        closedir(entries);
    remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    conf_free(conf);
    problems_free(problems);
    free(said);
    remove_all(directory);
    return 0;
}

static void write_file(const char *name, const char *text)
{
    char path[200];
    FILE *file;

    snprintf(path, sizeof path, "%s/conf.d", directory);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int read_files(void)
{
    char path[200];
    size_t size;
    FILE *to = open_memstream(&said, &size);
    int result;

    snprintf(path, sizeof path, "%s/main.cfg", directory);
    result = conf_read(path, table, problems, &conf);
    problems_print(problems, to);
    fclose(to);
    return result;
}

static int read_text(const char *text)
{
    return conf_read_text("t.cfg", text, strlen(text), table, problems, &conf);
}

static void expect_said(const char *text)
{
    if (strstr(said, text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, said);
}

static void text_becomes_checked_sections(void **state)
{
    (void)state;
    assert_int_equal(read_text("mqtt: { host = \"broker\" } devices: { boiler: { unit = 1 } }"), 0);
    assert_string_equal(section_text(section_child(conf_root(conf), "mqtt"), "host"), "broker");
    assert_int_equal(section_int(section_child(conf_root(conf), "mqtt"), "port"), 1883);
    assert_string_equal(section_key(section_child(conf_root(conf), "devices"), 0), "boiler");
}

static void an_empty_text_is_a_config_of_defaults(void **state)
{
    (void)state;
    assert_int_equal(read_text(""), 0);
    assert_string_equal(section_text(section_child(conf_root(conf), "mqtt"), "host"), "localhost");
}

/* All kinds of settings that rules know, as people write them. */
static void the_syntax_of_rules_is_understood(void **state)
{
    static const char text[] =
        "rules: {\n"
        "  line_down:  { sensor = \"line.online\"; equals = 0; for = \"1m\"; notify = \"boss\" "
        "}\n\n"
        "  cold_store: { sensor = \"store.temp\"; above = -15.0; clear_below = -17.0; for = "
        "\"10m\"\n"
        "                message = \"Store at {value} {unit} since {since}\"; ack = true\n"
        "                adjustable = ( -16, -5, 0.5 )\n"
        "                on_fire  = ( { publish = \"home/horn\"; payload = \"ON\" } )\n"
        "                on_clear = ( { publish = \"home/horn\"; payload = \"OFF\" } ) }\n\n"
        "  office:     { sensor = \"office.temp\"; outside = ( 18, 26 ); hysteresis = 0.5\n"
        "                hits = \"3 of 5\" }\n"
        "  steps:      { levels = ( { severity = \"warning\";  above = 75.0 },\n"
        "                           { severity = \"critical\"; above = 85.0; for = \"30s\" } ) }\n"
        "  hold:       { while_firing = ( { write = \"a.b\"; value = 1 } ); while_ok = ( { write = "
        "\"a.b\"; value = 0 } ) }\n"
        "  busy:       { when = \"count(door.event, \\\"open\\\", 1h) > 20\"\n"
        "                on_fire = ( { log = \"busy\" } ) }\n"
        "}\n";
    const struct section *rules, *rule;
    struct place place;

    (void)state;
    assert_int_equal(read_text(text), 0);
    assert_int_equal(problems_warnings(problems), 0);
    rules = section_child(conf_root(conf), "rules");
    rule = section_child(rules, "cold_store");
    assert_true(section_number(rule, "above") == -15);
    assert_true(section_number_at(rule, "adjustable", 2) == 0.5);
    assert_string_equal(section_text(section_group_at(rule, "on_clear", 0), "payload"), "OFF");
    rule = section_child(rules, "steps");
    assert_int_equal(section_count(rule, "levels"), 2);
    assert_string_equal(section_text(section_group_at(rule, "levels", 1), "for"), "30s");
    rule = section_child(rules, "busy");
    assert_string_equal(section_text(rule, "when"), "count(door.event, \"open\", 1h) > 20");
    place = section_text_place(rule, "when", 26);
    assert_memory_equal(place.source->bytes + place.offset, "1h)", 3);
}

static void every_error_is_found_at_once(void **state)
{
    (void)state;
    assert_int_equal(read_text("mqtt: { hots = \"x\"; port = 0 }\ndevices: { a = 1 }"), -EINVAL);
    assert_non_null(conf);
    assert_int_equal(problems_errors(problems), 3);
    assert_string_equal(
        problems_line(problems, 2),
        "t.cfg:2:16: error: \"a\" in \"devices\" must be a group { ... }, not a number");
}

static void broken_syntax_is_all_that_is_said_of_a_file(void **state)
{
    (void)state;
    conf = (struct conf *)-1;
    assert_int_equal(read_text("mqtt: { hots = \"x\" port 1 }"), -EINVAL);
    assert_null(conf);
    assert_int_equal(problems_errors(problems), 1);
}

static void fragments_join_in_the_order_of_their_names(void **state)
{
    struct section *devices;

    (void)state;
    write_file("main.cfg", "devices: { boiler: { } }\n");
    write_file("conf.d/20-b.cfg", "devices: { second: { } }");
    write_file("conf.d/10-a.cfg", "devices: { first: { } } mqtt: { port = 8883 }");
    write_file("conf.d/.hidden.cfg", "nonsense");
    write_file("conf.d/30.cfg.bak", "nonsense");
    assert_int_equal(read_files(), 0);
    devices = section_child(conf_root(conf), "devices");
    assert_string_equal(section_key(devices, 0), "boiler");
    assert_string_equal(section_key(devices, 1), "first");
    assert_string_equal(section_key(devices, 2), "second");
    assert_int_equal(section_int(section_child(conf_root(conf), "mqtt"), "port"), 8883);
}

static void what_two_files_say_is_told_with_both_places(void **state)
{
    (void)state;
    write_file("main.cfg", "mqtt: {\n  port = 1883\n}\ndevices: { boiler: { unit = 1 } }\n");
    write_file("conf.d/a.cfg", "\nmqtt: { port = 8883 }\ndevices: { boiler: { channels: { } } }");
    assert_int_equal(read_files(), -EINVAL);
    assert_int_equal(problems_errors(problems), 2);
    expect_said("conf.d/a.cfg:2:9: error: \"port\" is given twice\n");
    expect_said("the first is at /tmp/");
    expect_said("/main.cfg:2:3; keep one of the two");
    expect_said("conf.d/a.cfg:3:12: error: \"boiler\" is given twice\n");
    expect_said("/main.cfg:4:12; keep one of the two");
}

static void errors_stand_in_the_order_in_which_the_files_are_read(void **state)
{
    (void)state;
    write_file("main.cfg", "mqtt: { hots = 1 }");
    write_file("conf.d/b.cfg", "rulez: { }");
    write_file("conf.d/a.cfg", "devises: { }");
    assert_int_equal(read_files(), -EINVAL);
    assert_non_null(strstr(problems_line(problems, 0), "main.cfg:1:9: error: unknown setting"));
    assert_non_null(strstr(problems_line(problems, 1), "a.cfg:1:1: error: unknown setting"));
    assert_non_null(strstr(problems_line(problems, 2), "b.cfg:1:1: error: unknown setting"));
    expect_said("did you mean \"devices\"?");
    expect_said("did you mean \"rules\"?");
}

static void a_broken_fragment_does_not_let_the_rest_be_blamed(void **state)
{
    (void)state;
    write_file("main.cfg", "mqtt: { hots = 1 }");
    write_file("conf.d/a.cfg", "devices: {");
    write_file("conf.d/b.cfg", "rules = ;");
    assert_int_equal(read_files(), -EINVAL);
    assert_null(conf);
    assert_int_equal(problems_errors(problems), 2);
    expect_said("a.cfg:1:10: error: this \"{\" is never closed");
    expect_said("b.cfg:1:7: error: there is no value after this \"=\"");
}

static void a_missing_main_file_is_one_problem(void **state)
{
    (void)state;
    write_file("conf.d/a.cfg", "nonsense");
    assert_int_equal(read_files(), -EINVAL);
    assert_null(conf);
    assert_int_equal(problems_errors(problems), 1);
    expect_said("main.cfg: No such file or directory\n    check the name\n");
}

static void a_fragment_that_is_a_directory_is_one_problem(void **state)
{
    char path[200];

    (void)state;
    write_file("main.cfg", "");
    snprintf(path, sizeof path, "%s/conf.d/x.cfg", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(read_files(), -EINVAL);
    expect_said("conf.d/x.cfg: this is a directory, no file");
}

static void conf_d_must_be_a_directory(void **state)
{
    char path[200];

    (void)state;
    write_file("main.cfg", "");
    snprintf(path, sizeof path, "%s/conf.d", directory);
    assert_int_equal(rmdir(path), 0);
    write_file("plain", "");
    rmdir(path);
    assert_int_equal(symlink("plain", path), 0);
    assert_int_equal(read_files(), -EINVAL);
    expect_said("conf.d: Not a directory");
}

static void without_conf_d_the_main_file_is_all(void **state)
{
    char path[200];

    (void)state;
    write_file("main.cfg", "mqtt: { port = 1 }");
    snprintf(path, sizeof path, "%s/conf.d", directory);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(read_files(), 0);
}

static void an_include_never_reaches_libconfig(void **state)
{
    (void)state;
    write_file("main.cfg", "mqtt: { port = 1 }\n@include \"/\"\n");
    assert_int_equal(read_files(), -EINVAL);
    expect_said("main.cfg:2:1: error: @include is not taken");
}

/* The time of this process alone, so that a busy machine does not matter. */
static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void five_thousand_devices_take_a_blink(void **state)
{
    size_t size;
    char *text;
    FILE *to = open_memstream(&text, &size);
    double start;

    (void)state;
    fprintf(to, "devices: {\n");
    for (int i = 0; i < 5000; i++)
        fprintf(
            to,
            "  meter_%05d: { bus = \"plant\"; connect = \"rtu+tcp://10.0.%d.%d:8899\"; unit = 3\n"
            "    every = \"10s\"; label = \"Z\xc3\xa4hler %d\"; channels: { flow: { register = "
            "\"input 0\"; type = \"int16\"; scale = 0.1; valid = ( -20, 120 ) } } }\n",
            i, i / 250, i % 250, i);
    fprintf(to, "}\n");
    fclose(to);
    start = cpu_s();
    assert_int_equal(conf_read_text("t.cfg", text, size, table, problems, &conf), 0);
    /* Some 0.1 s; without an index, or with libconfig comparing all names, several. */
    assert_true(cpu_s() - start < 2.5 || SLOWED_DOWN);
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_becomes_checked_sections),
        TEST(an_empty_text_is_a_config_of_defaults),
        TEST(the_syntax_of_rules_is_understood),
        TEST(every_error_is_found_at_once),
        TEST(broken_syntax_is_all_that_is_said_of_a_file),
        TEST(fragments_join_in_the_order_of_their_names),
        TEST(what_two_files_say_is_told_with_both_places),
        TEST(errors_stand_in_the_order_in_which_the_files_are_read),
        TEST(a_broken_fragment_does_not_let_the_rest_be_blamed),
        TEST(a_missing_main_file_is_one_problem),
        TEST(a_fragment_that_is_a_directory_is_one_problem),
        TEST(conf_d_must_be_a_directory),
        TEST(without_conf_d_the_main_file_is_all),
        TEST(an_include_never_reaches_libconfig),
        TEST(five_thousand_devices_take_a_blink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
