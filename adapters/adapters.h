/* Adapters, the running side: finds the adapter for a connect address, polls every device when it
 * is due, and hands up what came. Loop thread only; workers for blocking lines are its own affair.
 *
 * schedule.c alone owns due times, phases, deadlines, back-off and lost polls. Due times are
 * absolute and each device keeps its phase; network devices snap to a grid, so that wake-ups and
 * publishes come in groups. A late poll is counted, not repeated. A device that
 * does not answer is probed with growing pauses, from its interval up to 60 s. */
#pragma once

#include "adapters/adapter.h"

/* The adapter of (`word`, scheme of `connect`); with `connect` NULL the one that has a default.
 * NULL when there is none. */
const struct adapter *adapters_find(const char *word, const char *connect);

/* The i-th adapter, NULL at the end: for messages, manual and completion. */
const struct adapter *adapters_at(size_t i);

/* One bus to run: the part of a configured bus that shares an adapter and an address. `ids[i]` is
 * the number under which its device i is known to the caller. Borrowed until adapters_close() or
 * adapters_reload(); its sections only during the call. */
struct adapters_bus {
    const struct adapter *adapter;
    struct bus_config config;
    const uint32_t *ids;
    uint64_t hash;   /* of all that the config says of it: the same number, the same bus */
    int64_t grid_ms; /* of network devices: polls begin at multiples of it; 0: at any time */
};

/* Called on the loop, never from inside adapters_open() but for recall(). */
struct adapters_events {
    /* The samples of one poll of a device; when it failed, one bad sample for each channel. */
    void (*poll)(void *owner, uint32_t id, const struct sample *samples, size_t count);
    /* A device went away (`why`) or came back (QUALITY_GOOD). The first state is told, too, and
     * when the connection of one that is away goes or comes. Away means three failed polls in a
     * row, or the first poll ever, or no connection. Logged already. */
    void (*device)(void *owner, uint32_t id, uint8_t why, int64_t at_ms);
    /* The connection of this device is down, and there are others on it of which that is not known
     * yet: they are asked at once. Said before its `device`. May be NULL. */
    void (*doubt)(void *owner, uint32_t id);
    /* A write ended: QUALITY_GOOD when the device has confirmed it. A poll that reads it back
     * follows by itself. May be NULL where nothing is written. */
    void (*wrote)(void *owner, uint32_t token, uint8_t quality);
    /* An adapter has found a device on the bus of that name, as adapter_host.appear says. May be
     * NULL where no bus discovers. */
    void (*appear)(void *owner, const char *bus, const struct adapter_found *found);
    /* What an adapter has learnt of the device of this name, less than ADAPTER_LEARNT_SIZE, and
     * what it was that learnt() told last, also before a restart; NULL: nothing. That one is asked
     * from inside adapters_open() and adapters_reload(). Both may be NULL. */
    void (*learnt)(void *owner, const char *device, const char *words);
    const char *(*recall)(void *owner, const char *device);
};

struct adapters;

/* Opens all buses and starts polling. 0, or -Exxx with `reterr`. */
int adapters_open(struct loop *loop, const struct adapters_bus *buses, size_t n_buses,
                  const struct adapters_events *events, void *owner, struct adapters **ret_adapters,
                  struct error *reterr);

/* Goes over to other buses. One that is what it was (name, adapter, hash) keeps its connections,
 * phases, back-off and polls under way, whatever numbers its devices have now; the others are
 * closed and opened. Does not wait: a worker that is busy ends later. 0, or -Exxx with `reterr`:
 * then nothing has changed. */
int adapters_reload(struct adapters *adapters, const struct adapters_bus *buses, size_t n_buses,
                    struct error *reterr);

/* Writes `number`, in the channel's unit, to channel `channel` of the device with this id. Exactly
 * one `wrote` with `token` follows, never from inside the call. 0, -ENOENT for no such device,
 * -ENOTSUP where nothing can be written, -ENODEV when it is on no line now, -ENOBUFS when too much
 * waits. */
int adapters_write(struct adapters *adapters, uint32_t id, uint32_t channel, double number,
                   uint32_t token);

/* Asks a question behind the polls of the line or connection at `connect`. 0, and *ret_bus is the
 * name of its bus, borrowed until a reload; -ENOENT when no device is there, -ENOTSUP where only
 * polls and writes are for it, -ENODEV when it does not work now, -ENOBUFS when too much waits. */
int adapters_ask(struct adapters *adapters, const char *connect,
                 const struct adapter_question *question, const char **ret_bus);

struct adapters_counts {
    uint64_t polls, failed; /* ended, and those of them without an answer */
    uint64_t late;          /* due times that passed while the poll before was still under way */
    uint64_t lost;          /* due times left out while a device was away */
    uint32_t devices, online, away; /* away: known not to answer */
};
struct adapters_counts adapters_counts(const struct adapters *adapters);

/* What was counted of the requests to a device, or to all devices of a bus, since the start. Buses
 * whose adapter has no requests to count (files of the kernel) have zeros. */
struct adapters_traffic {
    uint64_t requests, replies; /* a reply may be an exception */
    uint64_t exceptions;
    uint64_t timeouts;   /* nothing came */
    uint64_t crc;        /* a damaged reply came */
    uint64_t broken;     /* a reply that does not fit its request, or only frames of others */
    uint64_t foreign;    /* frames for others, late replies among them */
    uint64_t reconnects; /* connections or lines opened anew */
    double busy;         /* 0..1: how much of its line's or connection's time was taken up, over the
                            last ten seconds; of a bus: the busiest of its lines or connections */
    int64_t p50_us, p99_us; /* answer times of the last few thousand replies; -1: there are none */
};

/* 0, or -ENOENT for no such device, or a bus without devices. Walks over the devices of the bus:
 * for health, API and metrics, not for every reading. `busy` in % is what `<bus>.load` shows. */
int adapters_device_traffic(const struct adapters *adapters, uint32_t id,
                            struct adapters_traffic *ret_traffic);
int adapters_bus_traffic(const struct adapters *adapters, const char *bus,
                         struct adapters_traffic *ret_traffic);

/* Each of these by a name: "requests", "crc_errors", "busy_ratio", "answer_p99_seconds" (NAN: not
 * known). */
void adapters_traffic_each(const struct adapters_traffic *traffic,
                           void (*take)(void *to, const char *name, double value), void *to);

struct report;
/* All counts as rows, those of the traffic by "bus" and by "device" with that before their names;
 * and as a problem that devices do not answer. */
void adapters_report(const struct adapters *adapters, struct report *report);

/* Asks devices that are away, and looks for new ones, now and not only when it is time. */
void adapters_look(struct adapters *adapters);

/* For how long the worker that has been at one poll or write longest has been at it; 0: none is. */
int64_t adapters_stuck_ms(const struct adapters *adapters);

/* Ends polling; a worker that does not come back within `wait_ms` is abandoned with its bus: then
 * the result is -ETIMEDOUT and the process should end with _exit(). NULL is legal. */
int adapters_close(struct adapters *adapters, int64_t wait_ms);
