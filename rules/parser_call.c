#include "rules/parser_call.h"

#include "gateway/base/text.h"
#include "rules/functions.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT_WINDOW_MAX 1000000

/* -- calls -- */

struct call {
    const struct function *function;
    size_t offset;
    bool started, separated; /* an argument was read; the comma behind it too */
    struct reference reference;
    struct span span;
    int64_t ms;
    double number;
    const char *text;
    const struct sensor_group *group;
    uint32_t rule;
    uint8_t what;
    uint8_t branch; /* kind of the second operand of if() */
};

static void usage(struct parser *parser, const struct call *call, size_t offset, const char *words)
{
    char hint[200];
    snprintf(hint, sizeof hint, "write %s", call->function->usage);
    parser_fail(parser, offset, hint, "%s: %s", call->function->name, words);
}

static void begin_argument(struct parser *parser, struct call *call)
{
    if (call->started && !call->separated && !parser_take(parser, ','))
        usage(parser, call, parser->token.offset,
              parser->token.kind == ')' ? "an argument is missing" : "a comma is missing here");
    call->separated = true;
}

static void end_argument(struct call *call)
{
    call->started = true;
    call->separated = false;
}

static void argument_sensor(struct parser *parser, struct call *call)
{
    char what[64];
    const struct function *function = call->function;
    if (parser_is_reference(parser)) {
        if (!parser_take_reference(parser, &call->reference))
            return;
        end_argument(call);
    } else {
        snprintf(what, sizeof what, "%s without a sensor is over the own one", function->name);
        if (!parser_take_own(parser, what, &call->reference))
            return;
        call->reference.offset = call->offset;
    }
    if (parser_kind_of(parser, call->reference.sensor) == CELL_TEXT && !function->of_texts)
        parser_fail(parser, call->reference.offset, "", "%s needs numbers, and \"%s\" gives texts",
                    function->name, parser->scope->sensors[call->reference.sensor].id);
}

/* A duration of more than nothing; it may be nothing where `zero`. */
static int64_t take_duration(struct parser *parser, struct call *call, bool zero)
{
    int64_t ms = parser->token.ms;
    if (parser->status)
        return 0;
    if (parser->token.kind != TOKEN_DURATION)
        usage(parser, call, parser->token.offset, "a duration is missing here");
    else if (ms == 0 && !zero)
        usage(parser, call, parser->token.offset, "it cannot be nothing");
    parser_next(parser);
    return ms;
}

static void argument_span(struct parser *parser, struct call *call)
{
    begin_argument(parser, call);
    call->ms = take_duration(
        parser, call, call->function->op == OP_WINDOW && call->function->what == WINDOW_FORECAST);
    end_argument(call);
}

static const struct {
    const char *name;
    uint8_t kind;
} calendars[] = {{"today", SPAN_TODAY}, {"yesterday", SPAN_YESTERDAY}, {"this_month", SPAN_MONTH}};

static bool take_calendar(struct parser *parser, struct call *call)
{
    const struct token *token = &parser->token;
    for (size_t i = 0; token->kind == TOKEN_NAME && i < 3; i++) {
        if (strlen(calendars[i].name) != token->length ||
            strncmp(calendars[i].name, token->at, token->length) != 0)
            continue;
        call->span.kind = calendars[i].kind;
        parser_next(parser);
        return true;
    }
    return false;
}

static void take_count(struct parser *parser, struct call *call)
{
    double n = parser->token.number;
    if (parser->token.kind != TOKEN_NUMBER || n != floor(n) || n < 1 || n > COUNT_WINDOW_MAX)
        usage(parser, call, parser->token.offset, "after # stands a whole number of samples");
    else
        call->span = (struct span){.kind = SPAN_COUNT, .length = (int64_t)n};
    parser_next(parser);
}

/* Minutes know how many samples there were, and nothing of their texts. */
static void check_span(struct parser *parser, struct call *call, size_t offset)
{
    bool of_text = call->text != NULL;
    if (parser->status || !span_is_long(&call->span) || (call->function->in_minutes && !of_text))
        return;
    parser_fail(parser, offset, "possible there: avg min max sum count stddev increase on_time",
                "%s%s does not work in windows above 6h, shifted ones and those of the calendar",
                call->function->name, of_text ? " of a text" : "");
}

static void argument_window(struct parser *parser, struct call *call)
{
    begin_argument(parser, call);
    size_t offset = parser->token.offset;
    if (parser_take(parser, '#'))
        take_count(parser, call);
    else if (!take_calendar(parser, call))
        call->span = (struct span){.kind = SPAN_TIME, .length = take_duration(parser, call, false)};
    size_t at = parser->token.offset;
    if (parser_take(parser, '@')) {
        if (call->span.kind != SPAN_TIME)
            usage(parser, call, at, "only a window of a duration can be shifted");
        call->span.shift_ms = take_duration(parser, call, false);
    }
    end_argument(call);
    check_span(parser, call, offset);
}

static void argument_percent(struct parser *parser, struct call *call)
{
    begin_argument(parser, call);
    call->number = parser->token.number;
    if (parser->status)
        return;
    if (parser->token.kind != TOKEN_NUMBER || call->number > 100)
        usage(parser, call, parser->token.offset, "a number from 0 to 100 is missing here");
    parser_next(parser);
    end_argument(call);
}

static void argument_operand(struct parser *parser, struct call *call, uint8_t kind)
{
    begin_argument(parser, call);
    size_t offset = parser->token.offset;
    if (parser->token.kind == ')')
        usage(parser, call, offset, "an argument is missing");
    parser_expression(parser);
    if (kind != TYPE_ANY)
        parser_need(parser, kind, offset, call->function->name);
    else if (call->branch == CELL_UNKNOWN)
        call->branch = parser_kind(parser);
    else if (!parser->status && call->branch != parser_kind(parser))
        parser_fail(parser, offset, "", "one branch of if gives %s and the other %s",
                    parser_kind_name(call->branch), parser_kind_name(parser_kind(parser)));
    end_argument(call);
}

/* A text of the token in the arena; NULL when it is none. */
static const char *take_text(struct parser *parser, struct call *call)
{
    const struct token *token = &parser->token;
    if (parser->status)
        return NULL;
    if (token->kind != TOKEN_TEXT) {
        usage(parser, call, token->offset, "a text in quotes is missing here");
        return NULL;
    }
    const char *text = arena_format(parser->scope->arena, "%.*s", (int)token->length, token->at);
    if (!text)
        parser->status = -ENOMEM;
    parser_next(parser);
    return text;
}

static void argument_maybe_text(struct parser *parser, struct call *call)
{
    if (call->started && parser->token.kind != ',')
        return;
    begin_argument(parser, call);
    size_t offset = parser->token.offset;
    if (parser->status || parser->token.kind != TOKEN_TEXT)
        return;
    call->text = take_text(parser, call);
    call->what = WINDOW_COUNT_TEXT;
    end_argument(call);
    if (!parser->status && parser_kind_of(parser, call->reference.sensor) != CELL_TEXT)
        parser_fail(parser, offset, "leave the text out", "\"%s\" gives numbers and no texts",
                    parser->scope->sensors[call->reference.sensor].id);
}

static void argument_maybe_good(struct parser *parser, struct call *call)
{
    if (parser->token.kind != ',')
        return;
    begin_argument(parser, call);
    size_t offset = parser->token.offset;
    const char *text = take_text(parser, call);
    if (text && strcmp(text, "good") != 0)
        usage(parser, call, offset, "the second argument can only be \"good\"");
    call->what = GROUP_COUNT_GOOD;
    end_argument(call);
}

static uint32_t collect(const struct scope *scope, const char *glob, uint32_t *at)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scope->n_sensors; i++) {
        if (!text_glob(glob, scope->sensors[i].id))
            continue;
        if (at)
            at[count] = i;
        count++;
    }
    return count;
}

static const struct sensor_group *make_group(struct parser *parser, const char *glob)
{
    struct scope *scope = parser->scope;
    uint32_t count = collect(scope, glob, NULL);
    struct sensor_group *group =
        arena_take(scope->arena, sizeof *group + count * sizeof group->at[0]);
    if (!group) {
        parser->status = -ENOMEM;
        return NULL;
    }
    group->count = count;
    collect(scope, glob, group->at);
    return group;
}

static void argument_glob(struct parser *parser, struct call *call)
{
    struct scope *scope = parser->scope;
    begin_argument(parser, call);
    size_t offset = parser->token.offset;
    const char *glob = take_text(parser, call);
    if (!glob || !(call->group = make_group(parser, glob)))
        return;
    for (uint32_t i = 0; i < call->group->count && !call->function->of_texts; i++)
        if (scope->sensors[call->group->at[i]].text)
            parser_fail(parser, offset, "", "%s needs numbers, and \"%s\" gives texts",
                        call->function->name, scope->sensors[call->group->at[i]].id);
    if (call->group->count == 0)
        parser_fail(parser, offset, "sensors are named device.channel",
                    "no sensor matches \"%.100s\"", glob);
    else if (scope->n_groups == EXPRESSION_GROUPS_MAX)
        parser_fail(parser, offset, "", "one rule has more than %d patterns",
                    EXPRESSION_GROUPS_MAX);
    else if (!parser->status)
        scope->groups[scope->n_groups++] = call->group;
    end_argument(call);
}

static bool take_name(struct parser *parser, struct call *call, char *name, size_t size,
                      const char *what)
{
    const struct token *token = &parser->token;
    if (parser->status)
        return false;
    if (token->kind != TOKEN_NAME || token->length >= size) {
        usage(parser, call, token->offset, what);
        return false;
    }
    memcpy(name, token->at, token->length);
    name[token->length] = '\0';
    parser_next(parser);
    return true;
}

static void argument_device(struct parser *parser, struct call *call)
{
    char name[TEXT_SLUG_MAX + 1], id[TEXT_SLUG_MAX + 8];
    begin_argument(parser, call);
    size_t offset = parser->token.offset;
    if (!take_name(parser, call, name, sizeof name, "the name of a device or bus is missing here"))
        return;
    snprintf(id, sizeof id, "%s.online", name);
    end_argument(call);
    if (!parser_find_sensor(parser, id, offset, "", &call->reference.sensor))
        return;
    call->reference.slot = scope_sensor(parser->scope, call->reference.sensor);
    if (call->reference.slot < 0)
        parser_too_many(parser, offset);
}

static void unknown_rule(struct parser *parser, size_t offset, const char *name)
{
    char hint[100] = "";
    const char *nearest = names_nearest(parser->scope->rules, name);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean %.70s?", nearest);
    parser_fail(parser, offset, hint, "unknown rule \"%s\"", name);
}

static void argument_rule(struct parser *parser, struct call *call)
{
    char name[TEXT_SLUG_MAX + 1];
    struct scope *scope = parser->scope;
    begin_argument(parser, call);
    size_t offset = parser->token.offset;
    if (!take_name(parser, call, name, sizeof name, "the name of a rule is missing here"))
        return;
    end_argument(call);
    call->rule = scope->rules ? names_find(scope->rules, name) : NAMES_NONE;
    if (!scope->rules)
        parser_fail(parser, offset, "", "rules cannot be asked here");
    else if (call->rule == NAMES_NONE)
        unknown_rule(parser, offset, name);
    else if (scope->n_asks == EXPRESSION_RULES_MAX)
        parser_fail(parser, offset, "", "one rule asks more than %d others", EXPRESSION_RULES_MAX);
    else
        scope->asks[scope->n_asks++] = call->rule;
}

static void argument(struct parser *parser, struct call *call, uint8_t param)
{
    switch ((enum param_kind)param) {
    case PARAM_SENSOR:
        argument_sensor(parser, call);
        break;
    case PARAM_WINDOW:
        argument_window(parser, call);
        break;
    case PARAM_SPAN:
        argument_span(parser, call);
        break;
    case PARAM_PERCENT:
        argument_percent(parser, call);
        break;
    case PARAM_NUMBER:
        argument_operand(parser, call, CELL_NUMBER);
        break;
    case PARAM_BOOL:
        argument_operand(parser, call, CELL_BOOL);
        break;
    case PARAM_ANY:
        argument_operand(parser, call, TYPE_ANY);
        break;
    case PARAM_GLOB:
        argument_glob(parser, call);
        break;
    case PARAM_MAYBE_TEXT:
        argument_maybe_text(parser, call);
        break;
    case PARAM_MAYBE_GOOD:
        argument_maybe_good(parser, call);
        break;
    case PARAM_DEVICE:
        argument_device(parser, call);
        break;
    case PARAM_RULE:
        argument_rule(parser, call);
        break;
    case PARAM_END:
        break;
    }
}

/* -- what a call becomes -- */

static void emit_window(struct parser *parser, struct call *call)
{
    const struct function *function = call->function;
    struct instruction instruction = {
        .op = OP_WINDOW, .what = call->what, .needs = parser->scope->min_samples};
    if (call->what == WINDOW_EWMA)
        call->span = (struct span){.kind = SPAN_EWMA, .length = call->ms};
    else if (call->what == WINDOW_PREV || call->what == WINDOW_TOTAL)
        call->span = (struct span){.kind = SPAN_SERIES};
    call->span.text = call->text;
    if (call->what == WINDOW_PERCENTILE)
        instruction.number = call->number;
    else if (call->what == WINDOW_FORECAST)
        instruction.number = (double)call->ms / 1000;
    int slot = scope_window(parser->scope, call->reference.slot, &call->span, function->needs);
    if (slot < 0) {
        parser_too_many(parser, call->offset);
        return;
    }
    if (parser->scope->slots[slot].offset == 0)
        parser->scope->slots[slot].offset = call->offset;
    instruction.slot = (uint16_t)slot;
    uint8_t kind = function->gives == TYPE_SAME ? parser_kind_of(parser, call->reference.sensor)
                                                : function->gives;
    coder_push(parser->coder, instruction, (enum cell_kind)kind);
}

static void emit_call(struct parser *parser, struct call *call)
{
    const struct function *function = call->function;
    struct instruction instruction = {
        .op = function->op, .what = call->what, .slot = (uint16_t)call->reference.slot};
    switch (function->op) {
    case OP_WINDOW:
        emit_window(parser, call);
        return;
    case OP_GROUP:
        instruction.group = call->group;
        break;
    case OP_NODATA:
        instruction.ms = call->ms;
        break;
    case OP_RULE:
        instruction.needs = call->rule;
        break;
    case OP_QUALITY:
        parser->scope->slots[instruction.slot].quality = true;
        break;
    case OP_AGE:
    case OP_CIVIL:
        break;
    case OP_NE: /* online(device) */
        coder_value(parser->coder, instruction.slot, CELL_NUMBER);
        coder_number(parser->coder, 0);
        coder_op(parser->coder, OP_NE);
        return;
    default:
        coder_op(parser->coder, (enum opcode)function->op);
        return;
    }
    coder_push(parser->coder, instruction, (enum cell_kind)function->gives);
}

static void unknown_function(struct parser *parser, const struct token *name)
{
    char text[64], hint[100] = "";
    snprintf(text, sizeof text, "%.*s", name->length > 60 ? 60 : (int)name->length, name->at);
    const char *nearest = function_nearest(text);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean %s?", nearest);
    parser_fail(parser, name->offset, hint, "unknown function \"%s\"", text);
}

void parser_call(struct parser *parser, const struct token *name)
{
    struct call call = {.offset = name->offset};
    call.function = function_find(name->at, name->length);
    if (!call.function) {
        unknown_function(parser, name);
        return;
    }
    call.what = call.function->what;
    for (size_t i = 0; i < FUNCTION_PARAMS_MAX && !parser->status; i++)
        argument(parser, &call, call.function->params[i]);
    if (!parser->status && !parser_take(parser, ')'))
        usage(parser, &call, parser->token.offset,
              parser->token.kind == ',' ? "there are too many arguments" : "a ) is missing here");
    if (!parser->status)
        emit_call(parser, &call);
    parser_check_size(parser);
}
