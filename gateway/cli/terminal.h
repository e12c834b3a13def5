/* Terminal: a sink that shows a person what happens. Loop thread only.
 *
 * On a terminal the newest values, the states of rules and the last events are drawn anew a few
 * times a second; into a file or pipe go lines: each device every two seconds at most, each event
 * at once. */
#pragma once

#include "gateway/core/sink.h"

#include <stdio.h>

struct terminal;

/* NULL when memory is out. */
struct terminal *terminal_new(FILE *to);
void terminal_free(struct terminal *terminal);

extern const struct sink_calls terminal_sink;
