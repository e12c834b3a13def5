/* MIME: a message as mail servers take it (RFC 5322, 2045, 2047). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A text for a header: as it is when it is ASCII, else in encoded words (`=?UTF-8?B?...?=`), with
 * `between` between them. Without control characters. NULL when memory is out; release with free().
 */
char *mime_header(const char *text, const char *between);

struct mime_mail {
    const char *from;
    const char *const *to;
    size_t n_to;
    const char *subject, *text; /* UTF-8; lines end with \n */
    const char *id;             /* of this message, the same when it is sent again */
    int64_t wall_ms;            /* CLOCK_NEVER: without a date, the server adds its own */
};

/* Headers and body, with CR LF. NULL when memory is out; release with free(). */
char *mime_compose(const struct mime_mail *mail);
