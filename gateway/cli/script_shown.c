#include "gateway/cli/script_shown.h"

#include "gateway/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void script_fail(struct problems *problems, const struct script_test *test, struct place place,
                 const char *format, ...)
{
    char words[600], hint[200];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    snprintf(hint, sizeof(hint), "test %.180s", test->name);
    problem_error(problems, place, hint, "%s", words);
}

/* -- writing down --------------------------------------------------------------------------- */

static bool make_room(struct script_shown *shown)
{
    size_t room = shown->room > 0 ? 2 * shown->room : 64;
    struct shown *grown;

    if (shown->count < shown->room)
        return true;
    grown = reallocarray(shown->list, room, sizeof(*grown));
    if (!grown)
        return false;
    shown->list = grown;
    shown->room = room;
    return true;
}

void script_show(struct script_shown *shown, int64_t at_ms, uint32_t instance, const char *word,
                 const char *name, const char *text)
{
    struct shown one = {.at_ms = at_ms,
                        .instance = instance,
                        .word = word,
                        .name = arena_text(&shown->arena, name),
                        .text = arena_text(&shown->arena, text)};

    if ((name && !one.name) || (text && !one.text) || !make_room(shown))
        shown->no_memory = true;
    else
        shown->list[shown->count++] = one;
}

void script_shown_free(struct script_shown *shown)
{
    arena_free(&shown->arena);
    free(shown->list);
    *shown = (struct script_shown){0};
}

/* -- judging -------------------------------------------------------------------------------- */

static bool is_wanted(const struct shown *one, const struct script_output *wanted)
{
    return one->at_ms == wanted->at_ms && strcmp(one->name, wanted->name) == 0 &&
           (!wanted->text || (one->text && strcmp(one->text, wanted->text) == 0));
}

static bool has_come(const struct script_shown *shown, const struct script_output *wanted)
{
    for (size_t i = 0; i < shown->count; i++) {
        if (shown->list[i].wanted == wanted)
            return true;
    }
    return false;
}

static bool is_mentioned(const struct script_test *test, const char *word)
{
    for (size_t i = 0; i < test->n_outputs; i++) {
        if (strcmp(test->outputs[i].word, word) == 0)
            return true;
    }
    for (size_t i = 0; i < test->n_none; i++) {
        if (strcmp(test->none[i], word) == 0)
            return true;
    }
    return false;
}

/* The rule that a step or an output of the test names; NULL: none. */
static const char *rule_of(const struct script_test *test, size_t i)
{
    if (i < test->n_steps)
        return test->steps[i].kind == SCRIPT_STATE || test->steps[i].kind == SCRIPT_ORDER
                   ? test->steps[i].name
                   : NULL;
    i -= test->n_steps;
    return script_is_event(test->outputs[i].word) ? test->outputs[i].name : NULL;
}

/* Rules of which a test does not speak may do what they want, as be blind for want of readings. */
static bool is_looked_at(const struct script_test *test, const struct rules *rules,
                         const struct shown *one)
{
    struct rule_info info = rules_info(rules, one->instance);
    bool any = false, named = false;

    for (size_t i = 0; i < test->n_steps + test->n_outputs && !named; i++) {
        const char *rule = rule_of(test, i);

        any = any || rule;
        named = rule && (strcmp(rule, info.id) == 0 || strcmp(rule, info.rule) == 0);
    }
    return is_mentioned(test, one->word) && (named || !any);
}

/* One of that word that was not yet taken for another. */
static struct shown *find_shown(struct script_shown *shown, const struct script_test *test,
                                const struct rules *rules, const struct script_output *wanted,
                                bool exact)
{
    for (size_t i = 0; i < shown->count; i++) {
        struct shown *one = &shown->list[i];

        if (!one->wanted && strcmp(one->word, wanted->word) == 0 &&
            (exact ? is_wanted(one, wanted) : is_looked_at(test, rules, one)))
            return one;
    }
    return NULL;
}

static const char *say(const struct shown *one, char text[400])
{
    char at[40];

    text_from_duration(at, sizeof(at), one->at_ms);
    snprintf(text, 400, "%s %s %.64s%s%.250s%s", at, one->word, one->name, one->text ? " \"" : "",
             one->text ? one->text : "", one->text ? "\"" : "");
    return text;
}

bool script_judge_shown(struct script_shown *shown, const struct script_test *test,
                        const struct rules *rules, struct problems *problems)
{
    bool wrong = false;
    char text[400];

    for (size_t i = 0; i < test->n_outputs; i++) {
        struct shown *one = find_shown(shown, test, rules, &test->outputs[i], true);

        if (one)
            one->wanted = &test->outputs[i];
    }
    for (size_t i = 0; i < test->n_outputs; i++) {
        const struct script_output *wanted = &test->outputs[i];
        struct shown *other;

        if (has_come(shown, wanted))
            continue;
        other = find_shown(shown, test, rules, wanted, false); /* in its place */
        script_fail(problems, test, wanted->place, "it does not come%s%s",
                    other ? "; what comes is: " : "", other ? say(other, text) : "");
        if (other)
            other->wanted = wanted;
        wrong = true;
    }
    for (size_t i = 0; i < shown->count; i++) {
        if (shown->list[i].wanted || !is_looked_at(test, rules, &shown->list[i]))
            continue;
        script_fail(problems, test, test->place, "this comes as well: %s",
                    say(&shown->list[i], text));
        wrong = true;
    }
    return wrong;
}
