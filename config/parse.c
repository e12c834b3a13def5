#include "config/number.h"
#include "config/parser.h"
#include "gateway/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool parse_value(struct parser *parser, struct value *value, struct place group_place);

static struct place place_at(const struct parser *parser, uint32_t offset)
{
    return (struct place){parser->source, offset};
}

static bool out_of_memory(struct parser *parser)
{
    problem_error(parser->problems, place_at(parser, parser->token.start), NULL, "memory is out");
    parser->broken = true;
    return false;
}

static void advance(struct parser *parser)
{
    parser->before = parser->token;
    parser->token = scan_token(parser->source, parser->token.end);
    if (parser->token.kind == TOKEN_STRING &&
        memchr(parser->source->bytes + parser->token.start, '\n',
               parser->token.end - parser->token.start) != NULL)
        parser->run_over = parser->token;
}

/* -- brackets -- */

static uint32_t indent_at(const struct parser *parser, uint32_t offset, bool *ret_first)
{
    const char *bytes = parser->source->bytes;
    const char *newline = memrchr(bytes, '\n', offset);
    const char *line = newline != NULL ? newline + 1 : bytes;
    uint32_t indent = (uint32_t)strspn(line, " \t");

    *ret_first = line + indent == bytes + offset;
    return indent;
}

static bool open_bracket(struct parser *parser)
{
    if (parser->depth == PARSE_DEPTH_MAX) {
        problem_error(parser->problems, place_at(parser, parser->token.start),
                      "close some brackets first", "more than %d levels of brackets",
                      PARSE_DEPTH_MAX);
        parser->broken = true;
        return false;
    }
    parser->open[parser->depth++] = (struct opening){parser->token.kind, parser->token.start};
    advance(parser);
    return true;
}

/* At the closing bracket of the innermost opening. */
static void close_bracket(struct parser *parser)
{
    const struct opening *opening = &parser->open[--parser->depth];
    bool first, ignored;
    uint32_t indent = indent_at(parser, parser->token.start, &first);

    if (first && parser->suspect.kind == TOKEN_END &&
        indent < indent_at(parser, opening->offset, &ignored))
        parser->suspect = *opening;
    advance(parser);
}

/* -- texts -- */

static bool text_put(struct parser *parser, char byte, uint32_t offset)
{
    if (parser->length + 1 >= parser->capacity) {
        size_t capacity = parser->capacity == 0 ? 256 : parser->capacity * 2;
        char *text = realloc(parser->text, capacity);
        uint32_t *offsets = reallocarray(parser->offsets, capacity, sizeof *offsets);

        parser->text = text != NULL ? text : parser->text;
        parser->offsets = offsets != NULL ? offsets : parser->offsets;
        if (text == NULL || offsets == NULL)
            return out_of_memory(parser);
        parser->capacity = capacity;
    }
    parser->text[parser->length] = byte;
    parser->offsets[parser->length++] = offset;
    return true;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);

    return c != '\0' && found != NULL ? (int)(found - digits) : -1;
}

/* The byte that the escape at `at` (a backslash) stands for, and its length; -1 when there is no
 * such escape: then libconfig keeps the backslash. */
static int read_escape(const char *at, uint32_t *ret_length)
{
    static const char names[] = "nrtf\\\"", bytes[] = "\n\r\t\f\\\"";
    const char *name = at[1] != '\0' ? strchr(names, at[1]) : NULL;
    int high;

    *ret_length = 2;
    if (name != NULL)
        return bytes[name - names];
    *ret_length = 4;
    if ((at[1] == 'x' || at[1] == 'X') && (high = hex_digit(at[2])) >= 0 && hex_digit(at[3]) >= 0)
        return high * 16 + hex_digit(at[3]);
    *ret_length = 1;
    return -1;
}

/* The escape at `offset`, put into the text; *ret_length is its length in the source. */
static bool put_escape(struct parser *parser, uint32_t offset, uint32_t *ret_length)
{
    int byte = read_escape(parser->source->bytes + offset, ret_length);

    if (byte < 0) {
        problem_warning(
            parser->problems, place_at(parser, offset),
            "write \\\\ for a backslash; the escapes are \\\" \\\\ \\n \\r \\t \\f \\x41",
            "there is no such escape: the backslash is taken as it is");
        byte = '\\';
    } else if (byte == 0) {
        problem_error(parser->problems, place_at(parser, offset), NULL,
                      "a text cannot contain the byte 0");
        parser->broken = true;
        return true;
    }
    return text_put(parser, (char)byte, offset);
}

/* The bytes of one "...". *escaped is set when they do not stand in the source as they are. */
static bool read_segment(struct parser *parser, bool *escaped)
{
    uint32_t at = parser->token.start + 1, end = parser->token.end - 1, length = 1;

    for (; at < end; at += length) {
        char byte = parser->source->bytes[at];

        length = 1;
        if (byte == '\\') {
            *escaped = true;
            if (!put_escape(parser, at, &length))
                return false;
        } else if (!text_put(parser, byte, at)) {
            return false;
        }
    }
    return true;
}

/* \x escapes can make what is no UTF-8; that would be refused by whoever is sent it. */
static void check_utf8(struct parser *parser)
{
    uint32_t code;

    for (size_t at = 0, count; at < parser->length; at += count) {
        count = text_utf8(parser->text + at, parser->length - at, &code);
        if (count > 0)
            continue;
        problem_error(parser->problems, place_at(parser, parser->offsets[at]),
                      "write the character itself, the file is UTF-8",
                      "this byte makes the text no valid UTF-8");
        parser->broken = true;
        return;
    }
}

/* Adjacent texts are one text. *ret_joined says whether there were several. */
static bool parse_text(struct parser *parser, struct value *value, bool *ret_joined)
{
    struct place place = place_at(parser, parser->token.start);
    bool escaped = false;
    uint32_t end;

    parser->length = 0;
    *ret_joined = false;
    for (;;) {
        if (!read_segment(parser, &escaped))
            return false;
        end = parser->token.end - 1;
        advance(parser);
        if (parser->token.kind != TOKEN_STRING)
            break;
        *ret_joined = true;
    }
    if (escaped)
        check_utf8(parser);
    if (!text_put(parser, '\0', end))
        return false;
    if (value_text(value, place, parser->text, escaped || *ret_joined ? parser->offsets : NULL) < 0)
        return out_of_memory(parser);
    return true;
}

/* -- other values -- */

static void parse_number(struct parser *parser, struct value *value)
{
    struct place place = place_at(parser, parser->token.start);
    struct number number = {.whole = true};
    char hint[450];
    const char *wrong = number_read(parser->source, parser->token, &number, hint, sizeof hint);

    if (wrong != NULL) {
        problem_error(parser->problems, place, hint, "%s", wrong);
        parser->broken = true;
        value_int(value, place, 0); /* what is broken is not used, but the name is taken */
    } else if (number.whole) {
        value_int(value, place, number.integer);
    } else {
        value_number(value, place, number.real);
    }
    advance(parser);
}

/* Two texts in a list without a comma between them are one to libconfig, hardly to the writer. */
static bool parse_element_text(struct parser *parser, struct value *value)
{
    uint32_t start = parser->token.start;
    bool joined;

    if (!parse_text(parser, value, &joined))
        return false;
    if (joined)
        problem_warning(parser->problems, place_at(parser, start),
                        "put a comma between them if they are two",
                        "these texts follow each other without a comma: they are joined to one");
    return true;
}

/* [ ] takes elements of one type only, as libconfig sees types: whole numbers beyond 31 bits are
 * another type than the others. */
static enum token_kind array_type(const struct parser *parser, struct token token)
{
    struct number number;
    char hint[450];

    if (token.kind == TOKEN_FALSE)
        return TOKEN_TRUE;
    if (token.kind == TOKEN_HEX)
        return TOKEN_INT;
    if (token.kind == TOKEN_HEX64)
        return TOKEN_INT64;
    if (token.kind == TOKEN_INT &&
        number_read(parser->source, token, &number, hint, sizeof hint) == NULL &&
        (number.integer < INT32_MIN || number.integer > INT32_MAX))
        return TOKEN_INT64;
    return token.kind;
}

/* Whether the element at hand may stand in [ ] beside those before it; *type is theirs. */
static bool check_array_element(struct parser *parser, enum token_kind *type)
{
    enum token_kind kind = parser->token.kind;

    if (kind < TOKEN_TRUE || kind > TOKEN_STRING)
        return parser_explain(parser, WANTS_PLAIN_VALUE);
    kind = array_type(parser, parser->token);
    if (*type == TOKEN_END)
        *type = kind;
    if (kind != *type) {
        problem_error(parser->problems, place_at(parser, parser->token.start),
                      "use ( ) in place of [ ]: there they may differ",
                      "the elements of [ ] must all be of one type, 18 and 26.5 are two");
        parser->slipped = true;
    }
    return true;
}

static bool parse_element(struct parser *parser, struct value *list)
{
    struct value *value = value_append(list);

    if (value == NULL)
        return out_of_memory(parser);
    if (parser->token.kind == TOKEN_STRING)
        return parse_element_text(parser, value);
    return parse_value(parser, value, place_at(parser, parser->token.start));
}

static bool parse_list(struct parser *parser, struct value *value)
{
    bool array = parser->token.kind == TOKEN_ARRAY_OPEN;
    enum token_kind closer = token_closer(parser->token.kind), type = TOKEN_END;

    value_list(value, place_at(parser, parser->token.start));
    if (!open_bracket(parser))
        return false;
    while (parser->token.kind != closer) {
        if (array && !check_array_element(parser, &type))
            return false;
        if (!parse_element(parser, value))
            return false;
        if (parser->token.kind == closer)
            break;
        if (parser->token.kind != TOKEN_COMMA)
            return parser_explain(parser, WANTS_ELEMENT_END);
        advance(parser);
        if (parser->token.kind == closer) {
            problem_error(parser->problems, place_at(parser, parser->before.start),
                          "remove this comma", "no comma may follow the last element");
            parser->slipped = true;
        }
    }
    close_bracket(parser);
    return true;
}

/* -- settings -- */

static void report_twice(struct parser *parser, const struct section *section, const char *key,
                         uint32_t offset)
{
    uint32_t line, column;
    char hint[100];

    place_line_column(section_key_place(section, key), &line, &column);
    snprintf(hint, sizeof hint, "the first is in line %u, column %u; keep one of the two", line,
             column);
    problem_error(parser->problems, place_at(parser, offset), hint, "\"%s\" is given twice", key);
    parser->slipped = true;
}

/* The value that `key` gets. A second one of the same name goes into `spare`, to be read past. */
static struct value *add_value(struct parser *parser, struct section *section, const char *key,
                               struct place place, struct section *spare)
{
    if (section_has(section, key)) {
        report_twice(parser, section, key, place.offset);
        section = spare;
    }
    return section_add(section, key, place);
}

static bool parse_member(struct parser *parser, struct section *section, const char *key)
{
    struct place place = place_at(parser, parser->token.start);
    struct section *spare = section_new("", place);
    struct value *value;
    bool done;

    advance(parser);
    value = spare != NULL ? add_value(parser, section, key, place, spare) : NULL;
    if (parser->token.kind != TOKEN_EQUALS) {
        done = parser_explain(parser, WANTS_EQUALS);
    } else if (value == NULL) {
        done = out_of_memory(parser);
    } else {
        advance(parser);
        done = parse_value(parser, value, place);
    }
    section_free(spare);
    return done;
}

static bool is_separator(enum token_kind kind)
{
    return kind == TOKEN_SEMICOLON || kind == TOKEN_COMMA;
}

/* A ; or , may follow a setting, but only one. */
static void skip_separator(struct parser *parser)
{
    if (is_separator(parser->token.kind))
        advance(parser);
    for (; is_separator(parser->token.kind); advance(parser)) {
        problem_error(parser->problems, place_at(parser, parser->token.start), "remove it",
                      "this \"%c\" is one too many", parser->source->bytes[parser->token.start]);
        parser->slipped = true;
    }
}

static bool parse_setting(struct parser *parser, struct section *section)
{
    size_t length = parser->token.end - parser->token.start;
    char *key = strndup(parser->source->bytes + parser->token.start, length);
    bool done;

    if (key == NULL)
        return out_of_memory(parser);
    done = parse_member(parser, section, key);
    free(key);
    if (done)
        skip_separator(parser);
    return done;
}

/* libconfig reads `every = 10s` as 10 and a setting `s`. */
static bool is_glued_to_number(const struct parser *parser)
{
    return parser->before.kind >= TOKEN_TRUE && parser->before.kind <= TOKEN_FLOAT &&
           parser->before.end == parser->token.start;
}

/* Settings up to `closer`, which stays. */
static bool parse_settings(struct parser *parser, struct section *section, enum token_kind closer)
{
    size_t count = 0;

    while (parser->token.kind == TOKEN_NAME) {
        if (count++ == PARSE_MEMBERS_MAX) {
            problem_error(parser->problems, place_at(parser, parser->token.start),
                          "put some into another file of conf.d",
                          "more than %d settings in one group of a file", PARSE_MEMBERS_MAX);
            parser->broken = true;
            return false;
        }
        if (is_glued_to_number(parser))
            return parser_explain(parser, WANTS_NAME);
        if (!parse_setting(parser, section))
            return false;
    }
    if (parser->token.kind != closer)
        return parser_explain(parser, WANTS_NAME);
    return true;
}

static bool parse_group(struct parser *parser, struct value *value, struct place place)
{
    struct section *group = value_group(value, place);

    if (group == NULL)
        return out_of_memory(parser);
    if (!open_bracket(parser) || !parse_settings(parser, group, TOKEN_GROUP_CLOSE))
        return false;
    close_bracket(parser);
    return true;
}

static bool parse_value(struct parser *parser, struct value *value, struct place group_place)
{
    struct token token = parser->token;
    bool ignored;

    switch (token.kind) {
    case TOKEN_GROUP_OPEN:
        return parse_group(parser, value, group_place);
    case TOKEN_LIST_OPEN:
    case TOKEN_ARRAY_OPEN:
        return parse_list(parser, value);
    case TOKEN_STRING:
        return parse_text(parser, value, &ignored);
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        value_bool(value, place_at(parser, token.start), token.kind == TOKEN_TRUE);
        advance(parser);
        return true;
    case TOKEN_INT:
    case TOKEN_INT64:
    case TOKEN_HEX:
    case TOKEN_HEX64:
    case TOKEN_FLOAT:
        parse_number(parser, value);
        return true;
    default:
        return parser_explain(parser, WANTS_VALUE);
    }
}

enum parse_result parse_source(const struct source *source, struct section *root,
                               struct problems *problems)
{
    struct parser parser = {.source = source, .problems = problems};

    advance(&parser);
    parse_settings(&parser, root, TOKEN_END);
    free(parser.text);
    free(parser.offsets);
    if (parser.broken)
        return PARSE_BROKEN;
    return parser.slipped ? PARSE_SLIPS : PARSE_WHOLE;
}
