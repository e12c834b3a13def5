#include "gateway/base/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Takes the quotes off the field that starts at `*at` and ends it; leaves *at behind the closing
 * one. NULL when that is missing. */
static char *take_quoted(struct csv *csv, char **at)
{
    char *field = *at + 1, *to = field, *from = field;

    for (; *from && (*from != '"' || from[1] == '"'); from++) {
        if (*from == '"')
            from++;
        if (*from == '\n')
            csv->lines++;
        *to++ = *from;
    }
    if (*from != '"')
        return NULL;
    *to = '\0';
    *at = from + 1 + strspn(from + 1, " \t");
    return field;
}

/* A field without quotes; the caller puts the NUL over the separator at *at. */
static char *take_plain(struct csv *csv, char **at)
{
    const char stop[] = {csv->separator, '\r', '\n', '\0'};
    char *field = *at, *end;

    *at += strcspn(field, stop);
    for (end = *at; end > field && (end[-1] == ' ' || end[-1] == '\t'); end--)
        end[-1] = '\0';
    return field;
}

static void skip_blank_lines(struct csv *csv)
{
    while (csv->next && (*csv->next == '#' || *csv->next == '\r' || *csv->next == '\n')) {
        csv->next = strchr(csv->next, '\n');
        if (csv->next) {
            csv->next++;
            csv->lines++;
        }
    }
    if (csv->next && *csv->next == '\0')
        csv->next = NULL;
}

void csv_start(struct csv *csv, char *text, char separator)
{
    size_t first;

    if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
        text += strlen(BYTE_ORDER_MARK); /* spreadsheets put it there */
    *csv = (struct csv){.next = text, .separator = separator};
    skip_blank_lines(csv);
    if (separator || !csv->next)
        return;
    first = strcspn(csv->next, "\r\n");
    csv->separator = memchr(csv->next, ';', first) && !memchr(csv->next, ',', first) ? ';' : ',';
}

/* What follows a closing quote, or a carriage return in the middle, would be lost silently. */
static bool is_line_end(const char *at)
{
    return *at == '\0' || *at == '\n' || (*at == '\r' && (at[1] == '\n' || at[1] == '\0'));
}

/* Ends the last field of a line and finds the next line behind it. */
static void end_line(struct csv *csv, char *at)
{
    csv->next = strchr(at, '\n');
    if (csv->next)
        csv->next++;
    *at = '\0';
}

int csv_next(struct csv *csv, char *fields[], size_t max)
{
    size_t n = 0;
    char *at;

    skip_blank_lines(csv);
    if (!csv->next)
        return 0;
    csv->line = ++csv->lines;
    for (at = csv->next;; at++) {
        char *field;

        at += strspn(at, " \t");
        field = *at == '"' ? take_quoted(csv, &at) : take_plain(csv, &at);
        if (!field)
            return -EINVAL;
        if (n < max)
            fields[n] = field;
        n++;
        if (*at != csv->separator)
            break;
        *at = '\0';
    }
    if (!is_line_end(at))
        return -EINVAL;
    end_line(csv, at);
    return (int)n;
}
