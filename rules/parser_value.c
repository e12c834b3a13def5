#include "rules/parser_call.h"

#include "gateway/base/text.h"
#include "rules/functions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* -- slots -- */

void scope_start(struct scope *scope)
{
    scope->slots[0] = (struct slot){.sensor = RULES_NO_SENSOR, .key = scope->key};
    scope->n_slots = 1;
    scope->n_groups = 0;
    scope->n_asks = 0;
}

static int add_slot(struct scope *scope, struct slot slot)
{
    if (scope->n_slots == EXPRESSION_SLOTS_MAX)
        return -E2BIG;
    scope->slots[scope->n_slots] = slot;
    return scope->n_slots++;
}

int scope_sensor(struct scope *scope, uint32_t sensor)
{
    for (int i = 0; i < scope->n_slots; i++)
        if (scope->slots[i].sensor == sensor && !scope->slots[i].channel &&
            !scope->slots[i].windowed && !scope->slots[i].limit)
            return i;
    return add_slot(scope, (struct slot){.sensor = sensor, .key = scope->key});
}

int scope_limit(struct scope *scope)
{
    return add_slot(scope, (struct slot){.limit = true, .sensor = RULES_NO_SENSOR});
}

static bool is_same_channel(const struct slot *slot, const struct slot *of)
{
    if (!slot->channel || !of->channel)
        return slot->channel == of->channel && slot->sensor == of->sensor;
    return strcmp(slot->channel, of->channel) == 0;
}

static bool is_same_window(const struct span *a, const struct span *b)
{
    return a->kind == b->kind && a->length == b->length && a->shift_ms == b->shift_ms &&
           !a->text == !b->text && (!a->text || strcmp(a->text, b->text) == 0);
}

int scope_window(struct scope *scope, int sensor_slot, const struct span *span, unsigned needs)
{
    struct slot slot = scope->slots[sensor_slot];
    for (int i = 0; i < scope->n_slots; i++) {
        struct slot *old = &scope->slots[i];
        if (!old->windowed || !is_same_channel(old, &slot) || !is_same_window(&old->span, span))
            continue;
        old->needs |= needs;
        return i;
    }
    slot.windowed = true;
    slot.span = *span;
    slot.needs = needs;
    slot.key = scope->key;
    return add_slot(scope, slot);
}

/* -- sensors -- */

uint8_t parser_kind_of(const struct parser *parser, uint32_t sensor)
{
    return parser->scope->sensors[sensor].text ? CELL_TEXT : CELL_NUMBER;
}

void parser_too_many(struct parser *parser, size_t offset)
{
    parser_fail(parser, offset, "", "one rule reads more than %d sensors and windows",
                EXPRESSION_SLOTS_MAX);
}

static void unknown_sensor(struct parser *parser, size_t offset, const char *id, const char *skip)
{
    char hint[200] = "";
    const char *nearest = names_nearest(parser->scope->names, id);
    if (nearest && strncmp(nearest, skip, strlen(skip)) == 0)
        snprintf(hint, sizeof hint, "did you mean %.150s?", nearest + strlen(skip));
    parser_fail(parser, offset, hint, "unknown sensor \"%.130s\"", id);
}

bool parser_find_sensor(struct parser *parser, const char *id, size_t offset, const char *skip,
                        uint32_t *ret_sensor)
{
    *ret_sensor = names_find(parser->scope->names, id);
    if (*ret_sensor == NAMES_NONE)
        unknown_sensor(parser, offset, id, skip);
    return *ret_sensor != NAMES_NONE;
}

static bool has_own(struct parser *parser, size_t offset, const char *what)
{
    if (parser->scope->own == RULES_NO_SENSOR)
        parser_fail(parser, offset, "name it: device.channel, or give the rule a sensor",
                    "%s, and this rule has no sensor of its own", what);
    return parser->scope->own != RULES_NO_SENSOR;
}

static bool take_channel(struct parser *parser, struct reference *ret)
{
    const struct token *token = &parser->token;
    char id[2 * TEXT_SLUG_MAX + 2], device[TEXT_SLUG_MAX + 2];
    struct scope *scope = parser->scope;
    if (!has_own(parser, token->offset, "a channel alone is one of the own sensor's device"))
        return false;
    const char *own = scope->sensors[scope->own].id;
    snprintf(device, sizeof device, "%.*s", (int)strcspn(own, "."), own);
    snprintf(id, sizeof id, "%s.%.*s", device, token->length > 64 ? 64 : (int)token->length,
             token->at);
    if (!parser_find_sensor(parser, id, token->offset, device, &ret->sensor))
        return false;
    const char *channel = arena_text(scope->arena, strchr(id, '.') + 1);
    if (!channel) {
        parser->status = -ENOMEM;
        return false;
    }
    for (ret->slot = 0; ret->slot < scope->n_slots; ret->slot++) {
        const struct slot *slot = &scope->slots[ret->slot];
        if (slot->channel && !slot->windowed && strcmp(slot->channel, channel) == 0)
            return true;
    }
    ret->slot = add_slot(scope, (struct slot){.channel = channel,
                                              .sensor = ret->sensor,
                                              .key = scope->key,
                                              .offset = token->offset});
    return true;
}

static bool take_sensor_id(struct parser *parser, struct reference *ret)
{
    const struct token *token = &parser->token;
    char id[2 * TEXT_SLUG_MAX + 2];
    if (token->length >= sizeof id) {
        parser_fail(parser, token->offset, "", "no sensor has such a long name");
        return false;
    }
    memcpy(id, token->at, token->length);
    id[token->length] = '\0';
    if (!parser_find_sensor(parser, id, token->offset, "", &ret->sensor))
        return false;
    ret->slot = scope_sensor(parser->scope, ret->sensor);
    return true;
}

bool parser_take_own(struct parser *parser, const char *what, struct reference *ret)
{
    ret->sensor = parser->scope->own;
    ret->slot = 0;
    return has_own(parser, parser->token.offset, what);
}

bool parser_is_reference(const struct parser *parser)
{
    uint8_t kind = parser->token.kind;
    return kind == TOKEN_SENSOR || kind == TOKEN_CHANNEL || kind == TOKEN_VALUE;
}

/* The sensor that the token names; the token is used up. */
bool parser_take_reference(struct parser *parser, struct reference *ret)
{
    ret->offset = parser->token.offset;
    bool good = parser->token.kind == TOKEN_SENSOR ? take_sensor_id(parser, ret)
                : parser->token.kind == TOKEN_CHANNEL
                    ? take_channel(parser, ret)
                    : parser_take_own(parser, "value is the own sensor's", ret);
    if (good && ret->slot < 0)
        parser_too_many(parser, ret->offset);
    if (parser->status)
        return false;
    parser_next(parser);
    return parser->status == 0;
}

static void parse_value(struct parser *parser)
{
    struct reference reference;
    if (!parser_take_reference(parser, &reference))
        return;
    coder_value(parser->coder, (uint16_t)reference.slot, parser_kind_of(parser, reference.sensor));
    parser_check_size(parser);
}

/* A name that is neither a call nor a sensor. */
static void lone_name(struct parser *parser, const struct token *name)
{
    char text[64], hint[200] = "sensors are device.channel, functions have ()";
    snprintf(text, sizeof text, "%.*s", name->length > 60 ? 60 : (int)name->length, name->at);
    const struct function *function = function_find(name->at, name->length);
    if (function)
        snprintf(hint, sizeof hint, "write %.180s", function->usage);
    for (uint32_t i = 0; !function && i < parser->scope->n_sensors; i++) {
        const char *dot = strchr(parser->scope->sensors[i].id, '.');
        if (dot && strcmp(dot + 1, text) == 0) {
            snprintf(hint, sizeof hint, "did you mean %s?", parser->scope->sensors[i].id);
            break;
        }
    }
    parser_fail(parser, name->offset, hint, "\"%s\" alone means nothing", text);
}

static void parse_name(struct parser *parser)
{
    struct token name = parser->token;
    parser_next(parser);
    if (parser_take(parser, '('))
        parser_call(parser, &name);
    else
        lone_name(parser, &name);
}

/* -- the others -- */

static void parse_constant(struct parser *parser)
{
    const struct token *token = &parser->token;
    const char *text;
    switch (token->kind) {
    case TOKEN_NUMBER:
        coder_number(parser->coder, token->number);
        break;
    case TOKEN_DURATION: /* in seconds, as age() and on_time() give them */
        coder_number(parser->coder, (double)token->ms / 1000);
        break;
    case TOKEN_TEXT:
        text = arena_format(parser->scope->arena, "%.*s", (int)token->length, token->at);
        if (!text)
            parser->status = -ENOMEM;
        coder_text(parser->coder, text);
        break;
    default:
        coder_push(parser->coder,
                   (struct instruction){.op = OP_BOOL, .number = token->kind == TOKEN_TRUE},
                   CELL_BOOL);
        break;
    }
    parser_check_size(parser);
    parser_next(parser);
}

static void nothing_here(struct parser *parser)
{
    const struct token *token = &parser->token;
    if (token->kind == '#')
        parser_fail(parser, token->offset, "for example avg(#5)", "a window stands only in a call");
    else if (token->kind == TOKEN_END)
        parser_fail(parser, token->offset, "", "something is missing at the end");
    else
        parser_fail(parser, token->offset, "",
                    "a number, a sensor or a call is missing before "
                    "\"%.*s\"",
                    token->length > 40 ? 40 : (int)token->length, token->at);
}

void parser_primary(struct parser *parser)
{
    if (parser->status)
        return;
    switch (parser->token.kind) {
    case TOKEN_NUMBER:
    case TOKEN_DURATION:
    case TOKEN_TEXT:
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        parse_constant(parser);
        break;
    case TOKEN_SENSOR:
    case TOKEN_CHANNEL:
    case TOKEN_VALUE:
        parse_value(parser);
        break;
    case TOKEN_NAME:
        parse_name(parser);
        break;
    case '(':
        parser_next(parser);
        parser_expression(parser);
        parser_expect(parser, ')', "a )");
        break;
    default:
        nothing_here(parser);
    }
}
