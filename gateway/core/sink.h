/* Sink: where the way of a reading leaves the loop - MQTT, terminal, store, browser, phone.
 *
 * The pipeline calls every sink on the loop thread; a sink with a thread of its own copies into its
 * queue and returns. Sinks know sensors and instances by the inventory, and do not know each other.
 */
#pragma once

#include "gateway/base/reading.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inventory;

/* What happened; published and stored by name, in the order of enum rule_event_kind as far as that
 * goes. */
enum event_type {
    EVENT_FIRED,
    EVENT_LEVEL,
    EVENT_CLEARED,
    EVENT_BLIND,
    EVENT_SEEING,
    EVENT_ACKED,
    EVENT_MUTED,
    EVENT_UNMUTED,
    EVENT_ENABLED,
    EVENT_DISABLED,
    EVENT_LIMIT,
    EVENT_COMMAND,
    EVENT_NOTIFIED,
    EVENT_OUTAGE,
    EVENT_GATEWAY
};
const char *event_type_name(uint8_t type);

/* A copyable event. Its id is `boot` (64 random bits drawn at each start) : `sequence`. */
struct event {
    uint64_t boot, sequence;
    int64_t at_ms;
    int64_t since_ms;     /* of the firing, also when it is over by this; CLOCK_NEVER: none */
    uint32_t instance;    /* of the inventory; UINT32_MAX: none */
    uint32_t sensor;      /* likewise */
    uint8_t type;         /* enum event_type */
    uint8_t severity;     /* enum rule_severity */
    uint8_t kind;         /* enum value_kind */
    double number, limit; /* limit: NAN when there is none */
    uint32_t text;        /* in the table of texts */
    char note[96];        /* words; "" when none */
    char by[32], via[16]; /* who, and by which way, when a person did it; "" when none */
    char result[16];      /* of EVENT_COMMAND: "ok", "refused", ...; "" when none */
};

#define SINK_LIMITS_MAX 8 /* of one instance */

/* How an instance stands; sent at each change and once after each new inventory. */
struct instance_state {
    int64_t at_ms, since_ms; /* of the last change; of the firing (CLOCK_NEVER: not firing) */
    uint32_t instance;
    uint8_t state;    /* enum rule_state */
    uint8_t severity; /* enum rule_severity */
    uint8_t kind;     /* enum value_kind of the value that decided */
    double number, limit;
    uint32_t text;
    bool acked, muted, disabled, blind;
    bool inhibited;                 /* a rule of its `inhibited_by` fires: nobody is told */
    bool inactive;                  /* it is outside of its `active` times */
    int64_t muted_until_ms;         /* CLOCK_NEVER: not muted */
    uint8_t n_limits;               /* adjustable ones, as in the inventory: */
    double limits[SINK_LIMITS_MAX]; /* their values now */
};

/* A text for a person, by the notifier of that name. Borrowed for the call. */
struct sink_notification {
    int64_t at_ms;
    uint32_t instance; /* UINT32_MAX: about the gateway itself */
    uint8_t type;      /* enum event_type of what it tells */
    uint8_t severity;
    const char *notifier; /* NULL: all of them */
    const char *except;   /* but this one; NULL: none */
    const char *text;
};

/* For sinks, which know no rules: the names of `state` and of `severity` here and in events, and
 * whether the alarm is on (firing or recovering). */
const char *instance_state_name(uint8_t state);
const char *instance_severity_name(uint8_t severity);
bool instance_is_firing(const struct instance_state *state);

/* Every call may be NULL. Pointers are borrowed for the call. */
struct sink_calls {
    const char *name;
    /* A new inventory, before anything that refers to it. A sink that keeps it holds it. */
    void (*inventory)(void *sink, struct inventory *inventory);
    /* The readings of one poll of `device`, all of one time; also when sensors become stale. */
    void (*readings)(void *sink, uint32_t device, const struct reading *readings, size_t count);
    /* A device came (QUALITY_GOOD) or went (why). */
    void (*device)(void *sink, uint32_t device, uint8_t why, int64_t at_ms);
    void (*instance)(void *sink, const struct instance_state *state);
    void (*event)(void *sink, const struct event *event);
    /* The action `publish` of a rule. Sinks that are no broker leave it NULL. */
    void (*publish)(void *sink, const char *topic, const char *payload, uint8_t qos, bool retain);
    void (*notify)(void *sink, const struct sink_notification *notification);
    /* The action `run`: the hook of that name, with the text that notifiers would tell. */
    void (*run)(void *sink, uint32_t instance, const char *hook, const char *text);
    /* How an instance stands, to be kept over a restart; "": there is nothing to keep. */
    void (*saved)(void *sink, const char *id, const char *text);
    /* All that one judgement has caused was told: what belongs together is complete. */
    void (*settled)(void *sink, int64_t now_ms);
};

/* The calls of `all` in two: what may be told at once, and what has to be on disk first. */
void sink_split(const struct sink_calls *all, struct sink_calls *ret_at_once,
                struct sink_calls *ret_kept);
