#include "rules/template.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 128 /* of one text */

/* -- filling -- */

struct writer {
    char *to;
    size_t size, length;
};

static void write_text(struct writer *writer, const char *text)
{
    text_append(writer->to, writer->size, &writer->length, "%s", text);
}

static void write_number(struct writer *writer, double number, int decimals)
{
    char text[400]; /* 1e308 with decimals, written out */
    text_from_number(text, sizeof text, number, decimals);
    write_text(writer, text);
}

static void write_sensor(struct writer *writer, const struct scene *scene, uint32_t sensor)
{
    const struct fact *fact = &scene->facts->at[sensor];
    if (!fact_is_known(fact, scene->now_ms))
        write_text(writer, "unknown");
    else if (fact->kind == VALUE_TEXT)
        write_text(writer, text_table_get(scene->facts->texts, fact->text));
    else
        write_number(writer, fact->number, scene->sensors[sensor].decimals);
}

static void write_time(struct writer *writer, int64_t at_ms)
{
    char text[CLOCK_TEXT_SIZE];
    bool known = at_ms != CLOCK_NEVER && clock_wall_is_good();
    write_text(writer, known ? clock_text_short(at_ms, text) : "--:--");
}

static void fill_value(struct writer *writer, const struct scene *scene)
{
    if (scene->sensor == RULES_NO_SENSOR)
        write_text(writer, "unknown");
    else
        write_sensor(writer, scene, scene->sensor);
}

static void fill_unit(struct writer *writer, const struct scene *scene)
{
    bool has = scene->sensor != RULES_NO_SENSOR && scene->sensors[scene->sensor].unit[0];
    if (has)
        write_text(writer, scene->sensors[scene->sensor].unit);
    else if (writer->length > 0 && writer->to[writer->length - 1] == ' ')
        writer->to[--writer->length] = '\0';
}

static void fill_sensor(struct writer *writer, const struct scene *scene)
{
    if (scene->sensor != RULES_NO_SENSOR)
        write_text(writer, scene->sensors[scene->sensor].id);
}

static void fill_label(struct writer *writer, const struct scene *scene)
{
    bool own = scene->sensor != RULES_NO_SENSOR;
    write_text(writer, own ? scene->sensors[scene->sensor].label : scene->label);
}

static void fill_rule(struct writer *writer, const struct scene *scene)
{
    write_text(writer, scene->rule);
}

static void fill_severity(struct writer *writer, const struct scene *scene)
{
    write_text(writer, rule_severity_name(scene->change->severity));
}

static void fill_state(struct writer *writer, const struct scene *scene)
{
    write_text(writer, rule_state_name(scene->change->to));
}

static void fill_since(struct writer *writer, const struct scene *scene)
{
    write_time(writer, scene->change->fired_ms);
}

static void fill_duration(struct writer *writer, const struct scene *scene)
{
    char text[32];
    int64_t from_ms = scene->change->fired_ms;
    int64_t ms = from_ms == CLOCK_NEVER ? 0 : scene->change->at_ms - from_ms;
    write_text(writer, text_from_duration(text, sizeof text, ms));
}

static void fill_limit(struct writer *writer, const struct scene *scene)
{
    if (isnan(scene->change->limit))
        write_text(writer, "none");
    else
        write_number(writer, scene->change->limit, -1);
}

static void fill_time(struct writer *writer, const struct scene *scene)
{
    write_time(writer, scene->change->at_ms);
}

static const struct field {
    const char *name;
    void (*fill)(struct writer *, const struct scene *);
    bool in_topic;
} fields[] = {
    {"value", fill_value, false}, {"unit", fill_unit, false},   {"sensor", fill_sensor, true},
    {"label", fill_label, false}, {"rule", fill_rule, true},    {"severity", fill_severity, true},
    {"state", fill_state, true},  {"since", fill_since, false}, {"duration", fill_duration, false},
    {"limit", fill_limit, false}, {"time", fill_time, false},
};
#define N_FIELDS     (sizeof fields / sizeof fields[0])
#define FIELD_SENSOR UINT8_MAX       /* {device.channel} */
#define FIELD_SLOT   (UINT8_MAX - 1) /* {#slot}, a number */

char *template_fill(const struct template *template, const struct scene *scene, char *to,
                    size_t size)
{
    struct writer writer = {to, size, 0};
    to[0] = '\0';
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];
        if (part->literal)
            write_text(&writer, part->literal);
        else if (part->field == FIELD_SENSOR)
            write_sensor(&writer, scene, part->sensor);
        else if (part->field == FIELD_SLOT)
            write_number(&writer, scene->facts->at[scene->slots[part->sensor]].number, -1);
        else
            fields[part->field].fill(&writer, scene);
    }
    return to;
}

char *template_value(const struct scene *scene, uint32_t sensor, char *to, size_t size)
{
    struct writer writer = {to, size, 0};
    to[0] = '\0';
    write_sensor(&writer, scene, sensor);
    if (fact_is_known(&scene->facts->at[sensor], scene->now_ms) && scene->sensors[sensor].unit[0]) {
        write_text(&writer, " ");
        write_text(&writer, scene->sensors[sensor].unit);
    }
    return to;
}

/* -- compiling -- */

struct splitter {
    const char *text;
    enum template_use use;
    const struct names *names;
    struct arena *arena;
    struct template_fault *fault;
    struct template_part parts[PARTS_MAX];
    size_t count;
};

static int fail(struct splitter *splitter, const char *at, const char *words, const char *hint)
{
    splitter->fault->offset = (size_t)(at - splitter->text);
    text_copy(splitter->fault->words, sizeof splitter->fault->words, words);
    text_copy(splitter->fault->hint, sizeof splitter->fault->hint, hint);
    return -EINVAL;
}

static int add_part(struct splitter *splitter, const char *at, struct template_part part)
{
    if (splitter->count == PARTS_MAX)
        return fail(splitter, at, "too many placeholders in one text", "");
    splitter->parts[splitter->count++] = part;
    return 0;
}

static int add_literal(struct splitter *splitter, const char *from, size_t length)
{
    if (length == 0)
        return 0;
    const char *literal = arena_format(splitter->arena, "%.*s", (int)length, from);
    return literal ? add_part(splitter, from, (struct template_part){.literal = literal}) : -ENOMEM;
}

static int fail_unknown(struct splitter *splitter, const char *at, const char *name)
{
    char words[128], hint[160] = "";
    size_t best = 3;
    snprintf(words, sizeof words, "unknown placeholder \"{%.80s}\"", name);
    const char *sensor = strchr(name, '.') ? names_nearest(splitter->names, name) : NULL;
    if (sensor)
        snprintf(hint, sizeof hint, "did you mean \"{%.120s}\"?", sensor);
    else
        snprintf(hint, sizeof hint,
                 "value, unit, sensor, label, rule, severity, state, since, duration, limit, time, "
                 "or a sensor's id; a brace itself is written {{");
    for (size_t i = 0; i < N_FIELDS; i++) {
        size_t distance = text_distance(fields[i].name, name);
        if (distance < best) {
            best = distance;
            snprintf(hint, sizeof hint, "did you mean \"{%s}\"?", fields[i].name);
        }
    }
    return fail(splitter, at, words, hint);
}

static int add_sensor(struct splitter *splitter, const char *at, const char *name)
{
    uint32_t sensor = names_find(splitter->names, name);
    if (sensor == NAMES_NONE)
        return fail_unknown(splitter, at, name);
    if (splitter->use == TEMPLATE_TOPIC)
        return fail(splitter, at, "a topic cannot have a value in it",
                    "allowed here: {sensor} {rule} {severity} {state}");
    return add_part(splitter, at, (struct template_part){.field = FIELD_SENSOR, .sensor = sensor});
}

static int add_slot(struct splitter *splitter, const char *at, const char *digits)
{
    struct template_part part = {.field = FIELD_SLOT,
                                 .sensor = (uint32_t)strtoul(digits, NULL, 10)};
    return add_part(splitter, at, part);
}

static int add_placeholder(struct splitter *splitter, const char *at, const char *name)
{
    if (splitter->use == TEMPLATE_OWN && name[0] == '#')
        return add_slot(splitter, at, name + 1);
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (strcmp(fields[i].name, name) != 0)
            continue;
        if (splitter->use == TEMPLATE_TOPIC && !fields[i].in_topic)
            return fail(splitter, at, "a topic cannot have this placeholder",
                        "allowed here: {sensor} {rule} {severity} {state}");
        return add_part(splitter, at, (struct template_part){.field = (uint8_t)i});
    }
    return add_sensor(splitter, at, name);
}

/* `*at` stands on a brace and is moved behind what it begins. */
static int split_brace(struct splitter *splitter, const char **at)
{
    const char *open = *at;
    char name[2 * TEXT_SLUG_MAX + 2];
    if (open[1] == '{') {
        *at = open + 2;
        return add_literal(splitter, open, 1);
    }
    const char *close = strchr(open, '}');
    if (!close)
        return fail(splitter, open, "\"{\" without \"}\"", "a brace itself is written {{");
    snprintf(name, sizeof name, "%.*s", (int)(close - open - 1), open + 1);
    *at = close + 1;
    return add_placeholder(splitter, open, name);
}

static int split(struct splitter *splitter)
{
    int result = 0;
    for (const char *at = splitter->text; *at && result == 0;) {
        size_t length = strcspn(at, "{");
        result = add_literal(splitter, at, length);
        at += length;
        if (result == 0 && *at)
            result = split_brace(splitter, &at);
    }
    return result;
}

static int check_text(struct splitter *splitter)
{
    const char *text = splitter->text;
    size_t most = splitter->use == TEMPLATE_TOPIC ? TEMPLATE_TOPIC_MAX : TEMPLATE_TEXT_MAX;
    if (strlen(text) > most)
        return fail(splitter, text, "the text is too long", "");
    if (splitter->use != TEMPLATE_TOPIC)
        return 0;
    if (!text[0] || text[0] == '$')
        return fail(splitter, text, "a topic cannot be empty or begin with $", "");
    size_t wildcard = strcspn(text, "+#");
    return text[wildcard] ? fail(splitter, text + wildcard,
                                 "a topic to publish to cannot have + or # in it", "")
                          : 0;
}

int template_compile(const char *text, enum template_use use, const struct names *names,
                     struct arena *arena, struct template *ret_template,
                     struct template_fault *ret_fault)
{
    struct splitter splitter = {
        .text = text, .use = use, .names = names, .arena = arena, .fault = ret_fault};
    int result = check_text(&splitter);
    if (result == 0)
        result = split(&splitter);
    if (result)
        return result;
    const struct template_part *parts =
        arena_copy(arena, splitter.parts, splitter.count, sizeof splitter.parts[0]);
    if (!parts)
        return -ENOMEM;
    *ret_template = (struct template){parts, splitter.count};
    return 0;
}
