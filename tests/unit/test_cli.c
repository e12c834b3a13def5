/* The command line, with subcommands that only write down how they were called. */

#include "gateway/app.h"
#include "gateway/base/log.h"
#include "gateway/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *command;
    struct cli_options options;
} called;

static struct cli_end note_call(const char *command, const struct cli_options *options)
{
    called.command = command;
    called.options = *options;
    return (struct cli_end){.code = 42, .abandoned = true};
}

struct cli_end cli_run(const struct cli_options *options)
{
    return note_call("run", options);
}

struct cli_end cli_check(const struct cli_options *options)
{
    return note_call("check", options);
}

struct cli_end cli_demo(const struct cli_options *options)
{
    return note_call("demo", options);
}

#define NOTE(name)                                         \
    struct cli_end name(const struct cli_options *options) \
    {                                                      \
        return note_call(#name, options);                  \
    }

NOTE(cli_scan_modbus)
NOTE(cli_scan_onewire)
NOTE(cli_read)
NOTE(cli_templates_list)
NOTE(cli_templates_show)
NOTE(cli_status)
NOTE(cli_rules_list)
NOTE(cli_rules_act)
NOTE(cli_rules_test)
NOTE(cli_rules_explain)
NOTE(cli_rules_stats)
NOTE(cli_rules_replay)
NOTE(cli_rules_tune)
NOTE(cli_write)
NOTE(cli_reload)
NOTE(cli_rescan)
NOTE(cli_manual)
NOTE(cli_backup)
NOTE(cli_restore)
NOTE(cli_forget)
NOTE(cli_standby)
NOTE(cli_resume)
NOTE(cli_notify_test)
NOTE(cli_history_show)
NOTE(cli_history_export)
NOTE(cli_history_import)

/* What the command line wrote, on whichever of the two. */
static char output[8000];

/* Calls it with the words of `line`; its code. */
static struct cli_end call(const char *line)
{
    static char words[500];
    char *argv[20] = {(char *)(uintptr_t) "thermogate"}, *rest = NULL;
    int argc = 1, pipe_fds[2], saved_out, saved_err;
    struct cli_end end;
    ssize_t got;
    snprintf(words, sizeof(words), "%s", line);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    memset(&called, 0, sizeof(called));
    optind = 0; /* getopt starts anew */
    fflush(NULL);
    saved_out = dup(STDOUT_FILENO);
    saved_err = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipe_fds), 0);
    dup2(pipe_fds[1], STDOUT_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
    end = cli_main(argc, argv);
    fflush(NULL);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(pipe_fds[1]);
    close(saved_out);
    close(saved_err);
    got = read(pipe_fds[0], output, sizeof(output) - 1);
    close(pipe_fds[0]);
    output[got > 0 ? got : 0] = '\0';
    return end;
}

/* Refused without calling anything; the message has these words. */
static void expect_refused(const char *line, const char *words)
{
    struct cli_end end = call(line);
    assert_int_equal(end.code, APP_USAGE);
    assert_false(end.abandoned);
    assert_null(called.command);
    if (!strstr(output, words))
        fail_msg("no \"%s\" in: %s", words, output);
}

static void a_subcommand_is_called_and_its_end_is_the_end(void **state)
{
    struct cli_end end = call("run");
    (void)state;
    assert_string_equal(called.command, "run");
    assert_string_equal(called.options.config, APP_CONFIG_PATH);
    assert_int_equal(called.options.for_ms, 0);
    assert_int_equal(end.code, 42);
    assert_true(end.abandoned);
}

static void options_reach_the_subcommand(void **state)
{
    (void)state;
    call("run --config /tmp/x.cfg --for 90s");
    assert_string_equal(called.options.config, "/tmp/x.cfg");
    assert_int_equal(called.options.for_ms, 90000);
    call("run --for=1h30m");
    assert_int_equal(called.options.for_ms, 5400000);
    call("demo --for 500ms");
    assert_string_equal(called.command, "demo");
    assert_int_equal(called.options.for_ms, 500);
}

static void check_takes_its_file_as_a_word_or_an_option(void **state)
{
    (void)state;
    call("check /tmp/x.cfg");
    assert_string_equal(called.command, "check");
    assert_string_equal(called.options.config, "/tmp/x.cfg");
    call("check --config /tmp/y.cfg");
    assert_string_equal(called.options.config, "/tmp/y.cfg");
    call("check");
    assert_string_equal(called.options.config, APP_CONFIG_PATH);
}

static void commands_of_two_words_are_found(void **state)
{
    (void)state;
    call("rules list --json --socket /tmp/s");
    assert_string_equal(called.command, "cli_rules_list");
    assert_true(called.options.json);
    assert_string_equal(called.options.socket, "/tmp/s");
    call("rules mute hot --for 30m --note why");
    assert_string_equal(called.command, "cli_rules_act");
    assert_string_equal(called.options.command, "rules mute");
    assert_string_equal(called.options.operands[0], "hot");
    assert_string_equal(called.options.note, "why");
    assert_int_equal(called.options.for_ms, 1800000);
    call("history show --from 24h a.b --to 2026-11-21");
    assert_string_equal(called.command, "cli_history_show");
    assert_string_equal(called.options.operands[0], "a.b");
    assert_string_equal(called.options.from, "24h");
    assert_string_equal(called.options.to, "2026-11-21");
    call("history export --csv");
    assert_string_equal(called.command, "cli_history_export");
    assert_null(called.options.operands[0]);
}

static void half_a_command_says_what_could_follow(void **state)
{
    (void)state;
    expect_refused(
        "rules",
        "list, test, explain, stats, replay, tune, ack, mute, unmute, enable, disable, reset");
    expect_refused("history shoe", "behind history stands one of: show, export, import");
    expect_refused("histor", "\"histor\"");
}

static void a_negative_value_is_a_value(void **state)
{
    (void)state;
    call("write a.b -5.5");
    assert_string_equal(called.command, "cli_write");
    assert_string_equal(called.options.operands[1], "-5.5");
    call("write --note x a.b ON");
    assert_string_equal(called.options.operands[1], "ON");
    expect_refused("write a.b -x", "\"-x\"");
}

static void a_missing_operand_is_missed(void **state)
{
    (void)state;
    expect_refused("write", "\"write\"");
    expect_refused("write a.b", "\"write\"");
    expect_refused("rules ack", "\"rules ack\"");
    expect_refused("rules ack a b", "\"b\"");
    expect_refused("status x", "\"x\"");
}

static void verbose_shows_what_is_free_to_know(void **state)
{
    (void)state;
    call("run --verbose");
    assert_string_equal(called.command, "run");
    log_set_level(LOG_LEVEL_INFO);
}

static void help_lists_every_subcommand(void **state)
{
    static const char *const lines[] = {"--help", "help", "run --help"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(call(lines[i]).code, APP_OK);
        assert_null(called.command);
        assert_non_null(strstr(output, "Usage: thermogate"));
        assert_non_null(strstr(output, "  run "));
        assert_non_null(strstr(output, "  check "));
        assert_non_null(strstr(output, "  demo "));
        assert_non_null(strstr(output, "  history import FILE "));
    }
}

static void the_version_is_told(void **state)
{
    (void)state;
    assert_int_equal(call("--version").code, APP_OK);
    assert_string_equal(output, "thermogate " THERMOGATE_VERSION "\n");
}

static void without_a_subcommand_there_is_help_and_a_failure(void **state)
{
    (void)state;
    expect_refused("", "Usage: thermogate");
}

static void an_unknown_subcommand_is_named(void **state)
{
    (void)state;
    expect_refused("rum", "\"rum\"");
    expect_refused("--config x run", "\"--config\"");
}

static void an_unknown_option_is_named(void **state)
{
    (void)state;
    expect_refused("run --confog x", "\"--confog\"");
    expect_refused("run -x", "\"-x\"");
    expect_refused("run --for 5s -x", "\"-x\"");
    expect_refused("run -xy", "\"-x\"");
}

static void a_missing_value_is_named(void **state)
{
    (void)state;
    expect_refused("run --config", "\"--config\"");
    expect_refused("run --for", "\"--for\"");
}

static void an_option_of_another_subcommand_is_named(void **state)
{
    (void)state;
    expect_refused("check --for 5s", "\"--for\"");
    expect_refused("demo --config x", "\"--config\"");
}

static void what_is_no_duration_is_named(void **state)
{
    (void)state;
    expect_refused("run --for 5", "\"5\"");
    expect_refused("run --for 0s", "\"0s\"");
    expect_refused("run --for -5s", "\"-5s\"");
    expect_refused("run --for soon", "\"soon\"");
}

static void a_word_too_many_is_named(void **state)
{
    (void)state;
    expect_refused("run x.cfg", "\"x.cfg\"");
    expect_refused("check a.cfg b.cfg", "\"b.cfg\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subcommand_is_called_and_its_end_is_the_end),
        cmocka_unit_test(options_reach_the_subcommand),
        cmocka_unit_test(check_takes_its_file_as_a_word_or_an_option),
        cmocka_unit_test(commands_of_two_words_are_found),
        cmocka_unit_test(half_a_command_says_what_could_follow),
        cmocka_unit_test(a_negative_value_is_a_value),
        cmocka_unit_test(a_missing_operand_is_missed),
        cmocka_unit_test(verbose_shows_what_is_free_to_know),
        cmocka_unit_test(help_lists_every_subcommand),
        cmocka_unit_test(the_version_is_told),
        cmocka_unit_test(without_a_subcommand_there_is_help_and_a_failure),
        cmocka_unit_test(an_unknown_subcommand_is_named),
        cmocka_unit_test(an_unknown_option_is_named),
        cmocka_unit_test(a_missing_value_is_named),
        cmocka_unit_test(an_option_of_another_subcommand_is_named),
        cmocka_unit_test(what_is_no_duration_is_named),
        cmocka_unit_test(a_word_too_many_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
