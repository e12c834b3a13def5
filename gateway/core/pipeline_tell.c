/* What the pipeline tells that is no reading: events, states of instances, notifications, actions.
 */
#include "gateway/core/pipeline_inside.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/core/site.h"

#include <math.h>

/* -- what rules say ------------------------------------------------------------------------- */

_Static_assert((int)EVENT_LIMIT == (int)RULE_EVENT_LIMIT,
               "kinds of rule events are types of events");
_Static_assert(SINK_LIMITS_MAX == RULES_LIMITS_MAX, "an instance's limits must find room");

static struct instance_state state_of(const struct pipeline *pipeline, uint32_t instance)
{
    const struct rules *rules = pipeline->site->rules;
    struct rule_transition status = rules_status(rules, instance);
    struct instance_state state = {.at_ms = status.at_ms,
                                   .since_ms = status.since_ms,
                                   .instance = instance,
                                   .state = status.to,
                                   .severity = status.severity,
                                   .kind = status.kind,
                                   .number = status.number,
                                   .limit = status.limit,
                                   .text = status.text,
                                   .acked = status.acked,
                                   .muted = status.muted,
                                   .disabled = status.disabled,
                                   .blind = status.blind,
                                   .inhibited = status.inhibited,
                                   .inactive = status.inactive,
                                   .muted_until_ms = status.muted_until_ms,
                                   .n_limits = rules_info(rules, instance).n_limits};

    for (uint8_t i = 0; i < state.n_limits; i++)
        state.limits[i] = rules_limit(rules, instance, i).value;
    return state;
}

void pipeline_tell_state(struct pipeline *pipeline, uint32_t instance)
{
    struct instance_state state;

    if (pipeline->holds)
        return;
    state = state_of(pipeline, instance);
    pipeline->told = true;
    TELL(pipeline, instance, &state);
}

static void take_transition(void *owner, const struct rule_transition *transition)
{
    pipeline_tell_state(owner, transition->instance);
}

static void note_event(const struct rule_event *from, struct event *event)
{
    size_t length = 0;
    char value[32];

    if (from->key) {
        text_from_number(value, sizeof(value), from->value, -1);
        text_append(event->note, sizeof(event->note), &length, "%s = %s%s", from->key, value,
                    from->note ? ": " : "");
    }
    if (from->note)
        text_append(event->note, sizeof(event->note), &length, "%s", from->note);
    text_copy(event->by, sizeof(event->by), from->by ? from->by : "");
    text_copy(event->via, sizeof(event->via), from->via ? from->via : "");
}

/* What changes flags and limits has no transition that would have told the state. */
static void take_event(void *owner, const struct rule_event *from)
{
    struct pipeline *pipeline = owner;
    const struct rule_transition *status = &from->status;
    bool is_over = from->kind == RULE_EVENT_CLEARED;
    uint32_t sensor = rules_info(pipeline->site->rules, from->instance).sensor;
    struct event event = {.boot = pipeline->boot,
                          .sequence = ++pipeline->sequence,
                          .at_ms = from->at_ms,
                          .since_ms = is_over ? status->fired_ms : status->since_ms,
                          .instance = from->instance,
                          .sensor =
                              sensor < pipeline->site->inventory->n_sensors ? sensor : UINT32_MAX,
                          .type = from->kind,
                          .severity = status->severity,
                          .kind = status->kind,
                          .number = status->number,
                          .limit = status->limit,
                          .text = status->text};

    note_event(from, &event);
    pipeline->counts.events++;
    if (from->kind != RULE_EVENT_FIRED && from->kind != RULE_EVENT_CLEARED &&
        from->kind != RULE_EVENT_LEVEL)
        pipeline_tell_state(pipeline, from->instance);
    pipeline->told = true;
    TELL(pipeline, event, &event);
}

static void tell_notification(struct pipeline *pipeline, const struct rule_action *action)
{
    struct sink_notification notification = {.at_ms = action->at_ms,
                                             .instance = action->instance,
                                             .type = action->event,
                                             .severity = action->severity,
                                             .notifier = action->target,
                                             .text = action->text};

    TELL(pipeline, notify, &notification);
}

static void take_action(void *owner, const struct rule_action *action)
{
    struct pipeline *pipeline = owner;
    const char *id = rules_info(pipeline->site->rules, action->instance).id;
    char text[300];

    pipeline->told = true;
    switch ((enum rule_action_kind)action->kind) {
    case ACTION_PUBLISH:
        TELL(pipeline, publish, action->target, action->text, action->qos, action->retain);
        break;
    case ACTION_NOTIFY:
        tell_notification(pipeline, action);
        break;
    case ACTION_RUN:
        TELL(pipeline, run, action->instance, action->target, action->text);
        break;
    case ACTION_WRITE:
        if (pipeline->write)
            pipeline->write(pipeline->write_owner, action);
        break;
    case ACTION_LOG:
        log_info("rule %s: %s", id, text_quote(text, sizeof(text), action->text));
        break;
    }
}

const struct rules_output pipeline_rules_output = {
    .transition = take_transition,
    .event = take_event,
    .action = take_action,
};

/* -- what happened otherwise --------------------------------------------------------------- */

void pipeline_tell_command(struct pipeline *pipeline, const struct pipeline_command_event *command)
{
    const struct inventory *inventory = pipeline->site->inventory;
    struct event event = {.boot = pipeline->boot,
                          .sequence = ++pipeline->sequence,
                          .at_ms = clock_boot_ms(),
                          .since_ms = CLOCK_NEVER,
                          .instance = inventory_find_rule(inventory, command->target),
                          .sensor = inventory_find_sensor(inventory, command->target),
                          .type = EVENT_COMMAND,
                          .kind = command->has_value ? VALUE_NUMBER : VALUE_NONE,
                          .number = command->value,
                          .limit = NAN};
    size_t length = 0;

    if (command->text) {
        event.kind = VALUE_TEXT;
        event.text = text_table_add(pipeline->texts, command->text);
    }
    text_append(event.note, sizeof(event.note), &length, "%s %s", command->kind, command->target);
    if (command->argument[0])
        text_append(event.note, sizeof(event.note), &length, " %s", command->argument);
    if (command->note[0])
        text_append(event.note, sizeof(event.note), &length, ": %s", command->note);
    text_copy(event.by, sizeof(event.by), command->by);
    text_copy(event.via, sizeof(event.via), command->via);
    text_copy(event.result, sizeof(event.result), command->result);
    pipeline->counts.events++;
    pipeline->told = true;
    TELL(pipeline, event, &event);
    pipeline_settle(pipeline);
}

void pipeline_tell(struct pipeline *pipeline, const struct pipeline_news *news)
{
    const struct inventory *inventory = pipeline->site->inventory;
    struct event event = {.boot = pipeline->boot,
                          .sequence = ++pipeline->sequence,
                          .at_ms = clock_boot_ms(),
                          .since_ms = news->since_ms,
                          .instance = inventory_find_rule(inventory, news->rule ? news->rule : ""),
                          .sensor = UINT32_MAX,
                          .type = news->type,
                          .severity = news->severity,
                          .limit = NAN};
    struct sink_notification notification = {.at_ms = event.at_ms,
                                             .instance = UINT32_MAX,
                                             .type = news->type,
                                             .severity = news->severity,
                                             .except = news->except,
                                             .text = news->words};

    if (event.instance != UINT32_MAX)
        event.sensor = inventory->rules[event.instance].sensor;
    text_copy(event.note, sizeof(event.note), news->brief ? news->brief : news->words);
    text_copy(event.result, sizeof(event.result), news->result ? news->result : "");
    pipeline->counts.events++;
    pipeline->told = true;
    TELL(pipeline, event, &event);
    if (news->notify)
        TELL(pipeline, notify, &notification);
    pipeline_settle(pipeline);
}
