#include "adapters/modbus/port_tcp.h"

#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 3000

struct tcp_port {
    struct mb_port port;
    struct address address;
    const struct mb_framing *framing;
    int fd; /* -1: not connected */
    uint16_t number;
    size_t n_in;
    uint8_t in[2 * MB_FRAME_MAX];
};

/* -- the socket ----------------------------------------------------------------------------- */

/* Waits until `fd` is ready for `events`; 0, -ETIMEDOUT or -Exxx. */
static int wait_ready(int fd, short events, int64_t until_ms)
{
    struct pollfd poll_fd = {fd, events, 0};
    int64_t rest_ms = until_ms - clock_boot_ms();
    int n = poll(&poll_fd, 1, rest_ms > 0 ? (int)rest_ms : 0);

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    return n == 0 ? -ETIMEDOUT : 0;
}

static int finish_connect(int fd)
{
    int code = 0, r = wait_ready(fd, POLLOUT, clock_boot_ms() + CONNECT_MS);
    socklen_t size = sizeof(code);

    if (r < 0)
        return r;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 ? -errno : -code;
}

static int connect_one(const struct addrinfo *info, int *ret_fd)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, info->ai_addr, info->ai_addrlen) < 0)
        r = errno == EINPROGRESS ? finish_connect(fd) : -errno;
    if (r < 0)
        close(fd);
    else
        *ret_fd = fd;
    return r;
}

static int tcp_connect(struct tcp_port *self, struct error *reterr)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    char port[8];
    int r;

    snprintf(port, sizeof(port), "%u", self->address.port);
    r = getaddrinfo(self->address.host, port, &hints, &list);
    if (r != 0)
        return error_set(reterr, -EHOSTUNREACH, "%s: %s", self->address.host, gai_strerror(r));
    r = -EHOSTUNREACH;
    for (const struct addrinfo *info = list; info && r < 0; info = info->ai_next)
        r = connect_one(info, &self->fd);
    freeaddrinfo(list);
    self->n_in = 0;
    return r < 0 ? error_set(reterr, r, "%s:%s: %s", self->address.host, port, strerror(-r)) : 0;
}

static void disconnect(struct tcp_port *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

/* Adds what comes until `until_ms` to what is there. 0, -ETIMEDOUT, -EPIPE or -Exxx. */
static int receive(struct tcp_port *self, int64_t until_ms)
{
    int r = wait_ready(self->fd, POLLIN, until_ms);
    ssize_t n;

    if (r < 0)
        return r;
    n = recv(self->fd, self->in + self->n_in, sizeof(self->in) - self->n_in, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    self->n_in += (size_t)n;
    return n == 0 ? -EPIPE : 0;
}

/* -- asking --------------------------------------------------------------------------------- */

/* A request, after what came too late for the one before was thrown away. */
static int send_request(struct tcp_port *self, uint8_t unit, const struct mb_request *request)
{
    uint8_t frame[MB_FRAME_MAX];
    size_t length = self->framing->build(frame, ++self->number, unit, request);
    int r;

    do {
        self->n_in = 0;
        r = receive(self, 0);
    } while (r == 0 && self->n_in > 0);
    self->n_in = 0;
    if (r < 0 && r != -ETIMEDOUT)
        return r;
    return send(self->fd, frame, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -EPIPE;
}

static bool is_answer(const struct tcp_port *self, const struct mb_framed *frame, uint8_t unit)
{
    return frame->unit == unit && (!self->framing->numbered || frame->number == self->number);
}

static void drop_front(struct tcp_port *self, size_t count)
{
    self->n_in -= count;
    memmove(self->in, self->in + count, self->n_in);
}

/* Looks for the answer in what has come: false while it is not there. Foreign frames are passed
 * over; what is no frame ends it. */
static bool find_answer(struct tcp_port *self, uint8_t unit, const struct mb_request *request,
                        uint8_t *ret_quality, const uint8_t **ret_data)
{
    struct mb_framed frame;
    enum mb_frame what;

    while ((what = self->framing->parse(self->in, self->n_in, &frame)) == MB_FRAME_WHOLE) {
        if (is_answer(self, &frame, unit)) {
            *ret_quality = mb_pdu_answer(request, frame.pdu, frame.pdu_length, ret_data);
            return true;
        }
        drop_front(self, frame.used);
    }
    *ret_quality = self->framing->damaged;
    return what == MB_FRAME_BROKEN || self->n_in == sizeof(self->in);
}

static int exchange(struct tcp_port *self, uint8_t unit, const struct mb_request *request,
                    int64_t timeout_ms, uint8_t *ret_quality, const uint8_t **ret_data)
{
    int64_t until_ms = clock_boot_ms() + timeout_ms;
    int r = send_request(self, unit, request);

    while (r == 0) {
        r = receive(self, until_ms);
        if (r == 0 && find_answer(self, unit, request, ret_quality, ret_data))
            return 0;
    }
    *ret_quality = QUALITY_TIMEOUT;
    return r == -ETIMEDOUT ? 0 : r;
}

/* A peer that closed in between is asked again on a new connection: many do, when nobody asks for a
 * while. */
static uint8_t tcp_ask(struct mb_port *port, uint8_t unit, const struct mb_request *request,
                       int64_t timeout_ms, const uint8_t **ret_data, struct error *reterr)
{
    struct tcp_port *self = enclosing(port, struct tcp_port, port);
    uint8_t quality = QUALITY_DISCONNECTED;
    int r = -EPIPE;

    for (int i = 0; i < 2 && r < 0; i++) {
        if (self->fd < 0 && tcp_connect(self, reterr) < 0)
            return QUALITY_DISCONNECTED;
        r = exchange(self, unit, request, timeout_ms, &quality, ret_data);
        if (r < 0 || quality == self->framing->damaged)
            disconnect(self);
    }
    if (r == 0)
        return quality;
    error_set(reterr, r, "%s closes the connection: %s", self->address.host, strerror(-r));
    return QUALITY_DISCONNECTED;
}

static void tcp_close(struct mb_port *port)
{
    struct tcp_port *self = enclosing(port, struct tcp_port, port);

    disconnect(self);
    free(self);
}

int mb_port_tcp_open(const struct address *address, const struct mb_framing *framing,
                     struct mb_port **ret_port, struct error *reterr)
{
    struct tcp_port *self = calloc(1, sizeof(*self));
    int result;

    if (!self)
        return error_set(reterr, -ENOMEM, "out of memory");
    *self = (struct tcp_port){.port = {.ask = tcp_ask, .close = tcp_close},
                              .address = *address,
                              .framing = framing,
                              .fd = -1};
    result = tcp_connect(self, reterr);
    if (result < 0) {
        tcp_close(&self->port);
        return result;
    }
    *ret_port = &self->port;
    return 0;
}
