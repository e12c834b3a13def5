#include "gateway/cli/cli.h"

#include "gateway/app.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/cli/command.h"
#include "gateway/web/web.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Options that a subcommand takes. */
enum {
    TAKES_CONFIG = 1,
    TAKES_FOR = 2,
    TAKES_NOTE = 4,
    TAKES_SPAN = 8,
    TAKES_CSV = 16,
    TAKES_SOCKET = 32,
    TAKES_JSON = 64,
    TAKES_TEMPLATE = 128,
    TAKES_FILE = 256, /* whose operand is the config */
    TAKES_SECRETS = 1024,
    TAKES_LINE = 512,                 /* how to ask Modbus devices */
    TAKES_HISTORY = 2048,             /* what is so where no file is named */
    TAKES_LAST = 4096,                /* the same as --from, with a duration */
    ASKS = TAKES_SOCKET | TAKES_JSON, /* a gateway that runs */
};

static const struct command {
    const char *name;            /* one word or two */
    const char *usage, *summary; /* no summary: not for people, so no help names it */
    unsigned takes;
    size_t least, most; /* operands */
    struct cli_end (*call)(const struct cli_options *options);
} commands[] = {
    {"run", "[--config FILE] [--for DURATION]", "poll, judge and publish until told to stop",
     TAKES_CONFIG | TAKES_FOR, 0, 0, cli_run},
    {"check", "[FILE] | --template FILE",
     "say all that is wrong with a config file or a template, and open nothing",
     TAKES_CONFIG | TAKES_FILE | TAKES_TEMPLATE, 0, 1, cli_check},
    {"templates list", "", "the devices that need no register list", TAKES_CONFIG, 0, 0,
     cli_templates_list},
    {"templates show", "NAME", "what is known of one", TAKES_CONFIG, 1, 1, cli_templates_show},
    {"scan modbus", "ADDRESS [--unit 1-247] [--baud N] [--parity WORD] [--timeout DURATION]",
     "find devices on a line or behind a converter", ASKS | TAKES_CONFIG | TAKES_LINE, 1, 1,
     cli_scan_modbus},
    {"scan onewire", "[ADDRESS]",
     "find 1-Wire sensors: sysfs:/sys/bus/w1/devices, or owserver://HOST", TAKES_JSON, 0, 1,
     cli_scan_onewire},
    {"read", "ADDRESS REGISTER [COUNT] [--unit N] [--baud N] [--parity WORD] [--timeout DURATION]",
     "read registers and show them in all types and orders", ASKS | TAKES_LINE, 2, 3, cli_read},
    {"demo", "[--for DURATION]", "see it work on simulated sensors, without broker or device",
     TAKES_FOR, 0, 0, cli_demo},
    {"status", "", "how the gateway is that runs here", ASKS, 0, 0, cli_status},
    {"rules list", "", "its rules and how they stand", ASKS, 0, 0, cli_rules_list},
    {"rules test", "FILE ...", "run tests of rules in virtual time", 0, 1, CLI_OPERANDS_MAX,
     cli_rules_test},
    {"rules explain", "INSTANCE", "why an instance of a rule stands as it does", ASKS, 1, 1,
     cli_rules_explain},
    {"rules stats", "[--from TIME] [--to TIME]",
     "the noisiest rules, and how soon they were acknowledged; 30d by default",
     TAKES_SOCKET | TAKES_SPAN, 0, 0, cli_rules_stats},
    {"rules replay", "[--csv FILE | --history] [--from TIME] [--to TIME] [--config FILE]",
     "what the rules would have done, over history or a file of readings",
     TAKES_CONFIG | TAKES_SOCKET | TAKES_SPAN | TAKES_CSV | TAKES_HISTORY, 0, 1, cli_rules_replay},
    {"rules tune", "RULE [--csv FILE | --history] [--last DURATION] [--to TIME] [--config FILE]",
     "how often a rule would have told with other limits and times, and the best of them",
     TAKES_CONFIG | TAKES_SOCKET | TAKES_SPAN | TAKES_LAST | TAKES_CSV | TAKES_HISTORY, 1, 2,
     cli_rules_tune},
    {"rules ack", "RULE [--note TEXT]", "acknowledge an alarm", ASKS | TAKES_NOTE, 1, 1,
     cli_rules_act},
    {"rules mute", "RULE [--for DURATION] [--note TEXT]", "no notifications for a time, else 2h",
     ASKS | TAKES_NOTE | TAKES_FOR, 1, 1, cli_rules_act},
    {"rules unmute", "RULE [--note TEXT]", "end a mute", ASKS | TAKES_NOTE, 1, 1, cli_rules_act},
    {"rules enable", "RULE [--note TEXT]", "let it judge again", ASKS | TAKES_NOTE, 1, 1,
     cli_rules_act},
    {"rules disable", "RULE [--note TEXT]", "let it rest", ASKS | TAKES_NOTE, 1, 1, cli_rules_act},
    {"rules reset", "RULE [--note TEXT]",
     "end its alarm, take adjusted limits back, and judge it anew", ASKS | TAKES_NOTE, 1, 1,
     cli_rules_act},
    {"write", "SENSOR VALUE [--note TEXT]", "write a value and read it back", ASKS | TAKES_NOTE, 2,
     2, cli_write},
    {"history show", "SENSOR [--from TIME] [--to TIME]", "what a sensor read, a day ago by default",
     ASKS | TAKES_SPAN, 1, 1, cli_history_show},
    {"history export", "--csv [SENSORS] [--from TIME] [--to TIME]",
     "readings of sensors, as \"*.temp\"", TAKES_SOCKET | TAKES_SPAN | TAKES_CSV, 0, 1,
     cli_history_export},
    {"history import", "FILE", "store readings from such a file", ASKS, 1, 1, cli_history_import},
    {"standby", "DEVICE [--for DURATION] [--note TEXT]",
     "nobody is told about a device for a time, else 2h", ASKS | TAKES_NOTE | TAKES_FOR, 1, 1,
     cli_standby},
    {"resume", "DEVICE [--note TEXT]", "end that", ASKS | TAKES_NOTE, 1, 1, cli_resume},
    {"notify test", "NOTIFIER", "send a test message and say what came of it", ASKS, 1, 1,
     cli_notify_test},
    {"reload", "", "let the gateway read its config anew", ASKS, 0, 0, cli_reload},
    {"rescan", "", "let it ask what is away, and look for new devices, at once", ASKS, 0, 0,
     cli_rescan},
    {"backup", "FILE [--config FILE] [--secrets]",
     "config, state and history into one file, while the gateway runs",
     TAKES_CONFIG | TAKES_SECRETS, 1, 1, cli_backup},
    {"restore", "FILE [--config FILE]", "put such a file in place, while it does not run",
     TAKES_CONFIG | TAKES_SOCKET, 1, 1, cli_restore},
    {"forget", "[--config FILE]",
     "take back what the broker keeps of this gateway, while it does not run",
     TAKES_CONFIG | TAKES_SOCKET, 0, 0, cli_forget},
    {"manual", "", NULL, 0, 0, 0, cli_manual},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* The letters are for the switch below only: there are no short options but -h and -v. */
static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"for", required_argument, NULL, 'f'},
    {"template", required_argument, NULL, 't'},
    {"note", required_argument, NULL, 'n'},
    {"from", required_argument, NULL, 'a'},
    {"to", required_argument, NULL, 'b'},
    {"last", required_argument, NULL, 'l'},
    {"unit", required_argument, NULL, 'u'},
    {"baud", required_argument, NULL, 'B'},
    {"parity", required_argument, NULL, 'P'},
    {"timeout", required_argument, NULL, 'T'},
    {"csv", no_argument, NULL, 'x'},
    {"secrets", no_argument, NULL, 'S'},
    {"history", no_argument, NULL, 'H'},
    {"socket", required_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

void cli_commands_each(void (*take)(void *owner, const char *name, const char *usage,
                                    const char *summary),
                       void *owner)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (commands[i].summary)
            take(owner, commands[i].name, commands[i].usage, commands[i].summary);
    }
}

static void print_command(void *owner, const char *name, const char *usage, const char *summary)
{
    fprintf(owner, "  %s %s%s%s\n", name, usage, usage[0] ? "  " : " ", summary);
}

static void print_help(FILE *to)
{
    fputs("Usage: thermogate COMMAND [OPTION ...]\n\n", to);
    cli_commands_each(print_command, to);
    fputs(
        "\n  --json     the answer of the gateway as it is, for programs\n"
        "  --socket   where the gateway answers, if not at " WEB_SOCKET "\n"
        "  --verbose  log what is free to know, too\n"
        "  --help     this text\n"
        "  --version  the version\n"
        "\nDURATION is a number with a unit: 500ms, 30s, 5m, 2h.\n"
        "TIME is a duration ago, a date, or both: 24h, 2026-11-21, 2026-11-21T13:02.\n"
        "ADDRESS is serial:/dev/ttyUSB0, tcp://HOST[:PORT] or rtu+tcp://HOST[:PORT]; REGISTER is\n"
        "\"holding 100\", \"input 0\", \"coil 3\" or \"discrete 7\".\n"
        "RULE is an instance as `rules list` shows it, or a rule for all of its instances.\n"
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

/* The row for the words of the command line, and how many of them are its name. */
static const struct command *find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        size_t first = strcspn(commands[i].name, " ");
        const char *second = commands[i].name[first] ? commands[i].name + first + 1 : NULL;

        if (strlen(argv[1]) != first || strncmp(commands[i].name, argv[1], first) != 0)
            continue;
        *ret_words = second ? 2 : 1;
        if (!second || (argc > 2 && strcmp(second, argv[2]) == 0))
            return &commands[i];
    }
    return NULL;
}

/* A word that begins like a command of two: says what could follow. */
static struct cli_end refuse_command(const char *word)
{
    size_t length = strlen(word);
    const char *after = ": ";

    for (size_t i = 0; i < N_COMMANDS; i++) {
        const char *name = commands[i].name;

        if (strncmp(name, word, length) != 0 || name[length] != ' ')
            continue;
        if (after[0] == ':')
            fprintf(stderr, "thermogate: behind %s stands one of", word);
        fprintf(stderr, "%s%s", after, name + length + 1);
        after = ", ";
    }
    if (after[0] == ':')
        return refuse("no such command:", word);
    fputs("; try: thermogate --help\n", stderr);
    return (struct cli_end){.code = APP_USAGE};
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

/* What each option is for, and where its text goes; the others say more than a text. */
static const struct {
    int option;
    unsigned takes;
    size_t text; /* in struct cli_options; 0: take_option() knows it */
} meanings[] = {
    {'c', TAKES_CONFIG, offsetof(struct cli_options, config)},
    {'f', TAKES_FOR, 0},
    {'n', TAKES_NOTE, offsetof(struct cli_options, note)},
    {'a', TAKES_SPAN, offsetof(struct cli_options, from)},
    {'b', TAKES_SPAN, offsetof(struct cli_options, to)},
    {'l', TAKES_LAST, offsetof(struct cli_options, from)},
    {'x', TAKES_CSV, 0},
    {'S', TAKES_SECRETS, 0},
    {'H', TAKES_HISTORY, 0},
    {'s', TAKES_SOCKET, offsetof(struct cli_options, socket)},
    {'j', TAKES_JSON, 0},
    {'t', TAKES_TEMPLATE, offsetof(struct cli_options, template)},
    {'u', TAKES_LINE, offsetof(struct cli_options, unit)},
    {'B', TAKES_LINE, offsetof(struct cli_options, baud)},
    {'P', TAKES_LINE, offsetof(struct cli_options, parity)},
    {'T', TAKES_LINE, offsetof(struct cli_options, timeout)},
};
#define N_MEANINGS (sizeof(meanings) / sizeof(meanings[0]))

static bool is_taken(int option, unsigned takes)
{
    for (size_t i = 0; i < N_MEANINGS; i++) {
        if (meanings[i].option == option)
            return takes & meanings[i].takes;
    }
    return option == 'v';
}

/* false when its value is wrong. --csv says what is so anyway: there is no other form yet. */
static bool take_option(int option, const char *value, struct cli_options *options)
{
    for (size_t i = 0; i < N_MEANINGS; i++) {
        if (meanings[i].option == option && meanings[i].text)
            memcpy((char *)options + meanings[i].text, &value, sizeof(value));
    }
    if (option == 'v')
        log_set_level(LOG_LEVEL_DEBUG);
    options->json = options->json || option == 'j';
    options->secrets = options->secrets || option == 'S';
    return option != 'f' ||
           (text_to_duration_ms(value, &options->for_ms) == 0 && options->for_ms > 0);
}

/* All options; they may stand between operands. 0, or the code to leave with in `*ret_end`, and 1.
 */
static int read_options(const struct command *command, int argc, char **argv,
                        struct cli_options *options, struct cli_end *ret_end)
{
    int option, index = 0;

    while ((option = getopt_long(argc, argv, ":", long_options, &index)) != -1) {
        if (option == 'h') {
            print_help(stdout);
            *ret_end = (struct cli_end){.code = APP_OK};
        } else if (option == ':') {
            *ret_end = refuse("a value is missing behind", argv[optind - 1]);
        } else if (option == '?') {
            *ret_end = refuse_option(argv);
        } else if (!is_taken(option, command->takes)) {
            *ret_end = refuse_long(long_options[index].name);
        } else if (!take_option(option, optarg, options)) {
            *ret_end = refuse("no duration like 30s:", optarg);
        } else {
            continue;
        }
        return 1;
    }
    return 0;
}

/* A negative number at the end is a value to write, whatever getopt would make of its minus. */
static bool ends_with_number(const struct command *command, int argc, char **argv)
{
    double number;

    return command->most == 2 && argc > 1 && argv[argc - 1][0] == '-' &&
           text_to_number(argv[argc - 1], &number) == 0;
}

/* Everything behind the command's name. */
static struct cli_end call_command(const struct command *command, int argc, char **argv)
{
    struct cli_options options = {.command = command->name, .config = APP_CONFIG_PATH};
    bool number = ends_with_number(command, argc, argv);
    struct cli_end end;

    opterr = 0;
    if (read_options(command, argc - number, argv, &options, &end) != 0)
        return end;
    for (; optind < argc && options.n_operands < command->most; optind++)
        options.operands[options.n_operands++] = argv[optind];
    if (optind < argc)
        return refuse("one word too many:", argv[optind]);
    if (options.n_operands < command->least)
        return refuse("something is missing behind", command->name);
    if ((command->takes & TAKES_FILE) && options.n_operands > 0)
        options.config = options.operands[0];
    return command->call(&options);
}

struct cli_end cli_main(int argc, char **argv)
{
    const struct command *command;
    int words;

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
    command = find_command(argc, argv, &words);
    return command ? call_command(command, argc - words, argv + words) : refuse_command(argv[1]);
}
