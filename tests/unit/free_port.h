/* A port of 127.0.0.1 that is this process's until it ends, also while nobody listens on it. A port
 * that bind() gives for 0 is anybody's again once it is closed: the next of a hundred tests, or a
 * connection on its way out, takes it, and what should be refused is answered. So it comes from
 * below the range that the kernel gives away, and a lock on a file keeps other tests off it;
 * tests/tools/ports.py does the same. */
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FREE_PORT_FOLDER "/tmp/thermogate-test-ports"
#define FREE_PORT_FIRST  20000
#define FREE_PORT_LAST   32000

static inline bool free_port_is_unused(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int one = 1, sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool unused;

    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    unused = bind(sock, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(sock);
    return unused;
}

/* The descriptor of the lock stays open until the process ends. */
static inline bool free_port_lock(uint16_t port)
{
    char path[64];
    int fd;

    if (mkdir(FREE_PORT_FOLDER, 0777) == 0)
        (void)chmod(FREE_PORT_FOLDER, 01777);
    snprintf(path, sizeof(path), FREE_PORT_FOLDER "/%u", port);
    fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    close(fd);
    return false;
}

static inline uint16_t free_port(void)
{
    unsigned span = FREE_PORT_LAST - FREE_PORT_FIRST, start = (unsigned)getpid() * 31;

    for (unsigned i = 0; i < span; i++) {
        uint16_t port = (uint16_t)(FREE_PORT_FIRST + (start + i) % span);

        if (free_port_is_unused(port) && free_port_lock(port))
            return port;
    }
    abort();
}
