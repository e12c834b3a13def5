/* Ports over TCP and over a line, against a server of a few lines here and the slave behind a pty.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/port.h"
#include "gateway/base/reading.h"
#include "modbus_slave.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static const struct mb_request one = {.function = MB_READ_HOLDINGS, .address = 5, .count = 1};

/* A server that gives the next of these answers to each request; an empty one closes. */
struct server {
    int listener;
    uint16_t port;
    pthread_t thread;
    const char *answers[6]; /* bytes of hex without blanks; "TT" is the request's number */
    size_t next;
};

static size_t make_answer(const char *hex, const uint8_t *request, uint8_t *to)
{
    size_t n = 0;

    for (; hex[0]; hex += 2) {
        unsigned byte = 0;

        if (hex[0] == 'T')
            byte = request[n];
        else
            sscanf(hex, "%2x", &byte);
        to[n++] = (uint8_t)byte;
    }
    return n;
}

static void *serve(void *owner)
{
    struct server *server = owner;
    uint8_t request[300], answer[300];
    int fd = -1;

    while (server->answers[server->next]) {
        const char *hex = server->answers[server->next];

        if (fd < 0 && (fd = accept(server->listener, NULL, NULL)) < 0)
            return NULL;
        if (recv(fd, request, sizeof(request), 0) > 0) {
            size_t n = make_answer(hex, request, answer);

            server->next++;
            if (n > 0 && send(fd, answer, n, MSG_NOSIGNAL) == (ssize_t)n)
                continue;
        }
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 5), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

static struct mb_port *open_at(const struct server *server, const char *scheme)
{
    struct mb_port *port;
    struct error err;
    char connect[60];
    struct mb_way way = {.connect = connect};

    snprintf(connect, sizeof(connect), "%s://127.0.0.1:%u", scheme, server->port);
    assert_int_equal(mb_port_open(&way, &port, &err), 0);
    return port;
}

static void modbus_tcp_is_asked_and_answers(void **state)
{
    struct server server = {.answers = {"TTTT0000000501030200ff", "TTTT0000000301830200"}};
    const uint8_t *data;

    (void)state;
    start(&server);
    struct mb_port *port = open_at(&server, "tcp");
    assert_int_equal(port->ask(port, 1, &one, 5000, &data, NULL), QUALITY_GOOD);
    assert_int_equal(data[1], 0xff);
    assert_int_equal(port->ask(port, 1, &one, 5000, &data, NULL), QUALITY_EXCEPTION + 2);
    mb_port_close(port);
    stop(&server);
}

static void an_answer_to_somebody_else_is_passed_over(void **state)
{
    struct server server = {.answers = {"ffff0000000501030200ff"}};
    const uint8_t *data;

    (void)state;
    start(&server);
    struct mb_port *port = open_at(&server, "tcp");
    assert_int_equal(port->ask(port, 1, &one, 100, &data, NULL), QUALITY_TIMEOUT);
    mb_port_close(port);
    stop(&server);
}

static void a_peer_that_closed_is_asked_again(void **state)
{
    struct server server = {.answers = {"", "TTTT0000000501030200ff"}};
    const uint8_t *data;

    (void)state;
    start(&server);
    struct mb_port *port = open_at(&server, "tcp");
    assert_int_equal(port->ask(port, 1, &one, 5000, &data, NULL), QUALITY_GOOD);
    mb_port_close(port);
    stop(&server);
}

static void rtu_goes_over_tcp_too(void **state)
{
    struct server server = {.answers = {"01030200fff804"}};
    const uint8_t *data;

    (void)state;
    start(&server);
    struct mb_port *port = open_at(&server, "rtu+tcp");
    assert_int_equal(port->ask(port, 1, &one, 5000, &data, NULL), QUALITY_GOOD);
    assert_int_equal(data[1], 0xff);
    mb_port_close(port);
    stop(&server);
}

static void a_line_is_a_port(void **state)
{
    struct slave *slave = slave_new();
    char connect[100];
    struct mb_way way = {.connect = connect, .baud = 9600, .parity = 'N', .stop_bits = 1};
    struct mb_port *port;
    const uint8_t *data;
    struct error err;

    (void)state;
    slave_start(slave);
    snprintf(connect, sizeof(connect), "serial:%s", slave->path);
    assert_int_equal(mb_port_open(&way, &port, &err), 0);
    assert_int_equal(port->ask(port, 1, &one, 2000, &data, &err), QUALITY_GOOD);
    assert_int_equal(data[1], 51);
    mb_port_close(port);
    slave_stop(slave);
}

static void what_is_no_address_is_refused_in_words(void **state)
{
    struct mb_way way = {.connect = "udp://x"};
    struct mb_port *port;
    struct error err;

    (void)state;
    assert_int_equal(mb_port_open(&way, &port, &err), -EINVAL);
    assert_non_null(strstr(err.text, "\"udp://x\" is no address"));
    way.connect = "serial:relative";
    assert_int_equal(mb_port_open(&way, &port, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modbus_tcp_is_asked_and_answers),
        cmocka_unit_test(an_answer_to_somebody_else_is_passed_over),
        cmocka_unit_test(a_peer_that_closed_is_asked_again),
        cmocka_unit_test(rtu_goes_over_tcp_too),
        cmocka_unit_test(a_line_is_a_port),
        cmocka_unit_test(what_is_no_address_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
