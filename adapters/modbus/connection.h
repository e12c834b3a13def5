/* Connection: one TCP connection and the devices behind it. Loop thread only.
 *
 * One request is in flight at a time, or as many as `parallel` says, each of another poll; writes
 * go first, polls wait in the order in which they asked. An answer is taken when it belongs to a
 * request: by its number in Modbus TCP, by what it can only be the answer to in RTU (pending.h);
 * others are late or foreign, dropped and counted. A silent device costs its time-outs and never
 * the connection, since the others behind it may be well. A frame that contradicts itself does:
 * where the next one begins is not known any more.
 *
 *   closed --ask--> connecting --> up --peer closed--> closed
 *                    |             |
 *                    +-> waiting <-+ failed, or closed without one answer
 *
 * A peer that takes connections and never says anything is asked once in the other framing. */
#pragma once

#include "adapters/adapter.h"
#include "adapters/modbus/framing.h"
#include "adapters/modbus/job.h"

#include <stdint.h>

struct mb_connection;

/* All pointers are borrowed for its life. Opens nothing yet. NULL when memory is out. */
struct mb_connection *mb_connection_new(struct adapter_host *host, const struct address *address,
                                        const struct mb_framing *framing,
                                        const struct mb_bus_options *options);

/* Closes without ending jobs; questions are answered. NULL is legal. */
void mb_connection_free(struct mb_connection *connection);

/* Queues a write, a question, or a poll that mb_poll_start() has begun: its samples are reported
 * and it is ended as mb_job_end() says, never from inside this call. -ENOTCONN when the connection
 * is down and waits before it tries again, -ENOBUFS when too many questions wait: then the caller
 * ends it. */
int mb_connection_ask(struct mb_connection *connection, struct mb_job *job);
