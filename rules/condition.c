#include "rules/condition.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* -- the keys: how each becomes code -- */

static void put_value(struct coder *coder, const struct term *term)
{
    coder_value(coder, 0, term->own);
}

/* The bound, moved by `by`; of a fixed number that is done here, of others at run time. */
static void put_bound(struct coder *coder, const struct bound *bound, double by)
{
    if (bound->kind == BOUND_TEXT) {
        coder_text(coder, bound->text);
    } else if (bound->kind == BOUND_NUMBER) {
        coder_number(coder, bound->number + by);
    } else {
        coder_value(coder, bound->slot, CELL_NUMBER);
        if (by != 0) {
            coder_number(coder, by);
            coder_op(coder, OP_ADD);
        }
    }
}

static void put_comparison(struct coder *coder, const struct term *term, enum opcode op,
                           const struct bound *bound, double by)
{
    put_value(coder, term);
    put_bound(coder, bound, by);
    coder_op(coder, op);
}

static void put_own_clear(struct coder *coder, const struct term *term, enum opcode op)
{
    put_value(coder, term);
    coder_number(coder, term->clear);
    coder_op(coder, op);
}

static void above_when(struct coder *coder, const struct term *term)
{
    put_comparison(coder, term, OP_GT, &term->a, 0);
}

static void above_clear(struct coder *coder, const struct term *term)
{
    if (term->has_clear)
        put_own_clear(coder, term, OP_LT);
    else
        put_comparison(coder, term, OP_LE, &term->a, -term->hysteresis);
}

static void below_when(struct coder *coder, const struct term *term)
{
    put_comparison(coder, term, OP_LT, &term->a, 0);
}

static void below_clear(struct coder *coder, const struct term *term)
{
    if (term->has_clear)
        put_own_clear(coder, term, OP_GT);
    else
        put_comparison(coder, term, OP_GE, &term->a, term->hysteresis);
}

static void outside_when(struct coder *coder, const struct term *term)
{
    put_comparison(coder, term, OP_LT, &term->a, 0);
    put_comparison(coder, term, OP_GT, &term->b, 0);
    coder_op(coder, OP_OR);
}

static void outside_clear(struct coder *coder, const struct term *term)
{
    put_comparison(coder, term, OP_GE, &term->a, term->hysteresis);
    put_comparison(coder, term, OP_LE, &term->b, -term->hysteresis);
    coder_op(coder, OP_AND);
}

static void inside_when(struct coder *coder, const struct term *term)
{
    put_comparison(coder, term, OP_GT, &term->a, 0);
    put_comparison(coder, term, OP_LT, &term->b, 0);
    coder_op(coder, OP_AND);
}

static void inside_clear(struct coder *coder, const struct term *term)
{
    put_comparison(coder, term, OP_LE, &term->a, -term->hysteresis);
    put_comparison(coder, term, OP_GE, &term->b, term->hysteresis);
    coder_op(coder, OP_OR);
}

static void equals_when(struct coder *coder, const struct term *term)
{
    put_comparison(coder, term, OP_EQ, &term->a, 0);
}

static void equals_clear(struct coder *coder, const struct term *term)
{
    if (term->hysteresis == 0) {
        put_comparison(coder, term, OP_NE, &term->a, 0);
        return;
    }
    put_comparison(coder, term, OP_SUB, &term->a, 0);
    coder_op(coder, OP_ABS);
    coder_number(coder, term->hysteresis);
    coder_op(coder, OP_GT);
}

/* How far the newest value is above the lowest within the time, or below the highest. */
static void put_move(struct coder *coder, const struct term *term, enum window_what what)
{
    coder_push(coder,
               (struct instruction){.op = OP_WINDOW, .what = (uint8_t)what, .slot = term->slot},
               CELL_NUMBER);
}

static void put_move_compared(struct coder *coder, const struct term *term, enum window_what what,
                              enum opcode op, double by)
{
    put_move(coder, term, what);
    put_bound(coder, &term->a, by);
    coder_op(coder, op);
}

static void rises_when(struct coder *coder, const struct term *term)
{
    put_move_compared(coder, term, WINDOW_RISE, OP_GT, 0);
}

static void rises_clear(struct coder *coder, const struct term *term)
{
    put_move_compared(coder, term, WINDOW_RISE, OP_LE, -term->hysteresis);
}

static void falls_when(struct coder *coder, const struct term *term)
{
    put_move_compared(coder, term, WINDOW_FALL, OP_GT, 0);
}

static void falls_clear(struct coder *coder, const struct term *term)
{
    put_move_compared(coder, term, WINDOW_FALL, OP_LE, -term->hysteresis);
}

static void no_data_when(struct coder *coder, const struct term *term)
{
    coder_push(coder, (struct instruction){.op = OP_NODATA, .ms = term->ms}, CELL_BOOL);
}

static void no_data_clear(struct coder *coder, const struct term *term)
{
    no_data_when(coder, term);
    coder_op(coder, OP_NOT);
}

static void stuck_when(struct coder *coder, const struct term *term)
{
    coder_push(coder,
               (struct instruction){.op = OP_WINDOW, .what = WINDOW_STUCK, .slot = term->slot},
               CELL_BOOL);
}

static void stuck_clear(struct coder *coder, const struct term *term)
{
    stuck_when(coder, term);
    coder_op(coder, OP_NOT);
}

static void single_limit(struct coder *coder, const struct term *term)
{
    put_bound(coder, &term->a, 0);
}

/* The side on which the value is. */
static void outside_limit(struct coder *coder, const struct term *term)
{
    put_comparison(coder, term, OP_LT, &term->a, 0);
    put_bound(coder, &term->a, 0);
    put_bound(coder, &term->b, 0);
    coder_op(coder, OP_IF);
}

static const struct plain {
    const char *clear_option; /* NULL: none */
    bool pair;
    bool texts; /* works on texts */
    bool moves; /* works with hysteresis */
    bool timed; /* the key itself is a duration */
    void (*when)(struct coder *, const struct term *);
    void (*clear)(struct coder *, const struct term *);
    void (*limit)(struct coder *, const struct term *); /* NULL: none single */
} plains[N_PLAINS] = {
    [ABOVE] = {"clear_below", false, false, true, false, above_when, above_clear, single_limit},
    [BELOW] = {"clear_above", false, false, true, false, below_when, below_clear, single_limit},
    [OUTSIDE] = {NULL, true, false, true, false, outside_when, outside_clear, outside_limit},
    [INSIDE] = {NULL, true, false, true, false, inside_when, inside_clear, NULL},
    [EQUALS] = {NULL, false, true, true, false, equals_when, equals_clear, single_limit},
    [NOT_EQUALS] = {NULL, false, true, false, false, equals_clear, equals_when, single_limit},
    [RISES] = {NULL, false, false, true, false, rises_when, rises_clear, single_limit},
    [FALLS] = {NULL, false, false, true, false, falls_when, falls_clear, single_limit},
    [NO_DATA] = {NULL, false, true, false, true, no_data_when, no_data_clear, NULL},
    [STUCK] = {NULL, false, true, false, true, stuck_when, stuck_clear, NULL},
};

const struct plain_option plain_of_rules[] = {
    {"above", ABOVE},     {"below", BELOW},    {"outside", OUTSIDE},
    {"inside", INSIDE},   {"equals", EQUALS},  {"not_equals", NOT_EQUALS},
    {"rises_by", RISES},  {"falls_by", FALLS}, {"no_data_for", NO_DATA},
    {"stuck_for", STUCK}, {NULL, 0},
};
const struct plain_option plain_of_low[] = {{"low", BELOW}, {NULL, 0}};
const struct plain_option plain_of_high[] = {{"high", ABOVE}, {NULL, 0}};

bool plain_is_pair(uint8_t plain)
{
    return plains[plain].pair;
}

bool plain_is_timed(uint8_t plain)
{
    return plains[plain].timed;
}

const char *plain_clear_option(uint8_t plain)
{
    return plains[plain].clear_option;
}

/* -- reading them -- */

/* Only other levels with long expressions can have taken them all. */
static bool has_slot(struct condition *condition, const char *key, int slot)
{
    if (slot < 0)
        compile_error(condition->compiler, key, NULL,
                      "all levels together read too many sensors and windows");
    return slot >= 0;
}

static bool read_sensor_bound(struct condition *condition, const char *key, const char *id,
                              struct bound *bound)
{
    struct compiler *compiler = condition->compiler;
    uint32_t sensor = names_find(compiler->catalog->names, id);
    if (sensor == NAMES_NONE) {
        compile_unknown_sensor(compiler, key, id);
        return false;
    }
    if (compiler->catalog->sensors[sensor].text) {
        compile_error(compiler, key, NULL, "\"%s\" gives texts and cannot be a limit for numbers",
                      id);
        return false;
    }
    int slot = scope_sensor(condition->scope, sensor);
    if (!has_slot(condition, key, slot))
        return false;
    *bound = (struct bound){.kind = BOUND_SENSOR, .text = id, .slot = (uint16_t)slot};
    return true;
}

static bool read_text_bound(struct condition *condition, const char *key, struct bound *bound)
{
    struct compiler *compiler = condition->compiler;
    const char *text = arena_text(&compiler->catalog->arena, section_text(compiler->section, key));
    if (!text) {
        compiler->no_memory = true;
        return false;
    }
    if (!condition->own->text)
        return read_sensor_bound(condition, key, text, bound);
    *bound = (struct bound){.kind = BOUND_TEXT, .text = text};
    if (strlen(text) < SAMPLE_TEXT_SIZE)
        return true;
    compile_error(compiler, key, NULL, "a text of a sensor has at most %d bytes",
                  SAMPLE_TEXT_SIZE - 1);
    return false;
}

static bool read_number_bound(struct condition *condition, const char *key, double number,
                              struct bound *bound)
{
    *bound = (struct bound){.kind = BOUND_NUMBER, .number = number};
    if (condition->own->text) {
        compile_error(condition->compiler, key, "write a text in quotes",
                      "\"%s\" gives texts and cannot be compared with a number",
                      condition->own->id);
        return false;
    }
    return isfinite(number); /* no number at all was told when the section was checked */
}

static bool read_bounds(struct condition *condition, struct term *term)
{
    const struct section *section = condition->compiler->section;
    const char *key = term->option;
    unsigned form = section_form(section, key);
    if (plains[term->plain].pair)
        return read_number_bound(condition, key, section_number_at(section, key, 0), &term->a) &&
               read_number_bound(condition, key, section_number_at(section, key, 1), &term->b);
    if (plains[term->plain].timed)
        return true;
    if (form == SETTING_TEXT)
        return read_text_bound(condition, key, &term->a);
    double number =
        form == SETTING_BOOL ? section_bool(section, key) : section_number(section, key);
    return read_number_bound(condition, key, number, &term->a);
}

/* The window of a key, when it has one. */
static bool read_time(struct condition *condition, struct term *term)
{
    struct compiler *compiler = condition->compiler;
    bool timed = plains[term->plain].timed, moves = term->plain == RISES || term->plain == FALLS;
    const char *key = timed ? term->option : "within";
    if (!moves && !timed)
        return true;
    term->ms = section_duration_ms(compiler->section, key);
    struct span span = {.kind = SPAN_TIME, .length = term->ms};
    if (term->ms <= 0) {
        compile_error(compiler, term->option, moves ? "add within = \"10m\"" : "",
                      "\"%s\" needs %s", term->option,
                      moves ? "\"within\"" : "a time of more than nothing");
        return false;
    }
    if (term->plain == NO_DATA)
        return true;
    if (span_is_long(&span)) {
        compile_error(compiler, key, NULL, "\"%s\" is at most 6h", key);
        return false;
    }
    int slot =
        scope_window(condition->scope, 0, &span, moves ? WINDOW_NEEDS_SUMS : WINDOW_NEEDS_PAIRS);
    if (!has_slot(condition, key, slot))
        return false;
    term->slot = (uint16_t)slot;
    condition->scope->slots[slot].key = key;
    return true;
}

static bool check_own(struct condition *condition, const struct term *term)
{
    if (!condition->own->text || plains[term->plain].texts)
        return true;
    compile_error(condition->compiler, term->option, "use equals or not_equals",
                  "\"%s\" gives texts, \"%s\" needs a sensor of numbers", condition->own->id,
                  term->option);
    return false;
}

static bool check_hysteresis(struct condition *condition, const struct term *term)
{
    const char *hint = "";
    const char *wrong = NULL;
    if (term->hysteresis == 0)
        return true;
    if (!plains[term->plain].moves) {
        compile_error(condition->compiler, "hysteresis", hint, "hysteresis does not go with %s",
                      term->option);
        return false;
    }
    if (condition->own->text)
        wrong = "hysteresis needs a sensor of numbers";
    else if (term->plain == OUTSIDE && 2 * term->hysteresis >= term->b.number - term->a.number) {
        wrong = "hysteresis leaves nothing inside where it could clear";
        hint = "it must be less than half the distance of the two values of outside";
    }
    if (wrong)
        compile_error(condition->compiler, "hysteresis", hint, "%s", wrong);
    return !wrong;
}

/* `clear_below` belongs to above, `clear_above` to below, on the right side of it. */
static bool read_clear(struct condition *condition, struct term *term)
{
    struct compiler *compiler = condition->compiler;
    const char *key = plains[term->plain].clear_option;
    if (!key || !section_has(compiler->section, key))
        return true;
    term->has_clear = true;
    term->clear = section_number(compiler->section, key);
    double over =
        term->plain == ABOVE ? term->clear - term->a.number : term->a.number - term->clear;
    if (term->hysteresis != 0)
        compile_error(compiler, "hysteresis", "leave one of them out",
                      "hysteresis does not go with %s", key);
    else if (term->a.kind == BOUND_NUMBER && over > 0)
        compile_error(compiler, key, "it would clear while it still fires",
                      "\"%s\" is on the wrong side of \"%s\"", key, term->option);
    else
        return isfinite(term->clear);
    return false;
}

static bool read_term(struct condition *condition, const struct plain_option *option)
{
    struct term *term = &condition->terms[condition->count++];
    *term = (struct term){
        .plain = option->plain,
        .option = option->option,
        .hysteresis =
            section_number(compile_holder(condition->compiler, "hysteresis"), "hysteresis"),
        .own = condition->own->text ? CELL_TEXT : CELL_NUMBER,
    };
    return check_own(condition, term) && read_bounds(condition, term) &&
           read_time(condition, term) && check_hysteresis(condition, term) &&
           read_clear(condition, term);
}

static bool has_plain(const struct condition *condition, unsigned plain)
{
    for (size_t i = 0; i < condition->count; i++)
        if (condition->terms[i].plain == plain)
            return true;
    return false;
}

static bool check_stray_clear(struct condition *condition)
{
    static const struct {
        const char *key, *needs;
        unsigned plain;
    } strays[] = {{"clear_below", "above", ABOVE}, {"clear_above", "below", BELOW}};
    bool good = true;
    for (size_t i = 0; i < 2; i++) {
        if (!section_has(condition->compiler->section, strays[i].key) ||
            has_plain(condition, strays[i].plain))
            continue;
        compile_error(condition->compiler, strays[i].key, NULL, "\"%s\" goes only with \"%s\"",
                      strays[i].key, strays[i].needs);
        good = false;
    }
    return good;
}

static bool check_strays(struct condition *condition)
{
    struct compiler *compiler = condition->compiler;
    bool good = check_stray_clear(condition);
    if (section_has(compiler->section, "clear_when")) {
        compile_error(compiler, "clear_when", NULL, "\"clear_when\" goes only with \"when\"");
        good = false;
    }
    if (!section_has(compiler->section, "within") || has_plain(condition, RISES) ||
        has_plain(condition, FALLS))
        return good;
    compile_error(compiler, "within", NULL,
                  "\"within\" goes only with \"rises_by\" or \"falls_by\"");
    return false;
}

static bool check_together(struct condition *condition)
{
    const struct term *above = NULL, *below = NULL;
    for (size_t i = 0; i < condition->count; i++) {
        if (condition->terms[i].plain == ABOVE)
            above = &condition->terms[i];
        if (condition->terms[i].plain == BELOW)
            below = &condition->terms[i];
    }
    if (!above || !below || above->a.kind != BOUND_NUMBER || below->a.kind != BOUND_NUMBER ||
        above->a.number < below->a.number)
        return true;
    compile_error(condition->compiler, "below",
                  "all keys must hold together; did you mean outside?",
                  "nothing is above %g and below %g at once", above->a.number, below->a.number);
    return false;
}

static bool read_terms(struct condition *condition, const struct plain_option *options)
{
    struct compiler *compiler = condition->compiler;
    double hysteresis = section_number(compile_holder(compiler, "hysteresis"), "hysteresis");
    bool good = true;
    if (hysteresis < 0) {
        compile_error(compiler, "hysteresis", NULL, "hysteresis cannot be negative");
        return false;
    }
    for (const struct plain_option *option = options; option->option; option++)
        if (section_has(compiler->section, option->option))
            good = read_term(condition, option) && good;
    if (condition->count == 0) {
        compile_error(compiler, NULL, "add above, below, outside, equals, no_data_for, when, ...",
                      "it has no condition");
        return false;
    }
    return check_strays(condition) && good && check_together(condition);
}

/* -- the codes -- */

/* All of `when` must hold, any of `clear` is enough. */
static int make_code(struct condition *condition, bool clear, struct code *ret_code)
{
    struct coder coder;
    coder_start(&coder);
    for (size_t i = 0; i < condition->count; i++) {
        const struct term *term = &condition->terms[i];
        (clear ? plains[term->plain].clear : plains[term->plain].when)(&coder, term);
        if (i > 0)
            coder_op(&coder, clear ? OP_OR : OP_AND);
    }
    return coder_finish(&coder, CELL_BOOL, &condition->compiler->catalog->arena, ret_code);
}

static int make_limit(struct condition *condition, struct code *ret_code)
{
    const struct term *term = &condition->terms[0];
    struct coder coder;
    if (condition->count != 1 || !plains[term->plain].limit || term->a.kind == BOUND_TEXT)
        return 0;
    coder_start(&coder);
    plains[term->plain].limit(&coder, term);
    return coder_finish(&coder, CELL_NUMBER, &condition->compiler->catalog->arena, ret_code);
}

bool compile_condition(struct compiler *compiler, const struct plain_option *options,
                       const struct rules_sensor *own, struct scope *scope, struct rule *rule,
                       struct level *level, const char **ret_message)
{
    struct condition condition = {
        .compiler = compiler, .rule = rule, .level = level, .own = own, .scope = scope};
    if (!read_terms(&condition, options) || !limits_compile(&condition))
        return false;
    int result = make_code(&condition, false, &level->when);
    if (result == 0)
        result = make_code(&condition, true, &level->clear);
    if (result == 0)
        result = make_limit(&condition, &level->limit);
    level->words = words_of(&condition);
    *ret_message = words_of_message(&condition);
    assert(result == 0 || result == -ENOMEM); /* a few short terms of types that were checked */
    if (result || !level->words || !*ret_message)
        compiler->no_memory = true;
    return !compiler->no_memory;
}
