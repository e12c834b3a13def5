#include "gateway/outage.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/core/inventory.h"
#include "gateway/core/pipeline.h"
#include "gateway/outage_words.h"
#include "gateway/store/store.h"
#include "rules/rules.h"

#include <stdlib.h>
#include <string.h>

#define STATE_KIND "run"
#define STATE_KEY  "boot"

#define LOOK_MS     1000
#define PATIENCE_MS 60000 /* for readings, and for the history */

/* How much of the time before the cut is looked at: what has moved in it has moved by itself. Of a
 * large plant less, so that a start does not read millions of rows. */
#define BEFORE_MAX_MS INT64_C(600000)
#define BEFORE_MIN_MS INT64_C(10000)
#define BEFORE_ROWS   200000
#define PAGE_ROWS     10000

struct outage {
    struct store *store;
    struct pipeline *pipeline;
    struct timer *timer;
    struct inventory *inventory;   /* held; NULL when there is nothing to tell */
    struct outage_sensor *sensors; /* one for each of it; NULL likewise */
    int64_t since_ms;              /* the start */
    int64_t cut_ms;                /* wall time; CLOCK_NEVER: there was no cut, or it was told */
    bool asked, answered;          /* the history */
};

/* -- the mark ------------------------------------------------------------------------------- */

/* NULL takes it away. */
static void put_mark(struct outage *outage, const char *boot)
{
    struct store_state state = {
        .kind = STATE_KIND, .key = STATE_KEY, .value = boot, .size = boot ? strlen(boot) : 0};
    struct store_record record = {.states = &state, .n_states = 1};

    if (store_commit(outage->store, &record, NULL) < 0)
        log_warn("out of memory: a power cut may be overlooked, or told without one");
}

/* Somebody else's boot: the power was cut. */
static void take_mark(void *owner, const struct store_state *state)
{
    struct outage *outage = owner;
    const char *boot = clock_boot_id();

    if (strcmp(state->key, STATE_KEY) != 0)
        return;
    if (state->size != strlen(boot) || memcmp(state->value, boot, state->size) != 0)
        outage->cut_ms = store_last_sign_ms(outage->store);
    else
        log_warn("the run before this one did not end in order: it crashed or was killed");
}

/* -- values before -------------------------------------------------------------------------- */

static void ask_history(struct outage *outage, int64_t from_ms);

static void take_row(struct outage *outage, const struct store_row *row)
{
    uint32_t sensor = inventory_find_sensor(outage->inventory, row->sensor);
    struct reading reading = {.kind = row->kind, .quality = row->quality};

    if (sensor == UINT32_MAX || outage->inventory->sensors[sensor].kind == SENSOR_EVENT)
        return; /* what has happened before is no state to compare with */
    if (row->kind == VALUE_TEXT)
        reading.text = text_table_add(pipeline_texts(outage->pipeline), row->text);
    else
        reading.number = row->number;
    outage_was(&outage->sensors[sensor], &reading);
}

static void take_rows(void *owner, const struct store_rows *rows)
{
    struct outage *outage = owner;

    if (!outage->sensors)
        return; /* it was told without */
    for (size_t i = 0; i < rows->count; i++)
        take_row(outage, &rows->rows[i]);
    if (rows->status == 0 && rows->next_ms != CLOCK_NEVER)
        ask_history(outage, rows->next_ms);
    else
        outage->answered = true;
}

static void ask_history(struct outage *outage, int64_t from_ms)
{
    struct store_range range = {.from_ms = from_ms, .to_ms = outage->cut_ms, .max_rows = PAGE_ROWS};

    if (store_read(outage->store, &range, take_rows, outage) < 0)
        outage->answered = true;
}

/* So long that about BEFORE_ROWS were read in it. */
static int64_t time_before(const struct inventory *inventory)
{
    double per_ms = 0, ms;

    for (uint32_t i = 0; i < inventory->n_devices; i++) {
        const struct inventory_device *device = &inventory->devices[i];

        per_ms += (double)device->n_sensors / (double)(device->every_ms + 1);
    }
    ms = per_ms > 0 ? BEFORE_ROWS / per_ms : BEFORE_MAX_MS;
    if (ms > BEFORE_MAX_MS)
        return BEFORE_MAX_MS;
    return ms < BEFORE_MIN_MS ? BEFORE_MIN_MS : (int64_t)ms;
}

/* -- values since: a sink ------------------------------------------------------------------- */

static void forget(struct outage *outage)
{
    inventory_release(outage->inventory);
    free(outage->sensors);
    outage->inventory = NULL;
    outage->sensors = NULL;
}

/* What devices are found while it waits come with a new inventory. */
static void take_inventory(void *sink, struct inventory *inventory)
{
    struct outage *outage = sink;
    struct outage_sensor *sensors;

    if (outage->cut_ms == CLOCK_NEVER)
        return;
    sensors = calloc((size_t)inventory->n_sensors + 1, sizeof(*sensors));
    for (uint32_t i = 0; sensors && outage->sensors && i < inventory->n_sensors; i++) {
        uint32_t was = inventory_was(inventory, i, outage->inventory);

        if (was != UINT32_MAX)
            sensors[i] = outage->sensors[was];
    }
    forget(outage);
    outage->sensors = sensors;
    outage->inventory = inventory_hold(inventory);
    if (!sensors || outage->asked)
        return;
    outage->asked = true;
    ask_history(outage, outage->cut_ms - time_before(inventory));
}

static void take_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    struct outage *outage = sink;

    (void)device;
    for (size_t i = 0; outage->sensors && i < count; i++)
        outage_is(&outage->sensors[readings[i].sensor], &readings[i]);
}

static const struct sink_calls outage_sink = {
    .name = "outage",
    .inventory = take_inventory,
    .readings = take_readings,
};

/* -- telling -------------------------------------------------------------------------------- */

/* A machine that seems to have run all the time (a container) has it back just now. */
static struct outage_report report_of(const struct outage *outage)
{
    int64_t cut_ms = outage->cut_ms - clock_wall_ms(0);

    return (struct outage_report){.from_ms = cut_ms,
                                  .to_ms = cut_ms < 0 ? 0 : outage->since_ms,
                                  .inventory = outage->inventory,
                                  .sensors = outage->sensors};
}

static void tell(struct outage *outage)
{
    struct outage_report report = report_of(outage);
    char words[900], brief[sizeof(((struct event *)0)->note)];
    struct pipeline_news news = {.type = EVENT_OUTAGE,
                                 .severity = SEVERITY_WARNING,
                                 .since_ms = report.from_ms,
                                 .words = words,
                                 .brief = brief,
                                 .notify = true};

    if (outage_words(&report, words, sizeof(words)) == 0 &&
        outage_words(&report, brief, sizeof(brief)) == 0) {
        log_warn("%s", words);
        pipeline_tell(outage->pipeline, &news);
    }
    outage->cut_ms = CLOCK_NEVER;
    forget(outage);
    put_mark(outage, clock_boot_id());
}

/* Whether everything that was read before the cut was read often enough since. */
static bool has_seen_all(const struct outage *outage)
{
    for (uint32_t i = 0; i < outage->inventory->n_sensors; i++) {
        if (outage->sensors[i].kind != VALUE_NONE && outage->sensors[i].count < OUTAGE_READINGS)
            return false;
    }
    return outage->answered;
}

static void look(void *owner)
{
    struct outage *outage = owner;
    int64_t now_ms = clock_boot_ms();
    bool enough =
        outage->sensors && (now_ms >= outage->since_ms + PATIENCE_MS || has_seen_all(outage));

    if (enough && clock_wall_is_good())
        tell(outage);
    else
        timer_at(outage->timer, now_ms + LOOK_MS);
}

/* -- life ----------------------------------------------------------------------------------- */

struct outage *outage_begin(struct loop *loop, struct store *store, struct pipeline *pipeline)
{
    struct outage *outage = calloc(1, sizeof(*outage));

    if (!outage)
        return NULL;
    *outage = (struct outage){.store = store,
                              .pipeline = pipeline,
                              .timer = timer_new(loop, look, outage),
                              .since_ms = clock_boot_ms(),
                              .cut_ms = CLOCK_NEVER};
    if (!outage->timer) {
        free(outage);
        return NULL;
    }
    store_state_each(store, STATE_KIND, take_mark, outage);
    if (outage->cut_ms == CLOCK_NEVER || pipeline_add_sink(pipeline, &outage_sink, outage) < 0)
        put_mark(outage, clock_boot_id());
    else
        timer_at(outage->timer, outage->since_ms + LOOK_MS);
    return outage;
}

void outage_stop(struct outage *outage)
{
    if (!outage)
        return;
    timer_at(outage->timer, CLOCK_NEVER);
    if (outage->cut_ms == CLOCK_NEVER)
        put_mark(outage, NULL);
}

void outage_free(struct outage *outage)
{
    if (!outage)
        return;
    forget(outage);
    timer_free(outage->timer);
    free(outage);
}
