#include "adapters/adapters.h"
#include "gateway/app.h"
#include "gateway/cli/command.h"
#include "gateway/core/inventory.h"
#include "gateway/notify/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 100
#define TITLE_SIZE 100

/* A page being written. A table that stands in several places is shown once. */
struct manual {
    FILE *to;
    struct {
        const struct setting *table;
        char title[TITLE_SIZE];
    } shown[TABLES_MAX];
    size_t n_shown;
};

/* -- roff ----------------------------------------------------------------------------------- */

/* Nothing in it is a request, and a minus is one that can be copied. */
static void print_text(FILE *to, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", to);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", to);
        else if (*text == '-')
            fputs("\\-", to);
        else
            fputc(*text, to);
    }
}

static void print_line(FILE *to, const char *before, const char *text, const char *after)
{
    fputs(before, to);
    print_text(to, text);
    fputs(after, to);
}

/* -- one option ----------------------------------------------------------------------------- */

/* The form in which the bounds of a range are written. */
static unsigned bound_form(const struct setting *setting)
{
    return setting->forms & SETTING_DURATION ? SETTING_DURATION
           : setting->forms & SETTING_SIZE   ? SETTING_SIZE
                                             : SETTING_NUMBER;
}

static void print_range(FILE *to, const struct setting *setting)
{
    char least[40], most[40];

    if (setting->min == 0 && setting->max == 0)
        return;
    setting_bound(least, sizeof(least), bound_form(setting), setting->min);
    setting_bound(most, sizeof(most), bound_form(setting), setting->max);
    print_line(to, setting->max > SETTING_BOUNDLESS ? ", at least " : ", from ", least, "");
    if (setting->max <= SETTING_BOUNDLESS)
        print_line(to, " to ", most, "");
}

/* How a default would be written: texts in quotes, numbers and truth without. */
static void print_standard(FILE *to, const struct setting *setting)
{
    const unsigned bare = SETTING_BOOL | SETTING_INT | SETTING_NUMBER;
    const char *quote = setting->forms & bare ? "" : "\"";

    if (setting->forms & SETTING_REQUIRED)
        fputs("; required", to);
    if (!setting->standard || setting->forms & SETTING_GROUP)
        return;
    fprintf(to, "; default %s", quote);
    print_text(to, setting->standard);
    fputs(quote, to);
}

static void print_setting(FILE *to, const struct setting *setting)
{
    char expected[500];

    setting_expected(expected, sizeof(expected), setting);
    print_line(to, ".TP\n\\fB", setting->key, "\\fR: ");
    print_text(to, expected);
    print_range(to, setting);
    print_standard(to, setting);
    print_line(to, "\n", setting->help ? setting->help : "", "\n");
}

/* -- tables --------------------------------------------------------------------------------- */

static const char *title_of(const struct manual *manual, const struct setting *table)
{
    for (size_t i = 0; i < manual->n_shown; i++) {
        if (manual->shown[i].table == table)
            return manual->shown[i].title;
    }
    return NULL;
}

static void print_table(struct manual *manual, const char *title, const char *help,
                        const struct setting *table);

/* "mqtt.tls", "hooks.NAME" */
static void print_inside(struct manual *manual, const char *title, const struct setting *setting)
{
    char inside[TITLE_SIZE];

    snprintf(inside, sizeof(inside), "%s%s%s%s", title, title[0] ? "." : "", setting->key,
             setting->forms & SETTING_NAMED ? ".NAME" : "");
    print_table(manual, inside, setting->help, setting->inside);
}

static void print_table(struct manual *manual, const char *title, const char *help,
                        const struct setting *table)
{
    if (!table || title_of(manual, table) || manual->n_shown == TABLES_MAX)
        return;
    manual->shown[manual->n_shown].table = table;
    snprintf(manual->shown[manual->n_shown++].title, TITLE_SIZE, "%s", title);

    if (title[0])
        print_line(manual->to, ".SS \"", title, "\"\n");
    print_line(manual->to, "", help ? help : "", "\n");
    for (const struct setting *row = table; row->key; row++) {
        const char *known = row->inside ? title_of(manual, row->inside) : NULL;

        print_setting(manual->to, row);
        if (known)
            print_line(manual->to, "Options: as in ", known, ".\n");
    }
    for (const struct setting *row = table; row->key; row++) {
        if (row->inside)
            print_inside(manual, title, row);
    }
}

/* What stands in the groups that their owners check themselves. */
static void print_notifiers(struct manual *manual)
{
    const struct setting *table;
    char title[TITLE_SIZE];
    const char *type;

    print_table(manual, "notifiers.NAME", "What every notifier may have.", notifier_settings);
    for (size_t i = 0; (table = notify_type_settings(i, &type)); i++) {
        snprintf(title, sizeof(title), "notifiers.NAME, type %s", type);
        print_table(manual, title, NULL, table);
    }
}

static void print_of_adapters(struct manual *manual, const char *place, size_t offset)
{
    const struct adapter *adapter;
    char title[TITLE_SIZE];

    for (size_t i = 0; (adapter = adapters_at(i)); i++) {
        const struct setting *table;

        memcpy(&table, (const char *)adapter + offset, sizeof(table));
        snprintf(title, sizeof(title), "%s, adapter %s", place, adapter->word);
        print_table(manual, title, NULL, table);
    }
}

static void print_buses(struct manual *manual)
{
    print_table(manual, "buses.NAME", "What every bus may have.", bus_settings);
    print_of_adapters(manual, "buses.NAME", offsetof(struct adapter, bus));
}

static void print_devices(struct manual *manual)
{
    print_table(manual, "devices.NAME", "What every device may have.", device_settings);
    print_of_adapters(manual, "devices.NAME", offsetof(struct adapter, device));
    print_table(manual, "devices.NAME.channels.NAME", "What every channel may have.",
                channel_settings);
    print_of_adapters(manual, "devices.NAME.channels.NAME", offsetof(struct adapter, channel));
}

static void print_connects(struct manual *manual)
{
    const struct adapter *adapter;

    for (size_t i = 0; (adapter = adapters_at(i)); i++) {
        print_line(manual->to, ".TP\nadapter \\fB", adapter->word, "\\fR: ");
        print_text(manual->to, adapter->connect_help ? adapter->connect_help : "no connect");
        print_line(manual->to, "\n",
                   adapter->default_connect ? adapter->default_connect : "There is no default.",
                   adapter->default_connect ? " is the default.\n" : "\n");
    }
}

static void print_options(struct manual *manual)
{
    print_table(manual, "", "These groups may stand in a file.", app_settings);
    print_notifiers(manual);
    print_buses(manual);
    print_devices(manual);
}

static void print_command(void *owner, const char *name, const char *usage, const char *summary)
{
    FILE *to = owner;

    print_line(to, ".TP\n\\fBthermogate ", name, usage[0] ? "\\fR " : "\\fR");
    print_text(to, usage);
    print_line(to, "\n", summary, ".\n");
}

static void print_commands(struct manual *manual)
{
    cli_commands_each(print_command, manual->to);
}

/* -- a page --------------------------------------------------------------------------------- */

static const struct {
    const char *line; /* of the template */
    void (*print)(struct manual *manual);
} parts[] = {
    {"@COMMANDS@\n", print_commands},
    {"@CONNECTS@\n", print_connects},
    {"@OPTIONS@\n", print_options},
};

static void print_part(struct manual *manual, const char *line)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcmp(parts[i].line, line) == 0) {
            parts[i].print(manual);
            return;
        }
    }
    fputs(line, manual->to);
}

struct cli_end cli_manual(const struct cli_options *options)
{
    struct manual manual = {.to = stdout};
    char *line = NULL;
    size_t size = 0;

    (void)options;
    while (getline(&line, &size, stdin) >= 0)
        print_part(&manual, line);
    free(line);
    return (struct cli_end){.code = fflush(stdout) == 0 ? APP_OK : APP_FAILED};
}
