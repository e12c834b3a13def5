#include "gateway/cli/cli.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct cli_end end = cli_main(argc, argv);

    /* A thread that did not come back may still use what exit handlers would tear down. */
    if (end.abandoned) {
        fflush(NULL);
        _exit(end.code);
    }
    return end.code;
}
