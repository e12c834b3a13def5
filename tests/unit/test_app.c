/* app_check(); what needs a running process is tested with the real binary. */

#include "gateway/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A config file, and what checking it prints. */
struct world {
    char path[64];
    char got[4000];
};

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    snprintf(world->path, sizeof(world->path), "/tmp/app-XXXXXX");
    *state = world;
    return mkdtemp(world->path) ? 0 : -1;
}

static const char *file_of(const struct world *world, char path[100])
{
    snprintf(path, 100, "%s/t.cfg", world->path);
    return path;
}

static int close_world(void **state)
{
    struct world *world = *state;
    char path[100];
    unlink(file_of(world, path));
    rmdir(world->path);
    free(world);
    return 0;
}

static int check(struct world *world, const char *path)
{
    FILE *to = fmemopen(world->got, sizeof(world->got), "w");
    int code = app_check(path, to);
    fclose(to);
    return code;
}

static int check_text(struct world *world, const char *text)
{
    char path[100];
    FILE *file = fopen(file_of(world, path), "w");
    fputs(text, file);
    fclose(file);
    return check(world, path);
}

static void expect_words(const struct world *world, const char *words)
{
    if (!strstr(world->got, words))
        fail_msg("no \"%s\" in:\n%s", words, world->got);
}

static void a_good_config_is_summed_up(void **state)
{
    struct world *world = *state;
    assert_int_equal(check_text(world,
                                "buses: { sim: { adapter = \"sim\" } }\n"
                                "devices: { a: { bus = \"sim\"; channels: { t: { } u: { } } } }\n"
                                "rules: { hot: { sensor = \"a.t\"; above = 50;\n"
                                "on_fire = ( { log = \"hot\" } ) } }"),
                     APP_OK);
    expect_words(world, "t.cfg: good: 1 buses, 1 devices, 2 sensors, 1 rules\n");
    assert_null(strstr(world->got, "windows"));
    assert_null(strstr(world->got, "error"));
}

static void an_empty_config_is_good(void **state)
{
    struct world *world = *state;
    assert_int_equal(check_text(world, "# nothing yet\n"), APP_OK);
    expect_words(world, "good: 0 buses");
}

static void all_errors_are_told_at_once(void **state)
{
    struct world *world = *state;
    assert_int_equal(check_text(world, "gatway: { }\nbuses: { x: { adapter = \"simm\" } }\n"
                                       "devices: { a: { bus = \"y\"; channels: { t: { } } } }\n"
                                       "rules: { hot: { sensor = \"a.t\"; above = 50 } }"),
                     APP_CONFIG);
    expect_words(world, "t.cfg:1:1: error: ");
    expect_words(world, "t.cfg:2:25: error: bus \"x\": no adapter \"simm\"");
    expect_words(world, "t.cfg:3:23: error: device \"a\": there is no bus \"y\"");
    expect_words(world, "t.cfg:4:");
    assert_null(strstr(world->got, "good"));
}

static void a_broken_file_is_told_with_its_line(void **state)
{
    struct world *world = *state;
    assert_int_equal(check_text(world, "buses: {\n  x: { adapter = }\n}"), APP_CONFIG);
    expect_words(world, "t.cfg:2:");
}

static void a_missing_file_is_told(void **state)
{
    struct world *world = *state;
    assert_int_equal(check(world, "/nonexistent/thermogate.cfg"), APP_CONFIG);
    expect_words(world, "/nonexistent/thermogate.cfg");
}

static void checking_opens_nothing(void **state)
{
    struct world *world = *state;
    assert_int_equal(
        check_text(world,
                   "mqtt: { host = \"192.0.2.1\" }\n"
                   "buses: { s: { adapter = \"sim\"; connect = \"sim:/nonexistent\" }\n"
                   "m: { adapter = \"modbus\"; connect = \"tcp://192.0.2.1\" } }\n"
                   "devices: { a: { bus = \"s\"; channels: { t: { } } }\n"
                   "b: { bus = \"m\"; unit = 1; channels: { t: { register = \"input 0\" } } } }"),
        APP_OK);
}

/* Tables of options are whole, all the way down. */
static void check_table(const struct setting *table, int depth)
{
    assert_true(depth < 8);
    for (; table && table->key; table++) {
        if (!table->help || !table->help[0])
            fail_msg("%s has no help", table->key);
        check_table(table->inside, depth + 1);
    }
}

static void every_setting_of_the_file_is_explained(void **state)
{
    (void)state;
    check_table(app_settings, 0);
}

#define APP_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

static void what_windows_take_is_told(void **state)
{
    struct world *world = *state;
    assert_int_equal(check_text(world, "buses: { sim: { adapter = \"sim\" } }\n"
                                       "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                                       "rules: { hot: { when = \"avg(a.t, #65536) > 1\";\n"
                                       "on_fire = ( { log = \"hot\" } ) } }"),
                     APP_OK);
    expect_words(world, "windows of the rules take 1.");
    expect_words(world, " MB of 32 MB\n");
}

static void what_windows_may_take_is_set(void **state)
{
    struct world *world = *state;
    static const char rest[] = "buses: { sim: { adapter = \"sim\" } }\n"
                               "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                               "rules: { hot: { when = \"avg(a.t, #65536) > 1\";\n"
                               "on_fire = ( { log = \"hot\" } ) } }";
    char config[600];
    snprintf(config, sizeof(config), "gateway: { rules_memory = \"1 MB\" }\n%s", rest);
    assert_int_equal(check_text(world, config), APP_CONFIG);
    expect_words(world, ":4:25: error: rule \"hot\": with this window all take more than 1 MB\n");
    expect_words(world, "or more with gateway.rules_memory\n");
    snprintf(config, sizeof(config), "gateway: { rules_memory = \"2.5 MB\" }\n%s", rest);
    assert_int_equal(check_text(world, config), APP_OK);
    expect_words(world, " MB of 2.5 MB\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        APP_TEST(a_good_config_is_summed_up),
        APP_TEST(what_windows_take_is_told),
        APP_TEST(what_windows_may_take_is_set),
        APP_TEST(an_empty_config_is_good),
        APP_TEST(all_errors_are_told_at_once),
        APP_TEST(a_broken_file_is_told_with_its_line),
        APP_TEST(a_missing_file_is_told),
        APP_TEST(checking_opens_nothing),
        cmocka_unit_test(every_setting_of_the_file_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
