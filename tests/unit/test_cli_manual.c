/* The manual pages, against the tables that they tell of. */

#include "adapters/adapters.h"
#include "gateway/app.h"
#include "gateway/cli/command.h"
#include "gateway/core/inventory.h"
#include "gateway/notify/notify.h"
#include "rules/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the page becomes that has just this text. */
static char *page_of(const char *text)
{
    FILE *in = tmpfile(), *out = tmpfile();
    int old_in = dup(STDIN_FILENO), old_out = dup(STDOUT_FILENO);
    struct cli_options options = {.command = "manual"};
    char *page;
    long length;

    assert_true(in && out);
    fputs(text, in);
    rewind(in);
    fflush(stdout);
    dup2(fileno(in), STDIN_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    rewind(stdin);
    assert_int_equal(cli_manual(&options).code, APP_OK);
    dup2(old_in, STDIN_FILENO);
    dup2(old_out, STDOUT_FILENO);
    close(old_in);
    close(old_out);

    fseek(out, 0, SEEK_END);
    length = ftell(out);
    rewind(out);
    page = calloc(1, (size_t)length + 1);
    assert_non_null(page);
    assert_int_equal(fread(page, 1, (size_t)length, out), length);
    fclose(in);
    fclose(out);
    return page;
}

static char *read_page(const char *name)
{
    char path[500];
    FILE *file;
    char *page = calloc(1, 100000);

    snprintf(path, sizeof(path), "%s/%s", MAN_FOLDER, name);
    file = fopen(path, "re");
    assert_true(file && page);
    assert_true(fread(page, 1, 99999, file) > 0);
    fclose(file);
    return page;
}

static void assert_has(const char *page, const char *before, const char *word, const char *after)
{
    char text[200];

    snprintf(text, sizeof(text), "%s%s%s", before, word, after);
    if (!strstr(page, text))
        fail_msg("the page has no \"%s\"", text);
}

static void assert_tells_of(const char *page, const struct setting *table)
{
    for (; table && table->key; table++) {
        assert_has(page, ".TP\n\\fB", table->key, "\\fR: ");
        if (table->inside && table->inside != table)
            assert_tells_of(page, table->inside);
    }
}

static void text_that_is_no_list_stays_as_it_is(void **state)
{
    char *page = page_of(".SH NAME\nno @OPTIONS@ here\n");

    (void)state;
    assert_string_equal(page, ".SH NAME\nno @OPTIONS@ here\n");
    free(page);
}

static void every_option_of_every_table_is_in_the_page(void **state)
{
    char *page = page_of("@OPTIONS@\n");
    const struct setting *table;
    const struct adapter *adapter;
    const char *type;

    (void)state;
    assert_tells_of(page, app_settings);
    assert_tells_of(page, notifier_settings);
    for (size_t i = 0; (table = notify_type_settings(i, &type)); i++)
        assert_tells_of(page, table);
    assert_tells_of(page, bus_settings);
    assert_tells_of(page, device_settings);
    assert_tells_of(page, channel_settings);
    for (size_t i = 0; (adapter = adapters_at(i)); i++) {
        assert_tells_of(page, adapter->bus);
        assert_tells_of(page, adapter->device);
        assert_tells_of(page, adapter->channel);
    }
    free(page);
}

static void a_table_that_stands_in_several_places_is_shown_once(void **state)
{
    const char *shared = ".TP\n\\fBbaud\\fR: "; /* by three adapters */
    char *page = page_of("@OPTIONS@\n"), *first = strstr(page, shared);

    (void)state;
    assert_non_null(first);
    assert_null(strstr(first + 1, shared));
    assert_non_null(strstr(page, "Options: as in "));
    free(page);
}

static void ranges_and_defaults_are_told(void **state)
{
    char *page = page_of("@OPTIONS@\n");

    (void)state;
    assert_non_null(
        strstr(page, "\\fBbaud\\fR: a whole number, from 1200 to 921600; default 9600"));
    assert_non_null(strstr(page, "; required\n"));
    assert_non_null(strstr(page, "default \"10s\""));
    free(page);
}

static void no_line_is_a_request_by_accident(void **state)
{
    char *page = page_of("@COMMANDS@\n@CONNECTS@\n@OPTIONS@\n");

    (void)state;
    for (const char *line = page; *line; line = strchr(line, '\n') + 1) {
        if (*line == '.' && strncmp(line, ".TP\n", 4) != 0 && strncmp(line, ".SS ", 4) != 0)
            fail_msg("a request that nobody meant: %.60s", line);
        assert_true(*line != '\'');
    }
    free(page);
}

static void see_command(void *page, const char *name, const char *usage, const char *summary)
{
    (void)usage;
    (void)summary;
    assert_has(page, ".TP\n\\fBthermogate ", name, "\\fR");
    assert_string_not_equal(name, "manual");
}

static void every_command_for_people_is_in_the_page(void **state)
{
    char *page = page_of("@COMMANDS@\n");

    (void)state;
    cli_commands_each(see_command, page);
    free(page);
}

static void pages_are_whole(void **state)
{
    char *commands = read_page("thermogate.1.in"), *options = read_page("thermogate.cfg.5.in");

    (void)state;
    assert_non_null(strstr(commands, "\n@COMMANDS@\n"));
    assert_non_null(strstr(options, "\n@CONNECTS@\n"));
    assert_non_null(strstr(options, "\n@OPTIONS@\n"));
    free(commands);
    free(options);
}

/* Whether it stands there as a word of its own. */
static bool has_word(const char *page, const char *word, size_t length)
{
    for (const char *at = strchr(page, '\n'); at; at = strchr(at, word[0])) {
        if (strncmp(at, word, length) == 0 && strchr(" \\(\n", at[length]) && at > page &&
            strchr(" B\n", at[-1]))
            return true;
        at++;
    }
    return false;
}

static void every_function_of_the_language_is_explained(void **state)
{
    char *page = read_page("thermogate-rules.7");
    const char *functions = strstr(page, ".SH FUNCTIONS"), *usage;

    (void)state;
    assert_non_null(functions);
    for (size_t i = 0; (usage = rules_function_usage(i)); i++) {
        if (!has_word(functions, usage, strcspn(usage, "(")))
            fail_msg("thermogate-rules.7 does not explain %s", usage);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_no_list_stays_as_it_is),
        cmocka_unit_test(every_option_of_every_table_is_in_the_page),
        cmocka_unit_test(a_table_that_stands_in_several_places_is_shown_once),
        cmocka_unit_test(ranges_and_defaults_are_told),
        cmocka_unit_test(no_line_is_a_request_by_accident),
        cmocka_unit_test(every_command_for_people_is_in_the_page),
        cmocka_unit_test(pages_are_whole),
        cmocka_unit_test(every_function_of_the_language_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
