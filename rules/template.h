/* Template: a text with placeholders, split up once, filled many times.
 *
 * {value} {unit} {sensor} {label} {rule} {severity} {state} {since} {duration} {limit} {time}, and
 * {device.channel} for the newest value of any sensor; `{{` is a brace. A unit that is empty takes
 * the space before it along, so that "{value} {unit}, {state}" reads well without one. */
#pragma once

#include "gateway/base/arena.h"
#include "rules/evaluate.h"
#include "rules/names.h"
#include "rules/rules.h"

#include <stddef.h>
#include <stdint.h>

struct template_part {
    const char *literal; /* NULL: a placeholder */
    uint8_t field;       /* which one */
    uint32_t sensor;     /* of {device.channel}; the slot of {#slot} */
};

struct template
{
    const struct template_part *parts;
    size_t count;
};

/* What a text is filled from. */
struct scene {
    const struct rule_transition *change;
    const char *rule, *label; /* label: of the rule, for one that has no own sensor */
    uint32_t sensor;          /* the own sensor; RULES_NO_SENSOR: none */
    const struct rules_sensor *sensors;
    const struct facts *facts;
    const uint32_t *slots; /* of the instance */
    int64_t now_ms;        /* for what is known of other sensors; the change may be older */
};

/* A topic takes only placeholders that cannot bring a wildcard or a slash into it. Our own texts
 * may also have {#3}, the number in slot 3 of the instance. */
enum template_use { TEMPLATE_TEXT, TEMPLATE_TOPIC, TEMPLATE_OWN };

#define TEMPLATE_TEXT_MAX  2048 /* bytes that a person may write */
#define TEMPLATE_TOPIC_MAX 256

/* What is wrong with a text: at which byte, in words, and what to do. */
struct template_fault {
    size_t offset;
    char words[128], hint[160];
};

/* 0, -EINVAL with `ret_fault`, -ENOMEM. */
int template_compile(const char *text, enum template_use use, const struct names *names,
                     struct arena *arena, struct template *ret_template,
                     struct template_fault *ret_fault);

/* Writes the filled text, cut at a character when `size` ends. Returns `to`. */
char *template_fill(const struct template *template, const struct scene *scene, char *to,
                    size_t size);

/* Writes the newest value of a sensor with its unit, "-16.2 °C"; "unknown" when it is. Returns
 * `to`. */
char *template_value(const struct scene *scene, uint32_t sensor, char *to, size_t size);
