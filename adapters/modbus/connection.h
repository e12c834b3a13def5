/* Connection: one Modbus TCP connection and the devices behind it. Loop thread only.
 *
 * One request is in flight at a time; devices wait in the order in which they asked. An answer is
 * taken when its transaction id is that of the request; others are late or foreign, dropped and
 * counted. A silent device costs its time-outs and never the connection, since the others behind it
 * may be well. A frame that contradicts itself does: where the next one begins is not known any
 * more.
 *
 *   closed --ask--> connecting --> up (idle, asking, pausing) --peer closed, answered before-->
 * closed |                     |
 *                       +----- waiting <------+ failed, or closed without one answer
 */
#pragma once

#include "adapters/adapter.h"
#include "adapters/modbus/device.h"

#include <stdint.h>

struct mb_connection;

/* One device's poll; belongs to the caller, the connection's until it has ended. */
struct mb_job {
    struct mb_device *device;
    uint32_t index; /* of the device, for the host */
    uint64_t ticket;
    struct mb_job *next;
};

struct mb_counts {
    uint64_t requests, answers, exceptions;
    uint64_t timeouts;
    uint64_t foreign; /* answers that came late or belong to nobody */
    uint64_t broken;  /* frames that contradict themselves, answers that do not fit their request */
    uint64_t connects;
};

/* `samples` has room for all channels of any device; shared between connections of a bus. All
 * pointers are borrowed for its life. Opens nothing yet. NULL when memory is out. */
struct mb_connection *mb_connection_new(struct adapter_host *host, const struct address *address,
                                        const struct mb_bus_options *options,
                                        struct sample *samples);

/* Closes without ending jobs. NULL is legal. */
void mb_connection_free(struct mb_connection *connection);

/* Queues a poll that mb_poll_start() has begun: its samples are reported and its ticket ended by
 * the host, never from inside this call. -ENOTCONN when the connection is down and waits before it
 * tries again: then the caller ends it. */
int mb_connection_ask(struct mb_connection *connection, struct mb_job *job);

struct mb_counts mb_connection_counts(const struct mb_connection *connection);
