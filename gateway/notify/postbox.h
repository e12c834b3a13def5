/* Postbox: what waits for one notifier, and when it goes: quiet hours, the limit of an hour, pauses
 * after failures, and what goes together. Pure: times are handed in. */
#pragma once

#include "gateway/notify/notify.h"
#include "gateway/notify/pace.h"
#include "gateway/notify/quiet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSTBOX_WAIT_MAX   1000              /* messages; beyond it the oldest is dropped */
#define POSTBOX_BATCH_MAX  200               /* messages in one text */
#define POSTBOX_GIVE_UP_MS INT64_C(86400000) /* after the first try */
#define POSTBOX_REFUSED_MS INT64_C(600000)   /* for how long a server may refuse a message */
#define POSTBOX_FAILING_MS INT64_C(600000)   /* after which it is said that a notifier fails */

struct postbox_options {
    uint8_t min_severity, quiet_below; /* enum rule_severity */
    struct quiet quiet;
    uint16_t per_hour;
};

/* As struct notify_calls. */
struct postbox_calls {
    void (*delivered)(void *owner, const struct notify_message *message);
    void (*dropped)(void *owner, const struct notify_message *message, const char *why);
    void (*failing)(void *owner, int64_t since_ms, const char *why);
    void (*working)(void *owner);
};

struct postbox_time {
    int64_t now_ms;  /* boot */
    int64_t wall_ms; /* CLOCK_NEVER: not known, then no hour is quiet */
};

struct postbox;

/* `calls` is borrowed. NULL when memory is out. */
struct postbox *postbox_new(const struct postbox_options *options,
                            const struct postbox_calls *calls, void *owner);

/* Nothing is told about what waits. NULL is legal. */
void postbox_free(struct postbox *postbox);

/* Other options for what waits and what comes. */
void postbox_use(struct postbox *postbox, const struct postbox_options *options);

/* Copies. 0 or -ENOMEM. */
int postbox_put(struct postbox *postbox, const struct notify_message *message);

/* What to do now: gives up what is too old, says when the notifier has failed for too long, and
 * hands out the messages of the next text when it is time (*ret_count > 0, borrowed until the
 * result is told). Returns the boot time at which to look again; CLOCK_NEVER: when something comes.
 * While messages are out none are handed out. */
int64_t postbox_look(struct postbox *postbox, struct postbox_time time,
                     const struct notify_message *const **ret_messages, size_t *ret_count);

/* What became of them. `refused`: the server does not want these, as opposed to not being well. */
void postbox_delivered(struct postbox *postbox, struct postbox_time time);
void postbox_failed(struct postbox *postbox, struct postbox_time time, const char *why,
                    bool refused, int64_t retry_after_ms);

/* Something else got through: no reason to pause any longer. */
void postbox_works(struct postbox *postbox);

/* Drops everything. */
void postbox_drop_all(struct postbox *postbox, const char *why);

struct postbox_counts {
    size_t waiting;
    uint64_t delivered, dropped;
    int64_t failing_ms; /* CLOCK_NEVER: not */
    const char *why;
};
struct postbox_counts postbox_counts(const struct postbox *postbox);
