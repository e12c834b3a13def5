/* What publisher.c (what is due, and when) and messages.c (how it is said) share. Private to the
 * room; the MQTT thread only. */
#pragma once

#include "gateway/mqtt/burial.h"
#include "gateway/mqtt/change.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/outbox.h"
#include "gateway/mqtt/payload.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/publisher.h"
#include "gateway/mqtt/session.h"
#include "gateway/mqtt/shadow.h"
#include "gateway/mqtt/todo.h"

/* With the number of an entry: its tag says that it is one of `late`. */
#define MESSAGE_LATE (UINT64_C(1) << 63)

/* So long no state goes out at QoS 0 only: an acknowledgement proves what was sent before it. */
#define PROOF_MS 2000

struct publisher {
    const struct options *options;
    struct session *session;
    struct queue *news;
    struct publisher_counters *counters;
    struct plan *plan; /* NULL before the first inventory */
    struct shadow shadow;
    struct change change;
    bool poll_is_due; /* a reading of the poll that is coming in must be published */
    struct outbox *outbox;
    struct outbox *late; /* what is replayed after an outage */
    struct payload_clock clock;
    char *buffer;
    size_t buffer_size;

    /* What is due. */
    bool status;
    bool health;
    struct todo availability, discovery, states, rules, groups; /* discovery: 0 is the gateway's */
    int64_t announce_at;

    struct burial burial;
    struct todo graves; /* devices that are no longer configured, by number of their first ghost */
    struct todo moves;  /* what was announced in the other form, by number */
    struct todo leftovers;                  /* topics that keep what is gone, by number */
    uint32_t told_of_device, told_of_grave; /* entities of the first one that are out */

    bool online, leaving;
    int64_t online_since_ms;
    uint64_t instance;
    char *report; /* the newest of the rooms, for `health`; NULL: none came yet */
    bool said_refused, said_full, said_topic; /* each complaint once until things are well again */
};
