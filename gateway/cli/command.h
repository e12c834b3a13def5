/* One subcommand of the command line. Private to the room. */
#pragma once

#include "gateway/cli/cli.h"

#include <stdint.h>

/* What options said; a subcommand accepts those of its row in the table only. */
struct cli_options {
    const char *config; /* --config FILE, or the first operand */
    int64_t for_ms;     /* --for DURATION */
};

struct cli_end cli_run(const struct cli_options *options);
struct cli_end cli_check(const struct cli_options *options);
struct cli_end cli_demo(const struct cli_options *options);
