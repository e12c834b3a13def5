#include "gateway/web/web.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/store/store.h"
#include "gateway/web/feed.h"
#include "gateway/web/inside.h"
#include "gateway/web/server.h"
#include "gateway/web/waiting.h"

#include <errno.h>
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
    web->live.context = &web->context;
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

void web_report_all(void *owner, struct report *report)
{
    struct web *web = owner;
    const char *problem = server_problem(web->server);

    if (web->context.report)
        web->context.report(web->context.owner, report);
    report_count(report, "web_clients", (double)server_clients(web->server), false,
                 "Connections to the API.");
    report_count(report, "web_streams_cut", (double)web->subscribers_dropped, true,
                 "Streams that were cut off because nobody read them.");
    if (problem[0])
        report_problem(report, "web: %s", problem);
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
    for (size_t i = 0; is_live(web) && i < count; i++)
        feed_reading(web, &readings[i]);
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
