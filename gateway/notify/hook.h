/* Hook: a program that a rule may run: fixed arguments, what happened in its environment, no shell.
 * Loop thread only. */
#pragma once

#include "gateway/base/process.h"
#include "gateway/notify/notify.h"

#include <stdbool.h>
#include <stddef.h>

struct hook {
    char name[64];
    char **argv; /* NULL at the end */
    int64_t timeout_ms;
};

/* One group of `hooks`: what the table cannot say. */
void hook_check(const struct section *section, struct problems *problems);

/* Of a checked section. 0 or -ENOMEM. */
int hook_read(const struct section *section, struct hook *hook);
void hook_end(struct hook *hook);

/* The environment for an event, NULL at the end. NULL when memory is out; hook_environment_free().
 */
char **hook_environment(const struct notify_message *event);
void hook_environment_free(char **environment);

/* How it went, for a log: "ended with status 3: \"what it printed\"". Returns whether it went well.
 */
bool hook_describe(const struct process_end *end, char *to, size_t size);
