/* Error: the explanation that travels beside a negative result.
 *
 * A function that fails in a way a person must act on returns -Exxx and fills `reterr`, its last
 * parameter, with what failed, where, and what to do. NULL is allowed everywhere: the caller then
 * wants the code only. A function logs or returns an error, never both. Any thread. */
#pragma once

struct error {
    int code;       /* the negative errno that was returned; 0 = no error */
    char text[500]; /* one line, no newline, cut with "..." when longer */
};

/* Fills `reterr` (may be NULL) and returns `code`, so that `return error_set(...)` reads well. */
int error_set(struct error *reterr, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<formatted>: " before the text that is there: each level adds its place on the way out.
 * Returns the code that is there. */
int error_prefix(struct error *reterr, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
