#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/nodelay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* Listens on a free port of the loopback of `family` and connects to it. */
static uint16_t connect_to_ourselves(int family, int *ret_listener, int *ret_client)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
    socklen_t size = sizeof(address.v6);

    if (family == AF_INET) {
        address.v4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        size = sizeof(address.v4);
    }
    *ret_listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *ret_client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*ret_listener, &address.any, size), 0);
    assert_int_equal(listen(*ret_listener, 1), 0);
    assert_int_equal(getsockname(*ret_listener, &address.any, &size), 0);
    assert_int_equal(connect(*ret_client, &address.any, size), 0);
    return ntohs(family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

static int is_set(int fd)
{
    int on = 0;
    socklen_t size = sizeof(on);

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    return on != 0;
}

static void only_connections_to_that_port_are_hurried(void **state)
{
    int listener, client, other_listener, other;
    uint16_t port = connect_to_ourselves(AF_INET, &listener, &client);

    (void)state;
    connect_to_ourselves(AF_INET, &other_listener, &other);
    assert_int_equal(nodelay_set(port), client);
    assert_int_equal(nodelay_set(port), -1);
    assert_true(is_set(client));
    assert_false(is_set(other));
    assert_false(is_set(listener));
    close(client);
    close(listener);
    close(other);
    close(other_listener);
}

static void version_6_of_ip_is_hurried_too(void **state)
{
    int listener, client;
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    (void)state;
    if (probe < 0 || bind(probe, (struct sockaddr *)&any, sizeof(any)) < 0)
        skip(); /* a machine without it */
    close(probe);
    nodelay_set(connect_to_ourselves(AF_INET6, &listener, &client));
    assert_true(is_set(client));
    close(client);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_connections_to_that_port_are_hurried),
        cmocka_unit_test(version_6_of_ip_is_hurried_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
