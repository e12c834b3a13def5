/* Port: Modbus as a person asks it, one question after the other: for `read` and `scan`. Blocks;
 * one thread at a time. Whoever else can ask, such as a gateway that holds the line, is a port too.
 */
#pragma once

#include "adapters/modbus/pdu.h"
#include "gateway/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct mb_port {
    /* Asks once. QUALITY_GOOD with *ret_data as mb_pdu_answer() has it, until the next call; an
     * exception; QUALITY_TIMEOUT, QUALITY_CRC, QUALITY_PROTOCOL; QUALITY_DISCONNECTED with
     * `reterr`: there is nobody to ask. */
    uint8_t (*ask)(struct mb_port *port, uint8_t unit, const struct mb_request *request,
                   int64_t timeout_ms, const uint8_t **ret_data, struct error *reterr);
    void (*close)(struct mb_port *port); /* frees it */
    /* Bus of the gateway through which it asks, known from the first answer on: the framing is that
     * of the gateway. NULL: the line is its own. */
    const char *bus;
};

/* How to get there; the framing is for serial lines only. */
struct mb_way {
    const char *connect; /* "serial:/dev/ttyUSB0", "tcp://HOST[:PORT]", "rtu+tcp://HOST[:PORT]" */
    int baud, stop_bits;
    char parity; /* 'N', 'E', 'O' */
};

/* Whether it leads to a peer in a network; false also for what is no address. */
bool mb_way_is_network(const struct mb_way *way);

/* Opens the line or connects. 0; -EINVAL: no such address; -Exxx; all with `reterr`. */
int mb_port_open(const struct mb_way *way, struct mb_port **ret_port, struct error *reterr);
void mb_port_close(struct mb_port *port); /* NULL is legal */
