#include "rules/lexer.h"

#include "gateway/base/text.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_name(char c)
{
    return is_name_start(c) || is_digit(c) || c == '_';
}

static size_t name_length(const char *at)
{
    size_t length = 0;
    if (is_name_start(at[0]))
        while (is_name(at[length]))
            length++;
    return length;
}

static struct token bad(const struct lexer *lexer, const char *words, const char *hint)
{
    return (struct token){.kind = TOKEN_BAD,
                          .offset = (uint32_t)lexer->at,
                          .at = lexer->text + lexer->at,
                          .words = words,
                          .hint = hint};
}

/* A token that begins where the lexer stands and has `length` bytes; moves behind it. */
static struct token take(struct lexer *lexer, uint8_t kind, size_t length)
{
    struct token token = {.kind = kind,
                          .offset = (uint32_t)lexer->at,
                          .length = (uint32_t)length,
                          .at = lexer->text + lexer->at};
    lexer->at += length;
    return token;
}

static void skip_spaces(struct lexer *lexer)
{
    while (lexer->text[lexer->at] && strchr(" \t\r\n", lexer->text[lexer->at]))
        lexer->at++;
}

/* -- numbers and durations -- */

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

/* The unit that stands there as a whole word, 0 when there is none; *ret_length its bytes. */
static int64_t unit_ms(const char *at, size_t *ret_length)
{
    size_t length = 0;
    while (at[length] >= 'a' && at[length] <= 'z')
        length++;
    *ret_length = length;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strlen(units[i].name) == length && strncmp(units[i].name, at, length) == 0)
            return units[i].ms;
    return 0;
}

/* Bytes of a number without sign: 12, 1.5, 1e-3. */
static size_t number_length(const char *at)
{
    size_t length = 0;
    while (is_digit(at[length]))
        length++;
    if (length && at[length] == '.' && is_digit(at[length + 1]))
        for (length++; is_digit(at[length]);)
            length++;
    size_t sign = at[length] == 'e' && (at[length + 1] == '+' || at[length + 1] == '-');
    if (length && at[length] == 'e' && is_digit(at[length + 1 + sign]))
        for (length += 1 + sign; is_digit(at[length]);)
            length++;
    return length;
}

/* Bytes of "90s", "1h30m", "1h 30m": as many parts of a number with its unit as follow. */
static size_t duration_length(const char *at)
{
    size_t total = 0, next = 0, unit;
    for (;;) {
        size_t digits = number_length(at + next);
        if (digits == 0 || unit_ms(at + next + digits, &unit) == 0 ||
            (is_name(at[next + digits + unit]) && !is_digit(at[next + digits + unit])))
            return total;
        total = next + digits + unit;
        next = total + strspn(at + total, " ");
    }
}

static struct token read_duration(struct lexer *lexer, size_t length)
{
    char text[64];
    struct token token = take(lexer, TOKEN_DURATION, length);
    struct lexer here = {lexer->text, token.offset};
    if (length >= sizeof text)
        return bad(&here, "the duration is too long", "");
    memcpy(text, token.at, length);
    text[length] = '\0';
    if (text_to_duration_ms(text, &token.ms))
        return bad(&here, "this is no duration",
                   "like 90s, 1.5h or \"1h 30m\": d h m s ms, the "
                   "larger before the smaller");
    return token;
}

/* "/ m" behind a number, where m is nothing else: a sensor, a call or a longer word. */
static void read_per_unit(struct lexer *lexer, struct token *token)
{
    const char *at = lexer->text + lexer->at;
    size_t length, slash = strspn(at, " \t");
    if (at[slash] != '/')
        return;
    size_t skip = slash + 1 + strspn(at + slash + 1, " \t");
    int64_t ms = unit_ms(at + skip, &length);
    char behind = at[skip + length];
    if (ms == 0 || is_name(behind) || behind == '.' || behind == '(')
        return;
    token->number /= (double)ms / 1000;
    lexer->at += skip + length;
    token->length = (uint32_t)(lexer->at - token->offset);
}

static struct token read_number(struct lexer *lexer)
{
    char text[64];
    struct lexer here = *lexer;
    size_t duration = duration_length(lexer->text + lexer->at);
    if (duration)
        return read_duration(lexer, duration);
    struct token token = take(lexer, TOKEN_NUMBER, number_length(lexer->text + lexer->at));
    if (token.length >= sizeof text)
        return bad(&here, "the number is too long", "");
    memcpy(text, token.at, token.length);
    text[token.length] = '\0';
    if (text_to_number(text, &token.number))
        return bad(&here, "this is no number", "");
    char behind = lexer->text[lexer->at];
    if (is_name(behind) || (behind >= 'A' && behind <= 'Z') || behind == '.')
        return bad(&here, "this is neither a number nor a duration",
                   "units of time are ms, s, m, h and d; names begin with a letter");
    read_per_unit(lexer, &token);
    return token;
}

/* -- words -- */

static const struct {
    const char *word;
    uint8_t kind;
} keywords[] = {{"and", TOKEN_AND},   {"or", TOKEN_OR},       {"not", TOKEN_NOT},
                {"true", TOKEN_TRUE}, {"false", TOKEN_FALSE}, {"value", TOKEN_VALUE}};

static struct token read_name(struct lexer *lexer)
{
    const char *at = lexer->text + lexer->at;
    size_t length = name_length(at);
    size_t channel = at[length] == '.' ? name_length(at + length + 1) : 0;
    if (channel)
        return take(lexer, TOKEN_SENSOR, length + 1 + channel);
    struct token token = take(lexer, TOKEN_NAME, length);
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (strlen(keywords[i].word) == length && strncmp(keywords[i].word, at, length) == 0)
            token.kind = keywords[i].kind;
    return token;
}

static struct token read_channel(struct lexer *lexer)
{
    size_t length = name_length(lexer->text + lexer->at + 1);
    if (length == 0)
        return is_digit(lexer->text[lexer->at + 1])
                   ? bad(lexer, "a number begins with a digit", "write 0.5 for .5")
                   : bad(lexer, "a channel's name must follow the dot", "");
    struct token token = take(lexer, TOKEN_CHANNEL, length + 1);
    token.at++;
    token.length--;
    return token;
}

static struct token read_text(struct lexer *lexer)
{
    const char *from = lexer->text + lexer->at;
    const char *end = strchr(from + 1, from[0]);
    if (!end)
        return bad(lexer, "the text does not end", "its closing quote is missing");
    struct token token = take(lexer, TOKEN_TEXT, (size_t)(end - from) + 1);
    token.at++;
    token.length -= 2;
    return token;
}

/* -- symbols -- */

static const struct {
    const char *text;
    uint8_t kind;
} symbols[] = {{"<=", TOKEN_LE}, {">=", TOKEN_GE}, {"==", TOKEN_EQ}, {"!=", TOKEN_NE}};

/* What other languages write. */
static const struct {
    const char *text, *hint;
} foreign[] = {{"&&", "write and"},
               {"||", "write or"},
               {"<>", "write !="},
               {"=", "write =="},
               {"!", "write not"},
               {"&", "write and"},
               {"|", "write or"},
               {"^", "write pow(a, b)"},
               {"[", "write (10m) for a window"},
               {"?", "write if(condition, then, else)"},
               {";", "an expression ends at its quote"}};

static struct token read_symbol(struct lexer *lexer)
{
    const char *at = lexer->text + lexer->at;
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        if (strncmp(at, symbols[i].text, 2) == 0)
            return take(lexer, symbols[i].kind, 2);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (strncmp(at, foreign[i].text, strlen(foreign[i].text)) == 0)
            return bad(lexer, "this sign does not belong into an expression", foreign[i].hint);
    if (strncmp(at, "**", 2) == 0)
        return bad(lexer, "this sign does not belong into an expression", "write pow(a, b)");
    if (strchr("()+-*/%<>,#@", at[0]))
        return take(lexer, (uint8_t)at[0], 1);
    if (at[0] >= 'A' && at[0] <= 'Z')
        return bad(lexer, "names are written in small letters", "");
    return bad(lexer, "this sign does not belong into an expression", "");
}

struct token lexer_next(struct lexer *lexer)
{
    skip_spaces(lexer);
    char c = lexer->text[lexer->at];
    if (c == '\0')
        return take(lexer, TOKEN_END, 0);
    if (is_digit(c))
        return read_number(lexer);
    if (is_name_start(c))
        return read_name(lexer);
    if (c == '.')
        return read_channel(lexer);
    if (c == '"' || c == '\'')
        return read_text(lexer);
    return read_symbol(lexer);
}
