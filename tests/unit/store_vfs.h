/* A disk that can be told to be full, read-only, broken or slow: a layer over the file system of
 * SQLite, for the tests of gateway/store. Files whose name holds `only` are meant (NULL: all). */
#pragma once

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEST_VFS "test-disk"

struct test_disk {
    atomic_int fail; /* SQLITE_FULL, SQLITE_IOERR_WRITE, ...: what writes and syncs say; 0: fine */
    atomic_int stall_ms; /* what every sync takes, unless it is taken back before */
    atomic_int cannot_open;
    atomic_ulong syncs, bytes;
    const char *only;
};
extern struct test_disk test_disk;
struct test_disk test_disk;

struct test_file {
    sqlite3_file base;
    int meant;
    sqlite3_file *real;
};

static sqlite3_vfs *test_real(void)
{
    return sqlite3_vfs_find("unix-excl");
}

static struct test_file *test_file_of(sqlite3_file *file)
{
    return (struct test_file *)file;
}

static void test_sleep(int ms)
{
    struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&pause, NULL);
}

static int test_close(sqlite3_file *file)
{
    struct test_file *own = test_file_of(file);
    int r = own->real->pMethods->xClose(own->real);

    return r;
}

static int test_read(sqlite3_file *file, void *to, int count, sqlite3_int64 at)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xRead(real, to, count, at);
}

static int test_write(sqlite3_file *file, const void *from, int count, sqlite3_int64 at)
{
    struct test_file *own = test_file_of(file);

    if (own->meant && atomic_load(&test_disk.fail))
        return atomic_load(&test_disk.fail);
    atomic_fetch_add(&test_disk.bytes, (unsigned long)count);
    return own->real->pMethods->xWrite(own->real, from, count, at);
}

static int test_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xTruncate(real, size);
}

static int test_sync(sqlite3_file *file, int flags)
{
    struct test_file *own = test_file_of(file);

    for (int ms = 0; own->meant && ms < atomic_load(&test_disk.stall_ms); ms += 10)
        test_sleep(10);
    if (own->meant && atomic_load(&test_disk.fail))
        return SQLITE_IOERR_FSYNC;
    atomic_fetch_add(&test_disk.syncs, 1);
    return own->real->pMethods->xSync(own->real, flags);
}

static int test_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xFileSize(real, size);
}

static int test_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xLock(real, level);
}

static int test_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xUnlock(real, level);
}

static int test_reserved(sqlite3_file *file, int *result)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xCheckReservedLock(real, result);
}

static int test_control(sqlite3_file *file, int what, void *arg)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xFileControl(real, what, arg);
}

static int test_sector(sqlite3_file *file)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xSectorSize(real);
}

static int test_traits(sqlite3_file *file)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xDeviceCharacteristics(real);
}

static int test_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **to)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xShmMap(real, page, size, extend, to);
}

static int test_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xShmLock(real, offset, n, flags);
}

static void test_shm_barrier(sqlite3_file *file)
{
    sqlite3_file *real = test_file_of(file)->real;

    real->pMethods->xShmBarrier(real);
}

static int test_shm_unmap(sqlite3_file *file, int drop)
{
    sqlite3_file *real = test_file_of(file)->real;

    return real->pMethods->xShmUnmap(real, drop);
}

static const sqlite3_io_methods test_methods = {
    .iVersion = 2,
    .xClose = test_close,
    .xRead = test_read,
    .xWrite = test_write,
    .xTruncate = test_truncate,
    .xSync = test_sync,
    .xFileSize = test_file_size,
    .xLock = test_lock,
    .xUnlock = test_unlock,
    .xCheckReservedLock = test_reserved,
    .xFileControl = test_control,
    .xSectorSize = test_sector,
    .xDeviceCharacteristics = test_traits,
    .xShmMap = test_shm_map,
    .xShmLock = test_shm_lock,
    .xShmBarrier = test_shm_barrier,
    .xShmUnmap = test_shm_unmap,
};

static int test_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct test_file *own = test_file_of(file);
    int r;

    (void)vfs;
    own->base.pMethods = NULL;
    own->real = (sqlite3_file *)(void *)(own + 1);
    own->meant = !test_disk.only || (name && strstr(name, test_disk.only));
    if (own->meant && atomic_load(&test_disk.cannot_open))
        return SQLITE_CANTOPEN;
    r = test_real()->xOpen(test_real(), name, own->real, flags, out);
    if (r == SQLITE_OK || own->real->pMethods)
        own->base.pMethods = &test_methods;
    return r;
}

/* Everything else is the real one's. */
static void test_disk_use(void)
{
    static sqlite3_vfs vfs;

    atomic_store(&test_disk.fail, 0);
    atomic_store(&test_disk.stall_ms, 0);
    atomic_store(&test_disk.cannot_open, 0);
    test_disk.only = NULL;
    if (sqlite3_vfs_find(TEST_VFS))
        return;
    vfs = *test_real();
    vfs.zName = TEST_VFS;
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct test_file) + test_real()->szOsFile;
    vfs.xOpen = test_open;
    sqlite3_vfs_register(&vfs, 0);
}
