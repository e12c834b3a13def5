#include "gateway/web/web.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/store/store.h"
#include "gateway/web/feed.h"
#include "gateway/web/inside.h"
#include "gateway/web/server.h"
#include "gateway/web/waiting.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LATENESS_SPAN_MS 10000

/* -- life ----------------------------------------------------------------------------------- */

int web_open(const struct web_options *options, const struct web_context *context,
             struct web **ret_web, struct error *reterr)
{
    struct web *web = calloc(1, sizeof(*web));
    int r;

    if (!web)
        return error_set(reterr, -ENOMEM, "web: out of memory");
    web->context = *context;
    web->options = *options;
    web->opened_ms = clock_boot_ms();
    web->lateness_ms = -LATENESS_SPAN_MS;
    r = server_new(web, &web->server, reterr);
    if (r < 0) {
        free(web);
        return r;
    }
    *ret_web = web;
    return 0;
}

void web_close(struct web *web)
{
    if (!web || web->closing)
        return;
    web->closing = true;
    waiting_sweep(web, CLOCK_NEVER);
    feed_end_all(web);
    server_turn(
        web->server); /* what has been answered goes out, as far as it goes without waiting */
    server_free(web->server);
    web->server = NULL;
}

void web_free(struct web *web)
{
    if (!web)
        return;
    web_close(web);
    waiting_free_all(web);
    live_free(&web->live);
    free(web);
}

/* -- reports -------------------------------------------------------------------------------- */

void web_count(struct web_report *report, const char *name, double value, bool total,
               const char *help)
{
    if (report->n_counts < WEB_COUNTS_MAX)
        report->counts[report->n_counts++] =
            (struct web_count){.name = name, .help = help, .value = value, .total = total};
}

void web_problem(struct web_report *report, const char *format, ...)
{
    va_list arguments;

    if (report->n_problems == WEB_PROBLEMS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(report->problems[report->n_problems++], sizeof(report->problems[0]), format,
              arguments);
    va_end(arguments);
}

static void report_store(struct store *store, struct web_report *report)
{
    struct store_counts counts = store_counts(store);

    web_count(report, "store_records", (double)counts.records, true, "Records on disk.");
    web_count(report, "store_commits", (double)counts.commits, true, "Transactions for them.");
    web_count(report, "store_late", (double)counts.late, true,
              "Records that were told before they were on disk.");
    web_count(report, "store_merged", (double)counts.merged, true,
              "Records for which there was no room.");
    web_count(report, "store_outbox_dropped", (double)counts.outbox_dropped, true,
              "Messages for which there was no room.");
    web_count(report, "store_errors", (double)counts.errors, true, "Errors of the disk.");
    web_count(report, "store_readings", (double)counts.readings, true, "Readings on disk.");
    web_count(report, "store_readings_dropped", (double)counts.dropped, true,
              "Readings for which there was no room.");
    web_count(report, "store_records_waiting", (double)counts.records_waiting, false,
              "Records that wait for the disk.");
    web_count(report, "store_waiting_bytes", (double)counts.readings_bytes, false,
              "Readings that wait for the disk, in bytes.");
    web_count(report, "store_history_bytes", (double)counts.history_size, false,
              "Size of the history.");
    web_count(report, "store_busy_seconds", (double)counts.busy_ms / 1000, false,
              "For how long the disk has not answered.");
    if (counts.degraded)
        web_problem(report, "store: %s", counts.reason);
}

void web_report_all(struct web *web, struct web_report *report)
{
    const char *problem = server_problem(web->server);

    if (web->context.report)
        web->context.report(web->context.owner, report);
    if (web->context.store)
        report_store(web->context.store, report);
    web_count(report, "web_clients", (double)server_clients(web->server), false,
              "Connections to the API.");
    web_count(report, "web_streams_cut", (double)web->subscribers_dropped, true,
              "Streams that were cut off because nobody read them.");
    if (problem[0])
        web_problem(report, "web: %s", problem);
}

struct loop_lateness web_lateness(struct web *web)
{
    int64_t now_ms = clock_boot_ms();

    if (now_ms - web->lateness_ms >= LATENESS_SPAN_MS) {
        web->lateness = loop_lateness(web->context.loop);
        web->lateness_ms = now_ms;
    }
    return web->lateness;
}

/* -- the sink ------------------------------------------------------------------------------- */

static void take_inventory(void *sink, struct inventory *inventory)
{
    struct web *web = sink;

    live_use(&web->live, inventory);
}

/* false when there was no memory for the inventory, or nobody can ask any more. */
static bool is_live(const struct web *web)
{
    return web->live.inventory && !web->closing;
}

static void take_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    struct web *web = sink;

    (void)device;
    for (size_t i = 0; is_live(web) && i < count; i++) {
        web->live.readings[readings[i].sensor] = readings[i];
        feed_reading(web, &readings[i]);
    }
}

static void take_device(void *sink, uint32_t device, uint8_t why, int64_t at_ms)
{
    struct web *web = sink;

    if (is_live(web))
        web->live.devices[device] = (struct live_device){at_ms, why};
}

static void take_instance(void *sink, const struct instance_state *state)
{
    struct web *web = sink;

    if (!is_live(web))
        return;
    web->live.states[state->instance] = *state;
    feed_rule(web, state);
}

static void take_event(void *sink, const struct event *event)
{
    struct web *web = sink;

    if (is_live(web))
        feed_event(web, event);
}

const struct sink_calls web_sink = {
    .name = "web",
    .inventory = take_inventory,
    .readings = take_readings,
    .device = take_device,
    .instance = take_instance,
    .event = take_event,
};
