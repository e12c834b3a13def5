/* Modbus by hand: what `read` and `scan` share. Private to the room. */
#pragma once

#include "adapters/modbus/port.h"
#include "gateway/cli/command.h"

/* What the options of a line say; texts that are wrong are said on standard error. */
struct modbus_line {
    const char *connect;
    int first_unit, last_unit; /* of --unit 7 or --unit 1-30 */
    int baud;                  /* 0: not given */
    char parity;               /* '\0': not given */
    int64_t timeout_ms;        /* 0: not given */
};

/* The address is the first operand. APP_OK or APP_USAGE. */
int modbus_read_options(const struct cli_options *options, int first_unit, int last_unit,
                        struct modbus_line *ret);

/* Opens the line, or goes through the gateway that holds it; `way` is borrowed until the port is
 * closed. Whoever answers at a network address need not have a second connection to give: there the
 * gateway is asked first, and who does not answer is found out with the first question. */
int modbus_open(const struct cli_options *options, const struct mb_way *way,
                struct mb_port **ret_port, struct error *reterr);

/* A port that asks through the gateway which runs here and has such a line; at a network address it
 * goes there itself when there is none. 0 or -Exxx with `reterr`. */
int modbus_port_of_gateway(const struct cli_options *options, const struct mb_way *way,
                           struct mb_port **ret_port, struct error *reterr);

/* "9600 8N1" */
const char *modbus_framing_words(const struct mb_way *way, char to[24]);
