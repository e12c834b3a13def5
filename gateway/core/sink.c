#include "gateway/core/sink.h"

#include "rules/rules.h"

#include <stddef.h>

const char *event_type_name(uint8_t type)
{
    static const char *const names[] = {
        [EVENT_FIRED] = "fired",       [EVENT_LEVEL] = "level",     [EVENT_CLEARED] = "cleared",
        [EVENT_BLIND] = "blind",       [EVENT_SEEING] = "seeing",   [EVENT_ACKED] = "acked",
        [EVENT_MUTED] = "muted",       [EVENT_UNMUTED] = "unmuted", [EVENT_ENABLED] = "enabled",
        [EVENT_DISABLED] = "disabled", [EVENT_LIMIT] = "limit",     [EVENT_COMMAND] = "command",
        [EVENT_NOTIFIED] = "notified", [EVENT_OUTAGE] = "outage",   [EVENT_GATEWAY] = "gateway",
    };

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : "gateway";
}

const char *instance_state_name(uint8_t state)
{
    return rule_state_name(state);
}

const char *instance_severity_name(uint8_t severity)
{
    return rule_severity_name(severity);
}

bool instance_is_firing(const struct instance_state *state)
{
    return state->state == RULE_FIRING || state->state == RULE_RECOVERING;
}

void sink_split(const struct sink_calls *all, struct sink_calls *ret_at_once,
                struct sink_calls *ret_kept)
{
    *ret_at_once = *all;
    ret_at_once->event = NULL;
    ret_at_once->instance = NULL;
    *ret_kept =
        (struct sink_calls){.name = all->name, .event = all->event, .instance = all->instance};
}
