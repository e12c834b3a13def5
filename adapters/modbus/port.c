#include "adapters/modbus/port.h"

#include "adapters/adapter.h"
#include "adapters/modbus/line.h"
#include "adapters/modbus/port_tcp.h"
#include "gateway/base/enclosing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- serial lines --------------------------------------------------------------------------- */

struct line_port {
    struct mb_port port;
    struct mb_line *line;
};

static uint8_t line_ask(struct mb_port *port, uint8_t unit, const struct mb_request *request,
                        int64_t timeout_ms, const uint8_t **ret_data, struct error *reterr)
{
    struct line_port *self = enclosing(port, struct line_port, port);

    if (!mb_line_is_open(self->line) && mb_line_open(self->line, reterr) < 0)
        return QUALITY_DISCONNECTED;
    return mb_line_ask(self->line, unit, request, timeout_ms, ret_data, reterr);
}

static void line_close(struct mb_port *port)
{
    struct line_port *self = enclosing(port, struct line_port, port);

    mb_line_free(self->line);
    free(self);
}

static int open_line(const struct mb_way *way, struct mb_port **ret_port, struct error *reterr)
{
    struct mb_bus_options options = {
        .baud = way->baud, .stop_bits = way->stop_bits, .parity = way->parity};
    struct line_port *self = calloc(1, sizeof(*self));
    int result;

    if (!self)
        return error_set(reterr, -ENOMEM, "out of memory");
    self->port = (struct mb_port){.ask = line_ask, .close = line_close};
    self->line = mb_line_new(connect_path(way->connect), &options);
    result =
        self->line ? mb_line_open(self->line, reterr) : error_set(reterr, -ENOMEM, "out of memory");
    if (result < 0) {
        line_close(&self->port);
        return result;
    }
    *ret_port = &self->port;
    return 0;
}

/* -- door ----------------------------------------------------------------------------------- */

static bool has_scheme(const char *connect, const char *scheme)
{
    size_t length = strlen(scheme);

    return strncmp(connect, scheme, length) == 0 && connect[length] == ':';
}

/* The framing that is spoken there; NULL: it is no peer in a network. */
static const struct mb_framing *parse_peer(const char *connect, struct address *ret_address)
{
    bool tcp = has_scheme(connect, "tcp"), rtu = has_scheme(connect, "rtu+tcp");

    if ((!tcp && !rtu) || address_parse(connect, 502, ret_address) < 0)
        return NULL;
    return tcp ? &mb_framing_tcp : &mb_framing_rtu;
}

bool mb_way_is_network(const struct mb_way *way)
{
    struct address address;

    return parse_peer(way->connect, &address) != NULL;
}

int mb_port_open(const struct mb_way *way, struct mb_port **ret_port, struct error *reterr)
{
    const struct mb_framing *framing;
    struct address address;

    if (has_scheme(way->connect, "serial") && connect_path(way->connect)[0] == '/')
        return open_line(way, ret_port, reterr);
    framing = parse_peer(way->connect, &address);
    if (!framing)
        return error_set(reterr, -EINVAL,
                         "\"%s\" is no address: write serial:/dev/ttyUSB0, tcp://HOST[:PORT] or "
                         "rtu+tcp://HOST[:PORT]",
                         way->connect);
    return mb_port_tcp_open(&address, framing, ret_port, reterr);
}

void mb_port_close(struct mb_port *port)
{
    if (port)
        port->close(port);
}
