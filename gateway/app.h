/* App: builds the rooms in one visible order, runs the loop, and takes them down again. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/setting.h"
#include "gateway/core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct conf_text;

/* Exit codes: sysexits(3)'s EX_CONFIG for a config that cannot be used. */
enum app_exit { APP_OK = 0, APP_FAILED = 1, APP_USAGE = 2, APP_CONFIG = 78 };

#define APP_CONFIG_PATH "/etc/thermogate/thermogate.cfg"

/* The outermost table of the config file. */
extern const struct setting app_settings[];

struct app_options {
    const char *config_path;       /* of the file; NULL: only the texts */
    const struct conf_text *texts; /* joined to it as if they were fragments of it */
    size_t n_texts;
    int64_t for_ms;                /* ends by itself after that; 0: never */
    const struct sink_calls *sink; /* one more sink, for the terminal; may be NULL */
    void *sink_self;
    bool quiet; /* without the life-cycle lines in the log */
};

/* Runs until SIGTERM, SIGINT or `for_ms`. Problems of the config go to standard error.
 * `*ret_abandoned`: a thread did not come back and still uses memory: leave by _exit(). Returns an
 * app_exit. */
int app_run(const struct app_options *options, bool *ret_abandoned);

/* Reads and builds all that the config describes, opens nothing, and prints problems and a summary
 * to `to`. Returns an app_exit. */
int app_check(const char *config_path, FILE *to);

/* The same of a template: its channels are checked as those of a device on a slow line. */
int app_check_template(const char *path, FILE *to);
