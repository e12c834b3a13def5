#include "gateway/mqtt/nodelay.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

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

void nodelay_set(uint16_t port)
{
    DIR *open = opendir("/proc/self/fd");
    const struct dirent *entry;
    int on = 1;

    while (open && (entry = readdir(open))) {
        int fd = atoi(entry->d_name); /* "." and ".." become 0, which is no such connection */

        if (peer_port(fd) == port)
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (open)
        closedir(open);
}
