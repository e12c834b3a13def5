/* Stream: one outgoing TCP connection on the loop: name look-up, non-blocking connect, bytes in and
 * out, an end. Loop thread only.
 *
 * A stream makes one attempt. Whoever owns it opens another when it wants to try again, and decides
 * when: retry policy belongs to the user of the connection. TCP_NODELAY and keep-alive are set. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct loop;
struct stream;

/* Called on the loop; never from inside stream_open(). After `down`, or after stream_close(),
 * nothing more is called. Inside a callback stream_close() is allowed. */
struct stream_events {
    void (*up)(void *owner);
    /* Bytes as they came, borrowed for the call. `at_ms`: boot time when they were read. */
    void (*data)(void *owner, const uint8_t *bytes, size_t count, int64_t at_ms);
    /* `status` is -Exxx (-ECONNREFUSED, -ETIMEDOUT, -EPIPE when the peer closed, ...), `why` the
     * same in words, with the host when its name did not resolve. The stream must still be closed.
     */
    void (*down)(void *owner, int status, const char *why);
};

/* `host` is a name, an IPv4 or an IPv6 address (with or without [ ]); names resolve off the loop.
 * `connect_ms` bounds look-up and connect together. NULL only when memory is out. */
struct stream *stream_open(struct loop *loop, const char *host, uint16_t port, int64_t connect_ms,
                           const struct stream_events *events, void *owner);

/* Copies. 0, -ENOTCONN before `up`, -ENOBUFS when more than 64 KB wait (the peer does not read). */
int stream_write(struct stream *stream, const void *bytes, size_t count);

/* Ends and frees it, at once for the owner. NULL is legal. */
void stream_close(struct stream *stream);
