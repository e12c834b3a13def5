/* CSV: lines of fields as RFC 4180 has them, commas or semicolons. Pure, works in place. */
#pragma once

#include <stddef.h>

struct csv {
    char *next;   /* rest of the text; NULL at the end */
    size_t line;  /* 1-based number of the line that csv_next() returned last */
    size_t lines; /* lines passed so far: a quoted field may span several */
    char separator;
};

/* Reads from `text`, which is changed and must outlive the fields; a byte order mark is passed
 * over. A separator of 0 is found from the first line that counts: ';' when it has one and no ',',
 * else ','. */
void csv_start(struct csv *csv, char *text, char separator);

/* Splits the next line that is neither empty nor starts with '#' into up to `max` fields, which
 * borrow from the text; quotes are taken off, spaces around a field too. Returns how many there
 * were (more than `max`: the rest is skipped), 0 at the end, -EINVAL when a quote is not closed or
 * more than a separator follows it; then there is no going on. */
int csv_next(struct csv *csv, char *fields[], size_t max);
