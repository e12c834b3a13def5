#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/web/handlers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define REASON_SIZE 600

/* clang-format off */
static const struct field limit_fields[] = {
    {"name", "string", .help = "As in the config: above, below, ..."},
    {"value", "number?", .help = "As it is now."},
    {"min", "number?", .help = "The least that it may become; null: any."},
    {"max", "number?", .help = "The greatest; null: any."},
    {"step", "number?", .help = "It must be a multiple of this; null: any."},
    {0},
};

#define RULE_FIELDS                                                                                  \
    {"id", "string", .help = "The rule's name, with @ and the sensor where it has many instances."}, \
    {"rule", "string", .help = "Name of its rule."},                                                 \
    {"label", "string", .help = "For people."},                                                      \
    {"summary", "string", .help = "What it watches for, in words."},                                 \
    {"sensor", "string?", .help = "That it judges; null when it reads several or none."},            \
    {"severity", "string", .help = "\"info\", \"warning\" or \"critical\"."},                        \
    {"state", "string", .help = "\"ok\", \"pending\", \"firing\" or \"recovering\"."},               \
    {"firing", "boolean", .help = "Whether the alarm is on: firing or recovering."},                 \
    {"at_ms", "integer?", .help = "When the state changed; null: never."},                           \
    {"since_ms", "integer?", .help = "When this alarm began; null when it is not on."},              \
    {"value", "value?", .help = "That decided."},                                                    \
    {"limit", "number?", .help = "That it crossed; null when there is no single one."},              \
    {"wants_ack", "boolean", .help = "Whether it wants to be acknowledged."},                        \
    {"acked", "boolean", .help = "Whether somebody has acknowledged it."},                           \
    {"muted", "boolean", .help = "Whether it is muted."},                                            \
    {"muted_until_ms", "integer?", .help = "Until when."},                                           \
    {"inhibited", "boolean", .help = "Whether it tells nobody, because of another rule."},           \
    {"active", "boolean", .help = "Whether it is within its active times."},                         \
    {"enabled", "boolean", .help = "Whether it judges at all."},                                     \
    {"blind", "boolean", .help = "Whether it cannot see: its sensors have no value."},               \
    {"limits", "array", .help = "Those that may be adjusted.", .inside = limit_fields}

static const struct field rule_fields[] = {RULE_FIELDS, {0}};
static const struct field explanation_reading[] = {
    {"sensor", "string", .help = "Its id."},
    {"at_ms", "integer?", .help = "When it was read."},
    {"value", "value?", .help = "null when it is not good."},
    {"quality", "string", .help = "\"good\", or why there is no value."},
    {0},
};
static const struct field part_fields[] = {
    {"what", "string", .help = "A sensor, a function over it, a timer."},
    {"value", "string", .help = "What it is now."},
    {0},
};
const struct field rules_answer[] = {{"rules", "array", .help = "All instances.", rule_fields}, {0}};
const struct field rule_answer[] = {
    RULE_FIELDS,
    {"explanation", "string", .help = "Why it stands as it does, in words."},
    {"parts", "array", .help = "What its condition is made of.", .inside = part_fields},
    {"reading", "object?", .help = "The newest of its sensor; null when it has no single one.",
     explanation_reading},
    {0},
};
/* clang-format on */

static const char *text_of(const struct live *live, const struct instance_state *state)
{
    return text_table_get(live->inventory->texts, state->text);
}

static void write_flags(struct json *json, const struct inventory_rule *rule,
                        const struct instance_state *state)
{
    json_bool(json, "wants_ack", rule->ack);
    json_bool(json, "acked", state->acked);
    json_bool(json, "muted", state->muted);
    show_write_time(json, "muted_until_ms", state->muted ? state->muted_until_ms : CLOCK_NEVER);
    json_bool(json, "inhibited", state->inhibited);
    json_bool(json, "active", !state->inactive);
    json_bool(json, "enabled", !state->disabled);
    json_bool(json, "blind", state->blind);
}

static void write_limits(struct json *json, const struct inventory_rule *rule,
                         const struct instance_state *state)
{
    json_array(json, "limits");
    for (uint8_t i = 0; i < rule->n_limits && i < state->n_limits; i++) {
        const struct inventory_limit *limit = &rule->limits[i];

        json_object(json, NULL);
        json_text(json, "name", limit->key);
        json_number(json, "value", state->limits[i], -1);
        json_number(json, "min", limit->min, -1);
        json_number(json, "max", limit->max, -1);
        json_number(json, "step", limit->step > 0 ? limit->step : NAN, -1);
        json_end(json);
    }
    json_end(json);
}

static void write_members(struct json *json, const struct live *live,
                          const struct instance_state *state)
{
    const struct inventory_rule *rule = &live->inventory->rules[state->instance];
    bool judged = rule->sensor < live->inventory->n_sensors;

    json_text(json, "id", rule->id);
    json_text(json, "rule", rule->rule);
    json_text(json, "label", rule->label);
    json_text(json, "summary", rule->summary);
    json_text(json, "sensor", judged ? live->inventory->sensors[rule->sensor].id : NULL);
    json_text(json, "severity", instance_severity_name(state->severity));
    json_text(json, "state", instance_state_name(state->state));
    json_bool(json, "firing", instance_is_firing(state));
    show_write_time(json, "at_ms", state->at_ms > 0 ? state->at_ms : CLOCK_NEVER);
    show_write_time(json, "since_ms", state->since_ms);
    if (state->kind == VALUE_NUMBER)
        json_number(json, "value", state->number,
                    judged ? live->inventory->sensors[rule->sensor].decimals : -1);
    else
        json_text(json, "value", state->kind == VALUE_TEXT ? text_of(live, state) : NULL);
    json_number(json, "limit", state->limit, -1);
    write_flags(json, rule, state);
    write_limits(json, rule, state);
}

void show_write_rule(struct json *json, const struct live *live, const struct instance_state *state)
{
    json_object(json, NULL);
    write_members(json, live, state);
    json_end(json);
}

static void write_rules(struct json *json, const void *what)
{
    const struct live *live = what;

    json_object(json, NULL);
    json_array(json, "rules");
    for (uint32_t i = 0; i < live->inventory->n_rules; i++)
        show_write_rule(json, live, &live->states[i]);
    json_end(json);
    json_end(json);
}

void show_rules(struct request *request)
{
    const struct live *live = &request->web->live;

    request_answer_json(request, MHD_HTTP_OK, 1024 + 700 * (size_t)live->inventory->n_rules,
                        write_rules, live);
}

/* -- one of them ---------------------------------------------------------------------------- */

/* " boiler.flow_temp is 86.1 °C." */
static void explain_reading(char *to, size_t size, size_t *length, const struct live *live,
                            const struct reading *reading)
{
    const struct inventory_sensor *sensor = &live->inventory->sensors[reading->sensor];
    char number[40], at[CLOCK_TEXT_SIZE];

    if (reading->kind == VALUE_NUMBER) {
        text_from_number(number, sizeof(number), reading->number, sensor->decimals);
        text_append(to, size, length, " %s is %s%s%s.", sensor->id, number,
                    sensor->unit[0] ? " " : "", sensor->unit);
    } else if (reading->kind == VALUE_TEXT) {
        text_append(to, size, length, " %s is \"%s\".", sensor->id,
                    text_table_get(live->inventory->texts, reading->text));
    } else if (reading->at_ms == CLOCK_NEVER) {
        text_append(to, size, length, " %s has not been read yet.", sensor->id);
    } else {
        text_append(to, size, length, " %s has no value (%s at %s).", sensor->id,
                    quality_name(reading->quality), clock_text_short(reading->at_ms, at));
    }
}

static void explain_flags(char *to, size_t size, size_t *length, const struct instance_state *state)
{
    char until[CLOCK_TEXT_SIZE];

    if (state->disabled)
        text_append(to, size, length, ", disabled");
    if (state->blind)
        text_append(to, size, length, ", blind because what it reads has no value");
    if (state->acked)
        text_append(to, size, length, ", acknowledged");
    if (state->inactive)
        text_append(to, size, length, ", outside of its active times");
    if (state->inhibited)
        text_append(to, size, length, ", inhibited by another rule");
    if (state->muted && state->muted_until_ms != CLOCK_NEVER)
        text_append(to, size, length, ", muted until %s",
                    clock_text_short(state->muted_until_ms, until));
}

/* "It is firing since 14:02; it watches for: boiler.flow_temp above 85. boiler.flow_temp is 86.1
 * °C." */
static void explain(char to[REASON_SIZE], const struct live *live,
                    const struct instance_state *state)
{
    const struct inventory_rule *rule = &live->inventory->rules[state->instance];
    int64_t since_ms = state->since_ms == CLOCK_NEVER ? state->at_ms : state->since_ms;
    char since[CLOCK_TEXT_SIZE];
    size_t length = 0;

    text_append(to, REASON_SIZE, &length, "It is %s", instance_state_name(state->state));
    if (since_ms > 0)
        text_append(to, REASON_SIZE, &length, " since %s", clock_text_short(since_ms, since));
    explain_flags(to, REASON_SIZE, &length, state);
    if (rule->summary[0])
        text_append(to, REASON_SIZE, &length, "; it watches for: %s", rule->summary);
    text_append(to, REASON_SIZE, &length, ".");
    if (rule->sensor < live->inventory->n_sensors)
        explain_reading(to, REASON_SIZE, &length, live, live_reading(live, rule->sensor));
}

struct shown_rule {
    const struct live *live;
    const struct web_context *context;
    uint32_t instance;
};

static void write_part(void *to, const char *what, const char *value)
{
    struct json *json = to;

    json_object(json, NULL);
    json_text(json, "what", what);
    json_text(json, "value", value);
    json_end(json);
}

static void write_rule(struct json *json, const void *what)
{
    const struct shown_rule *shown = what;
    const struct live *live = shown->live;
    uint32_t sensor = live->inventory->rules[shown->instance].sensor;
    char reason[REASON_SIZE];

    explain(reason, live, &live->states[shown->instance]);
    json_object(json, NULL);
    write_members(json, live, &live->states[shown->instance]);
    json_text(json, "explanation", reason);
    json_array(json, "parts");
    if (shown->context->explain)
        shown->context->explain(shown->context->owner, shown->instance, write_part, json);
    json_end(json);
    if (sensor < live->inventory->n_sensors) {
        json_ready_key(json, "\"reading\":", strlen("\"reading\":"));
        show_write_reading(json, live, live_reading(live, sensor));
    } else {
        json_null(json, "reading");
    }
    json_end(json);
}

void show_rule(struct request *request)
{
    const struct live *live = &request->web->live;
    struct shown_rule shown = {live, &request->web->context,
                               inventory_find_rule(live->inventory, request->word)};
    char quoted[200];

    if (shown.instance == UINT32_MAX)
        request_answer_error(request, MHD_HTTP_NOT_FOUND, "no instance of a rule has the id %s",
                             text_quote(quoted, sizeof(quoted), request->word));
    else
        request_answer_json(request, MHD_HTTP_OK, 16384, write_rule, &shown);
}
