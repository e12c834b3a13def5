/* One rule, from its section: how it lives, what it does and says. Its conditions are made in
 * level.c. */
#include "rules/compile.h"

#include <stdlib.h>
#include <string.h>

/* An option of the rule, else of `defaults`. */
static const struct section *notify_section(const struct compiler *compiler,
                                            const struct section *defaults)
{
    return section_has(compiler->section, "notify") || !defaults ? compiler->section : defaults;
}

static void compile_notify(struct compiler *compiler, struct rule *rule)
{
    const struct rules_config *config = compiler->config;
    const struct section *section = notify_section(compiler, config->defaults);
    size_t count = section_count(section, "notify");
    const char **names = arena_take(&compiler->catalog->arena, count * sizeof *names);
    for (size_t i = 0; names && i < count; i++) {
        const char *name = section_text_at(section, "notify", i);
        names[i] = compile_name(compiler, name ? name : "", "notifier", config->notifiers,
                                config->n_notifiers, section_place_at(section, "notify", i));
    }
    if (!names)
        compiler->no_memory = true;
    rule->notify = names;
    rule->n_notify = count;
}

static struct rule *start_rule(struct compiler *compiler, const char *name)
{
    const struct section *section = compiler->section;
    struct rule *rule = arena_take(&compiler->catalog->arena, sizeof *rule);
    if (!rule) {
        compiler->no_memory = true;
        return NULL;
    }
    rule->name = arena_text(&compiler->catalog->arena, name);
    rule->number = names_find(compiler->catalog->rule_names, name);
    rule->label = arena_text(&compiler->catalog->arena, section_text(section, "label"));
    rule->latch = section_bool(section, "latch");
    rule->ack = section_bool(section, "ack") || rule->latch;
    rule->each = compile_choice(section, "ha") == 1;
    rule->blind_quiet = compile_choice(section, "blind") == 1;
    rule->repeat_ms = section_duration_ms(section, "repeat");
    rule->max_repeats = (uint32_t)section_int(section, "max_repeats");
    rule->cooldown_ms = section_duration_ms(section, "cooldown");
    compiler->no_memory |= !rule->name || (section_text(section, "label") && !rule->label);
    compile_notify(compiler, rule);
    return rule;
}

/* Where the config has no notifier at all, people are told by whoever listens at the broker: then
 * only a rule that was forgotten among others that notify would be worth a word. */
static void warn_of_silence(struct compiler *compiler, const struct rule *rule)
{
    if (compiler->config->notifiers && compiler->config->n_notifiers == 0)
        return;
    if (rule->n_notify + rule->on_fire.count + rule->on_clear.count + rule->on_change.count +
            rule->on_nodata.count + rule->while_firing.count + rule->while_ok.count +
            rule->n_escalations ==
        0)
        problem_warning(compiler->problems, section_place(compiler->section, NULL),
                        "add notify = \"name\", here or in defaults, or an action, as on_fire",
                        "%s: it neither notifies nor acts", compiler->who);
}

static bool is_timed(const struct code *code)
{
    for (uint16_t i = 0; i < code->length; i++)
        if (code->at[i].op > OP_VALUE && code->at[i].op <= OP_CIVIL)
            return true;
    return false;
}

static void compile_active(struct compiler *compiler, struct rule *rule)
{
    const struct section *section = compiler->section;
    size_t count = section_count(section, "active");
    struct active_window *windows = arena_take(&compiler->catalog->arena, count * sizeof *windows);
    struct active_fault fault;
    compiler->no_memory |= !windows;
    for (size_t i = 0; windows && i < count; i++) {
        const char *text = section_text_at(section, "active", i);
        if (!text || active_parse(text, &windows[i], &fault) == 0)
            continue;
        struct place place = count == 1 ? section_text_place(section, "active", fault.offset)
                                        : section_place_at(section, "active", i);
        problem_error(compiler->problems, place, fault.hint, "%s: %s", compiler->who, fault.words);
    }
    rule->active = windows;
    rule->n_active = windows ? count : 0;
}

/* The number of the group, made when it is not there. */
static uint32_t find_group(struct compiler *compiler, const char *name)
{
    struct catalog *catalog = compiler->catalog;
    for (uint32_t i = 0; i < catalog->n_groups; i++)
        if (strcmp(catalog->group_names[i], name) == 0)
            return i;
    const char **grown = reallocarray(catalog->group_names, catalog->n_groups + 1, sizeof *grown);
    if (grown)
        catalog->group_names = grown;
    if (!grown || !(grown[catalog->n_groups] = arena_text(&catalog->arena, name))) {
        compiler->no_memory = true;
        return RULES_NO_GROUP;
    }
    return catalog->n_groups++;
}

static void compile_group(struct compiler *compiler, struct rule *rule)
{
    const char *name = section_text(compiler->section, "group");
    rule->group = name ? find_group(compiler, name) : RULES_NO_GROUP;
    rule->group_wait_ms = section_duration_ms(compiler->section, "group_wait");
    if (!name && section_has(compiler->section, "group_wait"))
        compile_error(compiler, "group_wait", "add group = \"name\"",
                      "\"group_wait\" goes only with \"group\"");
}

static void check_repeat(struct compiler *compiler, const struct rule *rule)
{
    if (rule->max_repeats > 0 && rule->repeat_ms == 0)
        compile_error(compiler, "max_repeats", "add repeat = \"30m\"",
                      "\"max_repeats\" goes only with \"repeat\"");
    else if (rule->max_repeats > 0 && rule->ack)
        compile_error(compiler, "max_repeats", "leave one of them out",
                      "it repeats until it is acknowledged, and \"max_repeats\" would end that");
    else if (rule->repeat_ms > 0 && rule->n_notify == 0)
        compile_error(compiler, "repeat", "add notify = \"name\"",
                      "there is nobody to whom it could be repeated");
}

/* Condition, texts and actions; what is wrong in one of them does not hide what is wrong in
 * another. */
static bool finish_rule(struct compiler *compiler, const struct plain_option *options,
                        const struct rules_sensor *own, struct rule *rule)
{
    const struct section *section = compiler->section;
    bool good = compile_levels(compiler, options, own, rule);
    for (uint8_t i = 0; good && i < rule->n_levels; i++)
        rule->timed |= is_timed(&rule->levels[i].when);
    compile_text(compiler, section, "clear_message",
                 own ? "{label} back to {value} {unit} after {duration}"
                     : "{label} is over after {duration}",
                 TEMPLATE_TEXT, &rule->clear_message);
    compile_actions(compiler, "on_fire", &rule->on_fire);
    compile_actions(compiler, "on_clear", &rule->on_clear);
    compile_actions(compiler, "on_change", &rule->on_change);
    compile_actions(compiler, "on_nodata", &rule->on_nodata);
    compile_actions(compiler, "while_firing", &rule->while_firing);
    compile_actions(compiler, "while_ok", &rule->while_ok);
    compile_escalations(compiler, rule);
    compile_active(compiler, rule);
    compile_group(compiler, rule);
    check_repeat(compiler, rule);
    rule->print = compile_print(section, NULL);
    if (good)
        warn_of_silence(compiler, rule);
    return good && !compiler->no_memory;
}

struct rule *compile_rule(struct compiler *compiler, const char *name,
                          const struct plain_option *options, const struct rules_sensor *own)
{
    struct rule *rule = start_rule(compiler, name);
    compiler->rule = rule;
    compiler->own = own;
    return rule && finish_rule(compiler, options, own, rule) ? rule : NULL;
}
