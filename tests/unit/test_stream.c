
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 10000

/* The peer is a plain listening socket; the test plays it between turns of the loop. */
struct fixture {
    struct loop *loop;
    struct timer *deadline;
    struct stream *stream;
    int listener, peer;
    uint16_t port;
    int ups, downs, status;
    char why[200];
    uint8_t in[4096];
    size_t n_in;
    int64_t at_ms;
    bool close_inside;
};

static void on_up(void *owner)
{
    struct fixture *f = owner;

    f->ups++;
    loop_stop(f->loop);
}

static void close_if_asked(struct fixture *f)
{
    if (!f->close_inside)
        return;
    stream_close(f->stream);
    f->stream = NULL;
}

static void on_data(void *owner, const uint8_t *bytes, size_t count, int64_t at_ms)
{
    struct fixture *f = owner;

    assert_true(f->n_in + count <= sizeof(f->in));
    memcpy(f->in + f->n_in, bytes, count);
    f->n_in += count;
    f->at_ms = at_ms;
    close_if_asked(f);
    loop_stop(f->loop);
}

static void on_down(void *owner, int status, const char *why)
{
    struct fixture *f = owner;

    f->downs++;
    f->status = status;
    snprintf(f->why, sizeof(f->why), "%s", why);
    close_if_asked(f);
    loop_stop(f->loop);
}

static const struct stream_events events = {on_up, on_data, on_down};

static void on_deadline(void *owner)
{
    (void)owner;
    fail_msg("nothing happened within %d ms", DEADLINE_MS);
}

static void run(struct fixture *f)
{
    timer_at(f->deadline, clock_boot_ms() + DEADLINE_MS);
    loop_run(f->loop);
}

static int listen_on(int family, uint16_t *ret_port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = family == AF_INET ? sizeof(v4) : sizeof(v6);
    struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, address, size) < 0 || listen(fd, 4) < 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, address, &size);
    *ret_port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    return fd;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    signal(SIGPIPE, SIG_IGN);
    f->loop = loop_new();
    f->deadline = timer_new(f->loop, on_deadline, NULL);
    f->peer = -1;
    f->listener = listen_on(AF_INET, &f->port);
    assert_true(f->listener >= 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    stream_close(f->stream);
    timer_free(f->deadline);
    loop_free(f->loop);
    close(f->listener);
    if (f->peer >= 0)
        close(f->peer);
    free(f);
    return 0;
}

static void connect_stream(struct fixture *f)
{
    f->stream = stream_open(f->loop, "127.0.0.1", f->port, 5000, &events, f);
    assert_non_null(f->stream);
    assert_int_equal(f->ups, 0);
    run(f);
    assert_int_equal(f->ups, 1);
    f->peer = accept(f->listener, NULL, NULL);
    assert_true(f->peer >= 0);
}

static void it_connects_and_bytes_go_both_ways(void **state)
{
    struct fixture *f = *state;
    char bytes[8] = "";

    connect_stream(f);
    assert_int_equal(stream_write(f->stream, "hello", 5), 0);
    assert_int_equal(recv(f->peer, bytes, 5, MSG_WAITALL), 5);
    assert_string_equal(bytes, "hello");
    assert_int_equal(send(f->peer, "world", 5, 0), 5);
    run(f);
    assert_int_equal(f->n_in, 5);
    assert_memory_equal(f->in, "world", 5);
    assert_true(clock_boot_ms() - f->at_ms < 1000);
}

/* Not where there is no /etc/hosts. */
static bool localhost_resolves(void)
{
    struct addrinfo *found;

    if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

static void a_name_resolves(void **state)
{
    struct fixture *f = *state;

    if (!localhost_resolves()) {
        print_message("left out: this machine does not know \"localhost\"\n");
        skip();
    }
    f->stream = stream_open(f->loop, "localhost", f->port, 5000, &events, f);
    run(f);
    assert_int_equal(f->ups, 1); /* also where localhost is ::1 first and nothing listens there */
}

static void an_ipv6_address_in_brackets_connects(void **state)
{
    struct fixture *f = *state;
    uint16_t port;
    int v6 = listen_on(AF_INET6, &port);

    if (v6 < 0)
        skip();
    f->stream = stream_open(f->loop, "[::1]", port, 5000, &events, f);
    run(f);
    assert_int_equal(f->ups, 1);
    close(v6);
}

static void a_refused_connection_is_told(void **state)
{
    struct fixture *f = *state;

    close(f->listener);
    f->stream = stream_open(f->loop, "127.0.0.1", f->port, 5000, &events, f);
    run(f);
    assert_int_equal(f->downs, 1);
    assert_int_equal(f->status, -ECONNREFUSED);
    assert_non_null(strstr(f->why, "nothing listens on port"));
}

static void a_name_that_does_not_resolve_is_told_with_the_name(void **state)
{
    struct fixture *f = *state;

    f->stream = stream_open(f->loop, "no such host.invalid", 502, 5000, &events, f);
    run(f);
    assert_int_equal(f->downs, 1);
    assert_true(f->status < 0);
    assert_non_null(strstr(f->why, "\"no such host.invalid\" does not resolve"));
}

static void a_connect_that_takes_too_long_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(f->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fillers[8];

    /* A listener whose queue is full lets connections hang. */
    listen(f->listener, 0);
    for (size_t i = 0; i < 8; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
    }
    f->stream = stream_open(f->loop, "127.0.0.1", f->port, 100, &events, f);
    run(f);
    assert_int_equal(f->downs, 1);
    assert_int_equal(f->status, -ETIMEDOUT);
    for (size_t i = 0; i < 8; i++)
        close(fillers[i]);
}

static void a_peer_that_closes_is_told_once(void **state)
{
    struct fixture *f = *state;

    connect_stream(f);
    close(f->peer);
    f->peer = -1;
    run(f);
    assert_int_equal(f->downs, 1);
    assert_int_equal(f->status, -EPIPE);
    assert_int_equal(stream_write(f->stream, "x", 1), -ENOTCONN);
}

static void closing_inside_callbacks_is_allowed(void **state)
{
    struct fixture *f = *state;

    connect_stream(f);
    f->close_inside = true;
    assert_int_equal(send(f->peer, "x", 1, 0), 1);
    run(f);
    assert_null(f->stream);
    f->ups = 0;
    close(f->peer);
    f->close_inside = false;
    connect_stream(f);
    f->close_inside = true;
    close(f->peer);
    f->peer = -1;
    run(f);
    assert_int_equal(f->downs, 1);
    assert_null(f->stream);
}

static void a_stream_can_be_closed_while_it_resolves_or_connects(void **state)
{
    struct fixture *f = *state;

    stream_close(stream_open(f->loop, "localhost", f->port, 5000, &events, f));
    stream_close(stream_open(f->loop, "127.0.0.1", f->port, 5000, &events, f));
    stream_close(NULL);
    connect_stream(f); /* the loop turns: nothing of the two comes up */
    assert_int_equal(f->downs, 0);
}

/* Reads what the peer's socket has; blocks while there is none. */
static size_t drain(int fd, size_t want, uint8_t *ret_sum)
{
    static uint8_t bytes[65536];
    size_t got = 0;

    while (got < want) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            *ret_sum = (uint8_t)(*ret_sum + bytes[i]);
        got += (size_t)n;
    }
    return got;
}

static void end_turn(void *owner)
{
    struct fixture *f = owner;

    loop_stop(f->loop);
}

static void what_the_peer_does_not_read_waits_up_to_a_limit(void **state)
{
    struct fixture *f = *state;
    struct wake *wake = wake_new(f->loop, end_turn, f);
    uint8_t block[1000], sent_sum = 0, got_sum = 0;
    size_t sent = 0, got = 0;

    connect_stream(f);
    for (int r = 0; r == 0;) {
        memset(block, (int)(sent / 1000 % 251), sizeof(block));
        r = stream_write(f->stream, block, sizeof(block));
        if (r == 0) {
            sent += sizeof(block);
            sent_sum = (uint8_t)(sent_sum + block[0] * 1000u);
        } else {
            assert_int_equal(r, -ENOBUFS);
        }
        assert_true(sent < 64u * 1024 * 1024);
    }
    /* A wake is seen together with the stream. A timer that is due is not: where timers come first
     * the loop would stop before it has looked at any descriptor. */
    while (got < sent) {
        got += drain(f->peer, sent - got, &got_sum);
        wake_send(wake);
        run(f);
    }
    assert_int_equal(got, sent);
    assert_int_equal(got_sum, sent_sum);
    assert_int_equal(f->downs, 0);
    wake_free(wake);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_connects_and_bytes_go_both_ways),
        TEST(a_name_resolves),
        TEST(an_ipv6_address_in_brackets_connects),
        TEST(a_refused_connection_is_told),
        TEST(a_name_that_does_not_resolve_is_told_with_the_name),
        TEST(a_connect_that_takes_too_long_is_given_up),
        TEST(a_peer_that_closes_is_told_once),
        TEST(closing_inside_callbacks_is_allowed),
        TEST(a_stream_can_be_closed_while_it_resolves_or_connects),
        TEST(what_the_peer_does_not_read_waits_up_to_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
