/* Command: what people and rules want done - write a value, acknowledge, mute, enable, set a limit,
 * standby, reload. One entry for all of them, from any thread, checked on the loop in one table;
 * each has exactly one answer, and each answer is an event with `by`, `via` and `note`.
 *
 * Writes queue per channel: while one is under way the newest waits, and an older one that waited
 * is answered `superseded`. A write is read back within two seconds; only then it is `ok`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct pipeline;
struct adapters;
struct commands;

/* Published and logged by name: add, never renumber. */
enum command_kind {
    COMMAND_WRITE, /* target: sensor id; argument: a number, ON, OFF, or an enumeration's text */
    COMMAND_ACK,   /* target: instance, or a rule for all of its instances; so below */
    COMMAND_MUTE,  /* argument: duration; "" is two hours */
    COMMAND_UNMUTE,
    COMMAND_ENABLE,
    COMMAND_DISABLE,
    COMMAND_LIMIT,   /* argument: "above=-14" */
    COMMAND_STANDBY, /* target: device; argument as of mute */
    COMMAND_RESUME,  /* target: device */
    COMMAND_RELOAD,
    COMMAND_RESET,  /* target as of acknowledge: ends a latched alarm, takes back adjusted limits */
    COMMAND_RESCAN, /* asks devices that are away, and looks for new ones, now */
    COMMAND_KINDS
};
const char *command_kind_name(uint8_t kind);
/* false when there is no such word. */
bool command_kind_parse(const char *word, enum command_kind *ret_kind);

/* Who asks; `via` of the event. */
enum command_origin {
    COMMAND_VIA_RULE,
    COMMAND_VIA_MQTT,
    COMMAND_VIA_API,
    COMMAND_VIA_SIGNAL,
    COMMAND_VIA_MAX_ON
};
const char *command_origin_name(uint8_t origin);

/* Which commands an origin may give. */
enum command_rights {
    COMMAND_RIGHTS_NONE,
    COMMAND_RIGHTS_ACK, /* acknowledge, mute, unmute */
    COMMAND_RIGHTS_ALL,
};

enum command_result {
    COMMAND_OK,         /* done; for a write: read back and the same */
    COMMAND_DIFFERS,    /* written, but another value was read back */
    COMMAND_REFUSED,    /* `words` says why */
    COMMAND_TIMEOUT,    /* no answer, or it was not read back in time */
    COMMAND_SUPERSEDED, /* a newer one for the same channel came before it was its turn */
    COMMAND_RESULTS
};
const char *command_result_name(uint8_t result);

#define COMMAND_ID_SIZE 48

struct command_reply {
    uint64_t token; /* of the command */
    uint8_t kind;   /* enum command_kind */
    uint8_t result; /* enum command_result */
    bool has_value; /* of a write: what was read back */
    double value;
    const char *text; /* the same of an enumeration, then without `value`; else NULL; stays */
    char words[200];  /* for people; "" when there is nothing to say */
    char target[136];
    char id[COMMAND_ID_SIZE]; /* of the command */
};

struct command {
    uint8_t kind, origin, rights; /* the three enums above */
    char target[136];
    char argument[64];
    char by[48];   /* a person or client, where the origin knows one */
    char note[96]; /* words that a person gave along */
    /* By which whoever sends it knows it: one that was given already is refused. "": none. */
    char id[COMMAND_ID_SIZE];
    bool again;         /* it was tried before: only that it worked is an event */
    int64_t expires_ms; /* boot time after which it must not be done any more; CLOCK_NEVER: never */
    uint64_t token;
    /* On the loop, never from inside command_submit(). May be NULL. */
    void (*reply)(void *owner, const struct command_reply *reply);
    void *owner;
};

struct report;
/* How many ended in which way, as rows. */
void commands_report(const struct commands *commands, struct report *report);

/* At most this many wait to be looked at; one more is refused aloud. */
#define COMMANDS_MAX 256

/* `reload` is called for COMMAND_RELOAD; what it answers comes later by commands_reloaded(). NULL
 * when memory is out. */
struct commands *commands_new(struct loop *loop, struct pipeline *pipeline,
                              void (*reload)(void *owner), void *owner);
void commands_free(struct commands *commands);

/* The adapters to write to; NULL from the time on when they close. */
void commands_use(struct commands *commands, struct adapters *adapters);

/* Any thread. Copies. 0, or -ENOBUFS when too many wait: say so to whoever asked, no reply follows.
 */
int command_submit(struct commands *commands, const struct command *command);

struct rule_action;
/* An ACTION_WRITE of a rule: done until it is so, as hold.h says. 0, -ENOENT or -ENOMEM. */
int commands_write_for_rule(struct commands *commands, const struct rule_action *action);

/* How a reload ended: answers all that asked for it, with these words for people; "" when there is
 * nothing to say. */
void commands_reloaded(struct commands *commands, bool done, const char *words);

/* The end of a write, from adapters_events.wrote, with the commands as owner. */
void commands_wrote(struct commands *commands, uint32_t token, uint8_t quality);

/* From here on no value is written but the safe ones; whoever asks is refused with these words,
 * which are borrowed. */
void commands_hold(struct commands *commands, const char *words);

/* Writes every `safe` value; true when there was one. For a stop, and for a
 * start without outputs. */
bool commands_write_safe(struct commands *commands);
/* Whether no write is under way. */
bool commands_idle(const struct commands *commands);

struct sink_calls;
/* Reads writes back, and sees what rules hold: for pipeline_add_sink() with the struct commands. */
extern const struct sink_calls commands_sink;
