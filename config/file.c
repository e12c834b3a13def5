#include "config/file.h"
#include "config/config.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct place nowhere = {NULL, 0};

struct source *file_from_memory(const char *name, const char *bytes, size_t length,
                                struct problems *problems)
{
    bool marked = length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
    struct source *source =
        marked ? source_new(name, bytes + 3, length - 3) : source_new(name, bytes, length);

    if (source == NULL)
        problem_error(problems, nowhere, NULL, "%s: memory is out", name);
    return source;
}

static void report_too_long(const char *name, struct problems *problems)
{
    problem_error(problems, nowhere, "split it into files in conf.d",
                  "%s: longer than %d MB, this is hardly a config file", name,
                  CONF_FILE_MAX / 1024 / 1024);
}

bool file_is_text(const struct source *source, struct problems *problems)
{
    struct place place = {source, 0};
    const char *nul = memchr(source->bytes, '\0', source->length);
    uint32_t code;
    size_t at = 0, count = 1;

    if (source->length > CONF_FILE_MAX) {
        report_too_long(source->name, problems);
        return false;
    }
    if (source->length >= 2 &&
        (memcmp(source->bytes, "\xff\xfe", 2) == 0 || memcmp(source->bytes, "\xfe\xff", 2) == 0)) {
        problem_error(problems, place, "save it as UTF-8", "this file is UTF-16");
        return false;
    }
    while (at < source->length && count > 0) {
        count = text_utf8(source->bytes + at, source->length - at, &code);
        at += count;
    }
    if (nul == NULL && count > 0)
        return true;
    place.offset = (uint32_t)at;
    if (nul != NULL && nul - source->bytes <= (ptrdiff_t)at) {
        place.offset = (uint32_t)(nul - source->bytes);
        problem_error(problems, place, "a config file is text: is this the right file?",
                      "a byte 0 is in this file");
    } else {
        problem_error(problems, place,
                      "save the file as UTF-8; if it is Latin-1: iconv -f latin1 -t utf8 OLD > NEW",
                      "this byte is no valid UTF-8");
    }
    return false;
}

static void report_unreadable(const char *path, int result, struct problems *problems)
{
    const char *hint = "see that the disk and the file are in order";

    if (result == -ENOENT || result == -ENOTDIR)
        hint = "check the name";
    else if (result == -EACCES || result == -EPERM)
        hint = "let the user this program runs as read it: chown its group to that user's, and "
               "chmod 640";
    problem_error(problems, nowhere, hint, "%s: %s", path, strerror(-result));
}

/* Whether `fd` is what one can read to an end; a pipe or a device could hang or never end. */
static bool check_regular(int fd, const char *path, struct problems *problems)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        report_unreadable(path, -errno, problems);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        problem_error(problems, nowhere, "name the file itself", "%s: this is %s", path,
                      S_ISDIR(status.st_mode) ? "a directory, no file" : "no regular file");
        return false;
    }
    if (status.st_size > CONF_FILE_MAX) {
        report_too_long(path, problems);
        return false;
    }
    return true;
}

/* Up to `size` bytes; the size that the system told may be old, or 0 in /proc. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t length = 0;
    ssize_t count = 1;

    while (count > 0 && length < size) {
        count = read(fd, bytes + length, size - length);
        if (count < 0 && errno == EINTR)
            count = 1;
        else if (count < 0)
            return -errno;
        else
            length += (size_t)count;
    }
    return (ssize_t)length;
}

static struct source *read_source(int fd, const char *path, struct problems *problems)
{
    char *bytes = malloc(CONF_FILE_MAX + 1);
    struct source *source = NULL;
    ssize_t length;

    if (bytes == NULL) {
        problem_error(problems, nowhere, NULL, "%s: memory is out", path);
        return NULL;
    }
    length = read_all(fd, bytes, CONF_FILE_MAX + 1);
    if (length < 0)
        report_unreadable(path, (int)length, problems);
    else
        source = file_from_memory(path, bytes, (size_t)length, problems);
    free(bytes);
    return source;
}

struct source *file_read(const char *path, struct problems *problems)
{
    /* O_NONBLOCK: opening a pipe must not wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct source *source = NULL;

    if (fd < 0) {
        report_unreadable(path, -errno, problems);
        return NULL;
    }
    if (check_regular(fd, path, problems))
        source = read_source(fd, path, problems);
    close(fd);
    return source;
}
