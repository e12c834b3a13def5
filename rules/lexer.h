/* Lexer: an expression's text to tokens. Pure; allocates nothing.
 *
 *   rate(freezer.temp, 10m) > 0.5/m      name ( sensor , duration ) > number
 *
 * A duration is one token with all its parts ("1h 30m"), and so is a number with a bare unit behind
 * a slash, which is that number divided by the unit's seconds. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Symbols of one character are tokens by their own code. */
enum token_kind {
    TOKEN_END = 0,
    TOKEN_NUMBER = 128,
    TOKEN_DURATION, /* `ms` */
    TOKEN_TEXT,     /* "text" or 'text'; the token is what stands between the quotes */
    TOKEN_NAME,
    TOKEN_SENSOR,  /* device.channel */
    TOKEN_CHANNEL, /* .channel; the token is the name without the dot */
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_VALUE,
    TOKEN_LE,
    TOKEN_GE,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_BAD, /* `words` say why, `hint` what to write instead */
};

struct token {
    uint8_t kind;
    uint32_t offset; /* of its first byte in the text */
    uint32_t length; /* of `at` */
    const char *at;  /* not ended by NUL */
    double number;
    int64_t ms;
    const char *words, *hint;
};

struct lexer {
    const char *text;
    size_t at;
};

/* The next token; behind the end always TOKEN_END, after a bad one nothing sensible. */
struct token lexer_next(struct lexer *lexer);
