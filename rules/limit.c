#include "rules/limit.h"

#include "rules/condition.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* -- compiling -- */

static bool is_adjustable(const struct section *section)
{
    return section_form(section, "adjustable") == SETTING_NUMBERS ||
           section_bool(section, "adjustable");
}

/* `true` is any number; else least, most and step. */
static bool read_range(struct compiler *compiler, struct limit *limit)
{
    const struct section *section = compile_holder(compiler, "adjustable");
    limit->min = (double)-INFINITY;
    limit->max = (double)INFINITY;
    if (section_form(section, "adjustable") != SETTING_NUMBERS)
        return true;
    bool three = section_count(section, "adjustable") == 3;
    limit->min = section_number_at(section, "adjustable", 0);
    limit->max = three ? section_number_at(section, "adjustable", 1) : 0;
    limit->step = three ? section_number_at(section, "adjustable", 2) : 0;
    if (three && limit->min < limit->max && limit->step > 0 &&
        limit->step <= limit->max - limit->min)
        return true;
    compile_error(compiler, "adjustable", "write ( least, most, step ), or true for any number",
                  "adjustable has no range of three numbers");
    return false;
}

/* A range in which the fixed keys leave no room would offer what is then refused. */
static bool check_range(struct compiler *compiler, const struct limit *limit, const char *option)
{
    if (limit->file < limit->min || limit->file > limit->max)
        compile_error(compiler, "adjustable", NULL, "\"%s\" itself is not in the range", option);
    else if (isfinite(limit->min) && (limit->min < limit->floor || limit->max > limit->ceiling))
        compile_error(compiler, "adjustable", "it would clear while it still fires",
                      "the range goes beyond \"%s\"", limit->edge);
    else
        return true;
    return false;
}

static void set_edge(const struct term *term, struct limit *limit)
{
    limit->floor = (double)-INFINITY;
    limit->ceiling = (double)INFINITY;
    if (!term->has_clear)
        return;
    limit->edge = plain_clear_option(term->plain); /* in the code of the room: lives for ever */
    if (term->plain == ABOVE)
        limit->floor = term->clear;
    else
        limit->ceiling = term->clear;
}

/* Of levels the key begins with the severity, of which each is there once: "warning_above". */
static const char *name_limit(struct condition *condition, const struct term *term, const char *end)
{
    struct compiler *compiler = condition->compiler;
    bool of_level = compiler->outer != NULL;
    const char *key = arena_format(&compiler->catalog->arena, "%s%s%s%s",
                                   of_level ? rule_severity_name(condition->level->severity) : "",
                                   of_level ? "_" : "", term->option, end);
    compiler->no_memory |= !key;
    return key;
}

/* Makes a number of `term` a limit; `end` is "_low" or "_high" of a pair, else "". */
static bool add_limit(struct condition *condition, const struct term *term, const char *end,
                      struct bound *bound)
{
    struct compiler *compiler = condition->compiler;
    struct rule *rule = condition->rule;
    struct limit *limit = &rule->limits[rule->n_limits];
    int slot = rule->n_limits < RULES_LIMITS_MAX ? scope_limit(condition->scope) : -E2BIG;
    if (slot < 0) {
        compile_error(compiler, term->option, NULL, "it has too many numbers to adjust: %d at most",
                      RULES_LIMITS_MAX);
        return false;
    }
    if (!read_range(compiler, limit))
        return false;
    limit->key = name_limit(condition, term, end);
    limit->option = term->option;
    limit->file = bound->number;
    limit->other = LIMIT_ALONE;
    limit->slot = (uint16_t)slot;
    set_edge(term, limit);
    bound->kind = BOUND_LIMIT;
    bound->slot = limit->slot;
    rule->n_limits++;
    return check_range(compiler, limit, term->option);
}

/* The last two limits, first the lower one, may not come nearer to each other than `gap`. */
static void join_limits(struct rule *rule, uint8_t lower, uint8_t upper, double gap)
{
    rule->limits[lower].other = upper;
    rule->limits[upper].other = lower;
    rule->limits[lower].is_lower = true;
    rule->limits[lower].gap = rule->limits[upper].gap = gap;
}

static bool add_limits_of(struct condition *condition, struct term *term)
{
    struct rule *rule = condition->rule;
    unsigned form = section_form(condition->compiler->section, term->option);
    if (term->a.kind != BOUND_NUMBER || form == SETTING_BOOL)
        return true;
    if (!plain_is_pair(term->plain))
        return add_limit(condition, term, "", &term->a);
    if (!add_limit(condition, term, "_low", &term->a) ||
        !add_limit(condition, term, "_high", &term->b))
        return false;
    join_limits(rule, rule->n_limits - 2, rule->n_limits - 1,
                term->plain == OUTSIDE ? 2 * term->hysteresis : 0);
    return true;
}

/* The limit that a term of this level became; they begin at `first`. */
static uint8_t limit_of(const struct rule *rule, uint8_t first, const char *option)
{
    for (uint8_t i = first; i < rule->n_limits; i++)
        if (strcmp(rule->limits[i].option, option) == 0)
            return i;
    return LIMIT_ALONE;
}

/* `above` and `below` of one level must leave something between them; `low` and `high` of a sensor
 * are two rules, whose instances know each other. */
static void join_terms(struct condition *condition, uint8_t first)
{
    struct rule *rule = condition->rule;
    uint8_t above = LIMIT_ALONE, below = LIMIT_ALONE;
    for (size_t i = 0; i < condition->count; i++) {
        const struct term *term = &condition->terms[i];
        uint8_t limit = limit_of(rule, first, term->option);
        if (limit != LIMIT_ALONE && term->plain == ABOVE)
            above = limit;
        if (limit != LIMIT_ALONE && term->plain == BELOW)
            below = limit;
    }
    if (above != LIMIT_ALONE && below != LIMIT_ALONE)
        join_limits(rule, above, below, 0);
    bool low = limit_find(rule, "low") == 0;
    if (!low && limit_find(rule, "high") != 0)
        return;
    rule->limits[0].other = LIMIT_PARTNER;
    rule->limits[0].is_lower = low;
    rule->limits[0].gap = condition->terms[0].hysteresis;
}

bool limits_compile(struct condition *condition)
{
    struct compiler *compiler = condition->compiler;
    struct rule *rule = condition->rule;
    uint8_t first = rule->n_limits;
    if (!is_adjustable(compile_holder(compiler, "adjustable")))
        return true;
    if (!rule->limits)
        rule->limits =
            arena_take(&compiler->catalog->arena, RULES_LIMITS_MAX * sizeof *rule->limits);
    if (!rule->limits) {
        compiler->no_memory = true;
        return false;
    }
    for (size_t i = 0; i < condition->count; i++)
        if (!add_limits_of(condition, &condition->terms[i]) || compiler->no_memory)
            return false;
    if (rule->n_limits == first) {
        compile_error(compiler, "adjustable", NULL, "it has no number that could be adjusted");
        return false;
    }
    join_terms(condition, first);
    return true;
}

/* -- running -- */

uint8_t limit_find(const struct rule *rule, const char *key)
{
    for (uint8_t i = 0; i < rule->n_limits; i++)
        if (strcmp(rule->limits[i].key, key) == 0)
            return i;
    return LIMIT_ALONE;
}

static struct fact *fact_of(const struct catalog *catalog, const struct instance *instance,
                            uint8_t limit)
{
    return &catalog->facts.at[instance->slots[instance->rule->limits[limit].slot]];
}

double limit_value(const struct catalog *catalog, const struct instance *instance, uint8_t limit)
{
    return fact_of(catalog, instance, limit)->number;
}

void limit_set(struct catalog *catalog, struct instance *instance, uint8_t limit, double value)
{
    uint8_t bit = (uint8_t)(1u << limit);
    fact_of(catalog, instance, limit)->number = value;
    if (value == instance->rule->limits[limit].file)
        instance->adjusted &= (uint8_t)~bit;
    else
        instance->adjusted |= bit;
}

static const char *say(char text[400], double number)
{
    text_from_number(text, 400, number, -1);
    return text;
}

/* Steps count from the least value; what arithmetic with decimals leaves over is forgiven. */
static bool is_on_step(const struct limit *limit, double value)
{
    double steps = limit->step > 0 ? (value - limit->min) / limit->step : 0;
    return fabs(steps - round(steps)) < 1e-6;
}

int limit_check(const struct limit *limit, double value, struct error *reterr)
{
    char a[400], b[400], c[400];
    if (!isfinite(value))
        return error_set(reterr, -EINVAL, "%s needs a number", limit->key);
    if (value < limit->min || value > limit->max)
        return error_set(reterr, -ERANGE, "%s goes from %s to %s, not to %s", limit->key,
                         say(a, limit->min), say(b, limit->max), say(c, value));
    if (!is_on_step(limit, value))
        return error_set(reterr, -ERANGE, "%s goes in steps of %s from %s, not to %s", limit->key,
                         say(a, limit->step), say(b, limit->min), say(c, value));
    if (value < limit->floor || value > limit->ceiling)
        return error_set(reterr, -ERANGE,
                         "%s %s is on the wrong side of %s %s: it would clear while it still fires",
                         limit->key, say(a, value), limit->edge,
                         say(b, value < limit->floor ? limit->floor : limit->ceiling));
    return 0;
}

int limit_check_other(const struct catalog *catalog, const struct instance *instance, uint8_t limit,
                      double value, struct error *reterr)
{
    const struct limit *own = &instance->rule->limits[limit];
    const struct instance *holder = instance;
    uint8_t other = own->other;
    char a[400], b[400], c[400];
    if (other == LIMIT_PARTNER && instance->partner != RULES_NO_INSTANCE) {
        holder = &catalog->instances[instance->partner];
        other = holder->rule->n_limits > 0 ? 0 : LIMIT_ALONE;
    }
    if (other >= LIMIT_PARTNER)
        return 0;
    double across = limit_value(catalog, holder, other);
    if ((own->is_lower ? across - value : value - across) > own->gap)
        return 0;
    return error_set(
        reterr, -ERANGE, "%s %s leaves no room: %s is %s, and more than %s must be between",
        own->key, say(a, value), holder->rule->limits[other].key, say(b, across), say(c, own->gap));
}
