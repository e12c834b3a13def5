#include "gateway/cli/variants.h"

#include "gateway/base/section.h"
#include "gateway/base/text.h"
#include "rules/rules.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A limit that can be varied: by `low` and `high` steps it becomes harder to reach. */
struct limit_key {
    const char *key;           /* as it is written */
    const char *as;            /* the same in a rule */
    int low, high;             /* of what is no pair, `high` is 0 */
    bool moves;                /* hysteresis goes with it */
    const char *clear, *other; /* the key of a fixed end; of the limit on the other side */
};

static const struct limit_key limit_keys[] = {
    {"above", "above", +1, 0, true, "clear_below", NULL},
    {"below", "below", -1, 0, true, "clear_above", NULL},
    {"outside", "outside", -1, +1, true, NULL, NULL},
    {"inside", "inside", +1, -1, true, NULL, NULL},
    {"rises_by", "rises_by", +1, 0, false, NULL, NULL},
    {"falls_by", "falls_by", +1, 0, false, NULL, NULL},
    {"high", "above", +1, 0, true, NULL, "low"},
    {"low", "below", -1, 0, true, NULL, "high"},
};
#define N_LIMIT_KEYS (sizeof(limit_keys) / sizeof(limit_keys[0]))

/* -- what is varied ------------------------------------------------------------------------- */

static bool is_pair(const struct limit_key *limit)
{
    return limit->high != 0;
}

/* Where the key stands: a level has what it has not from its rule. */
static const struct section *holder(const struct variants *variants, const char *key)
{
    bool own = !variants->outer || section_has(variants->section, key);

    return own ? variants->section : variants->outer;
}

/* The limit of a sensor is the one that the instance is called by. */
static const struct limit_key *find_limit(const struct section *section, const char *name)
{
    for (size_t i = 0; i < N_LIMIT_KEYS; i++) {
        const struct limit_key *limit = &limit_keys[i];
        unsigned form = section_form(section, limit->key);
        unsigned wanted = is_pair(limit) ? SETTING_NUMBERS : SETTING_INT | SETTING_NUMBER;

        if ((form & wanted) && (!limit->other || strcmp(limit->key, name) == 0))
            return limit;
    }
    return NULL;
}

/* Other conditions beside the limit need not go with hysteresis. */
static bool is_alone(const struct section *section, const struct limit_key *limit)
{
    static const char *const conditions[] = {"above",  "below",       "outside",   "inside",
                                             "equals", "not_equals",  "rises_by",  "falls_by",
                                             "when",   "no_data_for", "stuck_for", NULL};

    for (size_t i = 0; conditions[i]; i++) {
        if (section_has(section, conditions[i]) && strcmp(conditions[i], limit->key) != 0)
            return false;
    }
    return true;
}

static const char *find_back_key(const struct variants *variants, const struct limit_key *limit)
{
    const struct section *section = variants->section;

    if (limit && limit->clear && section_has(section, limit->clear))
        return limit->clear;
    if (!limit || !limit->moves)
        return NULL;
    return is_alone(section, limit) || section_has(holder(variants, "hysteresis"), "hysteresis")
               ? "hysteresis"
               : NULL;
}

static double back_of(const struct variants *variants, double limit)
{
    const char *key = variants->back_key;
    double number = key ? section_number(holder(variants, key), key) : NAN;

    if (isnan(number))
        return 0;
    return strcmp(key, "hysteresis") == 0 ? number : fabs(limit - number);
}

static struct variant as_it_is(const struct variants *variants)
{
    const struct section *section = variants->section;
    struct variant variant = {.low = (double)NAN, .high = (double)NAN};
    const char *key = variants->limit ? variants->limit->key : NULL;

    if (key && is_pair(variants->limit)) {
        variant.low = section_number_at(section, key, 0);
        variant.high = section_number_at(section, key, 1);
    } else if (key) {
        variant.low = section_number(section, key);
    }
    variant.back = back_of(variants, variant.low);
    variant.for_ms = section_duration_ms(holder(variants, "for"), "for");
    return variant;
}

/* -- by how much ---------------------------------------------------------------------------- */

/* 1, 2 or 5 with zeros, and no more than `number`. */
static double round_down(double number)
{
    double power = pow(10, floor(log10(number)));

    return number >= 5 * power ? 5 * power : number >= 2 * power ? 2 * power : power;
}

/* What people adjust it by, or how far it must go back; else about a twentieth of it. */
static double step_of(const struct variants *variants, const struct variant *is)
{
    const struct section *adjusts = holder(variants, "adjustable");
    double size = isnan(is->high) ? fabs(is->low) : is->high - is->low;

    if (section_count(adjusts, "adjustable") == 3)
        return section_number_at(adjusts, "adjustable", 2);
    if (is->back > 0)
        return is->back;
    return size > 0 ? round_down(size / 20) : 1;
}

/* Without the dust of binary fractions. */
static double tidy(double number)
{
    char text[40];

    text_from_number(text, sizeof(text), number, 9);
    text_to_number(text, &number);
    return number;
}

static size_t choose_backs(const struct variants *variants, double is, double step, double to[3])
{
    if (!variants->back_key) {
        to[0] = is;
        return 1;
    }
    to[0] = is > 0 ? tidy(is / 2) : 0;
    to[1] = is > 0 ? is : step;
    to[2] = tidy(2 * to[1]);
    return 3;
}

static size_t choose_times(int64_t is_ms, int64_t to[4])
{
    static const int64_t minutes[] = {0, 1, 5, 15};

    for (int i = 0; i < 4; i++)
        to[i] = is_ms > 0 ? is_ms * (1 << i) / 2 : minutes[i] * 60000;
    return 4;
}

/* -- the grid ------------------------------------------------------------------------------- */

/* Whether the config would take it. */
static bool is_possible(const struct variants *variants, const struct variant *variant)
{
    const struct limit_key *limit = variants->limit;
    double other = limit && limit->other ? section_number(variants->section, limit->other) : NAN;
    double low = variant->low, high = variant->high;

    if (!limit)
        return true;
    if (limit->other && !isnan(other))
        return (limit->low > 0 ? low - other : other - low) > variant->back;
    if (is_pair(limit))
        return low < high && (limit->low > 0 || 2 * variant->back < high - low);
    return limit->moves || low > 0;
}

static void put(struct variants *variants, const struct variant *is, struct variant variant)
{
    bool same_limit = !variants->limit ||
                      (variant.low == is->low && (isnan(is->high) || variant.high == is->high));

    variant.differs = 2 * !same_limit + (variant.back != is->back) + (variant.for_ms != is->for_ms);
    if (variants->count == VARIANTS_MAX ||
        (variant.differs > 0 && !is_possible(variants, &variant)))
        return;
    if (variant.differs == 0)
        variants->present = variants->count;
    variants->list[variants->count++] = variant;
}

static void put_times(struct variants *variants, const struct variant *is, struct variant variant)
{
    int64_t times[4];
    size_t n = choose_times(is->for_ms, times);

    for (size_t i = 0; i < n; i++) {
        variant.for_ms = times[i];
        put(variants, is, variant);
    }
}

static void make(struct variants *variants)
{
    const struct limit_key *limit = variants->limit;
    struct variant is = as_it_is(variants), variant = is;
    double step = step_of(variants, &is), backs[3];
    size_t n = choose_backs(variants, is.back, step, backs);

    for (int steps = limit ? -2 : 0; steps <= (limit ? 2 : 0); steps++) {
        if (limit && steps != 0) {
            variant.low = tidy(is.low + steps * limit->low * step);
            variant.high = tidy(is.high + steps * limit->high * step);
        } else {
            variant = is;
        }
        for (size_t i = 0; i < n; i++) {
            variant.back = backs[i];
            put_times(variants, &is, variant);
        }
    }
}

/* -- as rules ------------------------------------------------------------------------------- */

/* What decides when it fires; who is told of it, and what is done, is left out, and that somebody
 * must acknowledge it. */
static const char *const kept[] = {
    "sensor",     "sensors",     "above",       "below",       "outside",     "inside",    "equals",
    "not_equals", "rises_by",    "falls_by",    "within",      "no_data_for", "stuck_for", "when",
    "clear_when", "min_samples", "clear_below", "clear_above", "hysteresis",  "for",       "hits",
    "keep_for",   "cooldown",    "if_unknown",  "active",      NULL,
};

static bool is_varied(const struct variants *variants, const char *key)
{
    return strcmp(key, "for") == 0 || (variants->limit && strcmp(key, variants->limit->key) == 0) ||
           (variants->back_key && strcmp(key, variants->back_key) == 0) ||
           (variants->sensor[0] && strcmp(key, "sensors") == 0);
}

static int put_number(struct section *rule, const char *key, double number)
{
    struct place place = section_place(rule, NULL);
    struct value *value = section_add(rule, key, place);

    if (value)
        value_number(value, place, number);
    return value ? 0 : -ENOMEM;
}

static int put_pair(struct section *rule, const char *key, const struct variant *variant)
{
    struct place place = section_place(rule, NULL);
    struct value *list = section_add(rule, key, place), *low, *high;

    if (!list)
        return -ENOMEM;
    value_list(list, place);
    low = value_append(list);
    high = value_append(list);
    if (!low || !high)
        return -ENOMEM;
    value_number(low, place, variant->low);
    value_number(high, place, variant->high);
    return 0;
}

static double clear_of(const struct variants *variants, const struct variant *variant)
{
    if (strcmp(variants->back_key, "hysteresis") == 0)
        return variant->back;
    return tidy(variant->low - variants->limit->low * variant->back);
}

static int fill(struct section *rule, const struct variants *variants,
                const struct variant *variant)
{
    const struct limit_key *limit = variants->limit;
    struct place place = section_place(rule, NULL);
    char text[40];
    int r = 0;

    snprintf(text, sizeof(text), "%lldms", (long long)variant->for_ms);
    if (variant->for_ms > 0)
        r = section_add_text(rule, "for", text, place);
    if (r == 0 && variants->sensor[0])
        r = section_add_text(rule, "sensor", variants->sensor, place);
    if (r == 0 && limit)
        r = is_pair(limit) ? put_pair(rule, limit->as, variant)
                           : put_number(rule, limit->as, variant->low);
    if (r == 0 && variants->back_key)
        r = put_number(rule, variants->back_key, clear_of(variants, variant));
    for (size_t i = 0; r == 0 && kept[i]; i++) {
        if (!is_varied(variants, kept[i]))
            r = section_inherit_key(rule, holder(variants, kept[i]), kept[i]);
    }
    return r;
}

static int add_all(const struct variants *variants, struct section *root, struct problems *problems)
{
    static const struct setting *const tables[] = {rules_settings};
    struct place place = section_place(variants->section, NULL);
    struct section *rules = section_make_group(root, "rules", place);
    int r = rules ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < variants->count; i++) {
        char name[24]; /* no slug: so no other rule has it */
        struct section *rule;

        snprintf(name, sizeof(name), "%zu", i);
        rule = section_make_group(rules, name, place);
        r = rule ? fill(rule, variants, &variants->list[i]) : -ENOMEM;
        if (r == 0 && section_check(rule, tables, 1, problems) > 0)
            r = -EINVAL;
    }
    return r;
}

/* -- door ----------------------------------------------------------------------------------- */

static const struct section *child(const struct section *section, const char *key)
{
    return section ? section_child(section, key) : NULL;
}

/* The limits of the sensor "device.channel", wherever it is described. */
static const struct section *find_limits(const struct section *root, const char *sensor)
{
    static const char *const places[] = {"devices", "derived"};
    const char *dot = strchr(sensor, '.');
    const struct section *limits = NULL;
    char device[136];

    if (!dot)
        return NULL;
    snprintf(device, sizeof(device), "%.*s", (int)(dot - sensor), sensor);
    for (size_t i = 0; !limits && i < 2; i++)
        limits = child(child(child(child(child(root, places[i]), device), "channels"), dot + 1),
                       "limits");
    return limits;
}

/* The section of the rule that is called `rule`, and has the sensor of `variants`. */
static const struct section *find_rule(const struct variants *variants, const struct section *root,
                                       const char *rule)
{
    if (variants->sensor[0] && (strcmp(rule, "high") == 0 || strcmp(rule, "low") == 0))
        return find_limits(root, variants->sensor);
    return child(child(root, "rules"), rule);
}

/* The names of all levels of a rule, "boiler_levels/warning, boiler_levels/critical". */
static void name_levels(const struct section *section, const char *rule, char to[300])
{
    size_t length = 0;

    for (size_t i = 0; i < section_count(section, "levels"); i++)
        text_append(to, 300, &length, "%s%s/%s", i == 0 ? "write " : ", ", rule,
                    section_text(section_group_at(section, "levels", i), "severity"));
}

/* Goes into the level that `severity` names; NULL: none was named. */
static bool choose_level(struct variants *variants, const char *rule, const char *severity,
                         struct problems *problems)
{
    const struct section *section = variants->section;
    size_t n = section_count(section, "levels");
    char hint[300] = "";

    for (size_t i = 0; severity && i < n; i++) {
        const struct section *level = section_group_at(section, "levels", i);

        if (strcmp(section_text(level, "severity"), severity) != 0)
            continue;
        variants->section = level;
        variants->outer = section;
        return true;
    }
    if (n == 0 && !severity)
        return true;
    name_levels(section, rule, hint);
    if (severity)
        problem_error(problems, section_place(section, "levels"), hint,
                      "rule \"%s\" has no level \"%s\"", rule, severity);
    else
        problem_error(problems, section_place(section, "levels"), hint,
                      "rule \"%s\" has levels, each with its own limit", rule);
    return false;
}

static void note_place(struct variants *variants)
{
    struct place place = section_place(variants->section, NULL);
    uint32_t line, column;

    place_line_column(place, &line, &column);
    snprintf(variants->place, sizeof(variants->place), "%s:%u",
             place.source ? place.source->name : "", line);
}

/* "boiler_levels/critical@boiler.flow_temp" */
int variants_add(struct variants *variants, const char *name, struct section *root,
                 struct problems *problems)
{
    size_t length = strcspn(name, "@");
    char rule[136], *severity;

    *variants = (struct variants){0};
    snprintf(rule, sizeof(rule), "%.*s", (int)length, name);
    severity = strchr(rule, '/');
    if (severity)
        *severity++ = '\0';
    text_copy(variants->sensor, sizeof(variants->sensor), name[length] ? name + length + 1 : "");
    variants->section = find_rule(variants, root, rule);
    if (!variants->section) {
        problem_error(problems, (struct place){0}, "`thermogate rules list` shows them",
                      "there is no rule \"%.130s\"", name);
        return -EINVAL;
    }
    if (!choose_level(variants, rule, severity, problems))
        return -EINVAL;
    variants->limit = find_limit(variants->section, rule);
    variants->back_key = find_back_key(variants, variants->limit);
    note_place(variants);
    make(variants);
    return add_all(variants, root, problems);
}

bool variants_find(const struct variants *variants, const char *rule, size_t *ret_variant)
{
    char *end;
    unsigned long number = strtoul(rule, &end, 10);

    *ret_variant = number;
    return end != rule && *end == '\0' && number < variants->count;
}

const char *variants_limit_name(const struct variants *variants)
{
    return variants->limit ? variants->limit->key : "";
}

const char *variant_limit(const struct variant *variant, char to[80])
{
    char low[40], high[40] = "";

    text_from_number(low, sizeof(low), variant->low, -1);
    if (!isnan(variant->high))
        text_from_number(high, sizeof(high), variant->high, -1);
    snprintf(to, 80, "%s%s%s", isnan(variant->low) ? "-" : low, high[0] ? ", " : "", high);
    return to;
}

const char *variant_line(const struct variants *variants, const struct variant *variant,
                         char to[200])
{
    const struct limit_key *limit = variants->limit;
    char limit_text[80], number[40], time[40];
    size_t length = 0;

    to[0] = '\0';
    if (limit)
        text_append(to, 200, &length, is_pair(limit) ? "%s = ( %s ); " : "%s = %s; ", limit->key,
                    variant_limit(variant, limit_text));
    text_from_number(number, sizeof(number), variants->back_key ? clear_of(variants, variant) : 0,
                     -1);
    if (variants->back_key)
        text_append(to, 200, &length, "%s = %s; ", variants->back_key, number);
    text_append(to, 200, &length, "for = \"%s\"",
                variant->for_ms > 0 ? text_from_duration(time, sizeof(time), variant->for_ms)
                                    : "0s");
    return to;
}
