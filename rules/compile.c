#include "rules/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

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

void compile_text(struct compiler *compiler, const struct section *section, const char *key,
                  const char *standard, enum template_use use, struct template *ret_template)
{
    struct template_fault fault;
    const char *text = section_has(section, key) ? section_text(section, key) : standard;
    if (!text) /* not a text: told when the section was checked */
        return;
    int result = template_compile(text, use, compiler->catalog->names, &compiler->catalog->arena,
                                  ret_template, &fault);
    if (result == -EINVAL)
        problem_error(compiler->problems, section_text_place(section, key, fault.offset),
                      fault.hint, "%s: %s", compiler->who, fault.words);
    else if (result)
        compiler->no_memory = true;
}

static void action_error(struct compiler *compiler, const struct section *group, const char *words)
{
    problem_error(compiler->problems, section_place(group, NULL),
                  "write { publish = \"topic\"; payload = \"text\" } or { log = \"text\" }",
                  "%s: %s", compiler->who, words);
}

static void compile_action(struct compiler *compiler, const struct section *group,
                           struct action *action)
{
    bool publish = section_has(group, "publish"), log = section_has(group, "log");
    bool of_publish =
        section_has(group, "payload") || section_has(group, "qos") || section_has(group, "retain");
    if (publish == log)
        action_error(compiler, group, "an action is either publish or log");
    else if (publish && !section_has(group, "payload"))
        action_error(compiler, group, "publish needs a payload");
    else if (log && of_publish)
        action_error(compiler, group, "payload, qos and retain belong to publish");
    action->kind = publish ? ACTION_PUBLISH : ACTION_LOG;
    action->qos = (uint8_t)section_int(group, "qos");
    action->retain = section_bool(group, "retain");
    if (publish)
        compile_text(compiler, group, "publish", NULL, TEMPLATE_TOPIC, &action->target);
    compile_text(compiler, group, publish ? "payload" : "log", NULL, TEMPLATE_TEXT, &action->text);
}

void compile_actions(struct compiler *compiler, const char *key, struct action_list *ret_list)
{
    unsigned form = section_form(compiler->section, key);
    size_t count =
        form == SETTING_GROUPS || form == SETTING_GROUP ? section_count(compiler->section, key) : 0;
    struct action *actions = arena_take(&compiler->catalog->arena, count * sizeof *actions);
    if (!actions) {
        compiler->no_memory = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct section *group = section_group_at(compiler->section, key, i);
        if (group)
            compile_action(compiler, group, &actions[i]);
    }
    *ret_list = (struct action_list){actions, count};
}
