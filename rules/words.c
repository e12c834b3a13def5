#include "rules/condition.h"

#include <string.h>

static const char *const words[N_PLAINS] = {
    [ABOVE] = "above",         [BELOW] = "below",      [OUTSIDE] = "outside",
    [INSIDE] = "inside",       [EQUALS] = "at",        [NOT_EQUALS] = "not at",
    [RISES] = "rising by",     [FALLS] = "falling by", [NO_DATA] = "without data for",
    [STUCK] = "unchanged for",
};

static void say_number(char *to, size_t size, size_t *length, double number)
{
    char text[400];
    text_from_number(text, sizeof text, number, -1);
    text_append(to, size, length, "%s", text);
}

/* Texts stand in quotes; in a template their braces are doubled, so that they stay what they are.
 */
static void say_text(char *to, size_t size, size_t *length, const char *text, bool in_template)
{
    text_append(to, size, length, "\"");
    for (; *text; text++)
        text_append(to, size, length, *text == '{' && in_template ? "{%c" : "%c", *text);
    text_append(to, size, length, "\"");
}

static void say_bound(char *to, size_t size, size_t *length, const struct bound *bound,
                      bool in_template)
{
    if (bound->kind == BOUND_TEXT)
        say_text(to, size, length, bound->text, in_template);
    else if (bound->kind == BOUND_SENSOR)
        text_append(to, size, length, in_template ? "{%s}" : "%s", bound->text);
    else if (bound->kind == BOUND_LIMIT && in_template)
        text_append(to, size, length, "{#%u}", bound->slot);
    else
        say_number(to, size, length, bound->number);
}

static void say_duration(char *to, size_t size, size_t *length, const char *before, int64_t ms)
{
    char text[32];
    text_append(to, size, length, "%s%s", before, text_from_duration(text, sizeof text, ms));
}

static void say_term(char *to, size_t size, size_t *length, const struct term *term,
                     bool in_template)
{
    text_append(to, size, length, "%s ", words[term->plain]);
    if (plain_is_timed(term->plain)) {
        say_duration(to, size, length, "", term->ms);
        return;
    }
    say_bound(to, size, length, &term->a, in_template);
    if (plain_is_pair(term->plain)) {
        text_append(to, size, length, " to ");
        say_bound(to, size, length, &term->b, in_template);
    }
    if (in_template && term->a.kind != BOUND_TEXT)
        text_append(to, size, length, " {unit}");
    if (term->ms > 0)
        say_duration(to, size, length, " within ", term->ms);
}

#define CONDITION_SIZE 2048 /* more than all keys with the longest texts and ids need */

static void say_terms(const struct condition *condition, bool in_template,
                      char text[CONDITION_SIZE])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < condition->count; i++) {
        if (i > 0)
            text_append(text, CONDITION_SIZE, &length, " and ");
        say_term(text, CONDITION_SIZE, &length, &condition->terms[i], in_template);
    }
}

const char *words_of(const struct condition *condition)
{
    const struct life_terms *terms = &condition->level->terms;
    char text[CONDITION_SIZE];
    size_t length;
    say_terms(condition, false, text);
    length = strlen(text);
    if (terms->hits > 0)
        text_append(text, sizeof text, &length, " in %u of %u readings", terms->hits,
                    terms->hits_of);
    if (terms->for_ms > 0)
        say_duration(text, sizeof text, &length, " for ", terms->for_ms);
    return arena_text(&condition->compiler->catalog->arena, text);
}

const char *words_of_message(const struct condition *condition)
{
    char text[CONDITION_SIZE];
    say_terms(condition, true, text);
    bool has_value = condition->terms[0].plain != NO_DATA;
    return arena_format(&condition->compiler->catalog->arena, "{label}%s, %s since {since}",
                        has_value ? " {value} {unit}" : "", text);
}
