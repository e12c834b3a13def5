/* The state of a parse: for parse.c, which reads, and explain.c, which says what is wrong. */
#pragma once

#include "config/parse.h"
#include "config/scan.h"

#include <stddef.h>

/* A { ( [ that is not yet closed. */
struct opening {
    enum token_kind kind;
    uint32_t offset;
};

struct parser {
    const struct source *source;
    struct problems *problems;
    struct token token;  /* the one that is looked at */
    struct token before; /* the one before it */
    struct opening open[PARSE_DEPTH_MAX + 1];
    size_t depth;
    bool slipped, broken;

    /* The last text that goes over a line's end: likely one whose closing quote is missing. */
    struct token run_over;
    /* An opening whose closing bracket stands further left than its own line begins: likely one
     * that has no closing bracket at all, and this one belongs to another. */
    struct opening suspect;

    /* The text that is read just now, and where each of its bytes stands. */
    char *text;
    uint32_t *offsets;
    size_t length, capacity;
};

/* What the parser was looking for when it met a word that does not fit. */
enum parser_wants { WANTS_NAME, WANTS_EQUALS, WANTS_VALUE, WANTS_PLAIN_VALUE, WANTS_ELEMENT_END };

/* Reports the word at parser->token and ends the parse. Always returns false. */
bool parser_explain(struct parser *parser, enum parser_wants wants);
