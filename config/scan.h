/* Scan: the words of a config file, each with its place. Cuts exactly where libconfig cuts; what
 * libconfig takes in silence (a text or comment that never ends) has a kind of its own here. */
#pragma once

#include "gateway/base/problem.h"

#include <stdint.h>

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_EQUALS, /* = or : */
    TOKEN_SEMICOLON,
    TOKEN_COMMA,
    TOKEN_GROUP_OPEN,
    TOKEN_GROUP_CLOSE,
    TOKEN_LIST_OPEN,
    TOKEN_LIST_CLOSE,
    TOKEN_ARRAY_OPEN,
    TOKEN_ARRAY_CLOSE,
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_INT,
    TOKEN_INT64, /* with L or LL */
    TOKEN_HEX,
    TOKEN_HEX64,
    TOKEN_FLOAT,
    TOKEN_STRING,       /* with its quotes */
    TOKEN_STRING_OPEN,  /* up to the end of the file */
    TOKEN_COMMENT_OPEN, /* likewise */
    TOKEN_GARBAGE,      /* one byte that begins nothing */
};

struct token {
    enum token_kind kind;
    uint32_t start, end; /* offsets; `end` is the byte after it */
};

/* The word that begins at `offset` or after it, behind blanks and comments. */
struct token scan_token(const struct source *source, uint32_t offset);

/* Whether a value can begin with it. */
bool token_starts_value(enum token_kind kind);

/* '}' for '{' and so on. */
enum token_kind token_closer(enum token_kind opener);
