#include "gateway/mqtt/nodelay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors that are looked at: 0.1 us each, once a connection. */
#define LOOK_MAX 16384

/* The port that a descriptor is connected to; 0 for whatever is no such connection. */
static uint16_t peer_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } peer = {0};
    socklen_t size = sizeof(peer);

    if (getpeername(fd, &peer.any, &size) < 0)
        return 0;
    if (peer.any.sa_family == AF_INET)
        return ntohs(peer.v4.sin_port);
    return peer.any.sa_family == AF_INET6 ? ntohs(peer.v6.sin6_port) : 0;
}

static bool is_set(int fd)
{
    int on = 0;
    socklen_t size = sizeof(on);

    return getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0 && on != 0;
}

/* Descriptors are counted up instead of listed: a folder that is opened takes a number, too, and
 * that may be one which another thread has just given back. */
int nodelay_set(uint16_t port)
{
    long most = sysconf(_SC_OPEN_MAX);
    int on = 1, found = -1;

    if (most < 0 || most > LOOK_MAX)
        most = LOOK_MAX;
    for (int fd = 0; fd < most; fd++) {
        if (peer_port(fd) != port || is_set(fd))
            continue;
        found = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    return found;
}
