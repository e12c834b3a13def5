/* Explain: from a word that does not fit to what a person likely did, and what to write instead.
 * libconfig says "syntax error" and a line; the usual slips are known by what stands around them.
 */
#include "config/parser.h"
#include "gateway/base/text.h"

#include <string.h>
#include <strings.h>

/* Longer words are not repeated in a hint. */
#define WORD_MAX 60

static struct place place_at(const struct parser *parser, uint32_t offset)
{
    return (struct place){parser->source, offset};
}

static const char *bytes_at(const struct parser *parser, uint32_t offset)
{
    return parser->source->bytes + offset;
}

/* Copies what stands from `start` to `end`, "..." when that is long. */
static const char *copy_word(const struct parser *parser, uint32_t start, uint32_t end,
                             char word[WORD_MAX + 1])
{
    size_t length = end - start;

    if (length > WORD_MAX)
        return strcpy(word, "...");
    memcpy(word, bytes_at(parser, start), length);
    word[length] = '\0';
    return word;
}

static const char *token_word(const struct parser *parser, struct token token,
                              char word[WORD_MAX + 1])
{
    return copy_word(parser, token.start, token.end, word);
}

/* What a person would call the word at `start`: all up to a blank or a mark. */
static const char *whole_word(const struct parser *parser, uint32_t start, char word[WORD_MAX + 1])
{
    size_t length = strcspn(bytes_at(parser, start), " \t\r\n\f;,{}()[]\"=#");

    return copy_word(parser, start, start + (uint32_t)length, word);
}

static struct token token_after(const struct parser *parser)
{
    return scan_token(parser->source, parser->token.end);
}

/* Whether the word at hand stands right behind the one before it, without a blank. */
static bool is_glued(const struct parser *parser)
{
    return parser->token.start == parser->before.end && parser->before.end > 0;
}

static bool same_line(const struct parser *parser, uint32_t from, uint32_t to)
{
    return from <= to && memchr(bytes_at(parser, from), '\n', to - from) == NULL;
}

/* -- brackets -- */

static char opener_mark(enum token_kind kind)
{
    return kind == TOKEN_GROUP_OPEN ? '{' : (kind == TOKEN_LIST_OPEN ? '(' : '[');
}

static char closer_mark(enum token_kind kind)
{
    return kind == TOKEN_GROUP_OPEN ? '}' : (kind == TOKEN_LIST_OPEN ? ')' : ']');
}

static bool is_closer(enum token_kind kind)
{
    return kind == TOKEN_GROUP_CLOSE || kind == TOKEN_LIST_CLOSE || kind == TOKEN_ARRAY_CLOSE;
}

static void explain_unclosed(struct parser *parser)
{
    struct opening opening = parser->open[parser->depth - 1];
    char hint[100];

    if (parser->suspect.kind != TOKEN_END)
        opening = parser->suspect;
    snprintf(hint, sizeof hint, "add the missing \"%c\"", closer_mark(opening.kind));
    problem_error(parser->problems, place_at(parser, opening.offset), hint,
                  "this \"%c\" is never closed", opener_mark(opening.kind));
}

static void explain_closer(struct parser *parser)
{
    char mark = *bytes_at(parser, parser->token.start), hint[200];
    const struct opening *opening;
    uint32_t line, column;

    if (parser->depth == 0) {
        problem_error(parser->problems, place_at(parser, parser->token.start),
                      "remove it, or look for one too many before it", "this \"%c\" closes nothing",
                      mark);
        return;
    }
    opening = &parser->open[parser->depth - 1];
    place_line_column(place_at(parser, opening->offset), &line, &column);
    snprintf(hint, sizeof hint, "first close the \"%c\" of line %u, column %u with \"%c\"",
             opener_mark(opening->kind), line, column, closer_mark(opening->kind));
    problem_error(parser->problems, place_at(parser, parser->token.start), hint,
                  "this \"%c\" does not close the \"%c\" before it", mark,
                  opener_mark(opening->kind));
}

/* -- slips that can happen anywhere -- */

/* A missing quote turns the rest of the file inside out: what is text and what is not. The first
 * text that goes over a line's end on the way is the likely place. */
static bool explain_quotes(struct parser *parser)
{
    struct token text = parser->run_over;
    bool unclosed = parser->token.kind == TOKEN_STRING_OPEN;

    if (text.kind != TOKEN_STRING ||
        (!unclosed && !same_line(parser, text.end, parser->token.start))) {
        if (!unclosed)
            return false;
        text = parser->token;
    }
    problem_error(parser->problems, place_at(parser, text.start),
                  "add the \" where the text ends; within a text write \\\" for a quote",
                  "this text has no closing quote");
    return true;
}

static bool starts_with(const char *bytes, const char *const *starts)
{
    for (; *starts != NULL; starts++) {
        if (strncmp(bytes, *starts, strlen(*starts)) == 0)
            return true;
    }
    return false;
}

static bool explain_garbage(struct parser *parser)
{
    static const char *const foreign_quotes[] = {"'",
                                                 "`",
                                                 "\xe2\x80\x98",
                                                 "\xe2\x80\x99",
                                                 "\xe2\x80\x9c",
                                                 "\xe2\x80\x9d",
                                                 "\xe2\x80\x9e",
                                                 "\xc2\xab",
                                                 "\xc2\xbb",
                                                 NULL};
    const char *bytes = bytes_at(parser, parser->token.start);
    struct place place = place_at(parser, parser->token.start);

    if (parser->token.kind != TOKEN_GARBAGE)
        return false;
    if (strncmp(bytes, "@include", 8) == 0)
        problem_error(parser->problems, place,
                      "put that file into conf.d beside the main file: every *.cfg there is read",
                      "@include is not taken");
    else if (starts_with(bytes, foreign_quotes))
        problem_error(parser->problems, place, "write \"...\"", "texts stand in \" quotes only");
    else
        return false;
    return true;
}

static bool explain_anywhere(struct parser *parser)
{
    if (explain_quotes(parser) || explain_garbage(parser))
        return true;
    if (parser->token.kind == TOKEN_COMMENT_OPEN)
        problem_error(parser->problems, place_at(parser, parser->token.start),
                      "add \"*/\" where the comment ends", "this comment is never closed");
    else if (parser->token.kind == TOKEN_END && parser->depth > 0)
        explain_unclosed(parser);
    else
        return false;
    return true;
}

/* -- slips by what was looked for -- */

/* After a name that no "=" follows. */
static void explain_no_equals(struct parser *parser)
{
    char name[WORD_MAX + 1], word[WORD_MAX + 1], slug[TEXT_SLUG_MAX + 1], hint[300] = "";
    struct place place = place_at(parser, parser->token.start);

    token_word(parser, parser->before, name);
    token_word(parser, parser->token, word);
    if (is_glued(parser) &&
        (parser->token.kind == TOKEN_FLOAT || parser->token.kind == TOKEN_GARBAGE)) {
        whole_word(parser, parser->before.start, word);
        word[strcspn(word, ":")] = '\0';
        snprintf(hint, sizeof hint, "write \"%s\"", text_make_slug(slug, sizeof slug, word));
        problem_error(parser->problems, place, hint,
                      "a name has only letters, digits and _, no \"%.*s\"",
                      *bytes_at(parser, parser->token.start) & 0x80 ? 2 : 1,
                      bytes_at(parser, parser->token.start));
        return;
    }
    if (parser->token.kind == TOKEN_GROUP_OPEN)
        snprintf(hint, sizeof hint, "write %s: {", name);
    else if (token_starts_value(parser->token.kind))
        snprintf(hint, sizeof hint, "write %s = %s", name, word);
    else if (parser->token.kind == TOKEN_NAME && token_after(parser).kind != TOKEN_EQUALS)
        snprintf(hint, sizeof hint, "write %s = \"%s\"", name, word);
    else
        place = place_at(parser, parser->before.start);
    problem_error(parser->problems, place, hint, "\"=\" is missing after \"%s\"", name);
}

/* After "=" without a value: the name of the setting is in parser->before's line, but not at hand.
 */
static void explain_no_value(struct parser *parser)
{
    struct place place = place_at(parser, parser->before.start);

    if (parser->token.kind == TOKEN_EQUALS)
        problem_error(parser->problems, place_at(parser, parser->token.start), "remove it",
                      "this \"%c\" is one too many", *bytes_at(parser, parser->token.start));
    else if (parser->token.kind == TOKEN_COMMA)
        problem_error(parser->problems, place_at(parser, parser->token.start), NULL,
                      "there is no value before this comma");
    else
        problem_error(parser->problems, place, "write a value, or remove the setting",
                      "there is no value after this \"%c\"", *bytes_at(parser, place.offset));
}

/* A text without quotes where a value should be. */
static void explain_bare_word(struct parser *parser)
{
    char word[WORD_MAX + 1], hint[200];

    whole_word(parser, parser->token.start, word);
    if (strcasecmp(word, "yes") == 0 || strcasecmp(word, "on") == 0)
        snprintf(hint, sizeof hint, "write true, or \"%s\" if it is a text", word);
    else if (strcasecmp(word, "no") == 0 || strcasecmp(word, "off") == 0)
        snprintf(hint, sizeof hint, "write false, or \"%s\" if it is a text", word);
    else
        snprintf(hint, sizeof hint, "write \"%s\"", word);
    problem_error(parser->problems, place_at(parser, parser->token.start), hint,
                  "a text must stand in quotes");
}

static void explain_settings_in_list(struct parser *parser)
{
    problem_error(parser->problems, place_at(parser, parser->token.start),
                  "write ( { name = value } )", "settings in a list need { } around them");
}

static void explain_value(struct parser *parser)
{
    bool word = parser->token.kind == TOKEN_NAME || parser->token.kind == TOKEN_GARBAGE;
    bool setting = parser->token.kind == TOKEN_NAME && token_after(parser).kind == TOKEN_EQUALS;

    if (setting && parser->before.kind != TOKEN_EQUALS)
        explain_settings_in_list(parser);
    else if (setting && !same_line(parser, parser->before.end, parser->token.start))
        explain_no_value(parser);
    else if (word)
        explain_bare_word(parser);
    else if (is_closer(parser->token.kind) && parser->before.kind != TOKEN_EQUALS)
        explain_closer(parser);
    else
        explain_no_value(parser);
}

/* `10s`, `192.168.1.5`: a word that begins like a number. */
static bool explain_glued_word(struct parser *parser)
{
    bool number = parser->before.kind >= TOKEN_TRUE && parser->before.kind <= TOKEN_FLOAT;
    char word[WORD_MAX + 1], hint[200];

    if (!number || !is_glued(parser) ||
        (parser->token.kind != TOKEN_NAME && parser->token.kind != TOKEN_GARBAGE &&
         (parser->token.kind < TOKEN_TRUE || parser->token.kind > TOKEN_FLOAT)))
        return false;
    whole_word(parser, parser->before.start, word);
    snprintf(hint, sizeof hint, "write \"%s\"", word);
    problem_error(parser->problems, place_at(parser, parser->before.start), hint,
                  "a text must stand in quotes");
    return true;
}

/* What stands where a name should begin a setting. */
static void explain_bad_name(struct parser *parser)
{
    char word[WORD_MAX + 1], slug[TEXT_SLUG_MAX + 1], hint[200];

    whole_word(parser, parser->token.start, word);
    if (parser->token.kind == TOKEN_STRING) {
        token_word(parser, parser->token, word);
        word[strcspn(word + 1, "\"") + 1] = '\0';
        memmove(word, word + 1, strlen(word));
        snprintf(hint, sizeof hint, "write %s, without quotes",
                 text_make_slug(slug, sizeof slug, word));
        problem_error(parser->problems, place_at(parser, parser->token.start), hint,
                      "the name of a setting stands without quotes");
        return;
    }
    word[strcspn(word, ":")] = '\0';
    snprintf(hint, sizeof hint, "write %s", text_make_slug(slug, sizeof slug, word));
    problem_error(parser->problems, place_at(parser, parser->token.start), hint,
                  "\"%s\" cannot be a name: they begin with a letter and have letters, digits "
                  "and _",
                  word);
}

static bool leads_to_equals(const struct parser *parser)
{
    struct token next = token_after(parser);

    /* 28-0316: { is two words, a name that begins with a digit several. */
    while (next.kind == TOKEN_NAME || next.kind == TOKEN_GARBAGE ||
           (next.kind >= TOKEN_TRUE && next.kind <= TOKEN_FLOAT)) {
        if (!same_line(parser, parser->token.end, next.start))
            return false;
        next = scan_token(parser->source, next.end);
    }
    return next.kind == TOKEN_EQUALS;
}

static void explain_no_name(struct parser *parser)
{
    struct place place = place_at(parser, parser->token.start);
    enum token_kind kind = parser->token.kind;

    if (is_closer(kind))
        explain_closer(parser);
    else if (explain_glued_word(parser))
        return;
    else if (kind == TOKEN_EQUALS)
        problem_error(parser->problems, place, NULL, "there is no name before this \"%c\"",
                      *bytes_at(parser, place.offset));
    else if (kind == TOKEN_GROUP_OPEN)
        problem_error(parser->problems, place,
                      parser->depth == 0 && parser->before.end == 0
                          ? "the file as a whole needs no brackets around it"
                          : "write name: { ... }",
                      "this group has no name");
    else if (leads_to_equals(parser))
        explain_bad_name(parser);
    else
        problem_error(parser->problems, place, "write name = value",
                      "here a setting should begin with its name");
}

static void explain_element_end(struct parser *parser)
{
    struct place place = place_at(parser, parser->token.start);

    if (is_closer(parser->token.kind))
        explain_closer(parser);
    else if (explain_glued_word(parser))
        return;
    else if (parser->token.kind == TOKEN_EQUALS)
        explain_settings_in_list(parser);
    else if (token_starts_value(parser->token.kind))
        problem_error(parser->problems, place, "put a comma before it",
                      "a comma is missing between two elements");
    else
        problem_error(parser->problems, place, NULL,
                      "after an element a comma or \"%c\" should stand",
                      closer_mark(parser->open[parser->depth - 1].kind));
}

/* [ ] holds only texts, numbers and truths. */
static void explain_plain_value(struct parser *parser)
{
    if (parser->token.kind == TOKEN_GROUP_OPEN || parser->token.kind == TOKEN_LIST_OPEN ||
        parser->token.kind == TOKEN_ARRAY_OPEN)
        problem_error(parser->problems, place_at(parser, parser->token.start),
                      "use ( ) in place of [ ]", "[ ] cannot hold groups or lists");
    else
        explain_value(parser);
}

bool parser_explain(struct parser *parser, enum parser_wants wants)
{
    parser->broken = true;
    if (explain_anywhere(parser))
        return false;
    switch (wants) {
    case WANTS_NAME:
        explain_no_name(parser);
        break;
    case WANTS_EQUALS:
        explain_no_equals(parser);
        break;
    case WANTS_VALUE:
        explain_value(parser);
        break;
    case WANTS_PLAIN_VALUE:
        explain_plain_value(parser);
        break;
    case WANTS_ELEMENT_END:
        explain_element_end(parser);
        break;
    }
    return false;
}
