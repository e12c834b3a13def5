#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/loop.h"
#include "gateway/store/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- on the desk ----------------------------------------------------------------------------- */

static struct group_task *group_of(struct task *task)
{
    return enclosing(task, struct group_task, task);
}

static void work_open(struct task *task)
{
    struct group_task *group = group_of(task);
    struct state_db *state = &group->store->state;

    task->status = state_db_open(state, &group->saved);
    group->row_base = state->row_base;
    group->why = state->file.why;
}

static void work_group(struct task *task)
{
    struct group_task *group = group_of(task);
    struct state_db *state = &group->store->state;

    task->status =
        state_db_write(state, group->entries, group->count, group->arrived, group->n_arrived);
    group->outbox_dropped = state->outbox_dropped;
    group->why = state->file.why;
}

/* -- back on the loop ------------------------------------------------------------------------ */

static void done_open(struct task *task)
{
    struct store *store = group_of(task)->store;

    store->group.busy = false;
    if (task->status != -ECANCELED)
        health_note(&store->state_health, &store->group.why, task->status);
    if (task->status == 0) {
        store->opened = true;
        store->saved = store->group.saved;
        store->group.saved = (struct saved_list){0};
        store->row_base = store->group.row_base;
        if (store->late && !store->closing && store->calls->opened)
            store->calls->opened(store->owner);
    }
    records_pump(store);
}

static void forget_arrived(struct store *store, size_t n)
{
    if (n == 0)
        return;
    store->n_arrived -= n;
    memmove(store->arrived, store->arrived + n, store->n_arrived * sizeof(*store->arrived));
    if (store->n_arrived == 0)
        store->arrived_ms = CLOCK_NEVER;
}

static void done_group(struct task *task)
{
    struct store *store = group_of(task)->store;

    store->group.busy = false;
    if (task->status != -ECANCELED)
        health_note(&store->state_health, &store->group.why, task->status);
    store->counts.outbox_dropped = store->group.outbox_dropped;
    if (task->status == 0) {
        store->counts.commits += store->group.count > 0;
        store->counts.records += store->group.count;
        forget_arrived(store, store->group.n_arrived);
    }
    if (store->group.count > 0)
        ledger_end_group(&store->ledger, task->status == 0);
    records_pump(store);
}

static void tell(void *owner, uint64_t token, bool durable)
{
    struct store *store = owner;

    store->counts.late += !durable;
    if (store->calls->committed)
        store->calls->committed(store->owner, token, durable);
}

/* -- what to do next ------------------------------------------------------------------------- */

static void give_group(struct store *store)
{
    struct group_task *group = &store->group;

    group->task = (struct task){.work = work_group, .done = done_group};
    group->entries = store->ledger.first;
    group->count = ledger_take_group(&store->ledger);
    group->n_arrived = store->n_arrived < GROUP_ARRIVED_MAX ? store->n_arrived : GROUP_ARRIVED_MAX;
    if (group->n_arrived > 0)
        memcpy(group->arrived, store->arrived, group->n_arrived * sizeof(*group->arrived));
    group->busy = true;
    desk_give(store->state_desk, &group->task);
}

static void give_open(struct store *store)
{
    store->group.task = (struct task){.work = work_open, .done = done_open};
    store->group.busy = true;
    desk_give(store->state_desk, &store->group.task);
}

static bool is_group_due(const struct store *store)
{
    return store->ledger.count > 0 ||
           (store->n_arrived > 0 && (store->closing || clock_boot_ms() >= store->arrived_ms));
}

/* When the timer has something to say: a record that is late, a file to be tried again, messages
 * that have arrived. */
static void plan(struct store *store)
{
    int64_t untold_ms = ledger_untold_ms(&store->ledger), at_ms = CLOCK_NEVER;
    bool resting = !store->group.busy && store->state_health.bad;

    if (untold_ms != CLOCK_NEVER)
        at_ms = resting ? clock_boot_ms() : untold_ms + STORE_LATE_MS;
    if (resting && store->state_health.retry_ms < at_ms)
        at_ms = store->state_health.retry_ms;
    if (!store->group.busy && !resting && store->arrived_ms < at_ms)
        at_ms = store->arrived_ms;
    timer_at(store->record_timer, at_ms);
}

/* There is always room on the desk: questions are fewer than it takes. */
void records_pump(struct store *store)
{
    if (store->closed)
        return;
    if (!store->group.busy && health_may_try(&store->state_health)) {
        if (!store->opened)
            give_open(store);
        else if (is_group_due(store))
            give_group(store);
    }
    plan(store);
}

void records_fire(void *owner)
{
    struct store *store = owner;
    bool resting = !store->group.busy && !health_may_try(&store->state_health);

    ledger_give_up(&store->ledger, resting ? CLOCK_NEVER : clock_boot_ms() - STORE_LATE_MS);
    records_pump(store);
}

/* An empty group moves what was written while the clock was only a guess. */
void records_restamp(struct store *store)
{
    if (store->closed || store->restamped || !store->opened || store->group.busy ||
        !health_may_try(&store->state_health) || !clock_wall_is_good())
        return;
    store->restamped = true;
    give_group(store);
}

bool records_are_settled(const struct store *store)
{
    return !store->group.busy && (store->ledger.count == 0 || store->state_health.bad);
}

/* -- life ------------------------------------------------------------------------------------ */

void records_start(struct store *store)
{
    ledger_start(&store->ledger, tell, store);
    store->group.store = store;
    store->next_row = 1;
    store->arrived_ms = CLOCK_NEVER;
    store->state_health = (struct health){.name = "state.db", .retry_ms = CLOCK_NEVER};
    store->state.file = (struct database){
        .kind = &state_db_kind, .folder = store->options.path, .vfs = store->options.vfs};
}

void records_free(struct store *store)
{
    ledger_clear(&store->ledger);
    saved_free(&store->saved);
    saved_free(&store->group.saved);
    free(store->arrived);
}

/* -- door ------------------------------------------------------------------------------------ */

int store_commit(struct store *store, const struct store_record *record, int64_t *ret_row)
{
    struct entry *entry;

    if (store_record_size(record) > STORE_RECORD_MAX)
        return -E2BIG;
    entry = entry_new(record, store->next_row, clock_boot_ms());
    if (!entry)
        return -ENOMEM;
    store->next_row += (int64_t)store_record_rows(record);
    if (ret_row)
        *ret_row = entry_messages_row(entry);
    ledger_add(&store->ledger, entry);
    records_pump(store);
    return 0;
}

int store_settle(struct store *store, int64_t wait_ms)
{
    if (store->state_health.bad)
        store->state_health.retry_ms = clock_boot_ms(); /* once more, before all ends */
    records_pump(store);
    store_wait(store, records_are_settled, clock_boot_ms() + wait_ms);
    return store->ledger.count > 0 ? -ETIMEDOUT : 0;
}

void store_outbox_done(struct store *store, int64_t row)
{
    if (ledger_drop_message(&store->ledger, row))
        return;
    if (store->n_arrived == store->arrived_size) {
        size_t size = store->arrived_size ? store->arrived_size * 2 : 64;
        int64_t *arrived = realloc(store->arrived, size * sizeof(*arrived));

        if (!arrived)
            return; /* it is sent once more after the next start */
        store->arrived = arrived;
        store->arrived_size = size;
    }
    if (store->n_arrived == 0)
        store->arrived_ms = clock_boot_ms() + STORE_ARRIVED_MS;
    store->arrived[store->n_arrived++] = row;
    records_pump(store);
}

void store_state_each(struct store *store, const char *kind,
                      void (*take)(void *owner, const struct store_state *state), void *owner)
{
    for (size_t i = 0; i < store->saved.count; i++) {
        const struct saved *saved = &store->saved.items[i];
        struct store_state state = {saved->kind, saved->key, saved->value, saved->size};

        if (strcmp(saved->kind, kind) == 0)
            take(owner, &state);
    }
}

void store_state_release(struct store *store)
{
    saved_free(&store->saved);
}
