/* Notify: tells people - ntfy, webhooks, e-mail - and runs hooks. Loop thread only.
 *
 * Whoever sends keeps each message (the store's outbox) until it is told what became of it, and
 * sends it again after a restart. A notifier delivers in order and by itself: what does not get
 * through is tried again after 5 s, doubling to 5 min, for 24 h. What is late says so ("14:02,
 * delivered 14:31"); an alarm that has cleared meanwhile and its clearing go as one text. In quiet
 * hours, and beyond `per_hour`, messages wait and then go as one text; beyond `per_hour` a critical
 * one waits a minute at most and takes the others along.
 *
 * Secrets come from files or systemd's credentials and appear in no text of this room. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/problem.h"
#include "gateway/base/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct notify;

/* `hooks: { NAME: {...} }` is SETTING_NAMED with this inside; `notifiers` is SETTING_NAMED and
 * SETTING_OPEN: what may stand there depends on its type, notify_check() knows. */
extern const struct setting notify_hook_settings[];

/* For the manual: what every notifier may have, and what the i-th type may have beside (NULL at the
 * end). */
extern const struct setting notifier_settings[];
const struct setting *notify_type_settings(size_t i, const char **ret_type);

/* Checks the groups `notifiers` and `hooks` (NULL: not written); returns how many errors were
 * added.
 */
size_t notify_check(struct section *notifiers, const struct section *hooks,
                    struct problems *problems);

enum notify_kind {
    NOTIFY_FIRED,
    NOTIFY_CLEARED,
    NOTIFY_CHANGED,  /* another level */
    NOTIFY_REPEATED, /* a reminder */
    NOTIFY_BLIND,    /* the rule cannot see */
    NOTIFY_SEEING,   /* it can again */
    NOTIFY_GATEWAY,  /* about the gateway itself */
    NOTIFY_TEST,
    NOTIFY_GROUP /* several in one text */
};
const char *notify_kind_name(uint8_t kind);

/* Texts may be NULL for "". Times are Unix milliseconds, CLOCK_NEVER when there is none. */
struct notify_message {
    uint64_t row;             /* the sender's, for the answer; means nothing here */
    uint8_t kind;             /* enum notify_kind */
    uint8_t severity;         /* enum rule_severity */
    const char *title, *text; /* for people */
    const char *rule;         /* id of the instance: what belongs together */
    const char *sensor, *value, *unit;
    int64_t since_ms, at_ms; /* of the alarm; of this message */
};

/* None is called from inside notify_send() or notify_run_hook(); inside one, notify_stop() and
 * notify_reload() are not allowed. */
struct notify_calls {
    /* Exactly one of these for each message that notify_send() took, unless notify_stop() comes
     * first. Dropped: less severe than `min_severity`, tried for 24 h, refused by the server for 10
     * min, one too many, or the notifier is gone. */
    void (*delivered)(void *owner, const char *notifier, const struct notify_message *message);
    void (*dropped)(void *owner, const char *notifier, const struct notify_message *message,
                    const char *why);
    /* It has failed for 10 minutes, since the wall time `since_ms`; and the end of that. */
    void (*failing)(void *owner, const char *notifier, int64_t since_ms, const char *why);
    void (*working)(void *owner, const char *notifier);
    /* A hook has ended, with success or not; `words` says how, with what it printed. */
    void (*hook_ended)(void *owner, const char *hook, bool ok, const char *words);
};

/* The checked groups `notifiers` and `hooks` of the config (NULL: none), read during the call only;
 * so are the files with secrets. 0, -ENOMEM, or -Exxx with `reterr` (a secret that cannot be read).
 * `calls` is borrowed for its life. */
int notify_start(struct loop *loop, const struct section *notifiers, const struct section *hooks,
                 const struct notify_calls *calls, void *owner, struct notify **ret_notify,
                 struct error *reterr);

/* Works by these from now on, or changes nothing and returns -Exxx with `reterr`. What waits for a
 * notifier that stays is kept. */
int notify_reload(struct notify *notify, const struct section *notifiers,
                  const struct section *hooks, struct error *reterr);

/* Ends everything at once; nothing is told any more, what waits is the sender's to send again. NULL
 * is legal. */
void notify_stop(struct notify *notify);

/* Whether there is such a notifier and a message of this severity would reach it: others need not
 * be kept for it. */
bool notify_wants(const struct notify *notify, const char *name, uint8_t severity);

/* Copies. 0, -ENOENT when there is no such notifier, -ENOMEM: then nothing is told about it. */
int notify_send(struct notify *notify, const char *name, const struct notify_message *message);

/* Sends a test message at once, whatever waits and whatever the hour. `done` is called once, on the
 * loop, never from inside: the server's answer or the failure in words. Success also ends a pause
 * between tries. 0, -ENOENT, -EBUSY while a test of it is under way, -ENOMEM. */
int notify_test(struct notify *notify, const char *name,
                void (*done)(void *owner, const char *name, bool ok, const char *words),
                void *owner);

/* Runs a hook with what happened in its environment: THERMOGATE_KIND, _SEVERITY, _TITLE, _TEXT,
 * _RULE, _SENSOR, _VALUE, _UNIT, _SINCE, _AT (UTC). 0, -ENOENT, -ENOBUFS when too many wait,
 * -ENOMEM: then hook_ended() is not called. */
int notify_run_hook(struct notify *notify, const char *name, const struct notify_message *event);

/* How a notifier stands; for status pages. false when there is no such `i`. */
struct notify_status {
    const char *name, *type;
    size_t waiting;     /* messages */
    uint64_t delivered; /* messages */
    uint64_t dropped;
    int64_t
        failing_since_ms; /* boot time of the first failure since the last success; CLOCK_NEVER */
    const char *why;      /* of the last failure; borrowed until the next call */
};
bool notify_status(const struct notify *notify, size_t i, struct notify_status *ret_status);

struct report;
/* The same as rows, and a problem for each that fails. */
void notify_report(const struct notify *notify, struct report *report);
