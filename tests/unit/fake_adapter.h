/* Adapters that do what a test says, of all three ways: with lanes that block, asked on the loop,
 * and pushing. A struct fake is one bus of them. */
#pragma once

#include "adapters/adapters.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define FAKE_DEVICES  4
#define FAKE_CHANNELS 3
#define FAKE_LANES    3
#define FAKE_WAIT_S   20

struct fake {
    struct adapters_bus plan;
    struct device_config devices[FAKE_DEVICES];
    struct channel_config channels[FAKE_CHANNELS];
    uint32_t ids[FAKE_DEVICES];

    /* what it shall do */
    uint32_t n_lanes;
    int32_t lane_of[FAKE_DEVICES];
    bool hang[FAKE_LANES];
    uint8_t quality[FAKE_DEVICES];
    bool in_pieces;     /* a report for each channel */
    int64_t busy_us;    /* of the one request that each poll and write counts */
    const char *learns; /* with each poll */
    int links;          /* changes of a link to tell of in each poll */
    int open_result;

    /* what happened */
    struct adapter_host *host;
    int started[FAKE_DEVICES]; /* polls */
    int opened, closed;
    const char *recalled; /* of the last device */
    char trace[400];      /* "p1 w0.2=5 ": the order in which polls and writes began */
    size_t traced;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct timer *timer; /* of what is asked on the loop */
    struct {
        uint32_t device;
        uint64_t ticket;
        bool write;
    } asked[16];
    size_t n_asked;
};

/* -- the adapters' side -------------------------------------------------------------------------
 */

/* The options of a fake bus are the fake itself: nobody else looks at them. */
static inline int fake_open(const struct bus_config *config, struct adapter_host *host,
                            void **ret_bus, struct error *reterr)
{
    struct fake *fake = (struct fake *)(uintptr_t)config->options;
    if (fake->open_result < 0)
        return error_set(reterr, fake->open_result, "bus %s: refused", config->name);
    fake->host = host;
    if (config->n_devices > 0)
        fake->recalled = host->recall(host, (uint32_t)config->n_devices - 1);
    fake->opened++;
    *ret_bus = fake;
    return 0;
}

static inline void fake_close(void *bus)
{
    struct fake *fake = bus;
    if (!fake)
        return;
    timer_free(fake->timer);
    fake->timer = NULL;
    fake->closed++;
}

static inline void fake_note(struct fake *fake, const char *what)
{
    fake->traced += (size_t)snprintf(fake->trace + fake->traced, sizeof(fake->trace) - fake->traced,
                                     "%s ", what);
    if (fake->traced >= sizeof(fake->trace))
        fake->traced = sizeof(fake->trace) - 1;
}

static inline void fake_note_poll(struct fake *fake, uint32_t device)
{
    char what[16];
    snprintf(what, sizeof(what), "p%u", device);
    fake->started[device]++;
    fake_note(fake, what);
}

static inline void fake_note_write(struct fake *fake, const struct write_request *request)
{
    char what[64];
    snprintf(what, sizeof(what), "w%u.%u=%g", request->device, request->channel, request->number);
    fake_note(fake, what);
}

/* Each channel has the number 10 x device + channel. */
static inline void fake_report(struct fake *fake, uint32_t device)
{
    struct sample samples[FAKE_CHANNELS];
    uint32_t n = (uint32_t)fake->devices[device].n_channels;
    for (uint32_t c = 0; c < n; c++)
        samples[c] = sample_number(c, clock_boot_ms(), device * 10 + c);
    for (uint32_t c = 0; c < n && fake->in_pieces; c++)
        fake->host->report(fake->host, device, &samples[c], 1);
    if (!fake->in_pieces)
        fake->host->report(fake->host, device, samples, n);
}

static inline void fake_count(struct fake *fake, uint32_t device, uint8_t quality)
{
    struct adapter_exchange exchange = {
        .quality = quality, .answer_us = 1000, .busy_us = fake->busy_us};
    fake->host->exchanged(fake->host, device, &exchange);
}

static inline void fake_say(struct fake *fake, uint32_t device)
{
    if (fake->learns)
        fake->host->learnt(fake->host, device, fake->learns);
    for (int i = 0; i < fake->links; i++)
        fake->host->link(fake->host, "/dev/fake", i % 2 ? NULL : "unplugged");
}

/* Waits while the lane hangs; the quality that the end shall have. */
static inline uint8_t fake_hang(struct fake *fake, uint32_t device, uint32_t lane)
{
    pthread_cond_broadcast(&fake->changed);
    while (fake->hang[lane])
        pthread_cond_wait(&fake->changed, &fake->lock);
    return fake->quality[device];
}

static inline uint8_t fake_poll(void *bus, uint32_t device, uint32_t lane)
{
    struct fake *fake = bus;
    uint8_t quality;
    pthread_mutex_lock(&fake->lock);
    fake_note_poll(fake, device);
    quality = fake_hang(fake, device, lane);
    pthread_mutex_unlock(&fake->lock);
    fake_say(fake, device);
    fake_count(fake, device, quality);
    fake_report(fake, device);
    return quality;
}

static inline uint8_t fake_write(void *bus, const struct write_request *request, uint32_t lane)
{
    struct fake *fake = bus;
    uint8_t quality;
    pthread_mutex_lock(&fake->lock);
    fake_note_write(fake, request);
    quality = fake_hang(fake, request->device, lane);
    pthread_mutex_unlock(&fake->lock);
    fake_count(fake, request->device, quality);
    return quality;
}

/* Answers with the unit that was asked. */
static inline void fake_answer_question(void *bus, const struct adapter_question *question,
                                        uint32_t lane, struct adapter_answer *ret)
{
    struct fake *fake = bus;
    pthread_mutex_lock(&fake->lock);
    fake_note(fake, "q");
    fake_hang(fake, 0, lane);
    pthread_mutex_unlock(&fake->lock);
    *ret = (struct adapter_answer){.quality = QUALITY_GOOD, .bytes = {question->unit}, .count = 1};
}

static inline void fake_look(void *bus)
{
    struct fake *fake = bus;
    pthread_mutex_lock(&fake->lock);
    fake_note(fake, "look");
    pthread_mutex_unlock(&fake->lock);
}

static inline uint32_t fake_lanes(void *bus)
{
    return ((struct fake *)bus)->n_lanes;
}

static inline int32_t fake_lane_of(void *bus, uint32_t device)
{
    return ((struct fake *)bus)->lane_of[device];
}

static inline void fake_answer(void *owner)
{
    struct fake *fake = owner;
    size_t n = fake->n_asked;
    fake->n_asked = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t device = fake->asked[i].device;
        fake_count(fake, device, fake->quality[device]);
        if (!fake->asked[i].write) {
            fake_say(fake, device);
            fake_report(fake, device);
        }
        fake->host->end(fake->host, fake->asked[i].ticket, fake->quality[device]);
    }
}

static inline void fake_ask(struct fake *fake, uint32_t device, uint64_t ticket, bool write)
{
    if (!fake->timer)
        fake->timer = timer_new(fake->host->loop, fake_answer, fake);
    fake->asked[fake->n_asked].device = device;
    fake->asked[fake->n_asked].ticket = ticket;
    fake->asked[fake->n_asked++].write = write;
    timer_at(fake->timer, clock_boot_ms());
}

static inline void fake_begin(void *bus, uint32_t device, uint64_t ticket)
{
    fake_note_poll(bus, device);
    fake_ask(bus, device, ticket, false);
}

static inline void fake_begin_write(void *bus, const struct write_request *request, uint64_t ticket)
{
    fake_note_write(bus, request);
    fake_ask(bus, request->device, ticket, true);
}

static const struct adapter fake_blocking = {
    .word = "fake",
    .scheme = "block",
    .open = fake_open,
    .close = fake_close,
    .look = fake_look,
    .poll = fake_poll,
    .lanes = fake_lanes,
    .lane_of = fake_lane_of,
    .write = fake_write,
    .ask = fake_answer_question,
};

static const struct adapter fake_asked = {
    .word = "fake",
    .scheme = "ask",
    .open = fake_open,
    .close = fake_close,
    .look = fake_look,
    .begin = fake_begin,
    .begin_write = fake_begin_write,
};

static const struct adapter fake_pushing = {
    .word = "fake",
    .scheme = "push",
    .open = fake_open,
    .close = fake_close,
};

/* -- the test's side ----------------------------------------------------------------------------
 */

/* Devices "d0", "d1", ... with FAKE_CHANNELS channels, polled each `every_ms`, on lane 0; known to
 * the outside as 100, 101, ... */
static inline void fake_init(struct fake *fake, const struct adapter *adapter, uint32_t n_devices,
                             int64_t every_ms)
{
    static const char *const names[FAKE_DEVICES] = {"d0", "d1", "d2", "d3"};
    *fake = (struct fake){
        .n_lanes = 1, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    for (uint32_t i = 0; i < n_devices; i++) {
        fake->devices[i] = (struct device_config){.name = names[i],
                                                  .every_ms = every_ms,
                                                  .channels = fake->channels,
                                                  .n_channels = FAKE_CHANNELS};
        fake->ids[i] = 100 + i;
    }
    fake->plan = (struct adapters_bus){
        .adapter = adapter,
        .ids = fake->ids,
        .config = {.name = "fake",
                   .options = (const struct section *)(uintptr_t)fake,
                   .devices = fake->devices,
                   .n_devices = n_devices},
    };
}

/* Waits until `count` polls of the device have begun; false when that takes too long. */
static inline bool fake_wait(struct fake *fake, uint32_t device, int count)
{
    struct timespec until;
    bool ok;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FAKE_WAIT_S;
    pthread_mutex_lock(&fake->lock);
    while (fake->started[device] < count &&
           pthread_cond_timedwait(&fake->changed, &fake->lock, &until) == 0)
        continue;
    ok = fake->started[device] >= count;
    pthread_mutex_unlock(&fake->lock);
    return ok;
}

static inline void fake_set_hang(struct fake *fake, uint32_t lane, bool hang)
{
    pthread_mutex_lock(&fake->lock);
    fake->hang[lane] = hang;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}
