#include "gateway/web/listen.h"

#include "gateway/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

/* -- addresses ------------------------------------------------------------------------------ */

/* Cuts "host:port" or "[host]:port" into two; false when it is none. */
static bool split(char *text, char **ret_host, uint16_t *ret_port)
{
    char *colon = strrchr(text, ':');
    int64_t port;

    if (!colon || text_to_int(colon + 1, &port) < 0 || port < 1 || port > 65535)
        return false;
    *colon = '\0';
    *ret_host = text;
    *ret_port = (uint16_t)port;
    if (text[0] != '[')
        return !strchr(text, ':');
    if (colon[-1] != ']')
        return false;
    colon[-1] = '\0';
    *ret_host = text + 1;
    return true;
}

static int parse_v4(const char *host, uint16_t port, struct listen_address *ret)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
        return -EINVAL;
    if (ntohl(in.sin_addr.s_addr) >> 24 != 127)
        return -EPERM;
    memcpy(&ret->socket, &in, sizeof(in));
    ret->length = sizeof(in);
    return 0;
}

static int parse_v6(const char *host, uint16_t port, struct listen_address *ret)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (inet_pton(AF_INET6, host, &in.sin6_addr) != 1)
        return -EINVAL;
    if (!IN6_IS_ADDR_LOOPBACK(&in.sin6_addr))
        return -EPERM;
    memcpy(&ret->socket, &in, sizeof(in));
    ret->length = sizeof(in);
    return 0;
}

int listen_parse(const char *text, struct listen_address *ret_address)
{
    char copy[64], *host;
    uint16_t port;
    int r;

    if (!text_copy(copy, sizeof(copy), text) || !split(copy, &host, &port))
        return -EINVAL;
    if (strcmp(host, "localhost") == 0)
        host = strcpy(copy, "127.0.0.1");
    r = parse_v4(host, port, ret_address);
    return r == -EINVAL ? parse_v6(host, port, ret_address) : r;
}

/* -- sockets -------------------------------------------------------------------------------- */

static int fail(int fd, const char *what, const char *where, struct error *reterr)
{
    int code = -errno;

    if (fd >= 0)
        close(fd);
    return error_set(reterr, code, "%s %s: %s", what, where, strerror(-code));
}

/* A connect says whether somebody still listens there; the file alone does not. */
static bool is_left_over(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
                   (errno == ECONNREFUSED || errno == ENOENT);

    if (fd >= 0)
        close(fd);
    return refused;
}

/* Only a socket, or a link that leads to none, is ever removed: the path comes from a config. */
static void remove_left_over(const struct sockaddr_un *address)
{
    struct stat about;

    if (lstat(address->sun_path, &about) == 0 &&
        (S_ISSOCK(about.st_mode) || S_ISLNK(about.st_mode)) && is_left_over(address))
        unlink(address->sun_path);
}

/* systemd makes the folder; one who starts the gateway by hand finds none in /run. What goes wrong
 * shows when the socket is made. */
static void make_folder(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    char *slash;

    text_copy(folder, sizeof(folder), path);
    slash = strrchr(folder, '/');
    if (slash && slash > folder) {
        *slash = '\0';
        mkdir(folder, 0755);
    }
}

int listen_unix(const char *path, struct error *reterr)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (!text_copy(address.sun_path, sizeof(address.sun_path), path))
        return error_set(reterr, -ENAMETOOLONG, "the path of a socket has at most %zu bytes: %s",
                         sizeof(address.sun_path) - 1, path);
    make_folder(path);
    remove_left_over(&address);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return fail(fd, "cannot make the socket", path, reterr);
    if (chmod(path, 0666) < 0 || listen(fd, BACKLOG) < 0)
        return fail(fd, "cannot listen on", path, reterr);
    return fd;
}

int listen_link(const char *link, const char *path, struct error *reterr)
{
    if ((unlink(link) < 0 && errno != ENOENT) || symlink(path, link) < 0)
        return fail(-1, "cannot make the link", link, reterr);
    return 0;
}

int listen_tcp(const char *text, struct error *reterr)
{
    struct listen_address address;
    int fd, one = 1, r = listen_parse(text, &address);

    if (r < 0)
        return error_set(reterr, r, "cannot listen on %s: %s", text, strerror(-r));
    fd = socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(fd, "cannot listen on", text, reterr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address.socket, address.length) < 0 || listen(fd, BACKLOG) < 0)
        return fail(fd, "cannot listen on", text, reterr);
    return fd;
}
