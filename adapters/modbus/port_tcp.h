/* Port over TCP: a connection that blocks. Private to port.c. */
#pragma once

#include "adapters/adapter.h"
#include "adapters/modbus/framing.h"
#include "adapters/modbus/port.h"

/* Connects. 0, or -Exxx with `reterr`. */
int mb_port_tcp_open(const struct address *address, const struct mb_framing *framing,
                     struct mb_port **ret_port, struct error *reterr);
