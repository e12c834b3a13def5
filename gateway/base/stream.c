#include "gateway/base/stream.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/loop_uv.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WAITING_MAX  ((size_t)64 * 1024)
#define KEEP_ALIVE_S 30
/* Bytes that the peer's machine does not acknowledge for this long end the connection. Without it a
 * device that lost its power is noticed only after a quarter of an hour of retransmissions. */
#define UNACKNOWLEDGED_MS 10000

enum state {
    STATE_LOOKUP,
    STATE_CONNECTING,
    STATE_UP,
    STATE_FAILING, /* `failure` is to be told on the loop's next turn */
    STATE_DOWN,
    STATE_CLOSED, /* the owner is gone; memory stays until libuv has let go of everything */
};

/* What is needed until it is up. */
struct opening {
    union { /* one after the other */
        uv_getaddrinfo_t lookup;
        uv_connect_t connect;
    };
    struct addrinfo *found;      /* of the look-up */
    const struct addrinfo *next; /* to be tried when the present address fails */
};

/* What the kernel did not take at once. */
struct waiting {
    uv_write_t write;
    size_t count, sending; /* the first of them are in the hands of libuv */
    uint8_t bytes[WAITING_MAX];
};

/* There may be thousands: what only some need, or all only for a while, stands elsewhere. */
struct stream {
    uv_loop_t *uv;
    uv_tcp_t tcp;
    struct timer *timer; /* bounds look-up and connect; then tells failures outside of callbacks */
    struct opening *opening; /* NULL: it has been up */
    struct waiting *waiting; /* made when the kernel takes no more for the first time */
    struct stream_events events;
    void *owner;
    uint16_t port;
    uint8_t state; /* enum state */
    uint8_t holds; /* its owner, handles and look-ups that libuv still knows */
    bool tcp_open; /* initialised and not closing */
    int failure;
    char host[]; /* without the brackets of an IPv6 address */
};

static void opening_free(struct opening *opening)
{
    if (opening && opening->found)
        uv_freeaddrinfo(opening->found);
    free(opening);
}

static void release(struct stream *stream)
{
    if (--stream->holds > 0)
        return;
    opening_free(stream->opening);
    free(stream->waiting);
    free(stream);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

/* -- down ----------------------------------------------------------------------------------- */

static void describe(const struct stream *stream, int status, bool up, char *text, size_t size)
{
    char host[300];

    if (stream->state == STATE_LOOKUP)
        snprintf(text, size, "%s does not resolve: %s",
                 text_quote(host, sizeof(host), stream->host), uv_strerror(status));
    else if (status == -ECONNREFUSED)
        snprintf(text, size, "connection refused: nothing listens on port %u there", stream->port);
    else if (status == -ETIMEDOUT && !up)
        snprintf(text, size, "no answer: is it switched on, and is the address right?");
    else if (status == UV_EOF)
        snprintf(text, size, "closed by the peer");
    else
        snprintf(text, size, "%s", uv_strerror(status));
}

/* What libuv numbers by itself becomes an errno. */
static int to_errno(int status)
{
    if (status == UV_EOF)
        return -EPIPE;
    return status <= -3000 ? -EHOSTUNREACH : status;
}

/* Nothing may be touched after the owner was called: it may have closed the stream. */
static void go_down(struct stream *stream, int status, bool up)
{
    char why[400];

    describe(stream, status, up, why, sizeof(why));
    stream->state = STATE_DOWN;
    timer_at(stream->timer, CLOCK_NEVER);
    if (stream->tcp_open)
        uv_read_stop((uv_stream_t *)&stream->tcp);
    stream->events.down(stream->owner, to_errno(status), why);
}

static void on_timer(void *owner)
{
    struct stream *stream = owner;

    if (stream->state == STATE_FAILING)
        go_down(stream, stream->failure, true);
    else
        go_down(stream, -ETIMEDOUT, false);
}

static void fail_later(struct stream *stream, int status)
{
    stream->failure = status;
    stream->state = STATE_FAILING;
    timer_at(stream->timer, clock_boot_ms());
}

/* -- bytes in ------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    *buf = uv_buf_init((char *)loop_scratch(handle->loop), LOOP_SCRATCH_SIZE);
}

static void on_read(uv_stream_t *tcp, ssize_t count, const uv_buf_t *buf)
{
    struct stream *stream = tcp->data;

    if (stream->state != STATE_UP)
        return;
    if (count > 0)
        stream->events.data(stream->owner, (const uint8_t *)buf->base, (size_t)count,
                            clock_boot_ms());
    else if (count < 0)
        go_down(stream, (int)count, true);
}

/* -- connecting ----------------------------------------------------------------------------- */

static void connect_to(struct stream *stream, const struct sockaddr *address);

static void set_socket_options(struct stream *stream)
{
    unsigned unacknowledged_ms = UNACKNOWLEDGED_MS;
    uv_os_fd_t fd;

    /* All of these are wishes: a connection without them works, too. */
    uv_tcp_nodelay(&stream->tcp, 1);
    uv_tcp_keepalive(&stream->tcp, 1, KEEP_ALIVE_S);
    if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
                         sizeof(unacknowledged_ms));
}

/* The handle of a connection that failed cannot be used again; this one is closed now. */
static void on_closed_for_next(uv_handle_t *handle)
{
    struct stream *stream = handle->data;
    const struct addrinfo *next = stream->opening->next;

    if (stream->state == STATE_CONNECTING) {
        stream->opening->next = next->ai_next;
        connect_to(stream, next->ai_addr);
    }
    release(stream);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct stream *stream = request->data;

    if (stream->state != STATE_CONNECTING)
        return;
    if (status < 0 && stream->opening->next) {
        stream->tcp_open = false;
        uv_close((uv_handle_t *)&stream->tcp, on_closed_for_next);
        return;
    }
    if (status == 0) {
        set_socket_options(stream);
        status = uv_read_start((uv_stream_t *)&stream->tcp, on_alloc, on_read);
    }
    if (status < 0) {
        go_down(stream, status, false);
        return;
    }
    timer_at(stream->timer, CLOCK_NEVER);
    opening_free(stream->opening);
    stream->opening = NULL;
    stream->state = STATE_UP;
    stream->events.up(stream->owner);
}

static void connect_to(struct stream *stream, const struct sockaddr *address)
{
    int r;

    stream->state = STATE_CONNECTING;
    r = uv_tcp_init(stream->uv, &stream->tcp);
    if (r == 0) {
        stream->tcp.data = stream;
        stream->tcp_open = true;
        stream->opening->connect.data = stream;
        stream->holds++;
        r = uv_tcp_connect(&stream->opening->connect, &stream->tcp, address, on_connect);
    }
    if (r < 0)
        fail_later(stream, r);
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct stream *stream = request->data;

    stream->opening->found = found;
    if (stream->state == STATE_LOOKUP) {
        if (status < 0) {
            go_down(stream, status, false);
        } else {
            stream->opening->next = found->ai_next;
            connect_to(stream, found->ai_addr);
        }
    }
    release(stream);
}

/* An address in figures needs no look-up, and so none of the few threads that look up. */
static bool connect_numeric(struct stream *stream)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (uv_ip4_addr(stream->host, stream->port, &v4) == 0)
        connect_to(stream, (const struct sockaddr *)&v4);
    else if (uv_ip6_addr(stream->host, stream->port, &v6) == 0)
        connect_to(stream, (const struct sockaddr *)&v6);
    else
        return false;
    return true;
}

static void look_up(struct stream *stream)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];
    int r;

    snprintf(port, sizeof(port), "%u", stream->port);
    stream->opening->lookup.data = stream;
    r = uv_getaddrinfo(stream->uv, &stream->opening->lookup, on_lookup, stream->host, port, &hints);
    if (r < 0)
        fail_later(stream, r);
    else
        stream->holds++;
}

struct stream *stream_open(struct loop *loop, const char *host, uint16_t port, int64_t connect_ms,
                           const struct stream_events *events, void *owner)
{
    size_t length = strlen(host);
    struct stream *stream = calloc(1, sizeof(*stream) + length + 1);

    if (!stream)
        return NULL;
    stream->opening = calloc(1, sizeof(*stream->opening));
    stream->timer = timer_new(loop, on_timer, stream);
    stream->holds = 1;
    if (!stream->opening || !stream->timer) {
        timer_free(stream->timer);
        release(stream);
        return NULL;
    }
    stream->uv = loop_uv(loop);
    stream->events = *events;
    stream->owner = owner;
    stream->port = port;
    memcpy(stream->host, *host == '[' ? host + 1 : host, length);
    if (*host == '[' && host[length - 1] == ']')
        stream->host[length - 2] = '\0';
    timer_at(stream->timer, clock_boot_ms() + connect_ms);
    if (!connect_numeric(stream))
        look_up(stream);
    return stream;
}

/* -- bytes out ------------------------------------------------------------------------------ */

static void send_waiting(struct stream *stream);

static void on_written(uv_write_t *request, int status)
{
    struct stream *stream = request->data;
    struct waiting *waiting = stream->waiting;

    if (stream->state != STATE_UP)
        return;
    if (status < 0) {
        go_down(stream, status, true);
        return;
    }
    waiting->count -= waiting->sending;
    memmove(waiting->bytes, waiting->bytes + waiting->sending, waiting->count);
    waiting->sending = 0;
    if (waiting->count > 0)
        send_waiting(stream);
}

static void send_waiting(struct stream *stream)
{
    struct waiting *waiting = stream->waiting;
    uv_buf_t buf = uv_buf_init((char *)waiting->bytes, (unsigned)waiting->count);
    int r;

    waiting->write.data = stream;
    r = uv_write(&waiting->write, (uv_stream_t *)&stream->tcp, &buf, 1, on_written);
    waiting->sending = waiting->count;
    if (r < 0)
        fail_later(stream, r);
}

static int wait_for_room(struct stream *stream, const uint8_t *bytes, size_t count)
{
    struct waiting *waiting = stream->waiting;

    if (!waiting) {
        waiting = malloc(sizeof(*waiting));
        if (!waiting)
            return -ENOBUFS;
        waiting->count = waiting->sending = 0;
        stream->waiting = waiting;
    }
    memcpy(waiting->bytes + waiting->count, bytes, count);
    waiting->count += count;
    if (waiting->sending == 0)
        send_waiting(stream);
    return 0;
}

/* Nearly always the kernel takes all of it at once: one call, nothing allocated, no callback. */
int stream_write(struct stream *stream, const void *bytes, size_t count)
{
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)count);
    size_t waiting = stream->waiting ? stream->waiting->count : 0;
    int written = 0;

    if (stream->state != STATE_UP)
        return -ENOTCONN;
    if (count > WAITING_MAX - waiting)
        return -ENOBUFS;
    if (waiting == 0) {
        written = uv_try_write((uv_stream_t *)&stream->tcp, &buf, 1);
        if (written < 0 && written != UV_EAGAIN) {
            fail_later(stream, written);
            return 0; /* the owner hears of it by `down` */
        }
        if (written < 0)
            written = 0;
    }
    if ((size_t)written == count)
        return 0;
    return wait_for_room(stream, (const uint8_t *)bytes + written, count - (size_t)written);
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    if (stream->state == STATE_LOOKUP && stream->holds > 1)
        uv_cancel((uv_req_t *)&stream->opening->lookup);
    stream->state = STATE_CLOSED;
    if (stream->tcp_open)
        uv_close((uv_handle_t *)&stream->tcp, on_closed);
    timer_free(stream->timer);
    release(stream);
}
