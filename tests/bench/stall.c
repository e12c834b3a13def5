/* A disk that stands still, for LD_PRELOAD: while the file named by BENCH_STALL exists, syncing a
 * file and writing to one take two seconds. Sockets and pipes do not pass here. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define STALL_S 2

static void stall(void)
{
    const char *path = getenv("BENCH_STALL");

    if (path && access(path, F_OK) == 0)
        nanosleep(&(struct timespec){.tv_sec = STALL_S}, NULL);
}

int fsync(int fd)
{
    int (*next)(int);

    *(void **)&next = dlsym(RTLD_NEXT, "fsync");
    stall();
    return next(fd);
}

int fdatasync(int fd)
{
    int (*next)(int);

    *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    stall();
    return next(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off64_t);

    *(void **)&next = dlsym(RTLD_NEXT, "pwrite64");
    stall();
    return next(fd, bytes, count, offset);
}
