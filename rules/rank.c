/* Rank: rules that ask others, as firing(other), are judged after them. */
#include "rules/compile.h"

#include <stdio.h>
#include <stdlib.h>

enum visit { NOT_SEEN, ON_THE_WAY, DONE };

struct ranker {
    struct compiler *compiler;
    struct rule **rules; /* by number; NULL: it asks none */
    uint8_t *visits;     /* enum visit */
};

static void tell_ring(struct ranker *ranker, const struct rule *rule)
{
    struct compiler *compiler = ranker->compiler;
    compiler->section = section_child(compiler->config->rules, rule->name);
    snprintf(compiler->who, sizeof compiler->who, "rule \"%.63s\"", rule->name);
    const char *key = section_has(compiler->section, "when") ? "when" : "inhibited_by";
    compile_error(compiler, key, "one of them must stand without the others",
                  "rules ask each other in a ring");
}

/* Depth first; a rule that is on the way to itself is in a ring. Only rules that ask are walked
 * into, and of those nobody writes a chain of a thousand. */
#define CHAIN_MAX 1000
static uint32_t rank_of(struct ranker *ranker, uint32_t number, unsigned depth)
{
    struct rule *rule = ranker->rules[number];
    if (!rule || ranker->visits[number] == DONE)
        return rule ? rule->rank : 0;
    if (ranker->visits[number] == ON_THE_WAY || depth == CHAIN_MAX) {
        tell_ring(ranker, rule);
        return 0;
    }
    ranker->visits[number] = ON_THE_WAY;
    for (uint16_t i = 0; i < rule->reads.n_asks; i++) {
        uint32_t above = rank_of(ranker, rule->reads.asks[i], depth + 1) + 1;
        rule->rank = above > rule->rank ? above : rule->rank;
    }
    ranker->visits[number] = DONE;
    return rule->rank;
}

void compile_ranks(struct compiler *compiler)
{
    struct catalog *catalog = compiler->catalog;
    struct ranker ranker = {.compiler = compiler};
    ranker.rules = calloc(catalog->n_rules, sizeof(struct rule *));
    ranker.visits = calloc(catalog->n_rules, 1);
    if (ranker.rules && ranker.visits) {
        for (uint32_t i = 0; i < catalog->n_instances; i++)
            if (catalog->instances[i].rule->reads.n_asks > 0)
                ranker.rules[catalog->instances[i].rule->number] =
                    (struct rule *)catalog->instances[i].rule;
        for (uint32_t i = 0; i < catalog->n_rules; i++)
            rank_of(&ranker, i, 0);
    } else {
        compiler->no_memory = true;
    }
    free(ranker.rules);
    free(ranker.visits);
}
