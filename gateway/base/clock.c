#include "gateway/base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* 2025-01-01: no machine that runs this is older, so a wall clock before it was never set. */
#define WALL_PLAUSIBLE_MS INT64_C(1735689600000)

/* After so long without a time server the clock that is there has to do. */
#define WALL_BELIEVED_MS INT64_C(600000)

#define WAIT_MAX_MS INT64_C(3600000)

static_assert(sizeof(time_t) == 8, "32 bits of time end in 2038");

/* The two clocks are read one after the other: a thread that has to wait between the two would see
 * them apart by as much. So they are read until they lie close together, and what is within a
 * millisecond of what it was is what it was: the same moment has the same wall time whenever it is
 * asked for, on disk and in memory. */
#define WALL_SPAN_NS   100000
#define WALL_TRIES     8
#define WALL_STEADY_NS 1000000

static atomic_llong wall_offset_ns; /* as it was last seen; 0: not yet */

static atomic_bool wall_good; /* once good, it stays: later steps are corrections */

/* The test's clock; boot_ms < 0: the system's. */
static atomic_llong fixed_boot_ms = -1;
static atomic_llong fixed_offset_ms;

static int64_t read_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_boot_ms(void)
{
    long long fixed = atomic_load(&fixed_boot_ms);

    return fixed >= 0 ? fixed : read_ns(CLOCK_BOOTTIME) / 1000000;
}

int64_t clock_boot_us(void)
{
    long long fixed = atomic_load(&fixed_boot_ms);

    return fixed >= 0 ? fixed * 1000 : read_ns(CLOCK_BOOTTIME) / 1000;
}

struct timespec clock_monotonic_at(int64_t boot_ms)
{
    int64_t rest_ms = boot_ms == CLOCK_NEVER ? WAIT_MAX_MS : boot_ms - clock_boot_ms();
    int64_t at_ns;

    if (rest_ms < 0)
        rest_ms = 0;
    if (rest_ms > WAIT_MAX_MS)
        rest_ms = WAIT_MAX_MS;
    at_ns = read_ns(CLOCK_MONOTONIC) + rest_ms * 1000000;
    return (struct timespec){.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000};
}

static int64_t find_wall_offset_ns(void)
{
    int64_t best_ns = 0, span_ns = INT64_MAX;

    for (int i = 0; i < WALL_TRIES && span_ns > WALL_SPAN_NS; i++) {
        int64_t before_ns = read_ns(CLOCK_BOOTTIME), wall_ns = read_ns(CLOCK_REALTIME);
        int64_t took_ns = read_ns(CLOCK_BOOTTIME) - before_ns;

        if (took_ns < span_ns) {
            span_ns = took_ns;
            best_ns = wall_ns - before_ns - took_ns / 2;
        }
    }
    return best_ns;
}

static int64_t wall_offset_ms(void)
{
    int64_t now_ns = find_wall_offset_ns(), known_ns = atomic_load(&wall_offset_ns);

    if (llabs(now_ns - known_ns) < WALL_STEADY_NS)
        return known_ns / 1000000;
    atomic_store(&wall_offset_ns, now_ns);
    return now_ns / 1000000;
}

int64_t clock_wall_ms(int64_t boot_ms)
{
    int64_t offset_ms = atomic_load(&fixed_offset_ms);

    if (atomic_load(&fixed_boot_ms) >= 0)
        return offset_ms == CLOCK_NEVER ? boot_ms : boot_ms + offset_ms;
    return boot_ms + wall_offset_ms();
}

/* A Pi has no battery clock: it starts with the time at which it was last switched off, which looks
 * plausible and is wrong. So a plausible year alone is believed only where something keeps the
 * time: the kernel says synchronised, there is a battery clock, or nobody has mended it for ten
 * minutes. */
static bool find_wall_is_good(void)
{
    const char *file = getenv(CLOCK_FILE_VARIABLE);
    struct timex state = {0};

    if (clock_wall_ms(clock_boot_ms()) < WALL_PLAUSIBLE_MS)
        return false;
    if (file)
        return access(file, F_OK) == 0;
    if (adjtimex(&state) >= 0 && !(state.status & STA_UNSYNC))
        return true;
    return access("/sys/class/rtc/rtc0", F_OK) == 0 || clock_boot_ms() > WALL_BELIEVED_MS;
}

bool clock_wall_is_good(void)
{
    if (atomic_load(&fixed_boot_ms) >= 0)
        return atomic_load(&fixed_offset_ms) != CLOCK_NEVER;
    if (!atomic_load(&wall_good) && find_wall_is_good())
        atomic_store(&wall_good, true);
    return atomic_load(&wall_good);
}

static char boot_id[64];
static pthread_once_t boot_once = PTHREAD_ONCE_INIT;

static void find_boot_id(void)
{
    const char *named = getenv(CLOCK_BOOT_VARIABLE);
    FILE *file = fopen(named ? named : "/proc/sys/kernel/random/boot_id", "re");
    uint64_t random = 0;

    if (file && fgets(boot_id, sizeof(boot_id), file))
        boot_id[strcspn(boot_id, "\n")] = '\0';
    if (file)
        fclose(file);
    if (boot_id[0])
        return;
    if (getrandom(&random, sizeof(random), 0) < 0)
        random = (uint64_t)clock_boot_us();
    snprintf(boot_id, sizeof(boot_id), "start-%016llx", (unsigned long long)random);
}

const char *clock_boot_id(void)
{
    pthread_once(&boot_once, find_boot_id);
    return boot_id;
}

static void split(int64_t wall_ms, struct tm *ret_tm, int *ret_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);

    *ret_ms = (int)(wall_ms % 1000);
    localtime_r(&seconds, ret_tm);
}

char *clock_text(int64_t boot_ms, char text[CLOCK_TEXT_SIZE])
{
    text[0] = '\0';
    return clock_wall_is_good() ? clock_wall_text(clock_wall_ms(boot_ms), text) : text;
}

char *clock_wall_text(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    struct tm tm;
    int ms;
    long minutes;
    size_t length;

    split(wall_ms, &tm, &ms);
    minutes = tm.tm_gmtoff / 60;
    length = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + length, CLOCK_TEXT_SIZE - length, ".%03u%c%02u:%02u", (unsigned)ms % 1000,
             minutes < 0 ? '-' : '+', (unsigned)labs(minutes) / 60 % 100,
             (unsigned)labs(minutes) % 60);
    return text;
}

char *clock_text_short(int64_t boot_ms, char text[CLOCK_TEXT_SIZE])
{
    struct tm then, now;
    int ms;

    split(clock_wall_ms(boot_ms), &then, &ms);
    split(clock_wall_ms(clock_boot_ms()), &now, &ms);
    strftime(text, CLOCK_TEXT_SIZE,
             then.tm_yday == now.tm_yday && then.tm_year == now.tm_year ? "%H:%M" : "%e %b %H:%M",
             &then);
    return text;
}

void clock_use_fixed(int64_t boot_ms, int64_t offset_ms)
{
    atomic_store(&fixed_offset_ms, offset_ms);
    atomic_store(&fixed_boot_ms, boot_ms);
}

void clock_use_system(void)
{
    atomic_store(&fixed_boot_ms, -1);
}
