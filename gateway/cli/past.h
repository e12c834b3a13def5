/* Past: recorded readings for replays, as a file or the history of a gateway that runs has them.
 * What went wrong has been said on standard error. Private to the room. */
#pragma once

#include "gateway/cli/command.h"
#include "gateway/cli/recording.h"

#include <stddef.h>
#include <stdint.h>

/* Text of CSV that grows as it comes; zeroed at first. */
struct past {
    char *text;
    size_t length, size;
};

/* Appends the whole of a file. An app_exit. */
int past_read(struct past *past, const char *path);

/* Appends what the history has of the sensors that fit the glob `match`; NULL: of all. `from` and
 * `to` as in a query; may be NULL. An app_exit. */
int past_ask(struct past *past, const struct cli_options *options, const char *match,
             const char *from, const char *to);

/* Makes a recording of what was gathered between the two times; `past` is empty afterwards. `name`
 * is what it was gathered from, "" for the history. Nothing in it is no failure. An app_exit. */
int past_record(struct past *past, const char *name, int64_t from_ms, int64_t to_ms,
                struct recording *ret_recording);
void past_clear(struct past *past);
