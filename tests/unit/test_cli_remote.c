/* The subcommands that ask a gateway, against a real web with a store. */

#include "gateway/app.h"
#include "gateway/cli/command.h"
#include "tests/unit/web_world.h"

#include <fcntl.h>

static int open_world(void **state)
{
    *state = web_world_open("", true);
    return 0;
}

static int close_world(void **state)
{
    web_world_close(*state);
    return 0;
}

static char shown[1 << 16];

/* Calls it; what it wrote on either output is in `shown`. */
static int call(struct web_world *world, struct cli_end (*command)(const struct cli_options *),
                struct cli_options options)
{
    char path[100], file[100];
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), fd;
    struct cli_end end;
    ssize_t got;
    snprintf(path, sizeof(path), "%s/s", world->folder);
    snprintf(file, sizeof(file), "%s/shown", world->folder);
    if (!options.socket)
        options.socket = path;
    fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
    fflush(NULL);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    end = command(&options);
    fflush(NULL);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    got = pread(fd, shown, sizeof(shown) - 1, 0);
    shown[got > 0 ? got : 0] = '\0';
    close(fd);
    close(out);
    close(err);
    return end.code;
}

static void expect_shown(const char *words)
{
    if (!strstr(shown, words))
        fail_msg("no \"%s\" in: %s", words, shown);
}

#define OPTIONS(...) ((struct cli_options){__VA_ARGS__})

static void the_status_is_for_people_or_for_programs(void **state)
{
    struct web_world *world = *state;
    world->problem = "the \033[31mbroker is away";
    assert_int_equal(call(*state, cli_status, OPTIONS(.command = "status")), APP_OK);
    expect_shown("Keller runs for ");
    expect_shown("devices  1 of 2 online");
    expect_shown("problem: the \\x1b[31mbroker is away");
    assert_int_equal(call(*state, cli_status, OPTIONS(.command = "status", .json = true)), APP_OK);
    expect_shown("{\"name\":\"cellar\"");
}

static void rules_are_listed_and_acted_on(void **state)
{
    struct web_world *world = *state;
    assert_int_equal(call(world, cli_rules_list, OPTIONS(.command = "rules list")), APP_OK);
    expect_shown("firing      critical hot@boiler.flow_temp");
    expect_shown("above 85");
    assert_int_equal(call(world, cli_rules_act,
                          OPTIONS(.command = "rules mute", .operands = {"hot@boiler.flow_temp"},
                                  .for_ms = 60000, .note = "a \"note\"")),
                     APP_OK);
    expect_shown("hot@boiler.flow_temp: mute");
    assert_int_equal(world->command.kind, COMMAND_MUTE);
    assert_string_equal(world->command.argument, "60000ms");
    assert_string_equal(world->command.note, "a \"note\"");
    assert_int_equal(
        call(world, cli_rules_act, OPTIONS(.command = "rules ack", .operands = {"a/../b?c"})),
        APP_FAILED);
    expect_shown("thermogate: ");
}

static void a_write_says_what_was_read_back_or_why_not(void **state)
{
    struct web_world *world = *state;
    world->reply = (struct command_reply){.has_value = true, .value = -5.5};
    assert_int_equal(call(world, cli_write,
                          OPTIONS(.command = "write", .operands = {"boiler.flow_temp", "-5.5"})),
                     APP_OK);
    expect_shown("boiler.flow_temp is -5.5 now");
    assert_string_equal(world->command.argument, "-5.5");
    world->reply = (struct command_reply){.result = COMMAND_REFUSED, .words = "out of range"};
    assert_int_equal(
        call(world, cli_write, OPTIONS(.command = "write", .operands = {"boiler.flow_temp", "ON"})),
        APP_FAILED);
    expect_shown("thermogate: out of range");
    assert_string_equal(world->command.argument, "ON");
}

static void a_reload_says_that_it_was_done(void **state)
{
    assert_int_equal(call(*state, cli_reload, OPTIONS(.command = "reload")), APP_OK);
    expect_shown("the config was read anew");
}

static void a_rescan_says_what_is_done(void **state)
{
    struct web_world *world = *state;

    assert_int_equal(call(world, cli_rescan, OPTIONS(.command = "rescan")), APP_OK);
    expect_shown("what is away is asked again, and new devices are looked for");
    assert_int_equal(world->command.kind, COMMAND_RESCAN);
}

/* More than one piece, with a line in the second that is none. */
static void history_goes_in_and_comes_out(void **state)
{
    enum { LINES = 60000 };
    struct web_world *world = *state;
    char path[100];
    FILE *file;
    snprintf(path, sizeof(path), "%s/in.csv", world->folder);
    file = fopen(path, "w");
    fputs("time,sensor,value,unit,quality\n", file);
    for (int i = 0; i < LINES; i++) {
        if (i == 59000)
            fputs("what\n", file);
        else
            fprintf(file, "%lld,meter.power,%d,W,good\n", 1767323045000LL + i * 1000LL, i % 1000);
    }
    fclose(file);
    assert_int_equal(
        call(world, cli_history_import, OPTIONS(.command = "history import", .operands = {path})),
        APP_OK);
    expect_shown("59999 lines stored, 0 were there already, 1 are none");
    assert_int_equal(call(world, cli_history_show,
                          OPTIONS(.command = "history show", .operands = {"meter.power"},
                                  .from = "2026-01-02T03:04:05Z", .to = "2026-01-02T03:04:06Z")),
                     APP_OK);
    expect_shown("  0 W\n");
    expect_shown("  1 W\n");
    assert_int_equal(call(world, cli_history_show,
                          OPTIONS(.command = "history show", .operands = {"meter.power"},
                                  .from = "2026-01-02T03:04:05Z", .to = "2026-01-03")),
                     APP_OK);
    expect_shown(" readings)\n");
    assert_int_equal(call(world, cli_history_export,
                          OPTIONS(.command = "history export", .operands = {"meter.*"},
                                  .to = "2026-01-02T03:05Z")),
                     APP_OK);
    expect_shown("time,sensor,value,unit,quality\n2026-01-02T03:04:05.000Z,meter.power,0,W,good\n");
    expect_shown("2026-01-02T03:05:00.000Z,meter.power,55,W,good\n");
    assert_int_equal(
        call(world, cli_history_show, OPTIONS(.command = "history show", .operands = {"no.such"})),
        APP_FAILED);
    expect_shown("nothing was ever stored");
}

static void devices_and_notifiers_are_acted_on_by_name(void **state)
{
    struct web_world *world = *state;
    assert_int_equal(call(world, cli_standby,
                          OPTIONS(.command = "standby", .operands = {"boiler"}, .for_ms = 60000)),
                     APP_OK);
    expect_shown("boiler rests");
    assert_int_equal(world->command.kind, COMMAND_STANDBY);
    assert_string_equal(world->command.argument, "60000ms");
    assert_int_equal(call(world, cli_resume, OPTIONS(.command = "resume", .operands = {"boiler"})),
                     APP_OK);
    expect_shown("no longer");
    assert_int_equal(world->command.kind, COMMAND_RESUME);
    assert_int_equal(
        call(world, cli_notify_test, OPTIONS(.command = "notify test", .operands = {"phone"})),
        APP_OK);
    expect_shown("phone: delivered");
    assert_int_equal(
        call(world, cli_notify_test, OPTIONS(.command = "notify test", .operands = {"old"})),
        APP_FAILED);
    expect_shown("thermogate: refused (403)");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    assert_int_equal(call(*state, cli_history_import,
                          OPTIONS(.command = "history import", .operands = {"/nowhere/x.csv"})),
                     APP_FAILED);
    expect_shown("/nowhere/x.csv: No such file");
}

static void without_a_gateway_every_one_says_what_to_do(void **state)
{
    struct cli_end (*const all[])(const struct cli_options *) = {
        cli_status,       cli_rules_list,     cli_rules_act, cli_write,  cli_reload,
        cli_history_show, cli_history_export, cli_standby,   cli_resume, cli_notify_test};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_int_equal(call(*state, all[i],
                              OPTIONS(.command = "rules ack", .socket = "/tmp/thermogate-nobody",
                                      .operands = {"a", "b"})),
                         APP_FAILED);
        expect_shown("is it running? systemctl status thermogate");
    }
}

int main(void)
{
#define WEB_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_status_is_for_people_or_for_programs),
        WEB_TEST(rules_are_listed_and_acted_on),
        WEB_TEST(a_write_says_what_was_read_back_or_why_not),
        WEB_TEST(a_reload_says_that_it_was_done),
        WEB_TEST(a_rescan_says_what_is_done),
        WEB_TEST(history_goes_in_and_comes_out),
        WEB_TEST(devices_and_notifiers_are_acted_on_by_name),
        WEB_TEST(a_file_that_is_not_there_is_named),
        WEB_TEST(without_a_gateway_every_one_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
