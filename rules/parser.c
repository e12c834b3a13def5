/* Recursive descent, straight to code. Each level of precedence is a function; `depth` counts how
 * far they have called each other, so that no text reaches the end of the stack.
 *
 * Once something is wrong, `status` is set and nothing more is read: what is then emitted is never
 * used. */
#include "rules/parser.h"

#include "gateway/base/text.h"
#include "rules/functions.h"
#include "rules/lexer.h"
#include "rules/parser_call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -- faults -- */

void parser_fail(struct parser *parser, size_t offset, const char *hint, const char *format, ...)
{
    va_list args;
    if (parser->status)
        return;
    parser->status = -EINVAL;
    parser->fault->offset = offset;
    text_copy(parser->fault->hint, sizeof parser->fault->hint, hint ? hint : "");
    va_start(args, format);
    vsnprintf(parser->fault->words, sizeof parser->fault->words, format, args);
    va_end(args);
    parser->token = (struct token){.kind = TOKEN_END, .offset = (uint32_t)offset};
}

const char *parser_kind_name(uint8_t kind)
{
    return kind == CELL_NUMBER ? "a number" : kind == CELL_BOOL ? "a condition" : "a text";
}

void parser_next(struct parser *parser)
{
    if (parser->status)
        return;
    parser->token = lexer_next(&parser->lexer);
    if (parser->token.kind == TOKEN_BAD)
        parser_fail(parser, parser->token.offset, parser->token.hint, "%s", parser->token.words);
}

bool parser_take(struct parser *parser, uint8_t kind)
{
    if (parser->status || parser->token.kind != kind)
        return false;
    parser_next(parser);
    return true;
}

/* The token in the words of a message, quoted. */
static const char *shown(const struct parser *parser, char text[48])
{
    const struct token *token = &parser->token;
    if (token->kind == TOKEN_END)
        return "the end";
    snprintf(text, 48, "\"%.*s\"", token->length > 40 ? 40 : (int)token->length, token->at);
    return text;
}

void parser_expect(struct parser *parser, uint8_t kind, const char *what)
{
    char text[48];
    if (!parser_take(parser, kind))
        parser_fail(parser, parser->token.offset, NULL, "%s is missing before %s", what,
                    shown(parser, text));
}

static bool enter(struct parser *parser)
{
    if (++parser->depth > EXPRESSION_DEPTH_MAX)
        parser_fail(parser, parser->token.offset, "make derived sensors of parts of it",
                    "the expression is nested more than %d deep", EXPRESSION_DEPTH_MAX);
    return parser->status == 0;
}

/* -- operators -- */

uint8_t parser_kind(const struct parser *parser)
{
    const struct coder *coder = parser->coder;
    return coder->depth && !coder->status ? coder->kinds[coder->depth - 1] : CELL_UNKNOWN;
}

static void emit(struct parser *parser, enum opcode op)
{
    if (parser->status == 0)
        coder_op(parser->coder, op);
    parser_check_size(parser);
}

void parser_check_size(struct parser *parser)
{
    if (parser->coder->status == -E2BIG)
        parser_fail(parser, parser->token.offset, "make derived sensors of parts of it",
                    "the expression becomes more than %d instructions", CODE_LENGTH_MAX);
}

/* A number where a condition must be, or the other way round. */
bool parser_need(struct parser *parser, uint8_t wanted, size_t offset, const char *what)
{
    uint8_t kind = parser_kind(parser);
    if (parser->status || kind == wanted)
        return parser->status == 0;
    const char *hint = "";
    if (wanted == CELL_BOOL && kind == CELL_NUMBER)
        hint = "compare it: for example != 0";
    else if (wanted == CELL_BOOL && kind == CELL_TEXT)
        hint = "compare it: for example == \"open\"";
    else if (wanted == CELL_NUMBER && kind == CELL_BOOL)
        hint = "if(condition, 1, 0) makes a number of a condition";
    parser_fail(parser, offset, hint, "%s needs %s, and this is %s", what, parser_kind_name(wanted),
                parser_kind_name(kind));
    return false;
}

static const struct operator
{
    uint8_t token, op;
    const char *name;
}
sums[] = {{'+', OP_ADD, "+"}, {'-', OP_SUB, "-"}, {0, 0, NULL}},
    products[] = {{'*', OP_MUL, "*"}, {'/', OP_DIV, "/"}, {'%', OP_MOD, "%"}, {0, 0, NULL}},
    comparisons[] = {{'<', OP_LT, "<"},
                     {TOKEN_LE, OP_LE, "<="},
                     {'>', OP_GT, ">"},
                     {TOKEN_GE, OP_GE, ">="},
                     {TOKEN_EQ, OP_EQ, "=="},
                     {TOKEN_NE, OP_NE, "!="},
                     {0, 0, NULL}},
    ands[] = {{TOKEN_AND, OP_AND, "and"}, {0, 0, NULL}},
    ors[] = {{TOKEN_OR, OP_OR, "or"}, {0, 0, NULL}};

static const struct operator* operator_here(const struct parser *parser, const struct operator* of)
{
    for (; of->token && !parser->status; of++)
        if (of->token == parser->token.kind)
            return of;
    return NULL;
}

/* left, then any number of (operator, right), all operands of one kind. */
static void chain(struct parser *parser, const struct operator* of, uint8_t kind,
                  void (*operand)(struct parser *))
{
    size_t offset = parser->token.offset;
    const struct operator* found;
    operand(parser);
    while ((found = operator_here(parser, of)) && parser_need(parser, kind, offset, found->name)) {
        parser_next(parser);
        offset = parser->token.offset;
        operand(parser);
        if (parser_need(parser, kind, offset, found->name))
            emit(parser, (enum opcode)found->op);
    }
}

static void parse_unary(struct parser *parser)
{
    if (!parser_take(parser, '-')) {
        parser_primary(parser);
        return;
    }
    size_t operand = parser->token.offset;
    if (enter(parser))
        parse_unary(parser);
    parser->depth--;
    if (parser_need(parser, CELL_NUMBER, operand, "-"))
        emit(parser, OP_NEG);
}

static void parse_product(struct parser *parser)
{
    chain(parser, products, CELL_NUMBER, parse_unary);
}

static void parse_sum(struct parser *parser)
{
    chain(parser, sums, CELL_NUMBER, parse_product);
}

/* == and != take two of any one kind, the others numbers. */
static void check_comparison(struct parser *parser, const struct operator* found, uint8_t left,
                             size_t offset)
{
    uint8_t right = parser_kind(parser);
    bool equality = found->op == OP_EQ || found->op == OP_NE;
    if (parser->status)
        return;
    if (left != right)
        parser_fail(
            parser, offset,
            left == CELL_BOOL || right == CELL_BOOL ? ""
                                                    : "a text is compared with a text in quotes",
            "%s and %s cannot be compared", parser_kind_name(left), parser_kind_name(right));
    else if (!equality && left != CELL_NUMBER)
        parser_fail(parser, offset, "only == and != are for others",
                    "%s compares numbers, and this is %s", found->name, parser_kind_name(left));
    else
        emit(parser, (enum opcode)found->op);
}

static void parse_comparison(struct parser *parser)
{
    parse_sum(parser);
    const struct operator* found = operator_here(parser, comparisons);
    if (!found)
        return;
    uint8_t left = parser_kind(parser);
    size_t offset = parser->token.offset;
    parser_next(parser);
    parse_sum(parser);
    check_comparison(parser, found, left, offset);
    if (operator_here(parser, comparisons))
        parser_fail(parser, parser->token.offset, "write a < b and b < c",
                    "comparisons cannot be chained");
}

static void parse_not(struct parser *parser)
{
    unsigned nots = 0;
    while (parser_take(parser, TOKEN_NOT))
        nots++;
    size_t offset = parser->token.offset;
    parse_comparison(parser);
    for (; nots > 0 && parser_need(parser, CELL_BOOL, offset, "not"); nots--)
        emit(parser, OP_NOT);
}

static void parse_and(struct parser *parser)
{
    chain(parser, ands, CELL_BOOL, parse_not);
}

void parser_expression(struct parser *parser)
{
    if (enter(parser))
        chain(parser, ors, CELL_BOOL, parse_and);
    parser->depth--;
}

/* -- the whole -- */

static void check_whole(struct parser *parser, enum cell_kind kind, size_t offset)
{
    char text[48];
    uint8_t given = parser_kind(parser);
    if (!parser->status && parser->token.kind != TOKEN_END)
        parser_fail(parser, parser->token.offset, parser->token.kind == '=' ? "write ==" : "",
                    "%s does not fit here", shown(parser, text));
    if (parser->status || given == kind || kind == (enum cell_kind)TYPE_ANY)
        return;
    if (kind == CELL_BOOL && given == CELL_NUMBER)
        parser_fail(parser, offset, "compare it: for example != 0", "a number is no condition");
    else if (kind == CELL_BOOL)
        parser_fail(parser, offset, "compare it: for example == \"open\"",
                    "a text is no condition");
    else
        parser_fail(parser, offset, "if(condition, 1, 0) makes a number of a condition",
                    "this gives %s, and %s is wanted", parser_kind_name(given),
                    parser_kind_name((uint8_t)kind));
}

int expression_parse(const char *text, struct scope *scope, enum cell_kind kind,
                     struct coder *coder, struct expression_fault *ret_fault)
{
    struct parser parser = {.lexer = {text, 0}, .scope = scope, .coder = coder, .fault = ret_fault};
    if (strlen(text) > EXPRESSION_BYTES_MAX) {
        parser_fail(&parser, 0, "make derived sensors of parts of it",
                    "the expression has more than %d bytes", EXPRESSION_BYTES_MAX);
        return parser.status;
    }
    parser_next(&parser);
    size_t offset = parser.token.offset;
    if (!parser.status && parser.token.kind == TOKEN_END)
        parser_fail(&parser, 0, "", "the expression is empty");
    parser_expression(&parser);
    check_whole(&parser, kind, offset);
    return parser.status;
}
