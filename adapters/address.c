#include "adapters/adapter.h"

#include "gateway/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *connect_path(const char *connect)
{
    const char *colon = strchr(connect, ':');

    if (!colon)
        return "";
    return strncmp(colon, "://", 3) == 0 ? colon + 3 : colon + 1;
}

static bool is_same_file(const char *a, const char *b)
{
    char *real_a, *real_b;
    bool same;

    if (a[0] != '/' || b[0] != '/')
        return false;
    real_a = realpath(a, NULL);
    real_b = realpath(b, NULL);
    same = real_a && real_b && strcmp(real_a, real_b) == 0;
    free(real_a);
    free(real_b);
    return same;
}

/* Where the host ends: behind the bracket of an IPv6 address, else at the port or the path. */
static const char *host_end(const char *host)
{
    if (*host == '[') {
        const char *bracket = strchr(host, ']');

        return bracket ? bracket + 1 : NULL;
    }
    return host + strcspn(host, ":/");
}

static int parse_port(const char *text, uint16_t *ret_port)
{
    char digits[8];
    size_t length = strcspn(text, "/");
    int64_t port;

    if (length == 0 || length >= sizeof(digits))
        return -EINVAL;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (text_to_int(digits, &port) < 0 || port < 1 || port > 65535)
        return -EINVAL;
    *ret_port = (uint16_t)port;
    return 0;
}

int address_parse(const char *connect, uint16_t default_port, struct address *ret_address)
{
    struct address address = {.port = default_port};
    const char *host = connect_path(connect), *end = host_end(host);
    bool brackets = *host == '[';
    size_t length;

    if (!end || end == host)
        return -EINVAL;
    length = (size_t)(end - host) - (brackets ? 2 : 0);
    if (length == 0 || length >= sizeof(address.host))
        return -EINVAL;
    memcpy(address.host, host + (brackets ? 1 : 0), length);
    if (*end == ':' && parse_port(end + 1, &address.port) < 0)
        return -EINVAL;
    if (*end != ':' && *end != '/' && *end != '\0')
        return -EINVAL;
    *ret_address = address;
    return 0;
}

static bool is_same_peer(const char *a, const char *b, uint16_t default_port)
{
    struct address x, y;
    size_t scheme = strcspn(a, ":");

    return strncmp(a, b, scheme + 1) == 0 && address_parse(a, default_port, &x) == 0 &&
           address_parse(b, default_port, &y) == 0 && x.port == y.port &&
           strcasecmp(x.host, y.host) == 0;
}

bool connect_is_same(const char *a, const char *b, uint16_t default_port)
{
    if (strcmp(a, b) == 0)
        return true;
    return default_port ? is_same_peer(a, b, default_port)
                        : is_same_file(connect_path(a), connect_path(b));
}
