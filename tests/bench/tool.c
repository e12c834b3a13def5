#include "tests/bench/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>

int64_t tool_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void tool_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void usage(const char *program, const struct tool_option *options)
{
    fprintf(stderr, "%s:\n", program);
    for (; options->name; options++)
        fprintf(stderr, "  --%-12s %s (%lld)\n", options->name, options->help,
                (long long)*options->value);
    exit(2);
}

static const struct tool_option *find(const struct tool_option *options, const char *argument)
{
    if (strncmp(argument, "--", 2) != 0)
        return NULL;
    for (; options->name; options++)
        if (strcmp(options->name, argument + 2) == 0)
            return options;
    return NULL;
}

void tool_options(int argc, char **argv, const struct tool_option *options)
{
    for (int i = 1; i < argc; i += 2) {
        const struct tool_option *option = find(options, argv[i]);
        char missing[] = "?", *end = missing;
        if (option && i + 1 < argc)
            *option->value = strtoll(argv[i + 1], &end, 10);
        if (*end)
            usage(argv[0], options);
    }
}

int tool_end_fd(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0)
        tool_die("signalfd");
    return fd;
}

void tool_watch(int epoll, int fd, uint64_t tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        tool_die("epoll_ctl");
}
