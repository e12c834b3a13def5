/* Command line: the subcommands, as a table. */
#pragma once

#include <stdbool.h>

struct cli_end {
    int code;       /* enum app_exit */
    bool abandoned; /* leave by _exit() */
};

struct cli_end cli_main(int argc, char **argv);
