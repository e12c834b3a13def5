#include "config/scan.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *skip_digits(const char *at)
{
    while (is_digit(*at))
        at++;
    return at;
}

/* Blanks and whole comments are skipped; a block comment that never ends stays. A line feed ends a
 * line, a carriage return does not. */
static const char *skip_blanks(const char *at)
{
    for (;;) {
        const char *end;

        at += strspn(at, " \t\r\n\f");
        if (at[0] == '#' || (at[0] == '/' && at[1] == '/')) {
            at += strcspn(at, "\n");
        } else if (at[0] == '/' && at[1] == '*') {
            end = strstr(at + 2, "*/");
            if (end == NULL)
                return at;
            at = end + 2;
        } else {
            return at;
        }
    }
}

/* Only \" and \\ keep a quote from ending the text: any other backslash stands for itself. */
static enum token_kind scan_string(const char **at)
{
    const char *end = *at + 1;

    for (;;) {
        end += strcspn(end, "\"\\");
        if (*end == '\\')
            end += end[1] == '"' || end[1] == '\\' ? 2 : 1;
        else
            break;
    }
    *at = *end == '"' ? end + 1 : end;
    return *end == '"' ? TOKEN_STRING : TOKEN_STRING_OPEN;
}

static enum token_kind scan_name(const char **at)
{
    const char *end = *at;
    size_t length;

    while (is_letter(*end) || is_digit(*end) || *end == '_' || *end == '-' || *end == '*')
        end++;
    length = (size_t)(end - *at);
    if (length == 4 && strncasecmp(*at, "true", 4) == 0) {
        *at = end;
        return TOKEN_TRUE;
    }
    if (length == 5 && strncasecmp(*at, "false", 5) == 0) {
        *at = end;
        return TOKEN_FALSE;
    }
    *at = end;
    return TOKEN_NAME;
}

/* One or two L behind a whole number. */
static bool scan_long(const char **at)
{
    if (**at != 'L')
        return false;
    *at += (*at)[1] == 'L' ? 2 : 1;
    return true;
}

/* The end of "e+5" at `at`; `at` itself when none stands there. */
static const char *skip_exponent(const char *at)
{
    const char *digits = at + 1;

    if (*at != 'e' && *at != 'E')
        return at;
    digits += *digits == '+' || *digits == '-';
    return is_digit(*digits) ? skip_digits(digits) : at;
}

static enum token_kind scan_number(const char **at)
{
    const char *start = *at + (**at == '+' || **at == '-'), *end = skip_digits(start);
    const char *exponent;

    if (start[0] == '0' && start == *at && (start[1] == 'x' || start[1] == 'X') &&
        isxdigit((unsigned char)start[2])) {
        for (end = start + 2; isxdigit((unsigned char)*end);)
            end++;
        *at = end;
        return scan_long(at) ? TOKEN_HEX64 : TOKEN_HEX;
    }
    if (*end == '.') {
        *at = skip_exponent(skip_digits(end + 1));
        return TOKEN_FLOAT;
    }
    if (end == start)
        return TOKEN_GARBAGE;
    exponent = skip_exponent(end);
    *at = exponent;
    if (exponent > end)
        return TOKEN_FLOAT;
    return scan_long(at) ? TOKEN_INT64 : TOKEN_INT;
}

static enum token_kind scan_mark(char c)
{
    static const char marks[] = "=:;,{}()[]";
    static const enum token_kind kinds[] = {
        TOKEN_EQUALS,      TOKEN_EQUALS,    TOKEN_SEMICOLON,  TOKEN_COMMA,      TOKEN_GROUP_OPEN,
        TOKEN_GROUP_CLOSE, TOKEN_LIST_OPEN, TOKEN_LIST_CLOSE, TOKEN_ARRAY_OPEN, TOKEN_ARRAY_CLOSE};
    const char *found = strchr(marks, c);

    return found != NULL ? kinds[found - marks] : TOKEN_GARBAGE;
}

struct token scan_token(const struct source *source, uint32_t offset)
{
    const char *at = skip_blanks(source->bytes + offset), *start = at;
    struct token token = {.kind = TOKEN_GARBAGE};

    if (*at == '\0') {
        token.kind = TOKEN_END;
    } else if (at[0] == '/' && at[1] == '*') {
        token.kind = TOKEN_COMMENT_OPEN;
        at = source->bytes + source->length;
    } else if (*at == '"') {
        token.kind = scan_string(&at);
    } else if (is_letter(*at) || *at == '*') {
        token.kind = scan_name(&at);
    } else if (is_digit(*at) || (*at != '\0' && strchr("+-.", *at) != NULL)) {
        token.kind = scan_number(&at);
    } else {
        token.kind = scan_mark(*at++);
    }
    if (at == start && token.kind == TOKEN_GARBAGE)
        at++;
    token.start = (uint32_t)(start - source->bytes);
    token.end = (uint32_t)(at - source->bytes);
    return token;
}

bool token_starts_value(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_GROUP_OPEN:
    case TOKEN_LIST_OPEN:
    case TOKEN_ARRAY_OPEN:
    case TOKEN_STRING_OPEN:
        return true;
    default:
        return kind >= TOKEN_TRUE && kind <= TOKEN_STRING;
    }
}

enum token_kind token_closer(enum token_kind opener)
{
    if (opener == TOKEN_GROUP_OPEN)
        return TOKEN_GROUP_CLOSE;
    return opener == TOKEN_LIST_OPEN ? TOKEN_LIST_CLOSE : TOKEN_ARRAY_CLOSE;
}
