/* Script, one line of it: for script.c and script_line.c. */
#pragma once

#include "gateway/cli/script.h"

#define SCRIPT_EVERY_MS   10000
#define SCRIPT_SERIES_MAX 64

/* How far the samples of a sensor have come. */
struct script_series {
    const char *sensor;
    int64_t next_ms;
};

struct script_reader {
    struct script *script;
    struct script_test *test; /* NULL: before the first one */
    struct problems *problems;
    const char *at, *end; /* of the line: where reading is */
    struct place line_place;
    bool line_wrong; /* told: the rest of the line is not read */
    bool no_memory;
    int64_t every_ms;
    struct script_series series[SCRIPT_SERIES_MAX];
    size_t n_series;
    uint32_t config_line; /* number of the last line of config; 0: none yet */
};

struct place script_here(const struct script_reader *reader);
void script_skip_blanks(struct script_reader *reader);

/* An error at the place of reading; the first one of a line counts. */
void script_wrong(struct script_reader *reader, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Each of these takes something off the line; NULL or 0 when it is not there. */
const char *script_word(struct script_reader *reader); /* up to a blank; not told */
const char *script_text(struct script_reader *reader); /* "in quotes", or a word */
const char *script_rest(struct script_reader *reader); /* up to the end of the line */
int64_t script_duration(struct script_reader *reader, bool positive);
void script_clock(struct script_reader *reader, int64_t *ret_wall_ms); /* "unknown", or a time */
void script_end_line(struct script_reader *reader);                    /* nothing may follow */

/* Whether `word` is something that comes out: an event of a rule ("fired") or an action. */
bool script_is_output(const char *word);

/* "SENSOR: values", or "TIME ..." */
void script_read_moment(struct script_reader *reader);

/* script.c: to the lists of the test. */
void script_add_step(struct script_reader *reader, struct script_step step);
void script_add_output(struct script_reader *reader, struct script_output output);
