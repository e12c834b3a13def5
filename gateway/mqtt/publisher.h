/* Publisher: what is published and in which order. It takes what comes out of the inbox, keeps the
 * shadow, the outbox and what is still due, and hands messages to the session. The MQTT thread
 * only, but for the counters.
 *
 * Readings go at once and at QoS 0, each poll one message. Everything else goes at QoS 1 through
 * the window, as room comes: status; our own discovery; events and what rules publish;
 * availability; discovery; all states; rules; health; and last, in half of the window, what is
 * replayed after an outage. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct inbox_item;
struct options;
struct publisher;
struct queue;
struct session;

struct publisher_counters {
    atomic_ullong published, acknowledged;
    atomic_ullong unsent; /* polls that found no broker */
    atomic_ullong lost;   /* events and publishes that nobody will get */
};

/* Borrows all. What became of messages goes to `news` (struct news). NULL when memory is out. */
struct publisher *publisher_new(const struct options *options, struct session *session,
                                struct queue *news, struct publisher_counters *counters);
void publisher_free(struct publisher *publisher); /* NULL is legal */

/* Whether the inbox must wait: readings go at a QoS above 0, and there is no room for one. */
bool publisher_is_full(const struct publisher *publisher);
/* News from the inbox; releases what the item owns. */
void publisher_take(struct publisher *publisher, struct inbox_item *item);

/* The broker is there: everything is due. The broker is gone: what was under way is due again. */
void publisher_online(struct publisher *publisher, int64_t now_ms);
void publisher_offline(struct publisher *publisher);

/* The broker has answered a message; `reason` from 128 on: refused it. */
void publisher_acked(struct publisher *publisher, uint64_t tag, int reason);

/* Home Assistant has started: everything is due in 1 to 5 s. */
void publisher_birth(struct publisher *publisher, int64_t now_ms);

/* Publishes what is due as far as the window goes. Comes back on the next acknowledgement and at
 * publisher_next_ms() (CLOCK_NEVER: no need). */
void publisher_run(struct publisher *publisher, int64_t now_ms);
int64_t publisher_next_ms(const struct publisher *publisher);

/* Drawn at the start: what `health` of another gateway of the same name does not have. */
uint64_t publisher_instance(const struct publisher *publisher);

/* From now on gateway and devices are `offline`, which is due at once. */
void publisher_goodbye(struct publisher *publisher);
/* Whether everything that is due is out and acknowledged. */
bool publisher_is_done(const struct publisher *publisher);
