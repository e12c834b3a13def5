#include "adapters/schedule.h"

#include "gateway/base/clock.h"
#include "gateway/base/heap.h"
#include "gateway/base/reading.h"

#include <stdlib.h>

#define FIRST_WITHIN_MS  2000
#define FAILS_UNTIL_AWAY 3
#define PAUSE_MIN_MS     1000 /* between probes of a device that has no interval */
#define PAUSE_MAX_MS     60000
#define PAUSE_LINK_MS    2000 /* the most, while its connection is down */
#define PROBES_ONE_IN    12   /* of a line's time for those that are away: below a tenth of it */
#define NO_LINE          UINT32_MAX

enum device_state { NEVER_SEEN, ONLINE, AWAY };

struct device {
    int64_t every_ms, grid_ms;
    int64_t due_ms; /* of the poll that is planned or under way, before any back-off */
    int64_t away_since_ms;
    int64_t cost_ms; /* of its last poll, on its line */
    uint32_t line;
    uint64_t lost;    /* since it went away */
    uint32_t fails;   /* in a row */
    uint8_t state;    /* enum device_state */
    uint8_t quality;  /* of its last poll */
    bool under_way;   /* taken, and its poll has not ended */
    int64_t hurry_ms; /* to be polled again as soon as it has, but not before; 0: not asked for */
};

struct schedule {
    struct heap *due;
    struct device *devices;
    int64_t *probe_ms; /* by line: no probe before */
    size_t n;
    uint32_t random;
    struct schedule_counts counts;
};

struct schedule *schedule_new(size_t n, uint32_t seed)
{
    struct schedule *schedule = calloc(1, sizeof(*schedule));

    if (!schedule)
        return NULL;
    schedule->n = n;
    schedule->random = seed | 1;
    schedule->due = heap_new(n);
    schedule->devices = calloc(n ? n : 1, sizeof(*schedule->devices));
    schedule->probe_ms = calloc(n ? n : 1, sizeof(*schedule->probe_ms));
    if (!schedule->due || !schedule->devices || !schedule->probe_ms) {
        schedule_free(schedule);
        return NULL;
    }
    return schedule;
}

void schedule_free(struct schedule *schedule)
{
    if (!schedule)
        return;
    heap_free(schedule->due);
    free(schedule->devices);
    free(schedule->probe_ms);
    free(schedule);
}

static int64_t snap(int64_t ms, int64_t grid_ms)
{
    return grid_ms > 0 ? (ms + grid_ms - 1) / grid_ms * grid_ms : ms;
}

/* The first due time after `now_ms` on the device's own raster of due times. */
static int64_t next_on_raster(const struct device *device, int64_t now_ms)
{
    int64_t behind = now_ms - device->due_ms;

    if (behind < 0)
        return device->due_ms;
    return device->due_ms + (behind / device->every_ms + 1) * device->every_ms;
}

/* The raster starts at a phase within one interval; the first poll is asked for earlier than that
 * when the interval is long, since nobody wants to wait an hour for a first value. */
void schedule_add(struct schedule *schedule, uint32_t i, uint32_t place, int64_t every_ms,
                  int64_t grid_ms, int64_t now_ms)
{
    struct device *device = &schedule->devices[i];
    int64_t first = every_ms > 0 && every_ms < FIRST_WITHIN_MS ? every_ms : FIRST_WITHIN_MS;
    int64_t first_ms;

    if (grid_ms > 0 && every_ms % grid_ms != 0)
        grid_ms = 0; /* an interval off the grid would jump between its lines */
    *device = (struct device){
        .every_ms = every_ms, .grid_ms = grid_ms, .line = NO_LINE, .state = NEVER_SEEN};
    device->due_ms = snap(now_ms + every_ms * (int64_t)place / (int64_t)schedule->n, grid_ms);
    first_ms = snap(now_ms + first * (int64_t)place / (int64_t)schedule->n, grid_ms);
    heap_set(schedule->due, i, first_ms);
    if (device->due_ms > first_ms)
        device->due_ms -= every_ms; /* so that the poll after the first is the raster's first */
}

void schedule_share(struct schedule *schedule, uint32_t i, uint32_t line)
{
    schedule->devices[i].line = line;
}

void schedule_cost(struct schedule *schedule, uint32_t i, int64_t busy_ms)
{
    schedule->devices[i].cost_ms = busy_ms;
}

int64_t schedule_next_ms(const struct schedule *schedule)
{
    uint32_t i;
    int64_t key;

    return heap_first(schedule->due, &i, &key) ? key : CLOCK_NEVER;
}

bool schedule_take(struct schedule *schedule, int64_t now_ms, uint32_t *ret_i)
{
    int64_t key;

    if (!heap_first(schedule->due, ret_i, &key) || key > now_ms)
        return false;
    heap_remove(schedule->due, *ret_i);
    schedule->devices[*ret_i].under_way = true;
    return true;
}

/* xorshift32: a spread is wanted, not a secret. */
static int64_t jitter(struct schedule *schedule, int64_t pause_ms)
{
    schedule->random ^= schedule->random << 13;
    schedule->random ^= schedule->random >> 17;
    schedule->random ^= schedule->random << 5;
    return pause_ms * (80 + schedule->random % 41) / 100;
}

/* How long to leave a device alone that is away. */
static int64_t pause_of(struct schedule *schedule, const struct device *device, uint8_t quality)
{
    int64_t pause = device->every_ms > PAUSE_MIN_MS ? device->every_ms : PAUSE_MIN_MS;
    int64_t most = quality == QUALITY_DISCONNECTED ? PAUSE_LINK_MS : PAUSE_MAX_MS;

    for (uint32_t n = FAILS_UNTIL_AWAY; n < device->fails && pause < most; n++)
        pause *= 2;
    if (pause > most)
        pause = most;
    return jitter(schedule, pause);
}

/* Moves due_ms past `now_ms`; returns how many due times were passed over. */
static uint64_t advance(struct device *device, int64_t now_ms)
{
    int64_t before = device->due_ms;

    if (device->every_ms == 0) {
        device->due_ms = now_ms;
        return 0;
    }
    device->due_ms = next_on_raster(device, now_ms);
    if (device->due_ms <= before)
        return 0;
    return (uint64_t)((device->due_ms - before) / device->every_ms) - 1;
}

static struct schedule_end succeeded(struct schedule *schedule, struct device *device,
                                     int64_t now_ms)
{
    struct schedule_end end = {.change = SCHEDULE_SAME};

    if (device->state != ONLINE) {
        end.change = SCHEDULE_CAME;
        schedule->counts.online++;
    }
    if (device->state == AWAY) {
        schedule->counts.away--;
        end.away_ms = now_ms - device->away_since_ms;
        end.lost = device->lost;
    }
    device->state = ONLINE;
    device->fails = 0;
    device->lost = 0;
    return end;
}

static bool is_cut_off(const struct device *device)
{
    return device->state == AWAY && device->quality == QUALITY_DISCONNECTED;
}

static struct schedule_end failed(struct schedule *schedule, struct device *device, uint8_t quality,
                                  int64_t now_ms)
{
    struct schedule_end end = {.change = SCHEDULE_SAME};

    schedule->counts.failed++;
    device->lost++;
    device->fails++;
    if (device->state == AWAY) {
        if (is_cut_off(device) != (quality == QUALITY_DISCONNECTED))
            end.change = SCHEDULE_STAYS;
        return end;
    }
    if (device->state == ONLINE && quality != QUALITY_DISCONNECTED &&
        device->fails < FAILS_UNTIL_AWAY)
        return end;
    if (device->state == ONLINE)
        schedule->counts.online--;
    device->state = AWAY;
    schedule->counts.away++;
    device->fails = FAILS_UNTIL_AWAY; /* pauses double from here on, however it went */
    device->away_since_ms = now_ms;
    end.change = SCHEDULE_WENT;
    return end;
}

/* A probe at `wanted_ms`, or as soon as its line has rested from the probes before: they stand in a
 * row, each followed by a rest of its own length. So is the poll by which a device went away. */
static int64_t place_probe(struct schedule *schedule, const struct device *device, bool went,
                           int64_t now_ms, int64_t wanted_ms)
{
    int64_t *free_ms;

    if (device->line == NO_LINE)
        return wanted_ms;
    free_ms = &schedule->probe_ms[device->line];
    if (went)
        *free_ms = (*free_ms > now_ms ? *free_ms : now_ms) + (PROBES_ONE_IN - 1) * device->cost_ms;
    if (wanted_ms < *free_ms)
        wanted_ms = *free_ms;
    *free_ms = wanted_ms + PROBES_ONE_IN * device->cost_ms;
    return wanted_ms;
}

/* When it is asked next: a probe when its pause is over, a healthy poll on the raster. */
static int64_t plan_next(struct schedule *schedule, struct device *device, bool went,
                         uint8_t quality, int64_t now_ms)
{
    int64_t probe_ms;
    uint64_t passed;

    if (device->state != AWAY) {
        schedule->counts.late += advance(device, now_ms);
        return device->due_ms;
    }
    probe_ms =
        place_probe(schedule, device, went, now_ms, now_ms + pause_of(schedule, device, quality));
    passed = advance(device, probe_ms);
    device->lost += passed;
    schedule->counts.lost += passed;
    return snap(probe_ms, device->grid_ms);
}

struct schedule_end schedule_end(struct schedule *schedule, uint32_t i, uint8_t quality,
                                 int64_t now_ms)
{
    struct device *device = &schedule->devices[i];
    struct schedule_end end = quality == QUALITY_GOOD ? succeeded(schedule, device, now_ms)
                                                      : failed(schedule, device, quality, now_ms);
    int64_t next_ms = plan_next(schedule, device, end.change == SCHEDULE_WENT, quality, now_ms);

    device->quality = quality;
    schedule->counts.polls++;
    if (device->hurry_ms > 0)
        next_ms = device->hurry_ms > now_ms ? device->hurry_ms : now_ms;
    heap_set(schedule->due, i, next_ms);
    device->under_way = false;
    device->hurry_ms = 0;
    return end;
}

void schedule_hurry(struct schedule *schedule, uint32_t i, int64_t from_ms)
{
    if (schedule->devices[i].under_way)
        schedule->devices[i].hurry_ms = from_ms;
    else
        heap_set(schedule->due, i, from_ms);
}

/* Also when somebody is waiting for it, those that answer keep their share of a line. */
void schedule_probe(struct schedule *schedule, int64_t now_ms)
{
    for (uint32_t i = 0; i < schedule->n; i++) {
        if (schedule->probe_ms[i] > now_ms)
            schedule->probe_ms[i] = now_ms;
    }
    for (uint32_t i = 0; i < schedule->n; i++) {
        struct device *device = &schedule->devices[i];

        if (device->state != AWAY || device->under_way)
            continue;
        device->fails = FAILS_UNTIL_AWAY - 1; /* with this probe it is as if it had just gone */
        heap_set(schedule->due, i, place_probe(schedule, device, false, now_ms, now_ms));
    }
}

uint32_t schedule_doubt(struct schedule *schedule, uint32_t i, int64_t now_ms)
{
    uint32_t line = schedule->devices[i].line, others = 0;
    int64_t due_ms;

    for (uint32_t k = 0; line != NO_LINE && k < schedule->n; k++) {
        const struct device *device = &schedule->devices[k];

        if (device->line != line || k == i || is_cut_off(device))
            continue;
        others++;
        if (heap_key(schedule->due, k, &due_ms) && due_ms > now_ms)
            heap_set(schedule->due, k, now_ms);
    }
    return others;
}

struct schedule_counts schedule_counts(const struct schedule *schedule)
{
    return schedule->counts;
}

void schedule_adopt(struct schedule *schedule, uint32_t i, const struct schedule *old,
                    uint32_t old_i)
{
    uint32_t line = schedule->devices[i].line;
    int64_t due_ms;

    schedule->devices[i] = old->devices[old_i];
    schedule->devices[i].line = line;
    schedule->counts.online += old->devices[old_i].state == ONLINE;
    schedule->counts.away += old->devices[old_i].state == AWAY;
    if (heap_key(old->due, old_i, &due_ms))
        heap_set(schedule->due, i, due_ms);
}

void schedule_adopt_counts(struct schedule *schedule, const struct schedule *old)
{
    struct schedule_counts now = schedule->counts;

    schedule->counts = old->counts;
    schedule->counts.online = now.online;
    schedule->counts.away = now.away;
}
