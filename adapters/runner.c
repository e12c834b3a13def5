#include "adapters/runner.h"

#include "adapters/gather.h"
#include "adapters/lanes.h"
#include "adapters/tally.h"
#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Tickets of writes lie above those of polls, which are the devices. */
#define WRITE_TICKET (UINT64_C(1) << 63)

struct runner {
    struct adapter_host host;
    const struct adapter *adapter;
    char name[TEXT_SLUG_MAX + 1]; /* of the configured bus */
    size_t n_devices;
    const struct runner_events *events;
    void *owner;
    uint32_t bus;
    void *opened;                     /* the adapter's bus */
    const struct bus_config *opening; /* while it is being opened */
    size_t most_samples;              /* of one poll: the channels of the largest device */
    struct tally *tallies;            /* by device */
    int64_t marked_us;

    /* with begin() only */
    struct gathered **gathered; /* by device: while its poll has reported and not ended */
    struct gather_pool *pool;

    struct lanes *lanes; /* with poll() only */
};

/* -- the host's side ------------------------------------------------------------------------ */

static void log_link(const struct runner *runner, const char *link, bool up, const char *why)
{
    if (up)
        log_info("bus %s: %s is up", runner->name, link);
    else
        log_warn("bus %s: %s is down: %s", runner->name, link, why);
}

/* What pushes: each report is a poll of its own. */
static void report_pushed(struct adapter_host *host, uint32_t device, const struct sample *samples,
                          size_t count)
{
    struct runner *runner = enclosing(host, struct runner, host);

    runner->events->samples(runner->owner, runner->bus, device, samples, count);
}

static struct gathered *gather(struct runner *runner, uint32_t device)
{
    struct gathered *gathered = runner->gathered[device];

    if (gathered)
        return gathered;
    gathered = gather_take(runner->pool, runner->most_samples);
    runner->gathered[device] = gathered;
    return gathered;
}

/* One sample a channel is all that a poll can have; more is an adapter's mistake. */
static void report_on_loop(struct adapter_host *host, uint32_t device, const struct sample *samples,
                           size_t count)
{
    struct runner *runner = enclosing(host, struct runner, host);
    struct gathered *gathered = gather(runner, device);

    if (!gathered)
        return; /* out of memory: the values grow stale, as if they had not been read */
    assert(gathered->count + count <= runner->most_samples);
    if (count > runner->most_samples - gathered->count)
        count = runner->most_samples - gathered->count;
    memcpy(gathered->samples + gathered->count, samples, count * sizeof(*samples));
    gathered->count += count;
}

static struct sample *scratch_on_loop(struct adapter_host *host)
{
    struct runner *runner = enclosing(host, struct runner, host);

    return gather_scratch(runner->pool, runner->most_samples);
}

static void end_poll(struct runner *runner, uint32_t device, uint8_t quality)
{
    struct gathered *gathered = runner->gathered[device];

    if (gathered) {
        runner->gathered[device] = NULL;
        if (quality == QUALITY_GOOD)
            runner->events->samples(runner->owner, runner->bus, device, gathered->samples,
                                    gathered->count);
        gather_give(runner->pool, gathered);
    }
    runner->events->end(runner->owner, runner->bus, device, quality);
}

static void end_on_loop(struct adapter_host *host, uint64_t ticket, uint8_t quality)
{
    struct runner *runner = enclosing(host, struct runner, host);

    if (ticket & WRITE_TICKET)
        runner->events->wrote(runner->owner, runner->bus, (uint32_t)(ticket >> 32) & INT32_MAX,
                              (uint32_t)ticket, quality);
    else
        end_poll(runner, (uint32_t)ticket, quality);
}

static void link_on_loop(struct adapter_host *host, const char *link, const char *why)
{
    log_link(enclosing(host, struct runner, host), link, !why, why);
}

static void note_on_loop(struct adapter_host *host, const char *words)
{
    log_info("bus %s: %s", enclosing(host, struct runner, host)->name, words);
}

static void appear_on_loop(struct adapter_host *host, const struct adapter_found *found)
{
    struct runner *runner = enclosing(host, struct runner, host);

    runner->events->appear(runner->owner, runner->bus, found);
}

static void learnt_on_loop(struct adapter_host *host, uint32_t device, const char *words)
{
    struct runner *runner = enclosing(host, struct runner, host);

    runner->events->learnt(runner->owner, runner->bus, device, words);
}

static const char *recall(struct adapter_host *host, uint32_t device)
{
    struct runner *runner = enclosing(host, struct runner, host);

    return runner->events->recall(runner->owner, runner->opening->devices[device].name);
}

static void exchanged_on_loop(struct adapter_host *host, uint32_t device,
                              const struct adapter_exchange *exchange)
{
    struct runner *runner = enclosing(host, struct runner, host);

    tally_add(&runner->tallies[device], exchange);
}

/* -- with lanes ----------------------------------------------------------------------------- */

static void report_on_worker(struct adapter_host *host, uint32_t device,
                             const struct sample *samples, size_t count)
{
    lanes_report(enclosing(host, struct runner, host)->lanes, device, samples, count);
}

static void exchanged_on_worker(struct adapter_host *host, uint32_t device,
                                const struct adapter_exchange *exchange)
{
    lanes_count(enclosing(host, struct runner, host)->lanes, device, exchange);
}

static void link_on_worker(struct adapter_host *host, const char *link, const char *why)
{
    struct worker_note note = {.kind = NOTE_LINK, .up = !why};

    text_copy(note.link, sizeof(note.link), link);
    text_copy(note.why, sizeof(note.why), why ? why : "");
    lanes_say(enclosing(host, struct runner, host)->lanes, &note);
}

static void note_on_worker(struct adapter_host *host, const char *words)
{
    struct worker_note note = {.kind = NOTE_WORDS};

    text_copy(note.why, sizeof(note.why), words);
    lanes_say(enclosing(host, struct runner, host)->lanes, &note);
}

static void learnt_on_worker(struct adapter_host *host, uint32_t device, const char *words)
{
    struct worker_note note = {.kind = NOTE_LEARNT, .device = device};

    text_copy(note.why, sizeof(note.why), words);
    lanes_say(enclosing(host, struct runner, host)->lanes, &note);
}

static int ask_for_adapter(struct adapter_host *host, uint32_t device,
                           const struct adapter_question *question)
{
    return runner_ask(enclosing(host, struct runner, host), device, question);
}

static void take_lane_tally(void *owner, uint32_t device, const struct tally *tally)
{
    struct runner *runner = owner;

    tally_merge(&runner->tallies[device], tally);
}

static void take_lane_samples(void *owner, uint32_t device, const struct sample *samples,
                              size_t count)
{
    struct runner *runner = owner;

    runner->events->samples(runner->owner, runner->bus, device, samples, count);
}

static void take_lane_end(void *owner, uint32_t device, uint8_t quality)
{
    struct runner *runner = owner;

    runner->events->end(runner->owner, runner->bus, device, quality);
}

static void take_lane_wrote(void *owner, uint32_t device, uint32_t token, uint8_t quality)
{
    struct runner *runner = owner;

    runner->events->wrote(runner->owner, runner->bus, device, token, quality);
}

static void take_lane_words(void *owner, const struct worker_note *note)
{
    struct runner *runner = owner;

    if (note->kind == NOTE_LINK)
        log_link(runner, note->link, note->up, note->why);
    else if (note->kind == NOTE_LEARNT)
        learnt_on_loop(&runner->host, note->device, note->why);
    else
        note_on_loop(&runner->host, note->why);
}

static const struct lanes_events lanes_events = {
    .tally = take_lane_tally,
    .samples = take_lane_samples,
    .end = take_lane_end,
    .wrote = take_lane_wrote,
    .words = take_lane_words,
};

/* -- door ----------------------------------------------------------------------------------- */

static size_t most_channels(const struct bus_config *config)
{
    size_t most = 1;

    for (size_t i = 0; i < config->n_devices; i++) {
        if (config->devices[i].n_channels > most)
            most = config->devices[i].n_channels;
    }
    return most;
}

/* What a poll needs on its way: lanes to be done on, or a place where its samples gather. */
static int make_waits(struct runner *runner, struct loop *loop)
{
    if (runner->adapter->poll) {
        runner->lanes = lanes_new(loop, runner->adapter, runner->name, runner->n_devices,
                                  &lanes_events, runner);
        return runner->lanes ? 0 : -ENOMEM;
    }
    if (!runner->adapter->begin)
        return 0;
    runner->gathered = calloc(runner->n_devices, sizeof(*runner->gathered));
    return runner->gathered ? 0 : -ENOMEM;
}

static int open_adapter(struct runner *runner, const struct bus_config *config,
                        struct error *reterr)
{
    int r;

    runner->opening = config;
    r = runner->adapter->open(config, &runner->host, &runner->opened, reterr);
    runner->opening = NULL;
    return r;
}

int runner_open(struct loop *loop, struct gather_pool *pool, const struct adapters_bus *plan,
                uint32_t bus, const struct runner_events *events, void *owner,
                struct runner **ret_runner, struct error *reterr)
{
    struct runner *runner = calloc(1, sizeof(*runner));
    bool blocks = plan->adapter->poll != NULL, asks = plan->adapter->begin != NULL;
    int r;

    if (!runner)
        return error_set(reterr, -ENOMEM, "bus %s: out of memory", plan->config.name);
    runner->adapter = plan->adapter;
    runner->n_devices = plan->config.n_devices;
    text_copy(runner->name, sizeof(runner->name), plan->config.name);
    runner->events = events;
    runner->owner = owner;
    runner->bus = bus;
    runner->pool = pool;
    runner->host = (struct adapter_host){
        .loop = loop,
        .report = blocks ? report_on_worker
                  : asks ? report_on_loop
                         : report_pushed,
        .scratch = scratch_on_loop,
        .end = end_on_loop,
        .link = blocks ? link_on_worker : link_on_loop,
        .exchanged = blocks ? exchanged_on_worker : exchanged_on_loop,
        .note = blocks ? note_on_worker : note_on_loop,
        .learnt = blocks ? learnt_on_worker : learnt_on_loop,
        .recall = recall,
        .ask = ask_for_adapter,
        .appear = appear_on_loop,
    };
    runner->most_samples = most_channels(&plan->config);
    runner->tallies = calloc(runner->n_devices, sizeof(*runner->tallies));
    runner->marked_us = clock_boot_us();
    r = runner->tallies ? make_waits(runner, loop) : -ENOMEM;
    if (r < 0)
        error_set(reterr, r, "bus %s: out of memory", plan->config.name);
    else
        r = open_adapter(runner, &plan->config, reterr);
    if (r == 0 && blocks &&
        (r = lanes_start(runner->lanes, runner->opened, runner->most_samples)) < 0)
        error_set(reterr, r, "bus %s: cannot start a worker: %s", plan->config.name, strerror(-r));
    if (r < 0) {
        runner_close(runner, CLOCK_NEVER);
        return r;
    }
    *ret_runner = runner;
    return 0;
}

void runner_poll(struct runner *runner, uint32_t device)
{
    if (runner->adapter->begin)
        runner->adapter->begin(runner->opened, device, device);
    else
        lanes_poll(runner->lanes, device);
}

int runner_write(struct runner *runner, const struct write_request *request, uint32_t token)
{
    const struct adapter *adapter = runner->adapter;

    if (adapter->begin_write) {
        adapter->begin_write(runner->opened, request,
                             WRITE_TICKET | (uint64_t)request->device << 32 | token);
        return 0;
    }
    return adapter->write ? lanes_write(runner->lanes, request, token) : -ENOTSUP;
}

int runner_ask(struct runner *runner, uint32_t device, const struct adapter_question *question)
{
    if (runner->adapter->begin_ask)
        return runner->adapter->begin_ask(runner->opened, device, question);
    return runner->lanes ? lanes_ask(runner->lanes, device, question) : -ENOTSUP;
}

const struct tally *runner_tally(const struct runner *runner, uint32_t device)
{
    return &runner->tallies[device];
}

int64_t runner_take_ms(struct runner *runner, uint32_t device)
{
    return tally_take_ms(&runner->tallies[device]);
}

void runner_mark(struct runner *runner)
{
    int64_t now_us = clock_boot_us();

    for (size_t i = 0; i < runner->n_devices; i++)
        tally_mark(&runner->tallies[i], now_us - runner->marked_us);
    runner->marked_us = now_us;
}

void runner_look(struct runner *runner)
{
    if (runner->adapter->look)
        runner->adapter->look(runner->opened);
}

int64_t runner_stuck_ms(const struct runner *runner)
{
    return runner->lanes ? lanes_stuck_ms(runner->lanes) : 0;
}

void runner_renumber(struct runner *runner, uint32_t bus)
{
    runner->bus = bus;
}

static void ignore_samples(void *owner, uint32_t bus, uint32_t device, const struct sample *samples,
                           size_t count)
{
    (void)owner, (void)bus, (void)device, (void)samples, (void)count;
}

static void ignore_end(void *owner, uint32_t bus, uint32_t device, uint8_t quality)
{
    (void)owner, (void)bus, (void)device, (void)quality;
}

static void ignore_wrote(void *owner, uint32_t bus, uint32_t device, uint32_t token,
                         uint8_t quality)
{
    (void)owner, (void)bus, (void)device, (void)token, (void)quality;
}

static void ignore_found(void *owner, uint32_t bus, const struct adapter_found *found)
{
    (void)owner, (void)bus, (void)found;
}

static void ignore_learnt(void *owner, uint32_t bus, uint32_t device, const char *words)
{
    (void)owner, (void)bus, (void)device, (void)words;
}

void runner_mute(struct runner *runner)
{
    static const struct runner_events nobody = {.samples = ignore_samples,
                                                .end = ignore_end,
                                                .wrote = ignore_wrote,
                                                .appear = ignore_found,
                                                .learnt = ignore_learnt};

    runner->events = &nobody;
}

static void free_gathered(struct runner *runner)
{
    for (size_t i = 0; runner->gathered && i < runner->n_devices; i++)
        gather_give(runner->pool, runner->gathered[i]);
    free(runner->gathered);
}

int runner_close(struct runner *runner, int64_t until_ms)
{
    if (!runner)
        return 0;
    if (!lanes_stop(runner->lanes, until_ms))
        return -ETIMEDOUT; /* the worker still uses the bus and this runner: both stay */
    runner->adapter->close(runner->opened);
    lanes_free(runner->lanes);
    free_gathered(runner);
    free(runner->tallies);
    free(runner);
    return 0;
}
