#include "gateway/notify/hook.h"

#include "gateway/base/text.h"
#include "gateway/core/sink.h"
#include "gateway/notify/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX   64
#define ENVIRONMENT_MAX 16

const struct setting notify_hook_settings[] = {
    {.key = "command",
     .forms = SETTING_TEXTS | SETTING_REQUIRED,
     .help =
         "The program with its whole path, and its arguments, each by itself: there is no shell."},
    {.key = "timeout",
     .forms = SETTING_DURATION,
     .standard = "10s",
     .min = 100,
     .max = 3600000,
     .help = "After it the program and what it started are ended."},
    {0},
};

void hook_check(const struct section *section, struct problems *problems)
{
    size_t count = section_count(section, "command");
    const char *program = section_text_at(section, "command", 0);

    if (!section_has(section, "command"))
        return;
    if (count == 0 || !program || program[0] != '/')
        problem_error(problems, section_place(section, "command"),
                      "[ \"/usr/local/bin/siren\", \"on\" ]",
                      "\"command\" must begin with the whole path of a program");
    if (count > ARGUMENTS_MAX)
        problem_error(problems, section_place(section, "command"), NULL,
                      "\"command\" has %zu parts, at most %d are possible", count, ARGUMENTS_MAX);
}

int hook_read(const struct section *section, struct hook *hook)
{
    size_t count = section_count(section, "command");

    *hook = (struct hook){.timeout_ms = section_duration_ms(section, "timeout"),
                          .argv = calloc(count + 1, sizeof(char *))};
    text_copy(hook->name, sizeof(hook->name), section_name(section));
    for (size_t i = 0; hook->argv && i < count; i++) {
        hook->argv[i] = strdup(section_text_at(section, "command", i));
        if (!hook->argv[i])
            hook_end(hook);
    }
    return hook->argv ? 0 : -ENOMEM;
}

void hook_end(struct hook *hook)
{
    hook_environment_free(hook->argv);
    hook->argv = NULL;
}

/* -- environment ---------------------------------------------------------------------------- */

void hook_environment_free(char **environment)
{
    for (size_t i = 0; environment && environment[i]; i++)
        free(environment[i]);
    free(environment);
}

char **hook_environment(const struct notify_message *event)
{
    char since[WORDS_UTC_SIZE], at[WORDS_UTC_SIZE];
    const struct {
        const char *name, *value;
    } variables[] = {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"LANG", "C.UTF-8"},
        {"THERMOGATE_KIND", notify_kind_name(event->kind)},
        {"THERMOGATE_SEVERITY", instance_severity_name(event->severity)},
        {"THERMOGATE_TITLE", event->title},
        {"THERMOGATE_TEXT", event->text},
        {"THERMOGATE_RULE", event->rule},
        {"THERMOGATE_SENSOR", event->sensor},
        {"THERMOGATE_VALUE", event->value},
        {"THERMOGATE_UNIT", event->unit},
        {"THERMOGATE_SINCE", words_utc(event->since_ms, since)},
        {"THERMOGATE_AT", words_utc(event->at_ms, at)},
    };
    char **environment = calloc(ENVIRONMENT_MAX, sizeof(char *));

    for (size_t i = 0; environment && i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = variables[i].value ? variables[i].value : "";

        if (asprintf(&environment[i], "%s=%s", variables[i].name, value) < 0) {
            environment[i] = NULL;
            hook_environment_free(environment);
            return NULL;
        }
    }
    return environment;
}

bool hook_describe(const struct process_end *end, char *to, size_t size)
{
    bool ok = end->error == 0 && !end->timed_out && end->signal == 0 && end->exit_status == 0;
    char quoted[300], took[32];
    size_t length = 0;

    text_from_duration(took, sizeof(took), end->took_ms);
    if (end->error < 0)
        text_append(to, size, &length, "cannot be started: %s", strerror(-end->error));
    else if (end->timed_out)
        text_append(to, size, &length, "ended by its time limit after %s", took);
    else if (end->signal)
        text_append(to, size, &length, "ended by signal %d after %s", end->signal, took);
    else
        text_append(to, size, &length, "ended with status %d after %s", end->exit_status, took);
    if (end->size > 0)
        text_append(to, size, &length, ": %s%s", text_quote(quoted, sizeof(quoted), end->output),
                    end->cut ? " and more" : "");
    return ok;
}
