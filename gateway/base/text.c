#include "gateway/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A duration of over 1,000 years is a slip, and without it no sum of a time and a duration
 * overflows. */
#define DURATION_MAX_MS (1000LL * 366 * 86400 * 1000)

/* Whole numbers up to here are exact in a double. */
#define EXACT_MAX 9007199254740992.0

/* -- UTF-8 -- */

/* How many bytes a character with this first byte has; 0 when none begins so. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t text_utf8(const char *text, size_t length, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = length > 0 ? utf8_length((unsigned char)text[0]) : 0;
    uint32_t code;

    if (count == 0 || count > length)
        return 0;
    code = (unsigned char)text[0] & (count == 1 ? 0x7fU : 0xffU >> (count + 1));
    for (size_t i = 1; i < count; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    /* Longer than needed, half of a surrogate pair, beyond Unicode: other programs refuse them. */
    if (code < least[count] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
        return 0;
    *ret_code = code;
    return count;
}

bool text_is_utf8(const char *text, size_t length)
{
    uint32_t code;

    for (size_t at = 0; at < length;) {
        size_t count = text_utf8(text + at, length - at, &code);

        if (count == 0)
            return false;
        at += count;
    }
    return true;
}

/* The longest start of `text` of at most `length` bytes that does not cut a character. */
static size_t utf8_cut(const char *text, size_t length)
{
    size_t start = length;

    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return length;
    if (utf8_length((unsigned char)text[start - 1]) > length - start + 1)
        return start - 1;
    return length;
}

/* -- copying and quoting -- */

bool text_copy(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);
    bool fits = length < size;

    if (size == 0)
        return false;
    if (!fits)
        length = utf8_cut(from, size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
    return fits;
}

bool text_append(char *to, size_t size, size_t *length, const char *format, ...)
{
    va_list arguments;
    int count;

    if (*length >= size)
        return false;
    va_start(arguments, format);
    count = vsnprintf(to + *length, size - *length, format, arguments);
    va_end(arguments);
    if (count >= 0 && (size_t)count < size - *length) {
        *length += (size_t)count;
        return true;
    }
    *length += count < 0 ? 0 : utf8_cut(to + *length, size - *length - 1);
    to[*length] = '\0';
    return false;
}

bool text_is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* One character (or broken byte) of `from` as it is shown in `piece`; returns how many bytes of
 * `from` that took. */
static size_t escape_one(const char *from, size_t length, bool quotes, char piece[17])
{
    uint32_t code = 0;
    size_t count = text_utf8(from, length, &code);
    size_t at = 0;

    if (count > 0 && !text_is_unsafe(code)) {
        if (quotes && (code == '"' || code == '\\'))
            piece[at++] = '\\';
        memcpy(piece + at, from, count);
        piece[at + count] = '\0';
        return count;
    }
    if (count == 0)
        count = 1;
    for (size_t i = 0; i < count; i++)
        snprintf(piece + 4 * i, 5, "\\x%02x", (unsigned)(unsigned char)from[i]);
    return count;
}

/* Writes the escaped text, then `end`; when that does not fit, cut with `cut_end`. */
static char *escape(char *to, size_t size, const char *from, bool quotes)
{
    const char *end = quotes ? "\"" : "", *cut_end = quotes ? "\"..." : "...";
    size_t left = strlen(from), at = 0, cut = 0;
    char piece[17];

    if (size < 6) {
        if (size > 0)
            to[0] = '\0';
        return to;
    }
    if (quotes)
        to[at++] = '"';
    cut = at;
    while (left > 0) {
        size_t count = escape_one(from, left, quotes, piece);
        size_t length = strlen(piece);

        if (at + length + strlen(end) + 1 > size)
            break;
        memcpy(to + at, piece, length);
        at += length;
        from += count;
        left -= count;
        if (at + strlen(cut_end) + 1 <= size)
            cut = at;
    }
    if (left > 0)
        at = cut;
    strcpy(to + at, left > 0 ? cut_end : end);
    return to;
}

char *text_quote(char *to, size_t size, const char *from)
{
    return escape(to, size, from, true);
}

char *text_escape(char *to, size_t size, const char *from)
{
    return escape(to, size, from, false);
}

/* -- names -- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool text_is_slug(const char *text)
{
    size_t length = 0;

    if (!is_lower(text[0]))
        return false;
    for (; text[length] != '\0'; length++) {
        if (length == TEXT_SLUG_MAX)
            return false;
        if (!is_lower(text[length]) && !is_digit(text[length]) && text[length] != '_')
            return false;
    }
    return true;
}

/* The letters that a character becomes in a slug; "" for what only separates. */
static const char *slug_letters(uint32_t code, char one[2])
{
    /* U+00C0..U+00DF, and without the case bit U+00E0..U+00FF */
    static const char *const latin1[32] = {
        "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i",  "i", "i",  "i",
        "d", "n", "o", "o", "o",  "o", "oe", "",  "o", "u", "u", "u", "ue", "y", "th", "ss"};
    /* U+0100..U+017F */
    static const char extended[] = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkk"
                                   "llllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuu"
                                   "wwyyyzzzzzzs";

    one[0] = one[1] = '\0';
    if (code == 0xff)
        return "y";
    if (code >= 0xc0 && code < 0x100)
        return latin1[code & 0x1f];
    if (code >= 0x100 && code < 0x180)
        one[0] = extended[code - 0x100];
    else if (code >= 'A' && code <= 'Z')
        one[0] = (char)(code - 'A' + 'a');
    else if (code < 0x80 && (is_lower((char)code) || is_digit((char)code)))
        one[0] = (char)code;
    return one;
}

char *text_make_slug(char *to, size_t size, const char *from)
{
    size_t max = size - 1 < TEXT_SLUG_MAX ? size - 1 : TEXT_SLUG_MAX, at = 0, left = strlen(from);
    bool gap = false;
    char one[2];

    while (left > 0) {
        uint32_t code = 0;
        size_t count = text_utf8(from, left, &code);
        const char *letters = slug_letters(code, one);

        count = count > 0 ? count : 1;
        from += count;
        left -= count;
        if (letters[0] == '\0') {
            gap = true;
            continue;
        }
        /* A slug begins with a letter; `x_` keeps the digits that a name begins with. */
        if (at == 0 && is_digit(letters[0]) && max > 2) {
            to[at++] = 'x';
            gap = true;
        }
        if (at + strlen(letters) + (gap && at > 0) > max)
            break;
        if (gap && at > 0)
            to[at++] = '_';
        memcpy(to + at, letters, strlen(letters));
        at += strlen(letters);
        gap = false;
    }
    if ((at == 0 || is_digit(to[0])) && max > 0) {
        to[0] = 'x';
        at = 1;
    }
    to[at] = '\0';
    return to;
}

static const char *next_character(const char *text)
{
    do
        text++;
    while (((unsigned char)*text & 0xc0) == 0x80);
    return text;
}

/* Only the last `*` is ever tried again: what it took before an earlier match cannot help. */
bool text_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *star_text = NULL;

    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            star_text = text;
        } else if (*pattern == '?') {
            pattern++;
            text = next_character(text);
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++star_text;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Three rows of the usual table of edit distances; names longer than a row count as wholly
 * different, nobody would be helped by such a suggestion. */
size_t text_distance(const char *a, const char *b)
{
    enum { LENGTH_MAX = 2 * TEXT_SLUG_MAX + 1 };
    size_t rows[3][LENGTH_MAX + 1];
    size_t *above = rows[0], *before = rows[1], *now = rows[2], *spare;
    size_t n = strlen(a), m = strlen(b);

    if (n > LENGTH_MAX || m > LENGTH_MAX)
        return strcmp(a, b) == 0 ? 0 : (n > m ? n : m);
    for (size_t j = 0; j <= m; j++)
        before[j] = j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = before[j - 1] + (a[i - 1] != b[j - 1]);

            now[j] = least_of(change, least_of(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least_of(now[j], above[j - 2] + 1);
        }
        spare = above;
        above = before;
        before = now;
        now = spare;
    }
    return before[m];
}
