#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/loop.h"
#include "gateway/store/inside.h"

#include <errno.h>
#include <sys/random.h>

/* -- on the desk ----------------------------------------------------------------------------- */

static struct batch_task *batch_of(struct task *task)
{
    return enclosing(task, struct batch_task, task);
}

static void report(struct batch_task *batch)
{
    const struct history_db *history = &batch->store->history;

    batch->size = history->size;
    batch->found_ms = history->found_ms;
    batch->damaged = history->damaged;
    batch->why = history->file.why;
}

static void work_batch(struct task *task)
{
    struct batch_task *batch = batch_of(task);

    task->status = history_db_stage(&batch->store->history, batch->blocks, batch->count);
    report(batch);
}

static void work_tidy(struct task *task)
{
    struct batch_task *batch = batch_of(task);

    task->status = history_db_tidy(&batch->store->history);
    report(batch);
}

/* -- back on the loop ------------------------------------------------------------------------ */

static bool end_task(struct store *store, int status)
{
    store->batch.busy = false;
    store->tried = true;
    if (status == -ECANCELED)
        return false;
    health_note(&store->history_health, &store->batch.why, status < 0 ? status : 0);
    store->found_ms = store->batch.found_ms;
    store->counts.history_size = store->batch.size;
    store->counts.errors = store->batch.damaged;
    return status >= 0;
}

static void done_batch(struct task *task)
{
    struct store *store = batch_of(task)->store;
    uint64_t waiting = store->intake.waiting;
    bool stored = end_task(store, task->status);

    intake_end_batch(&store->intake, stored);
    if (stored) {
        store->counts.readings += waiting - store->intake.waiting;
        store->tidy = true;
        store->batch_ms = store->intake.blocks == 0
                              ? CLOCK_NEVER
                              : clock_boot_ms() + store->options.commit_every_ms;
    }
    records_restamp(store);
    readings_pump(store);
}

static void done_tidy(struct task *task)
{
    struct store *store = batch_of(task)->store;

    end_task(store, task->status);
    if (task->status == 0)
        store->tidy = false;
    readings_pump(store);
}

/* -- what to do next ------------------------------------------------------------------------- */

static bool is_batch_due(const struct store *store)
{
    return store->intake.blocks > 0 &&
           (store->closing || store->intake.first->inventory != store->intake.inventory ||
            store->intake.blocks >= INTAKE_BATCH_MAX || clock_boot_ms() >= store->batch_ms);
}

static void give(struct store *store, void (*work)(struct task *), void (*done)(struct task *))
{
    store->batch.task = (struct task){.work = work, .done = done};
    store->batch.busy = true;
    desk_give(store->history_desk, &store->batch.task);
}

static void plan(struct store *store)
{
    int64_t at_ms = CLOCK_NEVER;

    if (!store->batch.busy)
        at_ms = store->history_health.bad ? store->history_health.retry_ms : store->batch_ms;
    timer_at(store->batch_timer, at_ms);
}

void readings_pump(struct store *store)
{
    if (store->closed)
        return;
    if (!store->batch.busy && health_may_try(&store->history_health)) {
        if (is_batch_due(store)) {
            store->batch.blocks = intake_take_batch(&store->intake);
            store->batch.count = store->intake.batch;
            give(store, work_batch, done_batch);
        } else if (store->tidy && !store->closing) {
            give(store, work_tidy, done_tidy);
        }
    }
    plan(store);
}

void readings_fire(void *owner)
{
    readings_pump(owner);
}

void readings_flush(struct store *store)
{
    store->batch_ms = clock_boot_ms();
    if (store->history_health.bad)
        store->history_health.retry_ms = store->batch_ms; /* once more, before all ends */
    readings_pump(store);
}

bool readings_are_settled(const struct store *store)
{
    return !store->batch.busy && (store->intake.blocks == 0 || store->history_health.bad);
}

/* -- life ------------------------------------------------------------------------------------ */

void readings_start(struct store *store)
{
    store->batch.store = store;
    store->batch_ms = CLOCK_NEVER;
    store->tidy = true; /* which opens the file */
    store->history_health = (struct health){.name = "history.db", .retry_ms = CLOCK_NEVER};
    store->history.options = store->options;
    store->history.file = (struct database){
        .kind = &history_db_kind, .folder = store->options.path, .vfs = store->options.vfs};
    if (getrandom(&store->history.this_run, sizeof(store->history.this_run), 0) < 0)
        store->history.this_run = clock_boot_us();
}

void readings_free(struct store *store)
{
    intake_clear(&store->intake);
}

/* -- the sink -------------------------------------------------------------------------------- */

/* What came of the old one is written next, so that memory has sensors of one inventory; but not
 * from here: a thread that is woken now may take the core from the loop in the midst of a reload.
 */
static void take_inventory(void *sink, struct inventory *inventory)
{
    struct store *store = sink;

    intake_use(&store->intake, inventory);
    timer_at(store->batch_timer, clock_boot_ms());
}

static void take_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    struct store *store = sink;
    size_t before = store->intake.blocks;

    (void)device;
    intake_take(&store->intake, readings, count);
    if (store->intake.blocks == before)
        return; /* mostly nothing changes but the number of readings in a block */
    if (store->batch_ms == CLOCK_NEVER)
        store->batch_ms = clock_boot_ms() + store->options.commit_every_ms;
    readings_pump(store);
}

const struct sink_calls store_sink = {
    .name = "store",
    .inventory = take_inventory,
    .readings = take_readings,
};
