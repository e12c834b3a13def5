/* A small Modbus slave behind a pty, on a thread of its own, for the tests of serial lines. It can
 * be late, silent, noisy and strict. Register n of unit u holds n * 10 + u; a coil is on when its
 * address is odd. */
#pragma once

#include "adapters/modbus/pdu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct slave {
    int master; /* of the pty */
    char path[64];
    pthread_t thread;
    atomic_bool stop;
    /* how it behaves; each counts down over the requests to come */
    atomic_int silent, late, damaged, half, foreign, noisy;
    atomic_int late_ms;
    atomic_bool mute_after_foreign; /* the foreign frame is all there is */
    atomic_bool strict; /* refuses to read registers but 0 to 9 and 100 to 109, and more than two */
    atomic_int dead_unit;                 /* never answers; 0: none */
    atomic_bool line_echoes;              /* what it was sent goes back first */
    atomic_bool knows_echo, ignores_echo; /* function 8; else it is refused */
    /* what it saw */
    atomic_int requests, refused, echoes;
    atomic_llong quiet_ns; /* the shortest silence before a request */
    int64_t gaps_ns[32];   /* all of them; read them when it is stopped */
    size_t n_gaps;
    int64_t last_ns; /* when it last sent or took the end of a request */
};

static inline int64_t slave_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline bool slave_take(atomic_int *count)
{
    if (atomic_load(count) <= 0)
        return false;
    atomic_fetch_sub(count, 1);
    return true;
}

static inline void slave_send(struct slave *slave, uint8_t *bytes, size_t count)
{
    uint16_t crc = mb_crc(bytes, count);

    bytes[count] = (uint8_t)crc;
    bytes[count + 1] = (uint8_t)(crc >> 8);
    if (slave_take(&slave->damaged))
        bytes[count] ^= 0x10;
    slave->last_ns = slave_now_ns(); /* before: the machine may look away right after */
    if (write(slave->master, bytes, slave_take(&slave->half) ? count / 2 : count + 2) < 0)
        abort();
}

static inline bool slave_refuses(const struct slave *slave, unsigned address, unsigned count)
{
    bool low = address + count <= 10, high = address >= 100 && address + count <= 110;

    return atomic_load(&slave->strict) && (count > 2 || !(low || high));
}

static inline size_t slave_fill(const uint8_t *request, uint8_t *answer, uint8_t unit)
{
    unsigned address = (unsigned)(request[2] << 8 | request[3]);
    unsigned count = (unsigned)(request[4] << 8 | request[5]);
    bool bits = request[1] <= MB_READ_DISCRETES;

    answer[0] = unit;
    answer[1] = request[1];
    answer[2] = (uint8_t)(bits ? (count + 7) / 8 : count * 2);
    memset(answer + 3, 0, answer[2]);
    for (unsigned i = 0; i < count; i++) {
        unsigned value = (address + i) * 10 + unit;

        if (bits) {
            answer[3 + i / 8] |= (uint8_t)((address + i) % 2 << i % 8);
        } else {
            answer[3 + 2 * i] = (uint8_t)(value >> 8);
            answer[4 + 2 * i] = (uint8_t)value;
        }
    }
    return 3u + answer[2];
}

static inline void slave_echo(struct slave *slave, const uint8_t *request)
{
    uint8_t answer[8];
    bool knows = atomic_load(&slave->knows_echo);

    atomic_fetch_add(&slave->echoes, 1);
    if (atomic_load(&slave->ignores_echo))
        return;
    memcpy(answer, request, 6);
    if (!knows) {
        answer[1] |= 0x80;
        answer[2] = 1;
    }
    slave_send(slave, answer, knows ? 6 : 3);
}

static inline void slave_answer(struct slave *slave, const uint8_t *request)
{
    unsigned address = (unsigned)(request[2] << 8 | request[3]);
    unsigned count = (unsigned)(request[4] << 8 | request[5]);
    uint8_t answer[300], noise = 0;

    atomic_fetch_add(&slave->requests, 1);
    if (request[0] == atomic_load(&slave->dead_unit) || slave_take(&slave->silent))
        return;
    if (slave_take(&slave->late))
        usleep((useconds_t)atomic_load(&slave->late_ms) * 1000);
    if (slave_take(&slave->foreign)) {
        slave_send(slave, answer, slave_fill(request, answer, (uint8_t)(request[0] + 1)));
        if (atomic_load(&slave->mute_after_foreign))
            return;
    }
    if (request[1] == MB_DIAGNOSE) {
        slave_echo(slave, request);
        return;
    }
    if (request[1] == MB_WRITE_COIL || request[1] == MB_WRITE_REGISTER) {
        memcpy(answer, request, 6);
        slave_send(slave, answer, 6);
        return;
    }
    if (slave_take(&slave->noisy) && write(slave->master, &noise, 1) < 0)
        return;
    if (slave_refuses(slave, address, count)) {
        uint8_t exception[5] = {request[0], (uint8_t)(request[1] | 0x80), 2};

        atomic_fetch_add(&slave->refused, 1);
        slave_send(slave, exception, 3);
        return;
    }
    slave_send(slave, answer, slave_fill(request, answer, request[0]));
}

/* All requests of the tests are reads, echoes and single writes: eight bytes. */
static inline void *slave_run(void *owner)
{
    struct slave *slave = owner;
    uint8_t in[8];
    size_t n = 0;

    while (!atomic_load(&slave->stop)) {
        struct pollfd fd = {slave->master, POLLIN, 0};
        ssize_t got = poll(&fd, 1, 10) == 1 ? read(slave->master, in + n, 8 - n) : 0;
        int64_t now_ns = slave_now_ns();

        if (got <= 0) {
            if (fd.revents & POLLHUP)
                usleep(2000); /* the line is not open on the other side */
            continue;
        }
        if (n == 0 && slave->last_ns && now_ns - slave->last_ns < atomic_load(&slave->quiet_ns))
            atomic_store(&slave->quiet_ns, now_ns - slave->last_ns);
        if (n == 0 && slave->last_ns && slave->n_gaps < 32)
            slave->gaps_ns[slave->n_gaps++] = now_ns - slave->last_ns;
        slave->last_ns = now_ns;
        n += (size_t)got;
        if (n < 8)
            continue;
        n = 0;
        if (atomic_load(&slave->line_echoes) && write(slave->master, in, 8) < 0)
            abort();
        if (mb_crc(in, 6) == (in[6] | in[7] << 8))
            slave_answer(slave, in);
    }
    return NULL;
}

/* A pty without anybody behind it yet. */
static inline struct slave *slave_new(void)
{
    struct slave *slave = calloc(1, sizeof(*slave));

    slave->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave->master < 0 || grantpt(slave->master) < 0 || unlockpt(slave->master) < 0 ||
        ptsname_r(slave->master, slave->path, sizeof(slave->path)) != 0)
        abort();
    atomic_store(&slave->quiet_ns, INT64_MAX);
    return slave;
}

static inline void slave_start(struct slave *slave)
{
    if (pthread_create(&slave->thread, NULL, slave_run, slave) != 0)
        abort();
}

static inline void slave_join(struct slave *slave)
{
    atomic_store(&slave->stop, true);
    pthread_join(slave->thread, NULL);
}

static inline void slave_stop(struct slave *slave)
{
    if (!atomic_load(&slave->stop))
        slave_join(slave);
    close(slave->master);
    free(slave);
}
