/* Compile: from the checked sections of the config to code. For the files of this room. */
#pragma once

#include "gateway/base/text.h"
#include "rules/formula.h"

/* The place where compiling is. Errors go to `problems`, and are counted there. */
/* A text of our own and what was made of it. Most rules have no words of their own and so the same
 * as the rule before: they share it. */
#define OWN_TEXTS 4
struct own_text {
    const char *text; /* NULL: none yet */
    struct template template;
};

struct compiler {
    struct catalog *catalog;
    const struct rules_config *config;
    struct problems *problems;
    const struct section *section;    /* of the rule, of the limits or of one level */
    const struct section *outer;      /* of a level: the rule's; else NULL */
    struct rule *rule;                /* whose actions are compiled */
    const struct rules_sensor *own;   /* a sensor like those of its instances; NULL: it has none */
    char who[2 * TEXT_SLUG_MAX + 32]; /* `rule "frost"`, for the messages */
    struct own_text own_texts[OWN_TEXTS]; /* the newest */
    unsigned n_own_texts;                 /* that there ever were */
    bool no_memory;
};

static inline struct rules_origin rules_origin_of(const struct rules_config *config,
                                                  uint32_t sensor)
{
    return config->origins ? config->origins[sensor] : (struct rules_origin){0};
}

/* An error about `key` of the section. */
void compile_error(struct compiler *compiler, const char *key, const char *hint, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

/* An error "unknown sensor ..." at `key`, with the nearest there is. */
void compile_unknown_sensor(struct compiler *compiler, const char *key, const char *id);

/* An error "unknown rule ..." at `place`, likewise. */
void compile_unknown_rule(struct compiler *compiler, struct place place, const char *name);

/* An error at byte `offset` of the text of `key`. */
void compile_error_in_text(struct compiler *compiler, const char *key, size_t offset,
                           const char *hint, const char *words);

/* The section that has `key`: what a level does not say for itself the rule says. */
const struct section *compile_holder(const struct compiler *compiler, const char *key);

/* A choice by its index; what was refused when the section was checked counts as the first. */
uint8_t compile_choice(const struct section *section, const char *key);

/* resolve.c: what expressions of the rule may speak of; `own` is a sensor like the instances' own,
 * or NULL. */
void compile_scope(struct compiler *compiler, const struct rules_sensor *own, struct scope *scope);

/* The text of `key` as an expression of `kind` (TYPE_ANY: any), to `coder`; errors are told. */
bool compile_expression(struct compiler *compiler, const char *key, struct scope *scope,
                        enum cell_kind kind, struct coder *coder);

/* resolve.c: a copy of what they read. False when memory is out. */
bool compile_reads(struct compiler *compiler, const struct scope *scope, struct reads *ret_reads);

/* resolve.c: the facts and windows in the slots, where the own sensor is `own`. NULL when one is
 * missing, which is told, or when memory is out. */
uint32_t *compile_slots(struct compiler *compiler, const struct reads *reads, uint32_t own);

/* resolve.c: the same for an instance, with its own limits. */
bool compile_instance_slots(struct compiler *compiler, const struct rule *rule, uint32_t own,
                            struct instance *instance);

/* rank.c: sees to it that rules are judged after those they ask; rings are told. */
void compile_ranks(struct compiler *compiler);

/* when.c: compiles `when` and `clear_when`, as compile_condition() does plain keys. `own`: NULL for
 * a rule without a sensor. */
bool compile_when(struct compiler *compiler, const struct rules_sensor *own, struct scope *scope,
                  struct level *level, const char **ret_message);

/* formula.c: the text of `key` as a formula that gives `kind` (TYPE_ANY: any), its slots not yet
 * resolved; errors are told. */
bool compile_formula(struct compiler *compiler, const char *key, const struct rules_sensor *own,
                     uint8_t kind, struct formula *ret_formula);

/* derived.c: parses the derived sensors, puts them into the order in which they are reckoned, and
 * gives them the pace of those they are made of; the second, once there are windows, resolves what
 * they read. */
void compile_derived(struct compiler *compiler);
void compile_derived_slots(struct compiler *compiler);

/* Which options are plain keys here, and which key each one is. */
struct plain_option {
    const char *option; /* NULL ends a list */
    uint8_t plain;      /* index of the key: internal to condition.c */
};
extern const struct plain_option plain_of_rules[], plain_of_low[], plain_of_high[];

/* Compiles the plain keys of the section, for instances on sensors like `own`, into the codes and
 * words of `level`, a level of `rule`, which gets its limits. `ret_message` gets the default text
 * of a firing, as a template. False when there were errors. */
bool compile_condition(struct compiler *compiler, const struct plain_option *options,
                       const struct rules_sensor *own, struct scope *scope, struct rule *rule,
                       struct level *level, const char **ret_message);

/* level.c: the levels of a rule, or its only one, with their slots. False when there were errors.
 */
bool compile_levels(struct compiler *compiler, const struct plain_option *options,
                    const struct rules_sensor *own, struct rule *rule);

/* rule.c: all of a rule but its instances, for sensors like `own` (NULL: it has none). NULL when
 * there were errors. */
struct rule *compile_rule(struct compiler *compiler, const char *name,
                          const struct plain_option *options, const struct rules_sensor *own);

/* Compiles the text of `key` in `section` (or `standard` when it is not written) into
 * *ret_template; errors are told. */
void compile_text(struct compiler *compiler, const struct section *section, const char *key,
                  const char *standard, enum template_use use, struct template *ret_template);

/* A copy of the name of a notifier or hook (`kind`); an error at `place` when `known` is a list and
 * has not got it. NULL when memory is out. */
const char *compile_name(struct compiler *compiler, const char *name, const char *kind,
                         const char *const *known, size_t count, struct place place);

/* Compiles the actions of the list `key`. */
void compile_actions(struct compiler *compiler, const char *key, struct action_list *ret_list);

/* hold.c: sees to it that a channel is held by one instance, and written by no other rule. */
void compile_holds(struct compiler *compiler);

/* Compiles `escalate`. */
void compile_escalations(struct compiler *compiler, struct rule *rule);

/* What a rule's condition is made of, as a number that is another one when any of that is another.
 * `without` is a key that belongs to another rule of the same section; NULL: none. */
uint64_t compile_print(const struct section *section, const char *without);
