#include "adapters/adapters.h"

#include "adapters/gather.h"
#include "adapters/inside.h"
#include "adapters/modbus/modbus.h"
#include "adapters/onewire/onewire.h"
#include "adapters/runner.h"
#include "adapters/schedule.h"
#include "adapters/sim/sim.h"
#include "adapters/sysfs/sysfs.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* For workers that have nothing to do to end: no more than a switch of threads. */
#define IDLE_WAIT_MS 1000

/* Between two looks at how much of its time each line is taken up. */
#define MARK_EVERY_MS 10000

/* Every adapter there is: one line each. */
static const struct adapter *const table[] = {
    &modbus_tcp_adapter,    &modbus_rtu_tcp_adapter,   &modbus_serial_adapter,
    &onewire_sysfs_adapter, &onewire_owserver_adapter, &sysfs_adapter,
    &sim_adapter,
};

const struct adapter *adapters_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) ? table[i] : NULL;
}

static bool has_scheme(const struct adapter *adapter, const char *connect)
{
    size_t length = strlen(adapter->scheme);

    return strncmp(connect, adapter->scheme, length) == 0 && connect[length] == ':';
}

const struct adapter *adapters_find(const char *word, const char *connect)
{
    const struct adapter *adapter;

    for (size_t i = 0; (adapter = adapters_at(i)); i++) {
        if (strcmp(adapter->word, word) != 0)
            continue;
        if (connect ? has_scheme(adapter, connect) : adapter->default_connect != NULL)
            return adapter;
    }
    return NULL;
}

/* -- running -------------------------------------------------------------------------------- */

static void plan_timer(struct adapters *adapters)
{
    if (!adapters->polling)
        timer_at(adapters->timer, schedule_next_ms(adapters->schedule));
}

static void poll_due(void *owner)
{
    struct adapters *adapters = owner;
    int64_t now_ms = clock_boot_ms();
    uint32_t i;

    adapters->polling = true;
    while (schedule_take(adapters->schedule, now_ms, &i))
        runner_poll(adapters->runners[adapters->slots[i].bus], adapters->slots[i].device);
    adapters->polling = false;
    plan_timer(adapters);
}

static const struct device_config *device_of(const struct adapters *adapters, uint32_t bus,
                                             uint32_t device)
{
    return &adapters->buses[bus].config.devices[device];
}

static void take_samples(void *owner, uint32_t bus, uint32_t device, const struct sample *samples,
                         size_t count)
{
    struct adapters *adapters = owner;

    adapters->events->poll(adapters->owner, adapters->buses[bus].ids[device], samples, count);
}

/* All channels of a device that did not answer are bad for the same reason. */
static void report_failed(struct adapters *adapters, uint32_t bus, uint32_t device, uint8_t quality,
                          int64_t now_ms)
{
    size_t n = device_of(adapters, bus, device)->n_channels;

    for (uint32_t c = 0; c < n; c++)
        adapters->bad[c] = sample_bad(c, now_ms, quality);
    take_samples(adapters, bus, device, adapters->bad, n);
}

/* What one device finds of a connection holds for all on it: nobody has to wait for the last one to
 * be due. */
static void doubt_others(struct adapters *adapters, uint32_t bus, uint32_t device, int64_t now_ms)
{
    uint32_t others =
        schedule_doubt(adapters->schedule, adapters->first_slot[bus] + device, now_ms);

    if (others > 0 && adapters->events->doubt)
        adapters->events->doubt(adapters->owner, adapters->buses[bus].ids[device]);
}

/* A lost connection was told by its link; a line for each of its devices would only hide it. */
static void tell_change(struct adapters *adapters, uint32_t bus, uint32_t device, uint8_t quality,
                        const struct schedule_end *end, int64_t now_ms)
{
    const char *name = device_of(adapters, bus, device)->name;
    char away[32];

    bool went = end->change == SCHEDULE_WENT || end->change == SCHEDULE_STAYS;

    if (went && quality != QUALITY_DISCONNECTED)
        log_warn("device %s is down: %s", name, quality_name(quality));
    if (end->change == SCHEDULE_CAME && end->away_ms > 0)
        log_info("device %s is up after %s, %llu polls lost", name,
                 text_from_duration(away, sizeof(away), end->away_ms),
                 (unsigned long long)end->lost);
    if (end->change != SCHEDULE_SAME)
        adapters->events->device(adapters->owner, adapters->buses[bus].ids[device], quality,
                                 now_ms);
}

static void take_end(void *owner, uint32_t bus, uint32_t device, uint8_t quality)
{
    struct adapters *adapters = owner;
    uint32_t slot = adapters->first_slot[bus] + device;
    int64_t now_ms = clock_boot_ms();
    struct schedule_end end;

    schedule_cost(adapters->schedule, slot, runner_take_ms(adapters->runners[bus], device));
    end = schedule_end(adapters->schedule, slot, quality, now_ms);
    if (end.change != SCHEDULE_SAME && quality == QUALITY_DISCONNECTED)
        doubt_others(adapters, bus, device, now_ms);
    tell_change(adapters, bus, device, quality, &end, now_ms);
    if (quality != QUALITY_GOOD)
        report_failed(adapters, bus, device, quality, now_ms);
    plan_timer(adapters);
}

/* Whatever came of it, the device is read again: a write without an answer may have been done. */
static void take_wrote(void *owner, uint32_t bus, uint32_t device, uint32_t token, uint8_t quality)
{
    struct adapters *adapters = owner;

    /* A millisecond later, so that what is read back is told from what a poll had read before. */
    schedule_hurry(adapters->schedule, adapters->first_slot[bus] + device, clock_boot_ms() + 1);
    plan_timer(adapters);
    if (adapters->events->wrote)
        adapters->events->wrote(adapters->owner, token, quality);
}

static void take_found(void *owner, uint32_t bus, const struct adapter_found *found)
{
    struct adapters *adapters = owner;

    if (adapters->events->appear)
        adapters->events->appear(adapters->owner, adapters->buses[bus].config.name, found);
}

static void take_learnt(void *owner, uint32_t bus, uint32_t device, const char *words)
{
    struct adapters *adapters = owner;

    if (adapters->events->learnt)
        adapters->events->learnt(adapters->owner, device_of(adapters, bus, device)->name, words);
}

static const char *recall(void *owner, const char *device)
{
    struct adapters *adapters = owner;

    return adapters->events->recall ? adapters->events->recall(adapters->owner, device) : NULL;
}

static const struct runner_events runner_events = {
    .samples = take_samples,
    .end = take_end,
    .wrote = take_wrote,
    .appear = take_found,
    .learnt = take_learnt,
    .recall = recall,
};

/* -- door ----------------------------------------------------------------------------------- */

/* Fills n_slots and n_ids; returns the channels of the largest device, at least 1. */
static size_t count_slots(struct adapters *adapters)
{
    size_t channels = 1;

    adapters->n_slots = adapters->n_ids = 0;
    for (size_t b = 0; b < adapters->n_buses; b++) {
        const struct adapters_bus *bus = &adapters->buses[b];

        adapters->n_slots += bus->config.n_devices;
        for (size_t d = 0; d < bus->config.n_devices; d++) {
            if (bus->config.devices[d].n_channels > channels)
                channels = bus->config.devices[d].n_channels;
            if (bus->ids[d] >= adapters->n_ids)
                adapters->n_ids = bus->ids[d] + 1u;
        }
    }
    return channels;
}

/* What hangs on the buses that are run. */
static int make(struct adapters *adapters)
{
    size_t channels = count_slots(adapters);
    uint32_t seed = 1;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
        seed = (uint32_t)clock_boot_us(); /* a spread is all that is wanted of it */
    adapters->runners = calloc(adapters->n_buses + 1, sizeof(*adapters->runners));
    adapters->first_slot = calloc(adapters->n_buses + 1, sizeof(*adapters->first_slot));
    adapters->slots = calloc(adapters->n_slots + 1, sizeof(*adapters->slots));
    adapters->slot_of = calloc(adapters->n_ids + 1, sizeof(*adapters->slot_of));
    adapters->bad = calloc(channels, sizeof(*adapters->bad));
    adapters->schedule = schedule_new(adapters->n_slots, seed);
    return adapters->runners && adapters->first_slot && adapters->slots && adapters->slot_of &&
                   adapters->bad && adapters->schedule
               ? 0
               : -ENOMEM;
}

static void unmake(struct adapters *adapters)
{
    schedule_free(adapters->schedule);
    free(adapters->runners);
    free(adapters->first_slot);
    free(adapters->slots);
    free(adapters->slot_of);
    free(adapters->bad);
}

/* Numbers the devices of all buses through. */
static void number_slots(struct adapters *adapters)
{
    uint32_t slot = 0;

    for (size_t i = 0; i < adapters->n_ids; i++)
        adapters->slot_of[i] = NO_SLOT;
    for (uint32_t b = 0; b < adapters->n_buses; b++) {
        adapters->first_slot[b] = slot;
        for (uint32_t d = 0; d < adapters->buses[b].config.n_devices; d++) {
            adapters->slot_of[adapters->buses[b].ids[d]] = slot;
            adapters->slots[slot++] = (struct slot){.bus = b, .device = d};
        }
    }
}

static void schedule_bus(struct adapters *adapters, uint32_t bus, int64_t now_ms)
{
    const struct adapters_bus *plan = &adapters->buses[bus];

    if (!plan->adapter->poll && !plan->adapter->begin)
        return;
    for (uint32_t d = 0; d < plan->config.n_devices; d++) {
        uint32_t slot = adapters->first_slot[bus] + d;

        schedule_add(
            adapters->schedule, slot, plan->adapter->together ? adapters->first_slot[bus] : slot,
            plan->config.devices[d].every_ms, plan->adapter->network ? plan->grid_ms : 0, now_ms);
        if (plan->config.n_devices > 1)
            schedule_share(adapters->schedule, slot, adapters->first_slot[bus]);
    }
}

static void mark_traffic(void *owner)
{
    struct adapters *adapters = owner;

    for (size_t b = 0; b < adapters->n_buses; b++)
        runner_mark(adapters->runners[b]);
    timer_at(adapters->mark_timer, clock_boot_ms() + MARK_EVERY_MS);
}

static void try_retired(void *owner);

int adapters_open(struct loop *loop, const struct adapters_bus *buses, size_t n_buses,
                  const struct adapters_events *events, void *owner, struct adapters **ret_adapters,
                  struct error *reterr)
{
    struct adapters *adapters = calloc(1, sizeof(*adapters));
    int r = -ENOMEM;

    if (!adapters)
        return error_set(reterr, r, "out of memory");
    *adapters = (struct adapters){
        .loop = loop, .buses = buses, .n_buses = n_buses, .events = events, .owner = owner};
    adapters->pool = gather_pool_new();
    adapters->timer = timer_new(loop, poll_due, adapters);
    adapters->mark_timer = timer_new(loop, mark_traffic, adapters);
    adapters->retire_timer = timer_new(loop, try_retired, adapters);
    if (!adapters->pool || !adapters->timer || !adapters->mark_timer || !adapters->retire_timer ||
        make(adapters) < 0) {
        error_set(reterr, r, "out of memory for %zu devices", adapters->n_slots);
        goto fail;
    }
    number_slots(adapters);
    for (uint32_t b = 0; b < n_buses; b++) {
        r = runner_open(loop, adapters->pool, &buses[b], b, &runner_events, adapters,
                        &adapters->runners[b], reterr);
        if (r < 0)
            goto fail;
        schedule_bus(adapters, b, clock_boot_ms());
    }
    plan_timer(adapters);
    timer_at(adapters->mark_timer, clock_boot_ms() + MARK_EVERY_MS);
    *ret_adapters = adapters;
    return 0;

fail:
    adapters_close(adapters, IDLE_WAIT_MS);
    return r;
}

/* -- reload --------------------------------------------------------------------------------- */

#define RETIRE_EVERY_MS 50

static void try_retired(void *owner)
{
    struct adapters *adapters = owner;
    size_t left = 0;

    for (size_t i = 0; i < adapters->n_retired; i++) {
        if (runner_close(adapters->retired[i], 0) < 0)
            adapters->retired[left++] = adapters->retired[i];
    }
    adapters->n_retired = left;
    timer_at(adapters->retire_timer, left ? clock_boot_ms() + RETIRE_EVERY_MS : CLOCK_NEVER);
}

static bool is_same_bus(const struct adapters_bus *a, const struct adapters_bus *b)
{
    return a->hash == b->hash && a->adapter == b->adapter &&
           a->config.n_devices == b->config.n_devices &&
           strcmp(a->config.name, b->config.name) == 0;
}

/* The bus of today that is the same as `plan`, UINT32_MAX when there is none. Looked for from
 * `from` on and around: most configs change little, so that it is mostly the next one. */
static uint32_t find_same(const struct adapters *adapters, const struct adapters_bus *plan,
                          uint32_t from)
{
    for (uint32_t n = 0; n < adapters->n_buses; n++) {
        uint32_t b = (from + n) % (uint32_t)adapters->n_buses;

        if (adapters->runners[b] && is_same_bus(&adapters->buses[b], plan))
            return b;
    }
    return UINT32_MAX;
}

/* Finds or opens a runner for each bus of `fresh`; `came_from[b]` tells which. Those that are kept
 * stay in both. */
static int fill_runners(struct adapters *adapters, struct adapters *fresh, uint32_t *came_from,
                        struct error *reterr)
{
    uint32_t next = 0;
    int r = 0;

    for (uint32_t b = 0; r == 0 && b < fresh->n_buses; b++) {
        came_from[b] = find_same(adapters, &fresh->buses[b], next);
        if (came_from[b] == UINT32_MAX) {
            r = runner_open(adapters->loop, adapters->pool, &fresh->buses[b], b, &runner_events,
                            adapters, &fresh->runners[b], reterr);
        } else {
            fresh->runners[b] = adapters->runners[came_from[b]];
            next = came_from[b] + 1;
        }
    }
    return r;
}

/* From here on nothing can fail. */
static void go_over(struct adapters *adapters, struct adapters *fresh, const uint32_t *came_from)
{
    int64_t now_ms = clock_boot_ms();

    for (uint32_t b = 0; b < fresh->n_buses; b++) {
        uint32_t old = came_from[b];

        if (old == UINT32_MAX) {
            schedule_bus(fresh, b, now_ms);
            continue;
        }
        adapters->runners[old] = NULL;
        runner_renumber(fresh->runners[b], b);
        for (uint32_t d = 0; d < fresh->buses[b].config.n_devices; d++)
            schedule_adopt(fresh->schedule, fresh->first_slot[b] + d, adapters->schedule,
                           adapters->first_slot[old] + d);
    }
    schedule_adopt_counts(fresh->schedule, adapters->schedule);
    for (uint32_t b = 0; b < adapters->n_buses; b++) {
        if (adapters->runners[b]) {
            runner_mute(adapters->runners[b]);
            fresh->retired[fresh->n_retired++] = adapters->runners[b];
        }
    }
}

static void swap_in(struct adapters *adapters, const struct adapters *fresh)
{
    unmake(adapters);
    free(adapters->retired);
    *adapters = *fresh;
    try_retired(adapters);
    plan_timer(adapters);
}

int adapters_reload(struct adapters *adapters, const struct adapters_bus *buses, size_t n_buses,
                    struct error *reterr)
{
    struct adapters fresh = *adapters;
    uint32_t *came_from = calloc(n_buses + 1, sizeof(*came_from));
    int r;

    fresh.buses = buses;
    fresh.n_buses = n_buses;
    r = make(&fresh);
    fresh.retired = calloc(adapters->n_retired + adapters->n_buses + 1, sizeof(*fresh.retired));
    if (r < 0 || !came_from || !fresh.retired) {
        r = error_set(reterr, -ENOMEM, "out of memory for %zu devices", fresh.n_slots);
    } else {
        if (adapters->n_retired > 0)
            memcpy(fresh.retired, adapters->retired, adapters->n_retired * sizeof(*fresh.retired));
        number_slots(&fresh);
        r = fill_runners(adapters, &fresh, came_from, reterr);
    }
    if (r == 0) {
        go_over(adapters, &fresh, came_from);
        swap_in(adapters, &fresh);
    } else {
        for (uint32_t b = 0; came_from && fresh.runners && b < n_buses; b++) {
            if (came_from[b] == UINT32_MAX)
                runner_close(fresh.runners[b], CLOCK_NEVER);
        }
        unmake(&fresh);
        free(fresh.retired);
    }
    free(came_from);
    return r;
}

/* -- writes, questions, end ------------------------------------------------------------------- */

int adapters_write(struct adapters *adapters, uint32_t id, uint32_t channel, double number,
                   uint32_t token)
{
    struct write_request request = {.channel = channel, .number = number};
    struct slot slot;

    if (!adapters_find_slot(adapters, id, &slot))
        return -ENOENT;
    request.device = slot.device;
    return runner_write(adapters->runners[slot.bus], &request, token);
}

int adapters_ask(struct adapters *adapters, const char *connect,
                 const struct adapter_question *question, const char **ret_bus)
{
    for (size_t b = 0; b < adapters->n_buses; b++) {
        const struct bus_config *config = &adapters->buses[b].config;
        uint16_t port = adapters->buses[b].adapter->default_port;

        for (uint32_t d = 0; d < config->n_devices; d++) {
            if (!connect_is_same(config->devices[d].connect, connect, port))
                continue;
            *ret_bus = config->name;
            return runner_ask(adapters->runners[b], d, question);
        }
    }
    return -ENOENT;
}

void adapters_look(struct adapters *adapters)
{
    schedule_probe(adapters->schedule, clock_boot_ms());
    for (size_t i = 0; i < adapters->n_buses; i++)
        runner_look(adapters->runners[i]);
    plan_timer(adapters);
}

int64_t adapters_stuck_ms(const struct adapters *adapters)
{
    int64_t stuck_ms = 0;

    for (size_t i = 0; i < adapters->n_buses; i++) {
        int64_t one_ms = runner_stuck_ms(adapters->runners[i]);

        if (one_ms > stuck_ms)
            stuck_ms = one_ms;
    }
    return stuck_ms;
}

int adapters_close(struct adapters *adapters, int64_t wait_ms)
{
    int64_t until_ms = clock_boot_ms() + wait_ms;
    int result = 0;

    if (!adapters)
        return 0;
    for (size_t b = 0; adapters->runners && b < adapters->n_buses; b++) {
        if (runner_close(adapters->runners[b], until_ms) < 0)
            result = -ETIMEDOUT;
    }
    for (size_t i = 0; i < adapters->n_retired; i++) {
        if (runner_close(adapters->retired[i], until_ms) < 0)
            result = -ETIMEDOUT;
    }
    if (result < 0)
        return result;
    timer_free(adapters->timer);
    timer_free(adapters->mark_timer);
    timer_free(adapters->retire_timer);
    unmake(adapters);
    gather_pool_free(adapters->pool);
    free(adapters->retired);
    free(adapters);
    return 0;
}
