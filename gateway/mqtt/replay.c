#include "gateway/mqtt/replay.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/outages.h"
#include "gateway/mqtt/pack.h"
#include "gateway/mqtt/ring.h"
#include "gateway/store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STATE_KIND "mqtt"
#define STATE_KEY  "outages"

/* Readings reach the broker's thread up to so long after they were measured; and two clocks are
 * never read in the same moment. */
#define SLACK_MS 1000
#define SKEW_MS  10

#define PAGE_ROWS 2500
#define PAGE_MS   250 /* from one page to the next: 10,000 readings a second */

#define LATER_MS      500      /* what is new comes first after a reconnect */
#define AGAIN_MS      1000     /* after a page that could not be had or handed over */
#define PATIENCE      30       /* times; then what is in memory must do */
#define SAVE_MS       10000    /* between two writes of how far it is: each costs a disk sync */
#define SLICE_MIN_MS  1000     /* of time that is asked for at once */
#define SLICE_MAX_MS  86400000 /* a day */
#define CLOCK_LOOK_MS 5000     /* between two looks whether the wall clock is good */

struct replay {
    struct store *store;
    struct timer *timer;
    const char *base;
    const struct replay_calls *calls;
    void *owner;
    struct inventory *inventory;
    struct outages outages;
    char *restored; /* outages of an earlier run, until the clock is good; NULL: none */
    bool online;

    /* The page under way. */
    struct pack pack; /* .plan NULL: nothing is being replayed */
    struct text_table *texts;
    int64_t next_ms; /* boot time: when it has arrived all before has */
    int64_t slice_ms, page_at, saved_at;
    size_t rows, messages; /* of it; that have not arrived yet */
    int failures;          /* in a row */
    bool asking, closed;

    struct ring ring;
    struct replay_counts counts;
};

/* -- kept over a restart -------------------------------------------------------------------- */

static int64_t wall_offset(void)
{
    return clock_wall_ms(0);
}

static void save(struct replay *replay)
{
    char text[OUTAGES_TEXT_SIZE];
    struct store_state state = {.kind = STATE_KIND, .key = STATE_KEY};
    struct store_record record = {.states = &state, .n_states = 1};

    if (!replay->store || replay->restored)
        return;
    outages_write(&replay->outages, wall_offset(), text);
    state.value = text[0] ? text : NULL;
    state.size = strlen(text);
    replay->saved_at = clock_boot_ms();
    if (store_commit(replay->store, &record, NULL) < 0)
        log_error("mqtt: out of memory: after a restart some readings may not be sent again");
}

static void take_state(void *owner, const struct store_state *state)
{
    struct replay *replay = owner;

    if (strcmp(state->key, STATE_KEY) == 0 && !replay->restored)
        replay->restored = strndup(state->value, state->size);
}

void replay_restore(struct replay *replay)
{
    if (replay->store)
        store_state_each(replay->store, STATE_KIND, take_state, replay);
}

/* Its times are wall times, which mean something only now. */
static void take_up_restored(struct replay *replay)
{
    if (!replay->restored)
        return;
    outages_read(&replay->outages, wall_offset(), clock_boot_ms(), replay->restored);
    free(replay->restored);
    replay->restored = NULL;
    save(replay);
}

/* -- a page --------------------------------------------------------------------------------- */

static void look_at(struct replay *replay, int64_t at_ms)
{
    timer_at(replay->timer, at_ms);
}

static void end_pack(struct replay *replay)
{
    pack_release(&replay->pack);
    text_table_free(replay->texts);
    replay->texts = NULL;
}

static bool start_pack(struct replay *replay)
{
    if (replay->pack.plan)
        return true;
    replay->texts = text_table_new();
    if (replay->texts && pack_start(&replay->pack, replay->inventory, replay->base) == 0)
        return true;
    end_pack(replay);
    return false;
}

static void try_again(struct replay *replay)
{
    replay->failures++;
    look_at(replay, clock_boot_ms() + AGAIN_MS);
}

/* The page has arrived. */
static void finish_page(struct replay *replay)
{
    if (!replay->store && replay->rows > 0)
        ring_drop(&replay->ring);
    outages_done(&replay->outages, replay->next_ms);
    replay->counts.replayed += replay->rows;
    replay->failures = 0;
    if (!outages_first(&replay->outages)) {
        log_info("mqtt: what was measured while the broker was away has been sent (%llu readings "
                 "since the start)",
                 (unsigned long long)replay->counts.replayed);
        end_pack(replay);
        save(replay);
        return;
    }
    if (clock_boot_ms() - replay->saved_at >= SAVE_MS)
        save(replay);
    look_at(replay, replay->rows > 0 ? replay->page_at + PAGE_MS : clock_boot_ms());
}

static int put(void *owner, const struct mqtt_message *message)
{
    struct replay *replay = owner;
    int r = replay->calls->put(replay->owner, message);

    replay->messages += r == 0;
    return r;
}

static void send_page(struct replay *replay, const struct reading *readings, size_t count,
                      const struct text_table *texts, int64_t next_ms)
{
    int r;

    replay->rows = count;
    replay->next_ms = next_ms;
    r = pack_readings(&replay->pack, readings, count, texts, put, replay);
    if (r < 0) {
        replay->next_ms = INT64_MIN; /* once more, when what was handed over is out of the way */
        replay->rows = 0;
        try_again(replay);
    } else if (replay->messages == 0) {
        finish_page(replay);
    }
}

void replay_arrived(struct replay *replay)
{
    if (replay->messages > 0 && --replay->messages == 0)
        finish_page(replay);
}

/* -- from the store ------------------------------------------------------------------------- */

static bool read_row(struct replay *replay, const struct store_row *row, struct reading *ret)
{
    *ret = (struct reading){.at_ms = row->at_ms,
                            .sensor = inventory_find_sensor(replay->inventory, row->sensor),
                            .kind = row->kind,
                            .quality = row->quality};
    if (row->kind == VALUE_NUMBER)
        ret->number = row->number;
    else if (row->kind == VALUE_TEXT)
        ret->text = text_table_add(replay->texts, row->text);
    return ret->sensor != UINT32_MAX; /* it may be gone from the config */
}

/* Slices of time that fit a page: how densely readings stand is not known before. */
static void fit_slice(struct replay *replay, const struct store_rows *rows)
{
    if (rows->next_ms != CLOCK_NEVER)
        replay->slice_ms /= 2;
    else if (rows->count < PAGE_ROWS / 4)
        replay->slice_ms *= 2;
    if (replay->slice_ms < SLICE_MIN_MS)
        replay->slice_ms = SLICE_MIN_MS;
    if (replay->slice_ms > SLICE_MAX_MS)
        replay->slice_ms = SLICE_MAX_MS;
}

static void take_rows(void *owner, const struct store_rows *rows)
{
    struct replay *replay = owner;
    struct reading *readings;
    size_t count = 0;

    replay->asking = false;
    if (replay->closed) {
        free(replay);
        return;
    }
    readings = malloc((rows->count + 1) * sizeof(*readings));
    if (!readings || !start_pack(replay) || rows->status == -ECANCELED ||
        (rows->status < 0 && replay->failures < PATIENCE)) {
        free(readings);
        try_again(replay);
        return;
    }
    for (size_t i = 0; i < rows->count; i++)
        count += read_row(replay, &rows->rows[i], &readings[count]);
    fit_slice(replay, rows);
    send_page(replay, readings, count, replay->texts,
              rows->next_ms == CLOCK_NEVER ? replay->next_ms : rows->next_ms - wall_offset());
    free(readings);
}

static void ask_store(struct replay *replay, const struct outage *outage)
{
    int64_t to_ms = outage->to_ms;
    struct store_range range = {.from_ms = outage->from_ms + wall_offset(), .max_rows = PAGE_ROWS};

    if (to_ms - outage->from_ms > replay->slice_ms)
        to_ms = outage->from_ms + replay->slice_ms;
    range.to_ms = to_ms + wall_offset();
    replay->next_ms = to_ms + 1;
    replay->asking = true;
    if (store_read(replay->store, &range, take_rows, replay) == 0)
        return;
    replay->asking = false;
    try_again(replay);
}

/* -- from memory ---------------------------------------------------------------------------- */

/* As many readings of a full page as are whole polls: half of one would be told with values of the
 * poll before. */
static size_t count_whole(const struct inventory *inventory, const struct reading *readings,
                          size_t count)
{
    const struct reading *last = &readings[count - 1];
    uint32_t device = inventory->sensors[last->sensor].device;
    size_t whole = count;

    while (whole > 0 && readings[whole - 1].at_ms == last->at_ms &&
           inventory->sensors[readings[whole - 1].sensor].device == device)
        whole--;
    return whole > 0 ? whole : count;
}

static void take_ring(struct replay *replay, const struct outage *outage)
{
    struct reading *readings = malloc(PAGE_ROWS * sizeof(*readings));
    size_t count;
    bool full;

    if (!readings || !start_pack(replay)) {
        free(readings);
        try_again(replay);
        return;
    }
    count = ring_peek(&replay->ring, outage->to_ms, readings, PAGE_ROWS);
    full = count == PAGE_ROWS;
    if (full)
        count = ring_peek(&replay->ring, outage->to_ms, readings,
                          count_whole(replay->inventory, readings, count));
    for (size_t i = 0; i < count; i++)
        readings[i].at_ms = payload_wall_ms(readings[i].at_ms);
    send_page(replay, readings, count, replay->inventory->texts,
              full ? outage->from_ms : outage->to_ms + 1);
    free(readings);
}

/* -- what is next --------------------------------------------------------------------------- */

static void ask(struct replay *replay)
{
    const struct outage *outage;

    if (!replay->online || replay->asking || replay->messages > 0 || !replay->inventory)
        return;
    if (!clock_wall_is_good()) {
        look_at(replay, clock_boot_ms() + CLOCK_LOOK_MS);
        return;
    }
    take_up_restored(replay);
    outage = outages_first(&replay->outages);
    if (!outage)
        return;
    replay->page_at = clock_boot_ms();
    if (replay->store)
        ask_store(replay, outage);
    else
        take_ring(replay, outage);
}

static void fire(void *owner)
{
    ask(owner);
}

void replay_offline(struct replay *replay, int64_t from_ms)
{
    replay->online = false;
    outages_add(&replay->outages, from_ms - SLACK_MS, CLOCK_NEVER);
    save(replay);
}

void replay_online(struct replay *replay, int64_t to_ms)
{
    replay->online = true;
    outages_end(&replay->outages, to_ms + SKEW_MS);
    save(replay);
    look_at(replay, clock_boot_ms() + LATER_MS);
}

void replay_missed(struct replay *replay, int64_t from_ms, int64_t to_ms)
{
    outages_add(&replay->outages, from_ms - SLACK_MS, to_ms + SLACK_MS);
    if (replay->online)
        look_at(replay, clock_boot_ms() + LATER_MS);
}

/* -- what comes in -------------------------------------------------------------------------- */

void replay_use(struct replay *replay, struct inventory *inventory)
{
    end_pack(replay); /* its numbers are those of the old one */
    inventory_release(replay->inventory);
    replay->inventory = inventory_hold(inventory);
    if (!replay->store && ring_use(&replay->ring, inventory->n_sensors) < 0)
        log_error("mqtt: out of memory: new sensors are not kept while the broker is away");
}

void replay_readings(struct replay *replay, const struct reading *readings, size_t count)
{
    if (replay->store)
        return; /* its history has them */
    if (replay->online && replay->outages.count == 0)
        ring_drop_before(&replay->ring, replay->calls->proven_ms(replay->owner) - SLACK_MS);
    ring_put(&replay->ring, readings, count);
}

struct replay_counts replay_counts(const struct replay *replay)
{
    struct replay_counts counts = replay->counts;

    counts.thinned = replay->ring.thinned;
    counts.outages = replay->outages.count + (replay->restored ? 1 : 0);
    return counts;
}

/* -- life ----------------------------------------------------------------------------------- */

struct replay *replay_new(struct loop *loop, struct store *store, const char *base,
                          const struct replay_calls *calls, void *owner)
{
    struct replay *replay = calloc(1, sizeof(*replay));

    if (!replay)
        return NULL;
    *replay = (struct replay){.store = store,
                              .base = base,
                              .calls = calls,
                              .owner = owner,
                              .slice_ms = 10 * SLICE_MIN_MS};
    replay->timer = timer_new(loop, fire, replay);
    if (!replay->timer) {
        free(replay);
        return NULL;
    }
    /* Until it is there for the first time the broker is away. */
    outages_add(&replay->outages, clock_boot_ms(), CLOCK_NEVER);
    return replay;
}

void replay_free(struct replay *replay)
{
    if (!replay)
        return;
    timer_free(replay->timer);
    end_pack(replay);
    inventory_release(replay->inventory);
    ring_release(&replay->ring);
    free(replay->restored);
    replay->closed = true;
    if (!replay->asking)
        free(replay);
}
