/* Text: small pure functions on C strings. Any thread.
 *
 * Durations are numbers with units, "90s", "1h 30m" or "1h30m": ms s m h d. Sizes: B kB KB MB GB
 * (1,000) and KiB MiB GiB. A slug is [a-z][a-z0-9_]*, at most TEXT_SLUG_MAX characters: it is safe
 * in a topic, an id of Home Assistant and an expression. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_SLUG_MAX 63

/* Copies with a closing NUL; cuts at a UTF-8 boundary. Returns true when all of it fitted. */
bool text_copy(char *to, size_t size, const char *from);

/* Appends formatted text at *length, which it moves; false (and a cut text) when it did not fit. */
bool text_append(char *to, size_t size, size_t *length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Outside text made safe for a log line or a terminal: in double quotes, control characters and
 * invalid UTF-8 as \xNN, cut with "..." when `size` ends. Returns `to`. */
char *text_quote(char *to, size_t size, const char *from);

/* The same without the quotes, for a text that goes into the middle of a line. */
char *text_escape(char *to, size_t size, const char *from);

/* Whether a character may not reach a terminal as it is: control characters, and the marks that
 * turn the direction of writing, with which a line can show other words than it has. */
bool text_is_unsafe(uint32_t code);

bool text_is_slug(const char *text);

/* A slug made out of any text ("Küche Süd/1" -> "kueche_sued_1", "1st" -> "x_1st"); "x" when
 * nothing is left. */
char *text_make_slug(char *to, size_t size, const char *from);

bool text_is_utf8(const char *text, size_t length);

/* The character that begins at `text`: how many bytes it has (1 to 4), 0 when it is no valid UTF-8.
 */
size_t text_utf8(const char *text, size_t length, uint32_t *ret_code);

/* Glob with * and ? (one character), over the whole text. */
bool text_glob(const char *pattern, const char *text);

/* Number of edits (insert, delete, change, swap of neighbours) between two names, for "did you
 * mean". */
size_t text_distance(const char *a, const char *b);

/* 0 or -EINVAL / -ERANGE; the whole text must be used up. Durations and sizes have a unit and are
 * not negative, "1.5h" is one, "0.1ms" (no whole millisecond) is none; units go from large to
 * small. A duration is at most 1,000 years, so that adding it to a time cannot overflow. */
int text_to_duration_ms(const char *text, int64_t *ret_ms);
int text_to_size(const char *text, int64_t *ret_bytes);
int text_to_int(const char *text, int64_t *ret_value);   /* decimal or 0x..., sign allowed */
int text_to_number(const char *text, double *ret_value); /* finite, '.' whatever the locale */

/* "90s" -> "1m 30s"; at most the two largest units: "2h 5m", "350ms". Returns `to`. */
char *text_from_duration(char *to, size_t size, int64_t ms);

/* Shortest decimal text that reads back as the same double; with `decimals` >= 0 exactly that many
 * places (below 1e15). No exponent between 1e-6 and 1e15, never "-0", '.' whatever the locale;
 * "nan" and "inf" for those. Returns the length; 0 and "" when it does not fit, a number is never
 * cut. 32 bytes are enough for the shortest text of any. */
#define TEXT_DECIMALS_MAX 15
size_t text_from_number(char *to, size_t size, double value, int decimals);

/* A wall time as "2026-11-21T13:02:05.123Z" (24 characters and NUL); years 0 to 9999. Returns `to`.
 */
#define TEXT_TIME_SIZE 32
char *text_from_wall(char to[TEXT_TIME_SIZE], int64_t wall_ms);

/* ISO 8601 with a zone ("Z", "+01:00", "+0100"), seconds and their fraction may be missing; or Unix
 * milliseconds. 0 or -EINVAL. */
int text_to_wall(const char *text, int64_t *ret_wall_ms);
