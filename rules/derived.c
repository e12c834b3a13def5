/* Derived sensors: in which order they are reckoned, and what they inherit of those they are made
 * of. A walk through the sensors, depth first: each derived one after those it reads. */
#include "gateway/base/clock.h"
#include "rules/compile.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAIN_MAX 1000 /* derived of derived: nobody writes more */

enum visit { NOT_SEEN, ON_THE_WAY, DONE };

struct walk {
    struct compiler *compiler;
    struct formula *formulas; /* by sensor; those with a length of 0 are none */
    uint8_t *visits;          /* enum visit, by sensor */
};

static void enter_section(struct compiler *compiler, uint32_t sensor)
{
    compiler->section = rules_origin_of(compiler->config, sensor).derived;
    snprintf(compiler->who, sizeof compiler->who, "derived sensor \"%.127s\"",
             compiler->config->sensors[sensor].id);
}

/* As often as the most frequent of them, and no older than each of them may become. */
static void inherit(struct catalog *catalog, struct rules_sensor *to, uint32_t from)
{
    const struct rules_sensor *sensor = &catalog->sensors[from];
    if (sensor->every_ms > 0 && (to->every_ms == 0 || sensor->every_ms < to->every_ms))
        to->every_ms = sensor->every_ms;
    if (sensor->stale_ms > 0 && (to->stale_ms == 0 || sensor->stale_ms < to->stale_ms))
        to->stale_ms = sensor->stale_ms;
    if (sensor->every_ms == 0 && sensor->max_rate > to->max_rate)
        to->max_rate = sensor->max_rate;
}

static void visit(struct walk *walk, uint32_t sensor, unsigned depth);

static void visit_sources(struct walk *walk, uint32_t sensor, unsigned depth)
{
    struct catalog *catalog = walk->compiler->catalog;
    uint32_t source;
    size_t sources = 0;
    for (size_t i = 0; formula_source(&walk->formulas[sensor], sensor, i, &source); i++) {
        if (source == RULES_NO_SENSOR)
            continue;
        visit(walk, source, depth + 1);
        inherit(catalog, &catalog->sensors[sensor], source);
        sources++;
    }
    enter_section(walk->compiler, sensor);
    if (sources == 0)
        compile_error(walk->compiler, "value", "write the number where it is used",
                      "it reads no sensor");
}

static void visit(struct walk *walk, uint32_t sensor, unsigned depth)
{
    struct catalog *catalog = walk->compiler->catalog;
    struct formula *formula = &walk->formulas[sensor];
    if (formula->code.length == 0 || walk->visits[sensor] == DONE)
        return;
    if (walk->visits[sensor] == ON_THE_WAY || depth == CHAIN_MAX) {
        enter_section(walk->compiler, sensor);
        compile_error(walk->compiler, "value", "one of them must be read from a device",
                      "it is made of itself, or of others that are made of it");
        return;
    }
    walk->visits[sensor] = ON_THE_WAY;
    visit_sources(walk, sensor, depth);
    walk->visits[sensor] = DONE;
    catalog->derived[catalog->n_derived++] = (struct derived){*formula, sensor};
}

static size_t parse_all(struct walk *walk)
{
    struct compiler *compiler = walk->compiler;
    const struct catalog *catalog = compiler->catalog;
    size_t n = 0;
    for (uint32_t s = 0; s < catalog->n_sensors && !compiler->no_memory; s++) {
        if (!rules_origin_of(compiler->config, s).derived)
            continue;
        enter_section(compiler, s);
        n += compile_formula(compiler, "value", &catalog->sensors[s], CELL_NUMBER,
                             &walk->formulas[s]);
    }
    return n;
}

void compile_derived(struct compiler *compiler)
{
    struct catalog *catalog = compiler->catalog;
    struct walk walk = {.compiler = compiler};
    walk.formulas = calloc((size_t)catalog->n_sensors + 1, sizeof *walk.formulas);
    walk.visits = calloc((size_t)catalog->n_sensors + 1, 1);
    if (walk.formulas && walk.visits) {
        size_t n = parse_all(&walk);
        catalog->derived = arena_take(&catalog->arena, n * sizeof *catalog->derived);
        compiler->no_memory |= !catalog->derived;
        for (uint32_t s = 0; s < catalog->n_sensors && !compiler->no_memory; s++)
            visit(&walk, s, 0);
    } else {
        compiler->no_memory = true;
    }
    free(walk.formulas);
    free(walk.visits);
}

void compile_derived_slots(struct compiler *compiler)
{
    struct catalog *catalog = compiler->catalog;
    for (uint32_t i = 0; i < catalog->n_derived && !compiler->no_memory; i++) {
        struct derived *derived = &catalog->derived[i];
        enter_section(compiler, derived->sensor);
        derived->formula.slots = compile_slots(compiler, &derived->formula.reads, derived->sensor);
    }
}
