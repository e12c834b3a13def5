/* Problem: everything that is wrong with what a person wrote, said at once and in place.
 *
 * A source is a file's bytes under the name that a person knows it by. A place is a byte of it;
 * line and column are counted only when a problem is printed. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of a file, kept as long as a place points into them. `bytes[length]` is NUL. */
struct source {
    char *name;
    char *bytes;
    size_t length;
    uint32_t order; /* which one was read first, for printing; 0 unless its maker numbers them */
};

/* Copies both; NULL when memory is out. */
struct source *source_new(const char *name, const void *bytes, size_t length);
void source_free(struct source *source);

struct place {
    const struct source *source; /* NULL: no place (a default, the command line) */
    uint32_t offset;             /* of the first byte meant; `length` is past the end */
};

/* 1-based; the column counts characters of UTF-8, a tab as one. 0 and 0 without a source. */
void place_line_column(struct place place, uint32_t *ret_line, uint32_t *ret_column);

/* The errors and warnings of one reading of the config. */
struct problems;
struct problems *problems_new(void);
void problems_free(struct problems *problems);

/* Adds an error: `format` says what is wrong; `hint` (may be NULL or "") what to do about it. The
 * text is rendered now, so the source may go. Beyond 100 they are only counted; the very same is
 * added once. Texts may hold anything: what could harm a terminal is escaped. */
void problem_error(struct problems *problems, struct place place, const char *hint,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same for what works but is hardly meant. */
void problem_warning(struct problems *problems, struct place place, const char *hint,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

size_t problems_errors(const struct problems *problems);
size_t problems_warnings(const struct problems *problems);

/* How they look, in the order of files and lines:
 *
 *   thermogate.cfg:41:14: error: rule "frost": unknown sensor "cellar.tmp"
 *       sensor = "cellar.tmp"
 *                ^
 *       did you mean "cellar.temp"?
 */
void problems_print(struct problems *problems, FILE *to);

/* The i-th in that order, as "file:line:column: error: text"; NULL at the end. For tests and logs.
 */
const char *problems_line(struct problems *problems, size_t i);
