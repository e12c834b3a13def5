/* `when` and `clear_when`: expressions as the condition of a rule. */
#include "rules/compile.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Keys that say what `when` says already. */
static bool check_alone(struct compiler *compiler)
{
    static const char *const others[] = {"hysteresis", "clear_below", "clear_above", "within",
                                         "adjustable"};
    bool good = true;
    for (const struct plain_option *option = plain_of_rules; option->option; option++) {
        if (!section_has(compiler->section, option->option))
            continue;
        compile_error(compiler, option->option, "write it into when, joined with and",
                      "\"%s\" does not go with \"when\"", option->option);
        good = false;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (!section_has(compiler->section, others[i]))
            continue;
        compile_error(compiler, others[i], "write clear_when", "\"%s\" does not go with \"when\"",
                      others[i]);
        good = false;
    }
    return good;
}

/* Without clear_when the end is that `when` is not true. */
static bool parse_both(struct compiler *compiler, struct scope *scope, struct level *level)
{
    struct coder coder;
    struct arena *arena = &compiler->catalog->arena;
    if (!compile_expression(compiler, "when", scope, CELL_BOOL, &coder))
        return false;
    int result = coder_finish(&coder, CELL_BOOL, arena, &level->when);
    if (section_has(compiler->section, "clear_when")) {
        if (!compile_expression(compiler, "clear_when", scope, CELL_BOOL, &coder))
            return false;
    } else {
        coder_op(&coder, OP_NOT);
    }
    if (result == 0)
        result = coder_finish(&coder, CELL_BOOL, arena, &level->clear);
    if (result == -E2BIG)
        compile_error_in_text(compiler, "when", 0, "make derived sensors of parts of it",
                              "the expression becomes too many instructions");
    assert(result != -EINVAL);
    compiler->no_memory |= result == -ENOMEM;
    return result == 0;
}

/* The expression in one line, as words for people; in a template its braces are doubled. */
static const char *say(struct compiler *compiler, bool in_template)
{
    char text[400];
    size_t length = 0;
    bool space = false;
    for (const char *c = section_text(compiler->section, "when"); *c; c++) {
        bool blank = strchr(" \t\r\n", *c) != NULL;
        if (length + 8 > sizeof text) {
            length += (size_t)snprintf(text + length, sizeof text - length, "...");
            break;
        }
        if (!blank && space && length > 0)
            text[length++] = ' ';
        if (!blank)
            text[length++] = *c;
        if (*c == '{' && in_template)
            text[length++] = '{';
        space = blank;
    }
    text[length] = '\0';
    return arena_text(&compiler->catalog->arena, text);
}

bool compile_when(struct compiler *compiler, const struct rules_sensor *own, struct scope *scope,
                  struct level *level, const char **ret_message)
{
    struct arena *arena = &compiler->catalog->arena;
    if (!check_alone(compiler) || !parse_both(compiler, scope, level))
        return false;
    const char *text = say(compiler, true);
    level->words = say(compiler, false);
    *ret_message = arena_format(arena, "{label}%s, %s since {since}", own ? " {value} {unit}" : "",
                                text ? text : "");
    if (!text || !level->words || !*ret_message)
        compiler->no_memory = true;
    return !compiler->no_memory;
}
