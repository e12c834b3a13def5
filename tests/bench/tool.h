/* Tool: what the programs of the benchmark share: a clock, options, an orderly end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC, which all processes of one machine share: a time stamp sent through the gateway
 * can be compared with the time at which it comes out. */
int64_t tool_now_us(void);

/* Ends the process with a line on standard error. */
void tool_die(const char *what) __attribute__((noreturn));

/* One option `--NAME VALUE`, always a number. */
struct tool_option {
    const char *name;
    int64_t *value; /* holds the default */
    const char *help;
};

/* Reads the command line; a list of the options, and the end, for --help or what it does not know.
 * `options` ends with a NULL name. */
void tool_options(int argc, char **argv, const struct tool_option *options);

/* A descriptor that becomes readable on SIGTERM or SIGINT. */
int tool_end_fd(void);

/* Adds `fd` to `epoll`, for reading. */
void tool_watch(int epoll, int fd, uint64_t tag);
