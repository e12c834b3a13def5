#include "rules/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Beyond that many errors nobody reads the suggestions, and looking for them takes time. */
#define SUGGESTIONS_MAX 100

void compile_error(struct compiler *compiler, const char *key, const char *hint, const char *format,
                   ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    problem_error(compiler->problems, section_place(compiler->section, key), hint, "%s: %s",
                  compiler->who, text);
}

void compile_error_in_text(struct compiler *compiler, const char *key, size_t offset,
                           const char *hint, const char *words)
{
    problem_error(compiler->problems, section_text_place(compiler->section, key, offset), hint,
                  "%s: %s", compiler->who, words);
}

void compile_unknown_sensor(struct compiler *compiler, const char *key, const char *id)
{
    char hint[2 * TEXT_SLUG_MAX + 32] = "";
    const char *nearest = NULL;
    if (problems_errors(compiler->problems) < SUGGESTIONS_MAX)
        nearest = names_nearest(compiler->catalog->names, id);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    compile_error(compiler, key, hint, "unknown sensor \"%.130s\"", id);
}

void compile_unknown_rule(struct compiler *compiler, struct place place, const char *name)
{
    char hint[TEXT_SLUG_MAX + 32] = "";
    const char *nearest = names_nearest(compiler->catalog->rule_names, name);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    problem_error(compiler->problems, place, hint, "%s: unknown rule \"%.63s\"", compiler->who,
                  name);
}

const struct section *compile_holder(const struct compiler *compiler, const char *key)
{
    bool own = section_has(compiler->section, key) || !compiler->outer;
    return own ? compiler->section : compiler->outer;
}

uint8_t compile_choice(const struct section *section, const char *key)
{
    int index = section_choice(section, key);
    return index < 0 ? 0 : (uint8_t)index;
}

const char *compile_name(struct compiler *compiler, const char *name, const char *kind,
                         const char *const *known, size_t count, struct place place)
{
    char hint[2 * TEXT_SLUG_MAX + 32] = "";
    size_t best = strlen(name) / 4 + 2; /* farther is guessing */
    bool found = !known;
    for (size_t i = 0; known && i < count && !found; i++) {
        size_t distance = text_distance(name, known[i]);
        found = distance == 0;
        if (distance >= best)
            continue;
        best = distance;
        snprintf(hint, sizeof hint, "did you mean \"%.63s\"?", known[i]);
    }
    if (!found) /* without the rule's name: what is wrong in `defaults` is wrong once */
        problem_error(compiler->problems, place, hint, "unknown %s \"%.100s\"", kind, name);
    const char *copy = arena_text(&compiler->catalog->arena, name);
    compiler->no_memory |= !copy;
    return copy;
}

bool compile_expression(struct compiler *compiler, const char *key, struct scope *scope,
                        enum cell_kind kind, struct coder *coder)
{
    struct expression_fault fault;
    const char *text = section_text(compiler->section, key);
    if (!text) /* not a text: told when the section was checked */
        return false;
    scope->key = key;
    coder_start(coder);
    int result = expression_parse(text, scope, kind, coder, &fault);
    if (result == -EINVAL)
        compile_error_in_text(compiler, key, fault.offset, fault.hint, fault.words);
    else if (result)
        compiler->no_memory = true;
    return result == 0;
}

static bool find_own_text(const struct compiler *compiler, const char *text,
                          struct template *ret_template)
{
    for (size_t i = 0; i < OWN_TEXTS; i++) {
        const struct own_text *own = &compiler->own_texts[i];
        if (own->text && strcmp(own->text, text) == 0) {
            *ret_template = own->template;
            return true;
        }
    }
    return false;
}

static void keep_own_text(struct compiler *compiler, const char *text,
                          const struct template *template)
{
    compiler->own_texts[compiler->n_own_texts++ % OWN_TEXTS] = (struct own_text){text, *template};
}

void compile_text(struct compiler *compiler, const struct section *section, const char *key,
                  const char *standard, enum template_use use, struct template *ret_template)
{
    struct template_fault fault;
    bool written = section_has(section, key);
    const char *text = written ? section_text(section, key) : standard;
    if (!text) /* not a text: told when the section was checked */
        return;
    if (!written && find_own_text(compiler, text, ret_template))
        return;
    int result = template_compile(text, written ? use : TEMPLATE_OWN, compiler->catalog->names,
                                  &compiler->catalog->arena, ret_template, &fault);
    if (result == -EINVAL)
        problem_error(compiler->problems, section_text_place(section, key, fault.offset),
                      fault.hint, "%s: %s", compiler->who, fault.words);
    else if (result == 0 && !written)
        keep_own_text(compiler, text, ret_template);
    else if (result)
        compiler->no_memory = true;
}
