/* Explaining: what each part of a condition is now, and how far its timers are. */
#include "gateway/base/text.h"
#include "rules/engine.h"
#include "rules/functions.h"

#include <stdio.h>
#include <string.h>

/* The parts that are written so far. */
struct sheet {
    const struct rules *rules;
    const struct instance *instance;
    int64_t now_ms;
    struct rules_part *parts;
    size_t count, max;
};

/* The same part is there once. */
static struct rules_part *add_part(struct sheet *sheet, const char *what)
{
    for (size_t i = 0; i < sheet->count; i++)
        if (strcmp(sheet->parts[i].what, what) == 0)
            return NULL;
    if (sheet->count == sheet->max)
        return NULL;
    struct rules_part *part = &sheet->parts[sheet->count++];
    text_copy(part->what, sizeof part->what, what);
    return part;
}

/* -- what it is called -- */

static void say_span(const struct span *span, char *to, size_t size)
{
    static const char *const calendars[] = {
        [SPAN_TODAY] = "today", [SPAN_YESTERDAY] = "yesterday", [SPAN_MONTH] = "this_month"};
    char length[40], shift[40];
    if (span->kind == SPAN_COUNT)
        snprintf(to, size, "#%lld", (long long)span->length);
    else if (span->kind == SPAN_TODAY || span->kind == SPAN_YESTERDAY || span->kind == SPAN_MONTH)
        text_copy(to, size, calendars[span->kind]);
    else
        snprintf(to, size, "%s%s%s", text_from_duration(length, sizeof length, span->length),
                 span->shift_ms ? "@" : "",
                 span->shift_ms ? text_from_duration(shift, sizeof shift, span->shift_ms) : "");
}

static void say_window(const struct sheet *sheet, const struct instruction *instruction, char *to,
                       size_t size)
{
    const struct catalog *catalog = &sheet->rules->catalog;
    uint32_t window = sheet->instance->slots[instruction->slot] & ~SLOT_WINDOW;
    const struct span *span = windows_span(catalog->facts.windows, window);
    const char *id = catalog->sensors[windows_sensor(catalog->facts.windows, window)].id;
    char length[90];
    if (span->kind == SPAN_SERIES) {
        snprintf(to, size, "%s(%s)", function_name(OP_WINDOW, instruction->what), id);
        return;
    }
    say_span(span, length, sizeof length);
    snprintf(to, size, span->text ? "%s(%s, \"%s\", %s)" : "%s(%s, %.0s%s)",
             function_name(OP_WINDOW, instruction->what), id, span->text ? span->text : "", length);
}

/* A fact behind the sensors is a limit that people may adjust. */
static void say_fact(const struct sheet *sheet, const struct instruction *instruction, char *to,
                     size_t size)
{
    const struct catalog *catalog = &sheet->rules->catalog;
    uint32_t fact = sheet->instance->slots[instruction->slot];
    const struct rule *rule = sheet->instance->rule;
    if (fact < catalog->n_sensors) {
        const char *id = catalog->sensors[fact].id;
        bool plain = instruction->op == OP_VALUE;
        snprintf(to, size, plain ? "%.0s%s" : "%s(%s)", function_name(instruction->op, 0), id);
        return;
    }
    for (uint8_t i = 0; i < rule->n_limits; i++)
        if (rule->limits[i].slot == instruction->slot)
            text_copy(to, size, rule->limits[i].key);
}

static void say_what(const struct sheet *sheet, const struct instruction *instruction, char *to,
                     size_t size)
{
    const struct catalog *catalog = &sheet->rules->catalog;
    *to = '\0';
    if (instruction->op == OP_WINDOW)
        say_window(sheet, instruction, to, size);
    else if (instruction->op <= OP_QUALITY)
        say_fact(sheet, instruction, to, size);
    else if (instruction->op == OP_GROUP)
        snprintf(to, size, "%s(%u sensors)", function_name(OP_GROUP, instruction->what),
                 instruction->group->count);
    else if (instruction->op == OP_RULE)
        snprintf(to, size, "%s(%s)", function_name(OP_RULE, instruction->what),
                 catalog->rule_ids[instruction->needs]);
    else
        snprintf(to, size, "%s()", function_name(instruction->op, instruction->what));
}

/* -- what it is -- */

static void say_value(const struct sheet *sheet, const struct instruction *instruction, char *to,
                      size_t size)
{
    struct code one = {instruction, 1};
    struct outlook outlook;
    struct cell cell = evaluate(&one, &sheet->rules->catalog.facts, sheet->instance->slots,
                                sheet->now_ms, &outlook);
    if (cell.kind == CELL_NUMBER)
        text_from_number(to, size, cell.number, -1);
    else if (cell.kind == CELL_BOOL)
        text_copy(to, size, cell.is ? "true" : "false");
    else if (cell.kind == CELL_TEXT)
        text_quote(to, size, cell.text);
    else
        text_copy(to, size,
                  outlook.stale     ? "unknown: its sensor has no value"
                  : outlook.waiting ? "unknown yet"
                                    : "unknown");
}

/* More came than there is room for. */
static bool is_cut(const struct sheet *sheet, const struct instruction *instruction)
{
    return instruction->op == OP_WINDOW &&
           windows_cut(sheet->rules->catalog.facts.windows,
                       sheet->instance->slots[instruction->slot] & ~SLOT_WINDOW, sheet->now_ms);
}

static void say_cut(char *to, size_t size)
{
    size_t length = strlen(to);
    text_append(to, size, &length, ", of a part of it");
}

static void explain_code(struct sheet *sheet, const struct code *code)
{
    char what[sizeof sheet->parts->what];
    for (uint16_t i = 0; i < code->length; i++) {
        const struct instruction *instruction = &code->at[i];
        if (instruction->op < OP_VALUE || instruction->op > OP_CIVIL)
            continue;
        say_what(sheet, instruction, what, sizeof what);
        struct rules_part *part = add_part(sheet, what);
        if (!part)
            continue;
        say_value(sheet, instruction, part->value, sizeof part->value);
        if (is_cut(sheet, instruction))
            say_cut(part->value, sizeof part->value);
    }
}

static void explain_timer(struct sheet *sheet, const struct level *level, const struct life *life)
{
    bool clears = life->state == RULE_RECOVERING;
    int64_t whole_ms = clears ? level->terms.keep_for_ms : level->terms.for_ms;
    char ran[40], whole[40];
    if ((life->state != RULE_PENDING && !clears) || whole_ms == 0)
        return;
    struct rules_part *part = add_part(sheet, clears ? "keep_for" : "for");
    if (part)
        snprintf(part->value, sizeof part->value, "%s of %s%s",
                 text_from_duration(ran, sizeof ran, life_elapsed_ms(life, sheet->now_ms)),
                 text_from_duration(whole, sizeof whole, whole_ms),
                 life->resumed_ms == INT64_MAX ? ", resting" : "");
}

static void explain_bus(struct sheet *sheet)
{
    if (sheet->instance->cut_ms == INT64_MIN)
        return;
    struct rules_part *part = add_part(sheet, "its bus");
    if (part)
        text_copy(part->value, sizeof part->value,
                  sheet->instance->cut_ms == INT64_MAX ? "is down: nothing new is told"
                                                       : "may be down, or has just come back");
}

size_t rules_explain(struct rules *rules, uint32_t instance, int64_t now_ms,
                     struct rules_part *parts, size_t max)
{
    const struct instance *about = &rules->catalog.instances[instance];
    struct sheet sheet = {rules, about, engine_advance(rules, now_ms), parts, 0, max};
    for (uint8_t i = 0; i < about->rule->n_levels; i++) {
        const struct level *level = &about->rule->levels[i];
        bool clears = life_wants_clear(&about->lives[i]);
        explain_code(&sheet, clears ? &level->clear : &level->when);
    }
    for (uint8_t i = 0; i < about->rule->n_levels; i++)
        explain_timer(&sheet, &about->rule->levels[i], &about->lives[i]);
    explain_bus(&sheet);
    return sheet.count;
}
