/* One subcommand of the command line. Private to the room. */
#pragma once

#include "gateway/cli/cli.h"

#include <stddef.h>
#include <stdint.h>

#define CLI_OPERANDS_MAX 64

/* What options said; a subcommand accepts those of its row in the table only. */
struct cli_options {
    const char *command;                        /* its name in the table: "rules ack" */
    const char *config;                         /* --config FILE, or the operand of `check` */
    const char *template;                       /* --template FILE, of `check` */
    int64_t for_ms;                             /* --for DURATION; 0: not given */
    const char *socket;                         /* --socket PATH: where the gateway answers */
    const char *from, *to, *note;               /* NULL: not given */
    const char *unit, *baud, *parity, *timeout; /* of Modbus by hand; NULL: not given */
    bool secrets;                               /* --secrets: they too */
    bool json;                                  /* --json: the answer as the gateway gave it */
    const char *operands[CLI_OPERANDS_MAX];
    size_t n_operands;
};

struct cli_end cli_run(const struct cli_options *options);
struct cli_end cli_check(const struct cli_options *options);
struct cli_end cli_templates_list(const struct cli_options *options);
struct cli_end cli_templates_show(const struct cli_options *options);
struct cli_end cli_scan_modbus(const struct cli_options *options);
struct cli_end cli_scan_onewire(const struct cli_options *options);
struct cli_end cli_read(const struct cli_options *options);
struct cli_end cli_demo(const struct cli_options *options);

struct cli_end cli_backup(const struct cli_options *options);
struct cli_end cli_restore(const struct cli_options *options);
struct cli_end cli_forget(const struct cli_options *options);

struct cli_end cli_rules_test(const struct cli_options *options);
struct cli_end cli_rules_replay(const struct cli_options *options);
struct cli_end cli_rules_tune(const struct cli_options *options);

/* These ask a gateway that runs. */
struct cli_end cli_status(const struct cli_options *options);
struct cli_end cli_rules_list(const struct cli_options *options);
struct cli_end cli_rules_stats(const struct cli_options *options);
struct cli_end cli_rules_explain(const struct cli_options *options);
struct cli_end cli_rules_act(const struct cli_options *options); /* ack, mute, ... */
struct cli_end cli_write(const struct cli_options *options);
struct cli_end cli_reload(const struct cli_options *options);
struct cli_end cli_rescan(const struct cli_options *options);
struct cli_end cli_standby(const struct cli_options *options);
struct cli_end cli_resume(const struct cli_options *options);
struct cli_end cli_notify_test(const struct cli_options *options);
struct cli_end cli_history_show(const struct cli_options *options);
struct cli_end cli_history_export(const struct cli_options *options);
struct cli_end cli_history_import(const struct cli_options *options);

/* Copies a template of a manual page from standard input, with what the tables say of commands and
 * options put in. For the build. */
struct cli_end cli_manual(const struct cli_options *options);

/* The commands that people may give, in the order of the help. */
void cli_commands_each(void (*take)(void *owner, const char *name, const char *usage,
                                    const char *summary),
                       void *owner);
