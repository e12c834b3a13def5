/* Messages: each thing that is said, as one publish. The MQTT thread only.
 *
 * All return 0 when it went out or can never go (which is told once), -EAGAIN when the window is
 * full, -ENOTCONN. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox_entry;
struct publisher;
struct reading;

int message_status(struct publisher *p);
int message_health(struct publisher *p);
int message_availability(struct publisher *p, uint32_t device);
int message_state(struct publisher *p, uint32_t device);  /* all channels in one */
int message_value(struct publisher *p, uint32_t sensor);  /* one channel alone */
int message_device(struct publisher *p, uint32_t device); /* whichever are wanted */
int message_happening(struct publisher *p, const struct reading *reading); /* of an event */
int message_rule(struct publisher *p, uint32_t instance);
int message_group(struct publisher *p, uint32_t group);
int message_grave(struct publisher *p, uint32_t ghost);      /* a device that is gone */
int message_discovery(struct publisher *p, uint32_t number); /* 0 is the gateway, n + 1 device n */
int message_move(struct publisher *p, uint32_t number);      /* what had another form */
int message_leftover(struct publisher *p, uint32_t number);  /* clears a topic of what is gone */

/* Of the outbox, and of what is late. */
int message_entry(struct publisher *p, const struct outbox_entry *entry);
int message_late(struct publisher *p, const struct outbox_entry *entry);

/* Tell the loop that nobody need keep `row` any more (0: nobody does); that a late one is through.
 */
void message_delivered(struct publisher *p, int64_t row);
void message_replayed(struct publisher *p, uint64_t number);

/* Makes the buffer in which messages are written at least so long; false: it stays as it is. */
bool message_lengthen_buffer(struct publisher *p, size_t size);
