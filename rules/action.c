#include "gateway/base/text.h"
#include "rules/compile.h"
#include "rules/formula.h"

#include <errno.h>
#include <string.h>

/* One action while it is compiled: { publish = ...; payload = ... } */
struct maker {
    struct compiler *compiler;
    const struct section *group;
    struct action *action;
    bool held;
};

static void action_error(struct maker *maker, const char *key, const char *hint, const char *words)
{
    problem_error(maker->compiler->problems, section_place(maker->group, key), hint, "%s: %s",
                  maker->compiler->who, words);
}

static void make_publish(struct maker *maker)
{
    struct action *action = maker->action;
    if (!section_has(maker->group, "payload"))
        action_error(maker, NULL, "write { publish = \"topic\"; payload = \"text\" }",
                     "publish needs a payload");
    action->qos = (uint8_t)section_int(maker->group, "qos");
    action->retain = section_bool(maker->group, "retain");
    compile_text(maker->compiler, maker->group, "publish", NULL, TEMPLATE_TOPIC, &action->target);
    compile_text(maker->compiler, maker->group, "payload", NULL, TEMPLATE_TEXT, &action->text);
}

static void make_log(struct maker *maker)
{
    compile_text(maker->compiler, maker->group, "log", NULL, TEMPLATE_TEXT, &maker->action->text);
}

static void make_notify(struct maker *maker)
{
    const struct rules_config *config = maker->compiler->config;
    const char *name = section_text(maker->group, "notify");
    if (name)
        maker->action->name =
            compile_name(maker->compiler, name, "notifier", config->notifiers, config->n_notifiers,
                         section_place(maker->group, "notify"));
}

static void make_run(struct maker *maker)
{
    const struct rules_config *config = maker->compiler->config;
    const char *name = section_text(maker->group, "run");
    if (name)
        maker->action->name = compile_name(maker->compiler, name, "hook", config->hooks,
                                           config->n_hooks, section_place(maker->group, "run"));
}

/* A text for a sensor of numbers is an expression. */
static void make_formula(struct maker *maker)
{
    struct compiler *compiler = maker->compiler;
    struct rule *rule = compiler->rule;
    const struct section *section = compiler->section;
    struct formula *formula = arena_take(&compiler->catalog->arena, sizeof *formula);
    if (!rule->formulas)
        rule->formulas =
            arena_take(&compiler->catalog->arena, FORMULAS_MAX * sizeof *rule->formulas);
    compiler->no_memory |= !formula || !rule->formulas;
    if (rule->n_formulas == FORMULAS_MAX)
        action_error(maker, "value", "make derived sensors of some",
                     "one rule writes too many expressions");
    if (compiler->no_memory || rule->n_formulas == FORMULAS_MAX)
        return;
    compiler->section = maker->group;
    if (compile_formula(compiler, "value", compiler->own, CELL_NUMBER, formula)) {
        maker->action->formula = formula;
        maker->action->nth = rule->n_formulas;
        rule->formulas[rule->n_formulas++] = formula;
    }
    compiler->section = section;
}

/* What has placeholders is known when it is written. */
static bool is_option(const struct rules_origin *origin, const char *text)
{
    bool is = origin->n_options == 0 || strchr(text, '{');
    for (size_t i = 0; !is && i < origin->n_options; i++)
        is = strcmp(origin->options[i], text) == 0;
    return is;
}

static void refuse_option(struct maker *maker, const struct rules_origin *origin)
{
    char hint[200];
    size_t length = 0;
    for (size_t i = 0; i < origin->n_options; i++)
        text_append(hint, sizeof hint, &length, "%s\"%s\"", i == 0 ? "write " : ", ",
                    origin->options[i]);
    action_error(maker, "value", hint, "this is none of its values");
}

static void make_text(struct maker *maker, const struct rules_sensor *sensor, const char *text)
{
    const struct compiler *compiler = maker->compiler;
    uint32_t number = (uint32_t)(sensor - compiler->catalog->sensors);
    struct rules_origin origin = rules_origin_of(compiler->config, number);
    if (!text)
        action_error(maker, "value", NULL, "this sensor takes a text");
    else if (origin.options && !is_option(&origin, text))
        refuse_option(maker, &origin);
    else if (strlen(text) >= SAMPLE_TEXT_SIZE)
        action_error(maker, "value", NULL, "the text is too long for a sensor");
    else
        compile_text(maker->compiler, maker->group, "value", NULL, TEMPLATE_TEXT,
                     &maker->action->text);
}

/* A text for a sensor of texts, a number or an expression for one of numbers; true and false are 1
 * and 0. */
static void make_value(struct maker *maker, const struct rules_sensor *sensor)
{
    const struct section *group = maker->group;
    unsigned form = section_form(group, "value");
    struct action *action = maker->action;
    action->is_text = sensor->text;
    if (!section_has(group, "value"))
        action_error(maker, NULL, "write { write = \"device.channel\"; value = 1 }",
                     "write needs a value");
    else if (sensor->text)
        make_text(maker, sensor, section_text(group, "value"));
    else if (form == SETTING_TEXT)
        make_formula(maker);
    else
        action->number =
            form == SETTING_BOOL ? section_bool(group, "value") : section_number(group, "value");
}

static void make_write(struct maker *maker)
{
    struct compiler *compiler = maker->compiler;
    const char *id = section_text(maker->group, "write");
    uint32_t sensor = id ? names_find(compiler->catalog->names, id) : NAMES_NONE;
    if (!id) /* told when the section was checked */
        return;
    if (sensor == NAMES_NONE) {
        const struct section *rule = compiler->section;
        compiler->section = maker->group; /* for the place */
        compile_unknown_sensor(compiler, "write", id);
        compiler->section = rule;
        return;
    }
    const struct rules_sensor *about = &compiler->catalog->sensors[sensor];
    if (!about->writable)
        action_error(maker, "write", "add writable = true to its channel",
                     "this sensor is not writable");
    maker->action->name = about->id;
    maker->action->sensor = sensor;
    make_value(maker, about);
}

static const struct verb {
    const char *key;
    uint8_t kind; /* enum rule_action_kind */
    void (*make)(struct maker *);
} verbs[] = {
    {"publish", ACTION_PUBLISH, make_publish},
    {"write", ACTION_WRITE, make_write},
    {"notify", ACTION_NOTIFY, make_notify},
    {"run", ACTION_RUN, make_run},
    {"log", ACTION_LOG, make_log},
};

/* Keys that go with one verb only. */
static const struct {
    const char *key;
    uint8_t kind;
    const char *words;
} companions[] = {
    {"payload", ACTION_PUBLISH, "payload, qos and retain belong to publish"},
    {"qos", ACTION_PUBLISH, "payload, qos and retain belong to publish"},
    {"retain", ACTION_PUBLISH, "payload, qos and retain belong to publish"},
    {"value", ACTION_WRITE, "value belongs to write"},
};

static const struct verb *find_verb(struct maker *maker)
{
    const struct verb *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!section_has(maker->group, verbs[i].key))
            continue;
        found = &verbs[i];
        count++;
    }
    if (count == 1)
        return found;
    action_error(maker, NULL, "one after the other: ( { log = \"text\" }, { run = \"hook\" } )",
                 "an action is one of publish, write, notify, run, log");
    return NULL;
}

static void compile_action(struct maker *maker)
{
    const struct verb *verb = find_verb(maker);
    if (!verb)
        return;
    maker->action->kind = verb->kind;
    maker->action->held = maker->held;
    verb->make(maker);
    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        if (companions[i].kind == verb->kind || !section_has(maker->group, companions[i].key))
            continue;
        action_error(maker, NULL, "", companions[i].words);
        return;
    }
}

void compile_actions(struct compiler *compiler, const char *key, struct action_list *ret_list)
{
    unsigned form = section_form(compiler->section, key);
    bool groups = form == SETTING_GROUPS || form == SETTING_GROUP;
    size_t count = groups ? section_count(compiler->section, key) : 0;
    struct action *actions = arena_take(&compiler->catalog->arena, count * sizeof *actions);
    if (!actions) {
        compiler->no_memory = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct maker maker = {.compiler = compiler,
                              .group = section_group_at(compiler->section, key, i),
                              .action = &actions[i],
                              .held = strncmp(key, "while_", 6) == 0};
        if (maker.group)
            compile_action(&maker);
    }
    if (strncmp(key, "while_", 6) == 0 && count > HOLDS_MAX)
        compile_error(compiler, key, NULL, "a rule holds at most %d channels", HOLDS_MAX);
    *ret_list = (struct action_list){actions, count};
}

void compile_escalations(struct compiler *compiler, struct rule *rule)
{
    const struct section *section = compiler->section;
    struct action_list list = {0};
    compile_actions(compiler, "escalate", &list);
    struct escalation *all = arena_take(&compiler->catalog->arena, list.count * sizeof *all);
    compiler->no_memory |= !all;
    for (size_t i = 0; all && i < list.count; i++) {
        const struct section *group = section_group_at(section, "escalate", i);
        all[i] = (struct escalation){.action = list.at[i]};
        if (!group)
            continue;
        all[i].after_ms = section_duration_ms(group, "after");
        if (i > 0 && all[i].after_ms < all[i - 1].after_ms)
            problem_error(compiler->problems, section_place(group, "after"),
                          "write the earlier one first", "%s: escalations go on in time",
                          compiler->who);
    }
    if (list.count > ESCALATIONS_MAX)
        compile_error(compiler, "escalate", NULL, "a rule has at most %d escalations",
                      ESCALATIONS_MAX);
    rule->escalations = all;
    rule->n_escalations = all ? list.count : 0;
}
