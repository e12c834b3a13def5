#include "gateway/cli/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES    40
#define WAIT_MS  250
#define REST_MS  1000 /* more than the clock of a file system, by which a write is noticed */
#define LOG_HEAD 32   /* bytes: salt and check sum of a log are others once it begins anew */

/* -- one file ------------------------------------------------------------------------------- */

static int copy_bytes(int from, int to)
{
    char bytes[65536];
    ssize_t got;

    while ((got = read(from, bytes, sizeof(bytes))) > 0) {
        if (write(to, bytes, (size_t)got) != got)
            return errno ? -errno : -ENOSPC;
    }
    return got < 0 ? -errno : 0;
}

static int copy_open(int from, int to)
{
    struct stat status;

    if (fstat(from, &status) < 0)
        return -errno;
    if (fchown(to, status.st_uid, status.st_gid) < 0 && errno != EPERM)
        return -errno;
    return copy_bytes(from, to);
}

static int copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out, r;

    unlink(to); /* of the try before */
    if (in < 0)
        return errno == ENOENT ? 0 : -errno;
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    r = out < 0 ? -errno : copy_open(in, out);
    close(in);
    if (out >= 0 && close(out) < 0 && r == 0)
        r = -errno;
    return r;
}

/* -- whether it was written ----------------------------------------------------------------- */

/* What is another one after the file was written, or its log begun anew. */
struct look {
    struct timespec written;
    off_t size;
    char log[LOG_HEAD];
};

static void look_at(const char *file, const char *log, struct look *look)
{
    struct stat status;
    int fd = open(log, O_RDONLY | O_CLOEXEC);

    memset(look, 0, sizeof(*look));
    if (stat(file, &status) == 0) {
        look->written = status.st_mtim;
        look->size = status.st_size;
    }
    if (fd < 0)
        return;
    if (read(fd, look->log, sizeof(look->log)) < 0)
        look->log[0] = '?';
    close(fd);
}

static bool is_at_rest(const struct look *look)
{
    struct timespec now;
    int64_t age_ms;

    clock_gettime(CLOCK_REALTIME, &now);
    age_ms = (int64_t)(now.tv_sec - look->written.tv_sec) * 1000 +
             (now.tv_nsec - look->written.tv_nsec) / 1000000;
    return age_ms >= REST_MS || age_ms < 0; /* the clock was set back */
}

static bool is_same(const struct look *a, const struct look *b)
{
    return a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec &&
           a->size == b->size && memcmp(a->log, b->log, sizeof(a->log)) == 0;
}

/* -- both ----------------------------------------------------------------------------------- */

struct pair {
    char file[PATH_MAX], log[PATH_MAX];
};

static bool name_pair(struct pair *pair, const char *folder, const char *name)
{
    return snprintf(pair->file, PATH_MAX, "%s/%s", folder, name) < PATH_MAX &&
           snprintf(pair->log, PATH_MAX, "%s/%s-wal", folder, name) < PATH_MAX;
}

/* 1: it is a copy of one moment; 0: it has to be taken again. */
static int copy_once(const struct pair *from, const struct pair *to)
{
    struct look before, after;
    int r;

    look_at(from->file, from->log, &before);
    if (!is_at_rest(&before))
        return 0;
    r = copy_file(from->file, to->file);
    if (r == 0)
        r = copy_file(from->log, to->log);
    look_at(from->file, from->log, &after);
    return r < 0 ? r : is_same(&before, &after);
}

int snapshot_take(const char *from, const char *to, const char *name)
{
    const struct timespec wait = {.tv_nsec = WAIT_MS * 1000000L};
    struct pair source, copy;

    if (!name_pair(&source, from, name) || !name_pair(&copy, to, name))
        return -ENAMETOOLONG;
    for (int i = 0; i < TRIES; i++) {
        int r = copy_once(&source, &copy);

        if (r != 0)
            return r < 0 ? r : 0;
        nanosleep(&wait, NULL);
    }
    return -EBUSY;
}
