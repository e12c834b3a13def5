#include "adapters/runner.h"

#include "adapters/tally.h"
#include "adapters/worker.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"
#include "gateway/base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_MAX  64 /* notes of links that may wait for the loop */
#define WRITES_MAX 64 /* that wait on one lane */

/* Tickets of writes lie above those of polls, which are the devices. */
#define WRITE_TICKET (UINT64_C(1) << 63)

/* A lane's devices that wait for their turn: a list through `next`, first come first served. */
struct lane {
    struct worker *worker;
    struct queue *writes; /* struct worker_job: they go first */
    uint32_t first, last; /* NO_DEVICE: nobody waits */
    bool busy;
};

#define NO_DEVICE UINT32_MAX

/* What a poll with begin() has reported before its end. Most polls report once, right before it, so
 * that a few of these serve thousands of devices. */
struct gathered {
    struct gathered *next; /* of those that are free */
    size_t count;
    struct sample samples[];
};

struct runner {
    struct adapter_host host; /* first, so that a host leads to its runner */
    const struct adapter *adapter;
    char name[TEXT_SLUG_MAX + 1]; /* of the configured bus */
    size_t n_devices;
    const struct runner_events *events;
    void *owner;
    uint32_t bus;
    void *opened;          /* the adapter's bus */
    size_t most_samples;   /* of one poll: the channels of the largest device */
    struct tally *tallies; /* by device */
    int64_t marked_us;

    /* with begin() only */
    struct gathered **gathered; /* by device: while its poll has reported and not ended */
    struct gathered *spare;

    /* with poll() only */
    struct lane *lanes;
    uint32_t n_lanes;
    uint32_t *next;      /* by device: who waits behind it */
    uint32_t *polled_on; /* by device: its lane while it is polled or written */
    struct queue *notes;
    struct wake *wake;
    struct timer *soon; /* ends polls of devices that are on no lane */
    struct queue *nowhere;
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
    struct runner *runner = (struct runner *)host;

    runner->events->samples(runner->owner, runner->bus, device, samples, count);
}

static struct gathered *gather(struct runner *runner, uint32_t device)
{
    struct gathered *gathered = runner->gathered[device];

    if (gathered)
        return gathered;
    gathered = runner->spare;
    if (gathered)
        runner->spare = gathered->next;
    else
        gathered = malloc(sizeof(*gathered) + runner->most_samples * sizeof(struct sample));
    if (gathered)
        gathered->count = 0;
    runner->gathered[device] = gathered;
    return gathered;
}

/* One sample a channel is all that a poll can have; more is an adapter's mistake. */
static void report_on_loop(struct adapter_host *host, uint32_t device, const struct sample *samples,
                           size_t count)
{
    struct runner *runner = (struct runner *)host;
    struct gathered *gathered = gather(runner, device);

    if (!gathered)
        return; /* out of memory: the values grow stale, as if they had not been read */
    assert(gathered->count + count <= runner->most_samples);
    if (count > runner->most_samples - gathered->count)
        count = runner->most_samples - gathered->count;
    memcpy(gathered->samples + gathered->count, samples, count * sizeof(*samples));
    gathered->count += count;
}

static void end_poll(struct runner *runner, uint32_t device, uint8_t quality)
{
    struct gathered *gathered = runner->gathered[device];

    if (gathered) {
        runner->gathered[device] = NULL;
        if (quality == QUALITY_GOOD)
            runner->events->samples(runner->owner, runner->bus, device, gathered->samples,
                                    gathered->count);
        gathered->next = runner->spare;
        runner->spare = gathered;
    }
    runner->events->end(runner->owner, runner->bus, device, quality);
}

static void end_on_loop(struct adapter_host *host, uint64_t ticket, uint8_t quality)
{
    struct runner *runner = (struct runner *)host;

    if (ticket & WRITE_TICKET)
        runner->events->wrote(runner->owner, runner->bus, (uint32_t)(ticket >> 32) & INT32_MAX,
                              (uint32_t)ticket, quality);
    else
        end_poll(runner, (uint32_t)ticket, quality);
}

static void link_on_loop(struct adapter_host *host, const char *link, const char *why)
{
    log_link((struct runner *)host, link, !why, why);
}

static void report_on_worker(struct adapter_host *host, uint32_t device,
                             const struct sample *samples, size_t count)
{
    struct runner *runner = (struct runner *)host;

    worker_report(runner->lanes[runner->polled_on[device]].worker, samples, count);
}

static void exchanged_on_loop(struct adapter_host *host, uint32_t device,
                              const struct adapter_exchange *exchange)
{
    struct runner *runner = (struct runner *)host;

    tally_add(&runner->tallies[device], exchange);
}

static void exchanged_on_worker(struct adapter_host *host, uint32_t device,
                                const struct adapter_exchange *exchange)
{
    struct runner *runner = (struct runner *)host;

    worker_count(runner->lanes[runner->polled_on[device]].worker, exchange);
}

/* The end of a poll must find room whatever else is said: a line that comes and goes faster than
 * the loop looks loses words only. */
static void link_on_worker(struct adapter_host *host, const char *link, const char *why)
{
    struct runner *runner = (struct runner *)host;
    struct worker_note note = {.kind = NOTE_LINK, .up = !why};

    if (queue_length(runner->notes) >= LINKS_MAX)
        return;
    text_copy(note.link, sizeof(note.link), link);
    text_copy(note.why, sizeof(note.why), why ? why : "");
    queue_push(runner->notes, &note, 1);
}

/* -- lanes ---------------------------------------------------------------------------------- */

/* The poll of whoever has waited longest; false when nobody waits. */
static bool take_first(struct runner *runner, uint32_t lane_index, struct worker_job *ret_job)
{
    struct lane *lane = &runner->lanes[lane_index];
    uint32_t device = lane->first;

    if (device == NO_DEVICE)
        return false;
    lane->first = runner->next[device];
    if (lane->first == NO_DEVICE)
        lane->last = NO_DEVICE;
    *ret_job = (struct worker_job){.request.device = device};
    return true;
}

static void start_next(struct runner *runner, uint32_t lane_index)
{
    struct lane *lane = &runner->lanes[lane_index];
    struct worker_job job;

    if (lane->busy)
        return;
    if (queue_pop(lane->writes, &job, 1) == 0 && !take_first(runner, lane_index, &job))
        return;
    lane->busy = true;
    runner->polled_on[job.request.device] = lane_index;
    worker_start(lane->worker, &job);
}

static void line_up(struct runner *runner, uint32_t lane_index, uint32_t device)
{
    struct lane *lane = &runner->lanes[lane_index];

    runner->next[device] = NO_DEVICE;
    if (lane->last == NO_DEVICE)
        lane->first = device;
    else
        runner->next[lane->last] = device;
    lane->last = device;
    start_next(runner, lane_index);
}

/* The samples are the worker's until it is given the next poll. The line loses nothing by that: the
 * silence after an answer is longer than the way of a reading. */
static void take_end(struct runner *runner, const struct worker_note *note)
{
    struct lane *lane = &runner->lanes[note->lane];
    size_t count;
    const struct sample *samples = worker_samples(lane->worker, &count);

    tally_merge(&runner->tallies[note->device], worker_tally(lane->worker));
    if (count > 0 && note->quality == QUALITY_GOOD)
        runner->events->samples(runner->owner, runner->bus, note->device, samples, count);
    lane->busy = false;
    start_next(runner, note->lane);
    runner->events->end(runner->owner, runner->bus, note->device, note->quality);
}

static void take_wrote(struct runner *runner, const struct worker_note *note)
{
    struct lane *lane = &runner->lanes[note->lane];

    tally_merge(&runner->tallies[note->device], worker_tally(lane->worker));
    lane->busy = false;
    start_next(runner, note->lane);
    runner->events->wrote(runner->owner, runner->bus, note->device, note->token, note->quality);
}

static void take_notes(void *owner)
{
    struct runner *runner = owner;
    struct worker_note note;

    while (queue_pop(runner->notes, &note, 1) > 0) {
        if (note.kind == NOTE_LINK)
            log_link(runner, note.link, note.up, note.why);
        else if (note.kind == NOTE_WROTE)
            take_wrote(runner, &note);
        else
            take_end(runner, &note);
    }
}

static void end_nowhere(void *owner)
{
    struct runner *runner = owner;
    uint32_t device;

    for (size_t n = queue_length(runner->nowhere); n > 0; n--) {
        queue_pop(runner->nowhere, &device, 1);
        runner->events->end(runner->owner, runner->bus, device, QUALITY_NO_SENSOR);
    }
}

static void knock(void *owner)
{
    struct runner *runner = owner;

    wake_send(runner->wake);
}

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

static int make_gathered(struct runner *runner)
{
    runner->gathered = calloc(runner->n_devices + 1, sizeof(*runner->gathered));
    return runner->gathered ? 0 : -ENOMEM;
}

/* Before the adapter opens, since from then on it may speak. Each device may have a poll that ends
 * and a worker that is about to tell of a link. */
static int make_queues(struct runner *runner, struct loop *loop)
{
    size_t n = runner->n_devices + 1;

    runner->next = calloc(n, sizeof(*runner->next));
    runner->polled_on = calloc(n, sizeof(*runner->polled_on));
    runner->notes =
        queue_new(sizeof(struct worker_note), LINKS_MAX + 2 * n, QUEUE_REFUSE, knock, runner);
    runner->nowhere = queue_new(sizeof(uint32_t), n, QUEUE_REFUSE, NULL, NULL);
    runner->wake = wake_new(loop, take_notes, runner);
    runner->soon = timer_new(loop, end_nowhere, runner);
    return runner->next && runner->polled_on && runner->notes && runner->nowhere && runner->wake &&
                   runner->soon
               ? 0
               : -ENOMEM;
}

static int start_workers(struct runner *runner)
{
    const struct adapter *adapter = runner->adapter;
    uint32_t n = adapter->lanes(runner->opened);

    runner->lanes = calloc(n + 1, sizeof(*runner->lanes));
    if (!runner->lanes)
        return -ENOMEM;
    for (; runner->n_lanes < n; runner->n_lanes++) {
        struct lane *lane = &runner->lanes[runner->n_lanes];

        lane->first = lane->last = NO_DEVICE;
        lane->writes = queue_new(sizeof(struct worker_job), WRITES_MAX, QUEUE_REFUSE, NULL, NULL);
        if (lane->writes)
            lane->worker = worker_new(adapter, runner->opened, runner->n_lanes,
                                      runner->most_samples, runner->notes);
        if (!lane->worker) {
            queue_free(lane->writes);
            return -EAGAIN;
        }
    }
    return 0;
}

int runner_open(struct loop *loop, const struct adapters_bus *plan, uint32_t bus,
                const struct runner_events *events, void *owner, struct runner **ret_runner,
                struct error *reterr)
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
    runner->host = (struct adapter_host){
        .loop = loop,
        .report = blocks ? report_on_worker
                  : asks ? report_on_loop
                         : report_pushed,
        .end = end_on_loop,
        .link = blocks ? link_on_worker : link_on_loop,
        .exchanged = blocks ? exchanged_on_worker : exchanged_on_loop,
    };
    runner->most_samples = most_channels(&plan->config);
    runner->tallies = calloc(runner->n_devices + 1, sizeof(*runner->tallies));
    runner->marked_us = clock_boot_us();
    r = !runner->tallies ? -ENOMEM
        : blocks         ? make_queues(runner, loop)
        : asks           ? make_gathered(runner)
                         : 0;
    if (r < 0)
        error_set(reterr, r, "bus %s: out of memory", plan->config.name);
    else
        r = plan->adapter->open(&plan->config, &runner->host, &runner->opened, reterr);
    if (r == 0 && blocks && (r = start_workers(runner)) < 0)
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
    const struct adapter *adapter = runner->adapter;
    int32_t lane;

    if (adapter->begin) {
        adapter->begin(runner->opened, device, device);
        return;
    }
    lane = adapter->lane_of(runner->opened, device);
    if (lane >= 0) {
        line_up(runner, (uint32_t)lane, device);
        return;
    }
    queue_push(runner->nowhere, &device, 1);
    timer_at(runner->soon, clock_boot_ms());
}

int runner_write(struct runner *runner, const struct write_request *request, uint32_t token)
{
    const struct adapter *adapter = runner->adapter;
    struct worker_job job = {.request = *request, .token = token, .write = true};
    int32_t lane;

    if (adapter->begin_write) {
        adapter->begin_write(runner->opened, request,
                             WRITE_TICKET | (uint64_t)request->device << 32 | token);
        return 0;
    }
    if (!adapter->write)
        return -ENOTSUP;
    lane = adapter->lane_of(runner->opened, request->device);
    if (lane < 0)
        return -ENODEV;
    if (queue_push(runner->lanes[lane].writes, &job, 1) < 0)
        return -ENOBUFS;
    start_next(runner, (uint32_t)lane);
    return 0;
}

const struct tally *runner_tally(const struct runner *runner, uint32_t device)
{
    return &runner->tallies[device];
}

void runner_mark(struct runner *runner)
{
    int64_t now_us = clock_boot_us();

    for (size_t i = 0; i < runner->n_devices; i++)
        tally_mark(&runner->tallies[i], now_us - runner->marked_us);
    runner->marked_us = now_us;
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

void runner_mute(struct runner *runner)
{
    static const struct runner_events nobody = {ignore_samples, ignore_end, ignore_wrote};

    runner->events = &nobody;
}

static void free_gathered(struct runner *runner)
{
    for (size_t i = 0; runner->gathered && i < runner->n_devices; i++)
        free(runner->gathered[i]);
    while (runner->spare) {
        struct gathered *spare = runner->spare;

        runner->spare = spare->next;
        free(spare);
    }
    free(runner->gathered);
}

int runner_close(struct runner *runner, int64_t until_ms)
{
    bool all = true;

    if (!runner)
        return 0;
    for (uint32_t i = 0; i < runner->n_lanes; i++) {
        if (worker_stop(runner->lanes[i].worker, until_ms))
            runner->lanes[i].worker = NULL;
        else
            all = false;
    }
    if (!all)
        return -ETIMEDOUT; /* the worker still uses the bus and this runner: both stay */
    runner->adapter->close(runner->opened);
    wake_free(runner->wake);
    timer_free(runner->soon);
    queue_free(runner->notes);
    queue_free(runner->nowhere);
    for (uint32_t i = 0; i < runner->n_lanes; i++)
        queue_free(runner->lanes[i].writes);
    free(runner->lanes);
    free(runner->next);
    free(runner->polled_on);
    free(runner->tallies);
    free_gathered(runner);
    free(runner);
    return 0;
}
