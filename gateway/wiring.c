#include "gateway/wiring.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/report.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/core/found.h"
#include "gateway/core/inventory.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/site.h"
#include "gateway/inside.h"
#include "gateway/keeper.h"
#include "gateway/learnt.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/starts.h"
#include "gateway/web/web.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOUND_GATHER_MS 1000

/* -- adapters and rules --------------------------------------------------------------------- */

static void take_wrote(void *owner, uint32_t token, uint8_t quality)
{
    struct app *app = owner;

    commands_wrote(app->commands, token, quality);
}

static void take_poll(void *owner, uint32_t device, const struct sample *samples, size_t count)
{
    struct app *app = owner;

    pipeline_accept(app->pipeline, device, samples, count);
}

static void take_device(void *owner, uint32_t device, uint8_t why, int64_t at_ms)
{
    struct app *app = owner;

    pipeline_device(app->pipeline, device, why, at_ms);
}

static void take_doubt(void *owner, uint32_t device)
{
    struct app *app = owner;

    pipeline_doubt(app->pipeline, device);
}

/* Those that are found one after the other, as at the start, are taken in together. */
static void take_found(void *owner, const char *bus, const struct adapter_found *found)
{
    struct app *app = owner;

    if (found_add(app->found, bus, found) <= 0)
        return; /* it is known, or one too many */
    log_info("bus %s: found %s; it is %s here until the config gives it another name", bus,
             found->what, found->name);
    timer_at(app->found_timer, clock_boot_ms() + FOUND_GATHER_MS);
}

static void take_learnt(void *owner, const char *device, const char *words)
{
    learnt_put(((struct app *)owner)->learnt, device, words);
}

static const char *recall(void *owner, const char *device)
{
    return learnt_find(((struct app *)owner)->learnt, device);
}

const struct adapters_events wiring_adapters = {
    .poll = take_poll,
    .device = take_device,
    .doubt = take_doubt,
    .wrote = take_wrote,
    .appear = take_found,
    .learnt = take_learnt,
    .recall = recall,
};

void wiring_write(void *owner, const struct rule_action *action)
{
    struct app *app = owner;

    if (commands_write_for_rule(app->commands, action) < 0)
        log_error("rule %s: %s is not written", app->site->inventory->rules[action->instance].id,
                  action->target);
}

/* -- store, broker and notifiers ------------------------------------------------------------ */

static void take_committed(void *owner, uint64_t token, bool durable)
{
    struct app *app = owner;

    if (app->keeper)
        keeper_committed(app->keeper, token, durable);
}

static void take_opened(void *owner)
{
    struct app *app = owner;

    if (app->mqtt)
        mqtt_store_opened(app->mqtt);
    store_state_release(app->store); /* too late for rules and adapters: they live already */
    if (app->keeper)
        keeper_start(app->keeper);
}

const struct store_calls wiring_store = {.committed = take_committed, .opened = take_opened};

void wiring_delivered(void *owner, int64_t row)
{
    struct app *app = owner;

    if (app->keeper)
        keeper_delivered(app->keeper, row);
}

/* What became of a message to a person is an event, too: whether the alarm reached the phone. */
static void take_told(void *owner, const char *notifier, const struct notify_message *message,
                      const char *why)
{
    struct app *app = owner;
    char words[200];
    struct pipeline_news news = {.type = EVENT_NOTIFIED,
                                 .severity = message->severity,
                                 .since_ms = CLOCK_NEVER,
                                 .rule = message->rule,
                                 .result = why ? "dropped" : "ok",
                                 .words = words};

    snprintf(words, sizeof(words), "%s%s%s", notifier, why ? ": " : "", why ? why : "");
    pipeline_tell(app->pipeline, &news);
    if (app->keeper)
        keeper_told(app->keeper, message->row);
}

static void take_sent(void *owner, const char *notifier, const struct notify_message *message)
{
    take_told(owner, notifier, message, NULL);
}

static void take_dropped(void *owner, const char *notifier, const struct notify_message *message,
                         const char *why)
{
    log_warn("a notification by %s is given up: %s", notifier, why);
    take_told(owner, notifier, message, why);
}

/* Whoever can still be reached is told that another cannot. */
static void tell_of_notifier(struct app *app, const char *notifier, uint8_t severity,
                             const char *words)
{
    struct pipeline_news news = {.type = EVENT_GATEWAY,
                                 .severity = severity,
                                 .since_ms = CLOCK_NEVER,
                                 .words = words,
                                 .notify = true,
                                 .except = notifier};

    pipeline_tell(app->pipeline, &news);
}

static void take_failing(void *owner, const char *notifier, int64_t since_ms, const char *why)
{
    char words[300];

    (void)since_ms;
    snprintf(words, sizeof(words), "notifier %s has failed for ten minutes: %s", notifier, why);
    log_error("%s", words);
    tell_of_notifier(owner, notifier, SEVERITY_CRITICAL, words);
}

static void take_working(void *owner, const char *notifier)
{
    char words[100];

    snprintf(words, sizeof(words), "notifier %s works again", notifier);
    log_info("%s", words);
    tell_of_notifier(owner, notifier, SEVERITY_INFO, words);
}

static void take_hook_ended(void *owner, const char *hook, bool ok, const char *words)
{
    (void)owner;
    if (ok)
        log_debug("hook %s: %s", hook, words);
    else
        log_warn("hook %s: %s", hook, words);
}

/* -- questions ------------------------------------------------------------------------------ */

/* Who asked the web, while the answer is on its way. */
struct asking {
    void (*done)(void *asker, const char *quality, const uint8_t *bytes, size_t count);
    void *asker;
};

static void take_answer(void *owner, const struct adapter_answer *answer)
{
    struct asking asking = *(struct asking *)owner;

    free(owner);
    asking.done(asking.asker, quality_name(answer->quality), answer->bytes, answer->count);
}

int wiring_ask(void *owner, const struct web_question *question,
               void (*done)(void *asker, const char *quality, const uint8_t *bytes, size_t count),
               void *asker, const char **ret_bus)
{
    struct app *app = owner;
    struct asking *asking = malloc(sizeof(*asking));
    struct adapter_question asked = {.unit = question->unit,
                                     .function = question->function,
                                     .address = question->address,
                                     .count = question->count,
                                     .timeout_ms = question->timeout_ms,
                                     .done = take_answer,
                                     .asker = asking};
    int r;

    if (!asking)
        return -ENOMEM;
    *asking = (struct asking){done, asker};
    r = adapters_ask(app->adapters, question->connect, &asked, ret_bus);
    if (r < 0)
        free(asking);
    return r;
}

/* -- notifiers ------------------------------------------------------------------------------ */

int wiring_test_notifier(void *owner, const char *name,
                         void (*done)(void *asker, const char *name, bool ok, const char *words),
                         void *asker)
{
    struct app *app = owner;

    return app->notify ? notify_test(app->notify, name, done, asker) : -ENOENT;
}

const struct notify_calls wiring_notify = {
    .delivered = take_sent,
    .dropped = take_dropped,
    .failing = take_failing,
    .working = take_working,
    .hook_ended = take_hook_ended,
};

/* Its sensor was renamed: from now on it is kept under the new name. */
static void rename_state(struct app *app, const struct store_state *state, const char *id)
{
    struct store_state states[] = {*state, *state};
    struct store_record record = {.states = states, .n_states = 2};

    states[0].value = NULL;
    states[1].key = id;
    (void)store_commit(app->store, &record, NULL);
}

void wiring_restore(void *owner, const struct store_state *state)
{
    struct app *app = owner;
    const struct inventory *inventory = app->site->inventory;
    uint32_t rule = inventory_find_rule(inventory, state->key);
    char *text = strndup(state->value, state->size);

    if (text)
        pipeline_restore(app->pipeline, rule == UINT32_MAX ? state->key : inventory->rules[rule].id,
                         text);
    if (rule != UINT32_MAX && strcmp(state->key, inventory->rules[rule].id) != 0)
        rename_state(app, state, inventory->rules[rule].id);
    free(text);
}

const struct reading *wiring_newest(void *owner, uint32_t sensor)
{
    const struct app *app = owner;

    return pipeline_newest(app->pipeline, sensor);
}

void wiring_explain(void *owner, uint32_t instance,
                    void (*part)(void *to, const char *what, const char *value), void *to)
{
    const struct app *app = owner;
    struct rules_part parts[RULES_PARTS_MAX];
    size_t n = rules_explain(app->site->rules, instance, clock_boot_ms(), parts, RULES_PARTS_MAX);

    for (size_t i = 0; i < n; i++)
        part(to, parts[i].what, parts[i].value);
}

void wiring_bus_traffic(void *owner, const char *bus,
                        void (*count)(void *to, const char *name, double value), void *to)
{
    const struct app *app = owner;
    struct adapters_traffic traffic;

    if (adapters_bus_traffic(app->adapters, bus, &traffic) == 0)
        adapters_traffic_each(&traffic, count, to);
}

void wiring_device_traffic(void *owner, uint32_t device,
                           void (*count)(void *to, const char *name, double value), void *to)
{
    const struct app *app = owner;
    struct adapters_traffic traffic;

    if (adapters_device_traffic(app->adapters, device, &traffic) == 0)
        adapters_traffic_each(&traffic, count, to);
}

/* -- all of them ---------------------------------------------------------------------------- */

/* The second number of the kernel's file: pages of ours that are in memory. */
static void report_memory(struct report *report)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (file && fscanf(file, "%*s %ld", &pages) == 1)
        report_count(report, "resident_bytes", (double)pages * (double)sysconf(_SC_PAGESIZE), false,
                     "Memory that is in use.");
    if (file)
        fclose(file);
}

void wiring_report(void *owner, struct report *report)
{
    const struct app *app = owner;

    if (starts_keep_crashing(app->starts))
        report_problem(report, "%s", APP_SAFE_MODE);
    report_memory(report);
    pipeline_report(app->pipeline, report);
    adapters_report(app->adapters, report);
    commands_report(app->commands, report);
    if (app->mqtt)
        mqtt_report(app->mqtt, report);
    if (app->notify)
        notify_report(app->notify, report);
    if (app->store)
        store_report(app->store, report);
}

static int64_t workers_stuck_ms(void *owner)
{
    return adapters_stuck_ms(((struct app *)owner)->adapters);
}

static int64_t mqtt_thread_stuck_ms(void *owner)
{
    struct app *app = owner;

    return app->mqtt ? mqtt_stuck_ms(app->mqtt) : 0;
}

static int64_t disk_stuck_ms(void *owner)
{
    struct app *app = owner;

    return app->store ? store_counts(app->store).busy_ms : 0;
}

const struct pulse_part wiring_parts[] = {{"a device on a blocking line", workers_stuck_ms},
                                          {"the thread of MQTT", mqtt_thread_stuck_ms},
                                          {"the disk", disk_stuck_ms},
                                          {0}};
