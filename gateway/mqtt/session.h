/* Session: the connection with the broker. Paho's synchronous client behind it; nothing else in the
 * program knows Paho. The MQTT thread only.
 *
 * MQTTClient and not MQTTAsync: its publish writes to the socket in the caller's thread and costs
 * about half of a hand-over to a sender thread. And without a thread of its own for receiving,
 * which would wake ten times a second for nothing: whoever calls waits on session_fd() himself and
 * has session_receive() take what has come. Its calls block, which on this thread hurts nobody.
 * Messages of QoS 1 and 2 go through a window of our own: at the limit Paho's call would sleep in
 * steps of 100 ms. */
#pragma once

#include "gateway/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arrival;
struct options;
struct session;

/* From inside session_receive(). */
struct session_calls {
    /* A message of QoS 1 or 2 was answered; below 128: taken. */
    void (*acked)(void *owner, uint64_t tag, int reason);
    void (*birth)(void *owner);                                  /* Home Assistant has started */
    void (*arrived)(void *owner, const struct arrival *arrival); /* a command */
    /* What came just now on our own topic of health, also from ourselves; NULL: nobody listens. */
    void (*health)(void *owner, const char *payload, size_t length);
    /* The same of how our own device was announced to Home Assistant, in either form. */
    void (*announced)(void *owner, const char *payload, size_t length);
};

struct session_message {
    const char *topic;
    const void *payload;
    size_t length;
    uint8_t qos;
    bool retain;
    bool is_value; /* it expires, where that is wished; else it says what its content is (MQTT 5) */
    uint64_t tag;  /* comes back with acked() */
};

/* Everything is borrowed for the life of the session. */
int session_new(const struct options *options, const struct session_calls *calls, void *owner,
                struct session **ret_session, struct error *reterr);
void session_free(struct session *session); /* NULL is legal */

/* Blocks for a name look-up and up to 5 s for the broker. The last will is set; the birth topic
 * and those of commands are subscribed. 0, or -Exxx with the reason in words. */
int session_connect(struct session *session, struct error *reterr);
bool session_is_connected(struct session *session);
/* After it was lost: why, as the broker said (MQTT 5, 3.14.2.1); 0: it did not. */
int session_reason(const struct session *session);

/* One more filter, at QoS 0; what comes is told by `arrived`. */
void session_subscribe(struct session *session, const char *filter);

/* What to wait on; -1: nothing, session_next_ms() comes soon enough. */
int session_fd(struct session *session);
/* Takes what has come and keeps the connection alive; at latest at session_next_ms(). */
void session_receive(struct session *session);
int64_t session_next_ms(struct session *session);

/* 0; -EAGAIN: the window is full (qos > 0 only); -EMSGSIZE: larger than the broker takes; -EINVAL:
 * not a topic; -ENOTCONN. May block while the broker does not read. */
int session_publish(struct session *session, const struct session_message *message);

/* While it is on, what is published is gathered into full segments; what is left goes when it is
 * taken off, which must be before anything is waited for. A wish, as TCP_NODELAY is. */
void session_cork(struct session *session, bool on);

/* Readings up to this boot time have been published, at any QoS. */
void session_mark(struct session *session, int64_t at_ms);
/* The mark at which the newest acknowledged message went out, at first when it connected: what was
 * published before has reached the broker. */
int64_t session_proven_ms(const struct session *session);
/* When a message last went out that will be acknowledged. */
int64_t session_asked_ms(const struct session *session);

uint32_t session_room(const struct session *session);     /* places left in the window */
uint32_t session_underway(const struct session *session); /* not yet acknowledged */

/* After the connection was lost: nothing is under way any more. */
void session_forget(struct session *session);

/* Says goodbye, so that the last will is not published. */
void session_close(struct session *session);
