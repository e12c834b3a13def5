#include "adapters/attribute.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned count_lines(const char *text, size_t length)
{
    unsigned lines = 0;

    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

/* One byte more than the most is room to see that there is more. */
static int read_until(int fd, unsigned lines, char text[ATTRIBUTE_MAX + 1])
{
    size_t length = 0;
    unsigned seen = 0;

    while (seen < lines && length <= ATTRIBUTE_MAX) {
        ssize_t n = read(fd, text + length, ATTRIBUTE_MAX + 1 - length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        seen += count_lines(text + length, (size_t)n);
        length += (size_t)n;
    }
    if (length > ATTRIBUTE_MAX)
        return -EFBIG;
    text[length] = '\0';
    return (int)length;
}

/* Looked at before it is opened as well: to open a device may do something (a watchdog starts). */
static int open_regular(const char *path, int flags)
{
    struct stat status;
    int fd, r = 0;

    if (stat(path, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        r = -errno;
    else if (!S_ISREG(status.st_mode))
        r = -EINVAL;
    if (r == 0)
        return fd;
    close(fd);
    return r;
}

int attribute_read(const char *path, char text[ATTRIBUTE_MAX + 1])
{
    int fd = open_regular(path, O_RDONLY), r;

    if (fd < 0)
        return fd;
    r = read_until(fd, UINT_MAX, text);
    close(fd);
    return r;
}

int attribute_read_lines(const char *path, unsigned lines, char text[ATTRIBUTE_MAX + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r;

    if (fd < 0)
        return -errno;
    r = read_until(fd, lines, text);
    close(fd);
    return r;
}

/* The kernel takes what one write brings, or nothing. */
int attribute_write(const char *path, const char *text)
{
    int fd = open_regular(path, O_WRONLY | O_TRUNC), r = 0;

    if (fd < 0)
        return fd;
    if (write(fd, text, strlen(text)) < 0)
        r = -errno;
    close(fd);
    return r;
}
