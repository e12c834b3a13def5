/* Help for the tests of 1-Wire: sensors in a made tree. */
#pragma once

#include "adapters/attribute.h"
#include "adapters/onewire/decode.h"
#include "made_files.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* What the kernel shows of a DS18B20; `t` is taken as it is. */
static inline const char *made_pad_text(const uint8_t pad[9], const char *verdict, int t,
                                        char text[200])
{
    char hex[32] = "";

    for (int i = 0; i < 9; i++)
        snprintf(hex + i * 3, 4, "%02x ", pad[i]);
    snprintf(text, 200, "%s: crc=%02x %s\n%st=%d\n", hex, onewire_crc8(pad, 8), verdict, hex, t);
    return text;
}

static inline const char *made_slave_text(int milli_c, char text[200])
{
    int raw = milli_c * 16 / 1000;
    uint8_t pad[9] = {(uint8_t)raw, (uint8_t)(raw >> 8), 75, 70, 127, 255, 12, 16, 0};

    pad[8] = onewire_crc8(pad, 8);
    return made_pad_text(pad, "YES", milli_c, text);
}

/* A sensor in the folder of its master, and beside the masters as a link, as in the kernel's tree.
 */
static inline void made_sensor(const struct files *files, const char *master, const char *address,
                               int milli_c)
{
    char path[200], target[100], text[200];

    snprintf(path, sizeof(path), "%s/%s/w1_slave", master, address);
    files_put(files, path, made_slave_text(milli_c, text));
    snprintf(target, sizeof(target), "%s/%s", master, address);
    files_put_link(files, address, target);
}

static inline void made_remove_sensor(const struct files *files, const char *master,
                                      const char *address)
{
    char path[100];

    snprintf(path, sizeof(path), "%s/%s", master, address);
    files_remove(files, path);
    files_remove(files, address);
}

/* -- the kernel's side of therm_bulk_read ------------------------------------------------------ */

/* A thread that answers "trigger" in a master's file as the kernel does, and counts. */
struct made_bulk {
    const struct files *files;
    char name[64];
    pthread_t thread;
    atomic_bool runs, stop;
    atomic_int count;
};

static inline void *made_bulk_run(void *arg)
{
    struct made_bulk *bulk = (struct made_bulk *)arg;
    const struct timespec pause = {.tv_nsec = 1000000}, conversion = {.tv_nsec = 20000000};
    char path[FILES_PATH_MAX], text[ATTRIBUTE_MAX + 1];

    files_path(bulk->files, bulk->name, path);
    while (!atomic_load(&bulk->stop)) {
        if (attribute_read(path, text) > 0 && strcmp(text, "trigger\n") == 0) {
            files_put(bulk->files, bulk->name, "-1\n");
            nanosleep(&conversion, NULL);
            atomic_fetch_add(&bulk->count, 1);
            files_put(bulk->files, bulk->name, "1\n");
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static inline void made_bulk_start(struct made_bulk *bulk, const struct files *files,
                                   const char *master)
{
    bulk->files = files;
    snprintf(bulk->name, sizeof(bulk->name), "%s/therm_bulk_read", master);
    files_put(files, bulk->name, "0\n");
    atomic_store(&bulk->count, 0);
    atomic_store(&bulk->stop, false);
    atomic_store(&bulk->runs, true);
    files_must(pthread_create(&bulk->thread, NULL, made_bulk_run, bulk) == 0);
}

static inline int made_bulk_count(struct made_bulk *bulk)
{
    return atomic_load(&bulk->count);
}

static inline void made_bulk_stop(struct made_bulk *bulk)
{
    if (!atomic_exchange(&bulk->runs, false))
        return;
    atomic_store(&bulk->stop, true);
    pthread_join(bulk->thread, NULL);
}
