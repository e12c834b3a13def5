#include "gateway/store/store.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"
#include "gateway/base/report.h"
#include "gateway/base/text.h"
#include "gateway/store/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Threads that have nothing to do end within this, also where a stop has no time left. */
#define JOIN_MS 50

static const struct store_calls no_calls;

/* -- health ---------------------------------------------------------------------------------- */

static void note_failure(struct health *health, const struct error *why, int status)
{
    health->errors++;
    if (!health->bad)
        health->since_ms = clock_boot_ms();
    text_copy(health->reason, sizeof(health->reason), why->text);
    if (!health->bad || health->code != status)
        log_warn("store: %s; what comes waits in memory", health->reason);
    health->pause_ms = health->pause_ms ? health->pause_ms * 2 : STORE_PAUSE_MS;
    if (health->pause_ms > STORE_PAUSE_MAX_MS || status == -ENOTSUP)
        health->pause_ms = STORE_PAUSE_MAX_MS;
    health->retry_ms = clock_boot_ms() + health->pause_ms;
    health->code = status;
    health->bad = true;
}

void health_note(struct health *health, const struct error *why, int status)
{
    char text[64];

    if (status < 0) {
        note_failure(health, why, status);
        return;
    }
    if (health->bad)
        log_info("store: %s is written again after %s", health->name,
                 text_from_duration(text, sizeof(text), clock_boot_ms() - health->since_ms));
    health->bad = false;
    health->pause_ms = 0;
    health->retry_ms = CLOCK_NEVER;
}

bool health_may_try(const struct health *health)
{
    return !health->bad || clock_boot_ms() >= health->retry_ms;
}

/* -- tasks ----------------------------------------------------------------------------------- */

static void drain(void *owner)
{
    struct store *store = owner;
    struct task *task;

    while (queue_pop(store->answers, &task, 1) > 0)
        task->done(task);
}

void store_wait(struct store *store, bool (*enough)(const struct store *store), int64_t until_ms)
{
    struct task *task;

    while (!enough(store) && clock_boot_ms() < until_ms) {
        if (queue_wait(store->answers, &task, 1, until_ms) > 0)
            task->done(task);
    }
}

static void send_wake(void *owner)
{
    wake_send(((struct store *)owner)->wake);
}

/* -- desks ----------------------------------------------------------------------------------- */

static void rest_state(void *owner)
{
    state_db_rest(&((struct store *)owner)->state);
}

static void leave_state(void *owner)
{
    state_db_close(&((struct store *)owner)->state);
}

static void rest_history(void *owner)
{
    history_db_rest(&((struct store *)owner)->history);
}

static void leave_history(void *owner)
{
    history_db_close(&((struct store *)owner)->history);
}

static void leave_reading(void *owner)
{
    struct store *store = owner;

    database_close(&store->read_state);
    database_close(&store->read_history);
}

/* -- opening --------------------------------------------------------------------------------- */

static bool open_threads(struct store *store)
{
    store->answers = queue_new(sizeof(struct task *), (size_t)3 * (DESK_TASKS_MAX + 1),
                               QUEUE_REFUSE, send_wake, store);
    store->wake = wake_new(store->loop, drain, store);
    store->record_timer = timer_new(store->loop, records_fire, store);
    store->batch_timer = timer_new(store->loop, readings_fire, store);
    if (!store->answers || !store->wake || !store->record_timer || !store->batch_timer)
        return false;
    store->state_desk = desk_new(store->answers, rest_state, leave_state, store);
    store->history_desk = desk_new(store->answers, rest_history, leave_history, store);
    store->read_desk = desk_new(store->answers, NULL, leave_reading, store);
    return store->state_desk && store->history_desk && store->read_desk;
}

static bool has_opened(const struct store *store)
{
    return (store->opened || store->state_health.bad) && store->tried;
}

static void free_all(struct store *store)
{
    records_free(store);
    readings_free(store);
    timer_free(store->record_timer);
    timer_free(store->batch_timer);
    wake_free(store->wake);
    queue_free(store->answers);
    free(store->path);
    free(store);
}

static struct store *new_store(struct loop *loop, const struct store_options *options,
                               const struct store_calls *calls, void *owner)
{
    struct store *store = calloc(1, sizeof(*store));

    if (!store)
        return NULL;
    store->path = strdup(options->path);
    store->loop = loop;
    store->calls = calls ? calls : &no_calls;
    store->owner = owner;
    store->options = *options;
    store->options.path = store->path;
    records_start(store);
    readings_start(store);
    store->read_state = store->state.file;
    store->read_history = store->history.file;
    return store;
}

int store_open(struct loop *loop, const struct store_options *options, int64_t wait_ms,
               const struct store_calls *calls, void *owner, struct store **ret_store,
               struct error *reterr)
{
    struct store *store = new_store(loop, options, calls, owner);

    if (!store || !store->path || !open_threads(store)) {
        if (store)
            store_close(store, JOIN_MS);
        return error_set(reterr, -ENOMEM, "store: out of memory or threads");
    }
    records_pump(store);
    readings_pump(store);
    store_wait(store, has_opened, clock_boot_ms() + wait_ms);
    store->late = !store->opened;
    *ret_store = store;
    return 0;
}

int64_t store_last_sign_ms(const struct store *store)
{
    return store->found_ms > 0 ? store->found_ms : CLOCK_NEVER;
}

/* -- closing --------------------------------------------------------------------------------- */

static bool is_settled(const struct store *store)
{
    return records_are_settled(store) && readings_are_settled(store);
}

/* What waits is written, as far as there is time. */
static void write_rest(struct store *store, int64_t until_ms)
{
    store->closing = true;
    if (store->state_health.bad)
        store->state_health.retry_ms = clock_boot_ms(); /* once more, before all ends */
    records_pump(store);
    readings_flush(store);
    store_wait(store, is_settled, until_ms);
    ledger_give_up(&store->ledger, CLOCK_NEVER);
}

static bool end_threads(struct store *store, int64_t until_ms)
{
    int64_t soonest_ms = clock_boot_ms() + JOIN_MS;
    bool ended;

    store->closed = true;
    if (until_ms < soonest_ms)
        until_ms = soonest_ms;
    desk_close(store->read_desk);
    desk_close(store->history_desk);
    desk_close(store->state_desk);
    ended = desk_stop(store->state_desk, until_ms);
    ended = desk_stop(store->history_desk, until_ms) && ended;
    return desk_stop(store->read_desk, until_ms) && ended;
}

int store_close(struct store *store, int64_t wait_ms)
{
    int64_t until_ms = clock_boot_ms() + wait_ms;
    bool ended;

    if (!store)
        return 0;
    if (store->state_desk && store->history_desk && store->read_desk)
        write_rest(store, until_ms);
    ended = end_threads(store, until_ms);
    if (store->answers)
        drain(store);
    questions_cancel(store);
    if (!ended)
        return -ETIMEDOUT;
    free_all(store);
    return 0;
}

/* -- health ---------------------------------------------------------------------------------- */

/* A disk that does not answer is as bad as one that says no. */
static void describe(struct store_counts *counts, const struct health *health, int64_t busy_ms)
{
    if (busy_ms > counts->busy_ms)
        counts->busy_ms = busy_ms;
    if (counts->degraded || (!health->bad && busy_ms < STORE_LATE_MS))
        return;
    counts->degraded = true;
    if (health->bad)
        text_copy(counts->reason, sizeof(counts->reason), health->reason);
    else
        snprintf(counts->reason, sizeof(counts->reason), "%s: the disk has not answered for %lld s",
                 health->name, (long long)busy_ms / 1000);
}

struct store_counts store_counts(struct store *store)
{
    struct store_counts counts = store->counts;

    counts.merged = store->ledger.merged;
    counts.records_waiting = store->ledger.count;
    counts.readings_bytes = intake_bytes(&store->intake);
    counts.dropped = store->intake.dropped;
    counts.errors += store->state_health.errors + store->history_health.errors;
    describe(&counts, &store->state_health, desk_busy_ms(store->state_desk));
    describe(&counts, &store->history_health, desk_busy_ms(store->history_desk));
    return counts;
}

void store_report(struct store *store, struct report *report)
{
    struct store_counts counts = store_counts(store);

    report_count(report, "store_records", (double)counts.records, true, "Records on disk.");
    report_count(report, "store_commits", (double)counts.commits, true, "Transactions for them.");
    report_count(report, "store_late", (double)counts.late, true,
                 "Records that were told before they were on disk.");
    report_count(report, "store_merged", (double)counts.merged, true,
                 "Records for which there was no room.");
    report_count(report, "store_outbox_dropped", (double)counts.outbox_dropped, true,
                 "Messages for which there was no room.");
    report_count(report, "store_errors", (double)counts.errors, true, "Errors of the disk.");
    report_count(report, "store_readings", (double)counts.readings, true, "Readings on disk.");
    report_count(report, "store_readings_dropped", (double)counts.dropped, true,
                 "Readings for which there was no room.");
    report_count(report, "store_records_waiting", (double)counts.records_waiting, false,
                 "Records that wait for the disk.");
    report_count(report, "store_waiting_bytes", (double)counts.readings_bytes, false,
                 "Readings that wait for the disk, in bytes.");
    report_count(report, "store_history_bytes", (double)counts.history_size, false,
                 "Size of the history.");
    report_count(report, "store_busy_seconds", (double)counts.busy_ms / 1000, false,
                 "For how long the disk has not answered.");
    if (counts.degraded)
        report_problem(report, "store: %s", counts.reason);
}
