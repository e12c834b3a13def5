/* The catalog: every rule and every instance, made once from the config. */
#include "gateway/base/clock.h"
#include "rules/compile.h"
#include "rules/rule.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- sensors -- */

/* Its texts stay where they are: there are many, and whoever described the sensors has them. */
static struct rules_sensor copy_sensor(const struct rules_sensor *from)
{
    struct rules_sensor to = *from;
    if (!to.label)
        to.label = to.id;
    if (!to.unit)
        to.unit = "";
    return to;
}

static int copy_sensors(struct catalog *catalog, const struct rules_config *config)
{
    size_t n = config->n_sensors;
    const char **ids = calloc(n, sizeof *ids);
    catalog->sensors = arena_take(&catalog->arena, n * sizeof *catalog->sensors);
    for (size_t i = 0; ids && catalog->sensors && i < n; i++) {
        catalog->sensors[i] = copy_sensor(&config->sensors[i]);
        ids[i] = catalog->sensors[i].id;
    }
    catalog->n_sensors = (uint32_t)n;
    if (ids && catalog->sensors)
        catalog->names = names_new(ids, (uint32_t)n);
    free(ids);
    return catalog->names ? 0 : -ENOMEM;
}

bool catalog_rule_is(const void *owner, uint32_t number, enum rule_what what)
{
    const struct catalog *catalog = owner;
    const struct rule_range *range = &catalog->ranges[number];
    for (uint32_t i = range->first; i < range->end; i++) {
        const struct instance *instance = &catalog->instances[i];
        if (instance->rule->number == number && instance_fires(instance) &&
            (what == RULE_IS_FIRING || instance->last.acked))
            return true;
    }
    return false;
}

/* That of a derived sensor is the one of all that it is made of. */
static void find_bus(struct fact *facts, const struct derived *derived)
{
    uint32_t bus = RULES_NO_SENSOR, source;
    size_t sources = 0;
    for (size_t i = 0; formula_source(&derived->formula, derived->sensor, i, &source); i++) {
        if (source == RULES_NO_SENSOR)
            continue;
        bus = sources++ == 0 || bus == facts[source].bus ? facts[source].bus : RULES_NO_SENSOR;
        if (bus == source) /* that a bus is down is no want of readings */
            bus = RULES_NO_SENSOR;
        if (bus == RULES_NO_SENSOR)
            break;
    }
    facts[derived->sensor].bus = bus;
}

static void find_buses(struct catalog *catalog, const struct rules_config *config,
                       struct fact *facts)
{
    for (uint32_t i = 0; i < catalog->n_sensors; i++)
        facts[i].bus = RULES_NO_SENSOR;
    for (uint32_t i = 0; i < catalog->n_sensors; i++) {
        const char *bus = rules_origin_of(config, i).bus;
        uint32_t sensor = bus ? names_find(catalog->names, bus) : RULES_NO_SENSOR;
        if (sensor != RULES_NO_SENSOR)
            facts[i].bus = facts[sensor].bus = sensor;
    }
    for (uint32_t i = 0; i < catalog->n_derived; i++)
        find_bus(facts, &catalog->derived[i]);
}

static int make_facts(struct catalog *catalog, const struct rules_config *config)
{
    struct fact *facts = calloc(catalog->n_sensors + 1, sizeof *facts);
    if (!facts)
        return -ENOMEM;
    for (uint32_t i = 0; i < catalog->n_sensors; i++) {
        int64_t stale_ms = catalog->sensors[i].stale_ms;
        facts[i].stale_ms = stale_ms > 0 ? stale_ms : CLOCK_NEVER;
        facts[i].is_event = catalog->sensors[i].event;
        facts[i].wanted_kind = catalog->sensors[i].text ? VALUE_TEXT : VALUE_NUMBER;
        facts[i].at_ms = INT64_MIN;
        facts[i].due_ms = CLOCK_NEVER;
        facts[i].quality = QUALITY_NOT_READ;
    }
    for (uint32_t i = 0; i < catalog->n_derived; i++)
        facts[catalog->derived[i].sensor].is_derived = true;
    find_buses(catalog, config, facts);
    catalog->facts = (struct facts){
        .at = facts, .texts = config->texts, .rule_is = catalog_rule_is, .owner = catalog};
    catalog->n_facts = catalog->n_sensors;
    return 0;
}

/* Rules of one name have a number: their place in the config; then come low and high. */
static int name_rules(struct catalog *catalog, const struct rules_config *config)
{
    uint32_t n = 0;
    while (config->rules && section_key(config->rules, n))
        n++;
    const char **names = arena_take(&catalog->arena, (n + 2) * sizeof *names);
    if (!names)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (!(names[i] = arena_text(&catalog->arena, section_key(config->rules, i))))
            return -ENOMEM;
    names[n] = "low";
    names[n + 1] = "high";
    catalog->rule_ids = names;
    catalog->n_rules = n + 2;
    catalog->rule_names = names_new(names, n + 2);
    catalog->ranges = arena_take(&catalog->arena, (n + 2) * sizeof *catalog->ranges);
    return catalog->rule_names && catalog->ranges ? 0 : -ENOMEM;
}

static int make_windows(struct catalog *catalog)
{
    catalog->facts.windows =
        windows_new(catalog->sensors, catalog->n_sensors, catalog->facts.texts);
    return catalog->facts.windows ? 0 : -ENOMEM;
}

/* Every instance has its own value of each adjustable limit: a fact that is always known. */
static int make_limit_facts(struct catalog *catalog)
{
    struct fact *grown =
        reallocarray(catalog->facts.at, (size_t)catalog->n_facts + 1, sizeof *grown);
    if (!grown)
        return -ENOMEM;
    catalog->facts.at = grown;
    for (uint32_t i = 0; i < catalog->n_instances; i++) {
        const struct instance *instance = &catalog->instances[i];
        for (uint8_t l = 0; l < instance->rule->n_limits; l++) {
            const struct limit *limit = &instance->rule->limits[l];
            grown[instance->slots[limit->slot]] = (struct fact){
                .number = limit->file, .kind = VALUE_NUMBER, .fresh_until_ms = CLOCK_NEVER};
        }
    }
    return 0;
}

/* -- instances -- */

static int make_room(struct catalog *catalog)
{
    if (catalog->n_instances < catalog->capacity)
        return 0;
    uint32_t capacity = catalog->capacity ? catalog->capacity * 2 : 64;
    struct instance *grown = reallocarray(catalog->instances, capacity, sizeof *grown);
    if (!grown)
        return -ENOMEM;
    catalog->instances = grown;
    catalog->capacity = capacity;
    return 0;
}

/* Of limits people read "Boiler flow_temp high"; a rule over many has its id where it has no label.
 */
static const char *label_instance(struct catalog *catalog, const struct rule *rule, uint32_t sensor,
                                  const char *id)
{
    if (rule->label)
        return rule->label;
    if (!rule->of_limits)
        return id;
    return arena_format(&catalog->arena, "%s %s", catalog->sensors[sensor].label, rule->name);
}

static int name_instance(struct catalog *catalog, const struct rule *rule, uint32_t sensor,
                         struct instance *instance)
{
    struct arena *arena = &catalog->arena;
    const char *id = sensor == RULES_NO_SENSOR ? NULL : catalog->sensors[sensor].id;
    instance->id = rule->many ? arena_format(arena, "%s@%s", rule->name, id) : rule->name;
    instance->label = label_instance(catalog, rule, sensor, instance->id);
    instance->summary = id ? arena_format(arena, "%s %s", id, rule->words) : rule->words;
    return instance->id && instance->label && instance->summary ? 0 : -ENOMEM;
}

static struct instance new_instance(const struct rule *rule, uint32_t index)
{
    return (struct instance){
        .rule = rule,
        .partner = RULES_NO_INSTANCE,
        .due_ms = CLOCK_NEVER,
        .look_ms = CLOCK_NEVER,
        .lost_ms = CLOCK_NEVER,
        .cleared_ms = CLOCK_NEVER,
        .active_ms = CLOCK_NEVER,
        .cool_ms = INT64_MIN,
        .cut_ms = INT64_MIN,
        .reminder = {.resumed_ms = CLOCK_NEVER},
        .wall_fired_ms = CLOCK_NEVER,
        .wall_muted_ms = CLOCK_NEVER,
        .last = {.instance = index,
                 .severity = rule->levels->severity,
                 .since_ms = CLOCK_NEVER,
                 .fired_ms = CLOCK_NEVER,
                 .muted_until_ms = CLOCK_NEVER,
                 .limit = (double)NAN},
    };
}

static bool make_lives(struct compiler *compiler, struct instance *instance)
{
    uint8_t n = instance->rule->n_levels;
    instance->lives = arena_take(&compiler->catalog->arena, n * sizeof *instance->lives);
    compiler->no_memory |= !instance->lives;
    for (uint8_t i = 0; instance->lives && i < n; i++)
        instance->lives[i] = life_new();
    return instance->lives != NULL;
}

static void add_instance(struct compiler *compiler, const struct rule *rule, uint32_t sensor)
{
    struct catalog *catalog = compiler->catalog;
    struct instance instance = new_instance(rule, catalog->n_instances);
    if (catalog->n_instances == RULE_INSTANCES_MAX) {
        compile_error(compiler, "sensors", NULL, "all rules together have more than %d instances",
                      RULE_INSTANCES_MAX);
        return;
    }
    if (!compile_instance_slots(compiler, rule, sensor, &instance) ||
        !make_lives(compiler, &instance))
        return;
    if (make_room(catalog) || name_instance(catalog, rule, sensor, &instance)) {
        compiler->no_memory = true;
        return;
    }
    struct rule_range *range = &catalog->ranges[rule->number];
    if (range->end == 0)
        range->first = catalog->n_instances;
    catalog->instances[catalog->n_instances++] = instance;
    range->end = catalog->n_instances;
}

/* -- rules -- */

/* The sensors that a glob means, in the order of the inventory; all must give the same kind. */
static void add_matching(struct compiler *compiler, const char *name)
{
    const struct catalog *catalog = compiler->catalog;
    const char *glob = section_text(compiler->section, "sensors");
    const struct rules_sensor *first = NULL;
    const struct rule *rule = NULL;
    for (uint32_t i = 0; i < catalog->n_sensors && !compiler->no_memory; i++) {
        const struct rules_sensor *sensor = &catalog->sensors[i];
        if (!text_glob(glob, sensor->id))
            continue;
        if (!first) {
            struct rule *made = compile_rule(compiler, name, plain_of_rules, sensor);
            if (!made)
                return;
            made->many = true;
            first = sensor;
            rule = made;
        } else if (sensor->text != first->text) {
            compile_error(compiler, "sensors", "write a rule for each kind",
                          "\"%s\" gives %s, \"%s\" gives %s", first->id,
                          first->text ? "texts" : "numbers", sensor->id,
                          sensor->text ? "texts" : "numbers");
            return;
        }
        add_instance(compiler, rule, i);
    }
    if (!first && !compiler->config->more_come)
        problem_warning(compiler->problems, section_place(compiler->section, "sensors"),
                        "sensors are named device.channel", "%s: no sensor matches \"%s\"",
                        compiler->who, glob);
}

static void add_single(struct compiler *compiler, const char *name)
{
    const char *id = section_text(compiler->section, "sensor");
    uint32_t sensor = names_find(compiler->catalog->names, id);
    if (sensor == NAMES_NONE && strpbrk(id, "*?")) {
        compile_error(compiler, "sensor", "write sensors = ... for a pattern",
                      "\"%s\" is no sensor but a pattern", id);
        return;
    }
    if (sensor == NAMES_NONE) {
        compile_unknown_sensor(compiler, "sensor", id);
        return;
    }
    struct rule *rule =
        compile_rule(compiler, name, plain_of_rules, &compiler->catalog->sensors[sensor]);
    if (rule)
        add_instance(compiler, rule, sensor);
}

/* Whether the conditions themselves say what they read. */
static bool is_free(const struct section *section)
{
    size_t count = section_count(section, "levels");
    if (section_has(section, "when"))
        return true;
    for (size_t i = 0; i < count; i++) {
        const struct section *level = section_group_at(section, "levels", i);
        if (!level || !section_has(level, "when"))
            return false;
    }
    return count > 0;
}

/* A rule whose condition names all that it reads. */
static void add_free(struct compiler *compiler, const char *name)
{
    struct rule *rule = compile_rule(compiler, name, plain_of_rules, NULL);
    if (rule)
        add_instance(compiler, rule, RULES_NO_SENSOR);
}

static void add_rule(struct compiler *compiler, const char *name)
{
    bool one = section_text(compiler->section, "sensor") != NULL;
    bool many = section_text(compiler->section, "sensors") != NULL;
    snprintf(compiler->who, sizeof compiler->who, "rule \"%.63s\"", name);
    if (strcmp(name, "low") == 0 || strcmp(name, "high") == 0)
        compile_error(compiler, NULL, "choose another name",
                      "the name belongs to the limits of sensors");
    else if (!one && !many && is_free(compiler->section))
        add_free(compiler, name);
    else if (one == many)
        compile_error(compiler, NULL,
                      "write sensor = \"device.channel\" or sensors = \"*.channel\"",
                      one ? "it has both sensor and sensors" : "it names no sensor");
    else if (many)
        add_matching(compiler, name);
    else
        add_single(compiler, name);
}

static void add_rules(struct compiler *compiler, const struct rules_config *config)
{
    const char *name;
    if (!config->rules)
        return;
    for (size_t i = 0; (name = section_key(config->rules, i)) && !compiler->no_memory; i++) {
        compiler->section = section_child(config->rules, name);
        if (compiler->section) /* else told when the section was checked */
            add_rule(compiler, name);
    }
}

/* -- limits of sensors -- */

static bool check_limits(struct compiler *compiler)
{
    const struct section *section = compiler->section;
    double low = section_number(section, "low"), high = section_number(section, "high");
    double hysteresis = section_number(section, "hysteresis");
    if (!section_has(section, "low") && !section_has(section, "high"))
        compile_error(compiler, NULL, "add low = ... or high = ...",
                      "there is neither low nor high");
    else if (low >= high) /* false when one is not there, or is another sensor */
        compile_error(compiler, "low", NULL, "low must be less than high");
    else if (hysteresis >= high - low)
        compile_error(compiler, "hysteresis", "it must be less than the distance of low and high",
                      "hysteresis reaches from one limit to the other");
    else
        return true;
    return false;
}

/* `other` is the option of the other limit in the same section: no part of this one's condition. */
static void add_limit(struct compiler *compiler, uint32_t sensor,
                      const struct plain_option *options, const char *other)
{
    const char *name = options[0].option;
    if (!section_has(compiler->section, name))
        return;
    struct rule *rule = compile_rule(compiler, name, options, &compiler->catalog->sensors[sensor]);
    if (!rule)
        return;
    rule->many = rule->of_limits = true;
    rule->print = compile_print(compiler->section, other);
    add_instance(compiler, rule, sensor);
}

static void add_limits_of(struct compiler *compiler, uint32_t sensor)
{
    struct catalog *catalog = compiler->catalog;
    uint32_t first = catalog->n_instances;
    size_t errors = problems_errors(compiler->problems);
    add_limit(compiler, sensor, plain_of_low, "high");
    if (problems_errors(compiler->problems) == errors) /* most would be told twice */
        add_limit(compiler, sensor, plain_of_high, "low");
    if (catalog->n_instances == first + 2) {
        catalog->instances[first].partner = first + 1;
        catalog->instances[first + 1].partner = first;
    }
}

static void add_limits(struct compiler *compiler, const struct rules_config *config)
{
    for (uint32_t i = 0; i < config->n_sensors && !compiler->no_memory; i++) {
        compiler->section = rules_origin_of(config, i).limits;
        if (!compiler->section)
            continue;
        snprintf(compiler->who, sizeof compiler->who, "limits of \"%.127s\"",
                 config->sensors[i].id);
        if (check_limits(compiler))
            add_limits_of(compiler, i);
    }
}

static int index_instances(struct catalog *catalog)
{
    const char **ids = malloc(((size_t)catalog->n_instances + 1) * sizeof *ids);
    for (uint32_t i = 0; ids && i < catalog->n_instances; i++)
        ids[i] = catalog->instances[i].id;
    if (ids)
        catalog->instance_names = names_new(ids, catalog->n_instances);
    free(ids);
    return catalog->instance_names ? 0 : -ENOMEM;
}

/* -- what tests ask -- */

static void add_probes(struct compiler *compiler, const struct section *probes)
{
    struct catalog *catalog = compiler->catalog;
    const char *key;
    size_t n = 0;
    while (section_key(probes, n))
        n++;
    catalog->probes = arena_take(&catalog->arena, n * sizeof *catalog->probes);
    compiler->no_memory |= !catalog->probes;
    compiler->section = probes;
    snprintf(compiler->who, sizeof compiler->who, "expression");
    for (size_t i = 0; i < n && (key = section_key(probes, i)) && !compiler->no_memory; i++) {
        struct formula *probe = &catalog->probes[catalog->n_probes++];
        if (compile_formula(compiler, key, NULL, TYPE_ANY, probe))
            probe->slots = compile_slots(compiler, &probe->reads, RULES_NO_SENSOR);
    }
}

/* -- all of it -- */

int catalog_build(struct catalog *catalog, const struct rules_config *config,
                  struct problems *problems)
{
    size_t errors = problems_errors(problems);
    struct compiler compiler = {.catalog = catalog, .config = config, .problems = problems};
    catalog->memory = config->memory ? config->memory : RULES_MEMORY;
    if (copy_sensors(catalog, config))
        return -ENOMEM;
    compile_derived(&compiler);
    if (compiler.no_memory || make_facts(catalog, config) || name_rules(catalog, config) ||
        make_windows(catalog))
        return -ENOMEM;
    compile_derived_slots(&compiler);
    add_rules(&compiler, config);
    add_limits(&compiler, config);
    if (config->probes)
        add_probes(&compiler, config->probes);
    compile_ranks(&compiler);
    compile_holds(&compiler);
    if (compiler.no_memory || make_limit_facts(catalog) || index_instances(catalog))
        return -ENOMEM;
    if (problems_errors(problems) > errors)
        return -EINVAL;
    return windows_build(catalog->facts.windows);
}

bool catalog_source(const struct catalog *catalog, const struct instance *instance, size_t i,
                    uint32_t *ret_source)
{
    const struct reads *reads = &instance->rule->reads;
    if (i < reads->n_slots) {
        uint32_t fact = instance->slots[i]; /* others are windows and limits */
        *ret_source = fact < catalog->n_sensors ? fact : RULES_NO_SENSOR;
        return true;
    }
    i -= reads->n_slots;
    for (uint16_t g = 0; g < reads->n_groups; i -= reads->groups[g++]->count) {
        if (i < reads->groups[g]->count) {
            *ret_source = reads->groups[g]->at[i];
            return true;
        }
    }
    if (i < reads->n_asks)
        *ret_source = catalog->n_sensors + reads->asks[i];
    return i < reads->n_asks;
}

void catalog_release(struct catalog *catalog)
{
    free(catalog->instances);
    free(catalog->group_names);
    free(catalog->facts.at);
    names_free(catalog->names);
    names_free(catalog->instance_names);
    names_free(catalog->rule_names);
    windows_free(catalog->facts.windows);
    arena_free(&catalog->arena);
}
