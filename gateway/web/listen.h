/* Listen: the sockets at which clients knock. Private to the room. */
#pragma once

#include "gateway/base/error.h"

#include <sys/socket.h>

struct listen_address {
    struct sockaddr_storage socket;
    socklen_t length;
};

/* "127.0.0.1:8377", "localhost:8377", "[::1]:8377". 0, -EINVAL for no address, -EPERM for one that
 * others than this machine could reach. */
int listen_parse(const char *text, struct listen_address *ret_address);

/* Both return a descriptor that listens and does not block, or -Exxx with `reterr`. */

/* Anybody may connect: rights hang on who it is. A socket left by a process that is gone is
 * replaced; -EADDRINUSE when one answers. */
int listen_unix(const char *path, struct error *reterr);
int listen_tcp(const char *text, struct error *reterr);

/* Makes `link` lead to the Unix socket at `path`. Its folder is this service's alone: what stands
 * there is left over. 0, or -Exxx with `reterr`. */
int listen_link(const char *link, const char *path, struct error *reterr);
