#include "gateway/cli/cli.h"

#include "gateway/app.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/cli/command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Options that a subcommand takes. */
enum { TAKES_CONFIG = 1, TAKES_OPERAND = 2, TAKES_FOR = 4 };

static const struct command {
    const char *name, *usage, *summary;
    unsigned takes;
    struct cli_end (*call)(const struct cli_options *options);
} commands[] = {
    {"run", "[--config FILE] [--for DURATION]", "poll, judge and publish until told to stop",
     TAKES_CONFIG | TAKES_FOR, cli_run},
    {"check", "[FILE]", "say all that is wrong with a config file, and open nothing",
     TAKES_CONFIG | TAKES_OPERAND, cli_check},
    {"demo", "[--for DURATION]", "see it work on simulated sensors, without broker or device",
     TAKES_FOR, cli_demo},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"for", required_argument, NULL, 'f'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static void print_help(FILE *to)
{
    fputs("Usage: thermogate COMMAND [OPTION ...]\n\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-6s %-34s %s\n", commands[i].name, commands[i].usage, commands[i].summary);
    fputs("\n  --verbose  log what is free to know, too\n"
          "  --help     this text\n"
          "  --version  the version\n"
          "\nDURATION is a number with a unit: 500ms, 30s, 5m, 2h.\n"
          "The config file is " APP_CONFIG_PATH " where none is named.\n",
          to);
}

static struct cli_end refuse(const char *what, const char *word)
{
    char quoted[200];

    fprintf(stderr, "thermogate: %s %s; try: thermogate --help\n", what,
            text_quote(quoted, sizeof(quoted), word));
    return (struct cli_end){.code = APP_USAGE};
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* What getopt_long() could not use: a short option stands in optopt, a long one is the last word.
 */
static struct cli_end refuse_option(char **argv)
{
    char name[] = {'-', (char)optopt, '\0'};

    return refuse("no such option:", optopt ? name : argv[optind - 1]);
}

static struct cli_end refuse_long(const char *name)
{
    char word[32];

    snprintf(word, sizeof(word), "--%s", name);
    return refuse("this command takes no option", word);
}

static bool is_taken(int option, unsigned takes)
{
    return option == 'v' || (option == 'c' && (takes & TAKES_CONFIG)) ||
           (option == 'f' && (takes & TAKES_FOR));
}

/* false when its value is wrong. */
static bool take_option(int option, const char *value, struct cli_options *options)
{
    if (option == 'v')
        log_set_level(LOG_LEVEL_DEBUG);
    if (option == 'c')
        options->config = value;
    return option != 'f' ||
           (text_to_duration_ms(value, &options->for_ms) == 0 && options->for_ms > 0);
}

/* Everything behind the command's name. */
static struct cli_end call_command(const struct command *command, int argc, char **argv)
{
    struct cli_options options = {.config = APP_CONFIG_PATH};
    int option, index = 0;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", long_options, &index)) != -1) {
        if (option == 'h') {
            print_help(stdout);
            return (struct cli_end){.code = APP_OK};
        }
        if (option == ':')
            return refuse("a value is missing behind", argv[optind - 1]);
        if (option == '?')
            return refuse_option(argv);
        if (!is_taken(option, command->takes))
            return refuse_long(long_options[index].name);
        if (!take_option(option, optarg, &options))
            return refuse("no duration like 30s:", optarg);
    }
    if (optind < argc && (command->takes & TAKES_OPERAND))
        options.config = argv[optind++];
    if (optind < argc)
        return refuse("one word too many:", argv[optind]);
    return command->call(&options);
}

struct cli_end cli_main(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_help(stderr);
        return (struct cli_end){.code = APP_USAGE};
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("thermogate " THERMOGATE_VERSION);
        return (struct cli_end){.code = APP_OK};
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return (struct cli_end){.code = APP_OK};
    }
    command = find_command(argv[1]);
    return command ? call_command(command, argc - 1, argv + 1)
                   : refuse("no such command:", argv[1]);
}
