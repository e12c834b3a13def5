#include "gateway/base/secret.h"

#include "gateway/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int find_file(const char *name, char path[PATH_MAX], struct error *reterr)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    int length;

    if (strchr(name, '/'))
        length = snprintf(path, PATH_MAX, "%s", name);
    else if (folder)
        length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    else
        return error_set(reterr, -ENOENT,
                         "\"%s\" would be a credential of systemd, and there are none; give a file "
                         "with its whole path",
                         name);
    if (length >= PATH_MAX)
        return error_set(reterr, -ENAMETOOLONG, "a name of %d bytes is too long", length);
    return 0;
}

/* Only from a regular file: a pipe would stop whoever reads it. */
static ssize_t read_file(const char *path, char *bytes, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    ssize_t length;

    if (file < 0)
        return -errno;
    if (fstat(file, &status) == 0 && !S_ISREG(status.st_mode)) {
        close(file);
        return -EINVAL;
    }
    length = read(file, bytes, size);
    if (length < 0)
        length = -errno;
    close(file);
    return length;
}

static bool is_one_line(const char *bytes, size_t length)
{
    return length > 0 && length <= SECRET_MAX && !memchr(bytes, '\0', length) &&
           !memchr(bytes, '\n', length) && text_is_utf8(bytes, length);
}

int secret_read(const char *name, char **ret_secret, struct error *reterr)
{
    char path[PATH_MAX], bytes[SECRET_MAX + 2];
    int r = find_file(name, path, reterr);
    ssize_t length;
    char *secret = NULL;

    if (r < 0)
        return r;
    length = read_file(path, bytes, sizeof(bytes));
    if (length < 0)
        return error_set(reterr, (int)length, "\"%s\" cannot be read: %s", path,
                         length == -EINVAL ? "it is no regular file" : strerror((int)-length));
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
        length--;
    if (is_one_line(bytes, (size_t)length))
        secret = strndup(bytes, (size_t)length);
    else
        r = error_set(reterr, -EINVAL, "\"%s\" must have one line of text", path);
    explicit_bzero(bytes, sizeof(bytes));
    if (r < 0)
        return r;
    if (!secret)
        return error_set(reterr, -ENOMEM, "out of memory");
    *ret_secret = secret;
    return 0;
}

void secret_free(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

void secret_hide(char *text, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;

    while (length > 0 && (text = strstr(text, secret))) {
        size_t stars = length < 3 ? length : 3;

        memset(text, '*', stars);
        memmove(text + stars, text + length, strlen(text + length) + 1);
        text += stars;
    }
}
