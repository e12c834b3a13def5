/* Levels: the conditions of a rule, from the least to the gravest. One without `levels` has one,
 * which is written in the rule itself. */
#include "rules/compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* -- the terms of one -- */

static bool take_word(const char **at, const char *word)
{
    size_t length = strlen(word);
    *at += strspn(*at, " ");
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_count(const char **at, uint8_t *ret)
{
    unsigned count = 0;
    *at += strspn(*at, " ");
    const char *from = *at;
    for (; **at >= '0' && **at <= '9' && count <= LIFE_HITS_MAX; (*at)++)
        count = count * 10 + (unsigned)(**at - '0');
    *ret = (uint8_t)count;
    return *at > from && count > 0 && count <= LIFE_HITS_MAX;
}

/* "3 of 5" */
static void read_hits(struct compiler *compiler, struct life_terms *terms)
{
    const struct section *section = compile_holder(compiler, "hits");
    const char *at = section_text(section, "hits");
    if (!at)
        return;
    if (!take_count(&at, &terms->hits) || !take_word(&at, "of") ||
        !take_count(&at, &terms->hits_of) || at[strspn(at, " ")] != '\0')
        problem_error(compiler->problems, section_place(section, "hits"),
                      "write so many of so many, up to 64: hits = \"3 of 5\"",
                      "%s: these are no hits", compiler->who);
    else if (terms->hits > terms->hits_of)
        problem_error(compiler->problems, section_place(section, "hits"),
                      "the first number is the smaller one", "%s: %u of %u readings cannot be",
                      compiler->who, terms->hits, terms->hits_of);
}

static void read_terms(struct compiler *compiler, struct level *level)
{
    level->severity = compile_choice(compiler->section, "severity");
    level->terms = (struct life_terms){
        .for_ms = section_duration_ms(compile_holder(compiler, "for"), "for"),
        .keep_for_ms = section_duration_ms(compile_holder(compiler, "keep_for"), "keep_for"),
        .if_unknown = compile_choice(compile_holder(compiler, "if_unknown"), "if_unknown"),
    };
    read_hits(compiler, &level->terms);
}

/* What is wrong in the condition does not hide what is wrong in the text. */
static bool compile_level(struct compiler *compiler, const struct plain_option *options,
                          const struct rules_sensor *own, struct scope *scope, struct rule *rule,
                          struct level *level)
{
    const char *message = NULL;
    read_terms(compiler, level);
    bool good = section_has(compiler->section, "when")
                    ? compile_when(compiler, own, scope, level, &message)
                    : compile_condition(compiler, options, own, scope, rule, level, &message);
    compile_text(compiler, compile_holder(compiler, "message"), "message", message, TEMPLATE_TEXT,
                 &level->message);
    return good;
}

/* -- several -- */

/* Keys that each level has for itself. */
static bool check_outer(struct compiler *compiler)
{
    static const char *const others[] = {"severity", "when",        "clear_when",
                                         "within",   "clear_below", "clear_above"};
    size_t n_others = sizeof others / sizeof others[0];
    bool good = true;
    for (size_t i = 0; i < n_others; i++)
        if (section_has(compiler->section, others[i])) {
            compile_error(compiler, others[i], "write it into each level",
                          "\"%s\" does not go with \"levels\"", others[i]);
            good = false;
        }
    for (const struct plain_option *option = plain_of_rules; option->option; option++)
        if (section_has(compiler->section, option->option)) {
            compile_error(compiler, option->option, "write it into each level",
                          "\"%s\" does not go with \"levels\"", option->option);
            good = false;
        }
    return good;
}

/* "above 75 (warning), above 85 for 30s (critical)" */
static const char *say_levels(struct compiler *compiler, const struct rule *rule)
{
    char text[2048];
    size_t length = 0;
    for (uint8_t i = 0; i < rule->n_levels; i++)
        text_append(text, sizeof text, &length, "%s%s (%s)", i > 0 ? ", " : "",
                    rule->levels[i].words, rule_severity_name(rule->levels[i].severity));
    return arena_text(&compiler->catalog->arena, text);
}

static bool compile_each(struct compiler *compiler, const struct plain_option *options,
                         const struct rules_sensor *own, struct scope *scope, struct rule *rule)
{
    bool good = check_outer(compiler);
    const struct section *outer = compiler->section;
    compiler->outer = outer;
    for (uint8_t i = 0; i < rule->n_levels && !compiler->no_memory; i++) {
        compiler->section = section_group_at(outer, "levels", i);
        if (!compiler->section) { /* told when the section was checked */
            good = false;
            continue;
        }
        good = compile_level(compiler, options, own, scope, rule, &rule->levels[i]) && good;
        if (i == 0 || rule->levels[i].severity > rule->levels[i - 1].severity)
            continue;
        compile_error(compiler, "severity",
                      "from the least to the gravest: info, warning, critical",
                      "each level must be graver than the one before");
        good = false;
    }
    compiler->section = outer;
    compiler->outer = NULL;
    if (!good || compiler->no_memory)
        return false;
    rule->words = say_levels(compiler, rule);
    compiler->no_memory |= !rule->words;
    return true;
}

static bool compile_one(struct compiler *compiler, const struct plain_option *options,
                        const struct rules_sensor *own, struct scope *scope, struct rule *rule)
{
    bool good = compile_level(compiler, options, own, scope, rule, rule->levels);
    rule->words = rule->levels->words;
    return good;
}

/* Those of `inhibited_by` are asked like those of firing(). */
static void compile_inhibitors(struct compiler *compiler, struct scope *scope, struct rule *rule)
{
    const struct section *section = compiler->section;
    const struct names *names = compiler->catalog->rule_names;
    size_t count = section_count(section, "inhibited_by");
    uint32_t *numbers = arena_take(&compiler->catalog->arena, count * sizeof *numbers);
    compiler->no_memory |= !numbers;
    for (size_t i = 0; numbers && i < count; i++) {
        const char *name = section_text_at(section, "inhibited_by", i);
        struct place place = section_place_at(section, "inhibited_by", i);
        uint32_t number = name ? names_find(names, name) : NAMES_NONE;
        if (name && number == NAMES_NONE)
            compile_unknown_rule(compiler, place, name);
        else if (scope->n_asks == EXPRESSION_RULES_MAX)
            problem_error(compiler->problems, place, "", "%s: it asks more than %d other rules",
                          compiler->who, EXPRESSION_RULES_MAX);
        if (number == NAMES_NONE || scope->n_asks == EXPRESSION_RULES_MAX)
            continue;
        scope->asks[scope->n_asks++] = number;
        numbers[rule->n_inhibitors++] = number;
    }
    rule->inhibitors = numbers;
}

bool compile_levels(struct compiler *compiler, const struct plain_option *options,
                    const struct rules_sensor *own, struct rule *rule)
{
    struct scope scope;
    bool several = section_has(compiler->section, "levels");
    size_t count = several ? section_count(compiler->section, "levels") : 1;
    if (count == 0 || count > RULES_LEVELS_MAX) {
        compile_error(compiler, "levels", "one for each severity: info, warning, critical",
                      "a rule has one to %d levels", RULES_LEVELS_MAX);
        return false;
    }
    rule->n_levels = (uint8_t)count;
    rule->levels = arena_take(&compiler->catalog->arena, count * sizeof *rule->levels);
    compiler->no_memory |= !rule->levels;
    if (compiler->no_memory)
        return false;
    compile_scope(compiler, own, &scope);
    compile_inhibitors(compiler, &scope, rule);
    bool good = (several ? compile_each : compile_one)(compiler, options, own, &scope, rule);
    return good && compile_reads(compiler, &scope, &rule->reads);
}
