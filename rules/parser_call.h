/* The inside of the parser: for parser.c (operators), parser_value.c (numbers, texts, sensors) and
 * parser_call.c (calls). */
#pragma once

#include "rules/lexer.h"
#include "rules/parser.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the one to be read next */
    struct scope *scope;
    struct coder *coder;
    struct expression_fault *fault;
    unsigned depth;
    int status;
};

/* A sensor that an expression names. */
struct reference {
    int slot;
    uint32_t sensor; /* one that stands for those of all instances */
    size_t offset;
};

void parser_fail(struct parser *parser, size_t offset, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void parser_next(struct parser *parser);
bool parser_take(struct parser *parser, uint8_t kind);
void parser_expect(struct parser *parser, uint8_t kind, const char *what);
uint8_t parser_kind(const struct parser *parser); /* of what is on top */
const char *parser_kind_name(uint8_t kind);
bool parser_need(struct parser *parser, uint8_t wanted, size_t offset, const char *what);
void parser_check_size(struct parser *parser);
void parser_expression(struct parser *parser);
void parser_primary(struct parser *parser);

/* The token names a sensor; it is used up. The own one, said or meant by `what`. */
bool parser_is_reference(const struct parser *parser);
bool parser_take_reference(struct parser *parser, struct reference *ret);
bool parser_take_own(struct parser *parser, const char *what, struct reference *ret);
bool parser_find_sensor(struct parser *parser, const char *id, size_t offset, const char *skip,
                        uint32_t *ret_sensor);
uint8_t parser_kind_of(const struct parser *parser, uint32_t sensor);
void parser_too_many(struct parser *parser, size_t offset);

/* `name` and "(" have been read. */
void parser_call(struct parser *parser, const struct token *name);
