#include "gateway/app.h"

#include "adapters/adapters.h"
#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/core/inventory.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/site.h"
#include "gateway/keeper.h"
#include "gateway/load.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/notify/notify.h"
#include "gateway/store/store.h"
#include "gateway/web/web.h"
#include "rules/rules.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* What each step of a stop may take. */
#define STOP_SAFE_MS    2000 /* only where there are safe values to write */
#define STOP_SETTLE_MS  300
#define STOP_MQTT_MS    500
#define STOP_WORKERS_MS 200
#define STOP_STORE_MS   500
#define STOP_LOOK_MS    10 /* between two looks whether safe values are written */

#define STORE_WAIT_MS 2000 /* for the saved state at the start */

/* The rooms, in the order in which they are built; close_all() goes backwards. */
struct app {
    const struct app_options *options;
    struct loop *loop;
    struct pipeline *pipeline;
    struct conf *conf; /* while rooms are built */
    struct site *site;
    struct commands *commands;
    struct store *store;
    struct mqtt *mqtt;
    struct sink_calls mqtt_calls; /* of its sink, less what the keeper does */
    struct notify *notify;
    struct keeper *keeper;
    struct web *web;
    struct adapters *adapters;
    struct timer *end_timer, *watchdog_timer;
    int64_t watchdog_ms;   /* between two signs of life; 0: nobody asks */
    int64_t stop_by_ms;    /* for safe values; 0: not stopping */
    uint64_t fixed_hash;   /* of what a reload cannot change */
    struct reload *reload; /* under way; NULL: none */
};

static struct site_context context_of(const struct app *app)
{
    return (struct site_context){.output = &pipeline_rules_output,
                                 .owner = app->pipeline,
                                 .texts = pipeline_texts(app->pipeline)};
}

/* -- stop: safe values first, then the loop ends -------------------------------------------- */

static void look_whether_safe(void *owner)
{
    struct app *app = owner;
    int64_t now_ms = clock_boot_ms();

    if (app->stop_by_ms == 0) { /* `for_ms` is over */
        app->stop_by_ms = now_ms + STOP_SAFE_MS;
        commands_write_safe(app->commands);
    }
    if (commands_idle(app->commands) || now_ms >= app->stop_by_ms)
        loop_stop(app->loop);
    else
        timer_at(app->end_timer, now_ms + STOP_LOOK_MS);
}

static void stop_by_signal(void *owner, int signum)
{
    struct app *app = owner;

    if (!app->options->quiet)
        log_info("%s: stopping", signum == SIGINT ? "interrupted" : "told to end");
    if (app->commands && app->stop_by_ms == 0)
        look_whether_safe(app);
    else
        loop_stop(app->loop); /* a second signal does not wait */
}

/* -- reload: built on a thread, taken over between two polls -------------------------------- */

struct reload {
    const struct app_options *options;
    struct site_context context;
    struct conf *conf;
    struct site *site;
    int result;
};

/* What only a start can change. */
static uint64_t hash_fixed(const struct section *root)
{
    static const char *const keys[] = {"gateway", "mqtt", "store", "notifiers", "hooks", "web"};
    uint64_t hash = 0;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct section *section = section_child(root, keys[i]);

        hash = hash * 31 + (section ? section_hash(section) : 0);
    }
    return hash;
}

static void reload_work(void *owner)
{
    struct app *app = owner;
    struct reload *reload = app->reload;

    reload->result = load(reload->options, &reload->context, &reload->conf, &reload->site, stderr);
}

/* Adapters first: they can still refuse. Nothing is polled or judged between the two. */
static int take_over(struct app *app, struct site *fresh, struct error *reterr)
{
    struct site *old = app->site;
    int r = adapters_reload(app->adapters, fresh->buses, fresh->n_buses, reterr);

    if (r < 0)
        return r;
    if (pipeline_use(app->pipeline, fresh) < 0) {
        loop_stop(app->loop); /* half of it uses new numbers: only a restart helps */
        return error_set(reterr, -ENOMEM, "out of memory");
    }
    app->site = fresh;
    site_free(old);
    return 0;
}

static void reload_done(void *owner)
{
    struct app *app = owner;
    struct reload *reload = app->reload;
    struct error err = {.text = "the config has errors; the log has them all"};
    int r = reload->result;

    app->reload = NULL;
    if (r == 0)
        r = take_over(app, reload->site, &err);
    if (r < 0 && reload->site != app->site)
        site_free(reload->site);
    if (r == 0 && hash_fixed(conf_root(reload->conf)) != app->fixed_hash)
        log_warn("reload: changes of gateway, mqtt, store, notifiers and hooks wait for the next "
                 "start");
    if (r == 0)
        log_info("reload: done; %u devices, %u sensors, %u rules", app->site->inventory->n_devices,
                 app->site->inventory->n_sensors, app->site->inventory->n_rules);
    else
        log_error("reload: nothing was changed: %s", err.text);
    conf_free(reload->conf);
    free(reload);
    malloc_trim(0);
    commands_reloaded(app->commands, r == 0 ? NULL : err.text);
}

static void reload_begin(void *owner)
{
    struct app *app = owner;

    app->reload = calloc(1, sizeof(*app->reload));
    if (app->reload) {
        app->reload->options = app->options;
        app->reload->context = context_of(app);
        if (loop_work(app->loop, reload_work, reload_done, app) == 0)
            return;
        free(app->reload);
        app->reload = NULL;
    }
    commands_reloaded(app->commands, "out of memory");
}

static void reload_by_signal(void *owner, int signum)
{
    struct app *app = owner;
    struct command command = {.kind = COMMAND_RELOAD,
                              .origin = COMMAND_VIA_SIGNAL,
                              .rights = COMMAND_RIGHTS_ALL,
                              .expires_ms = CLOCK_NEVER};

    (void)signum;
    if (app->commands)
        (void)command_submit(app->commands, &command); /* a full queue says so by itself */
}

/* -- what rooms tell each other ------------------------------------------------------------- */

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

static const struct adapters_events adapters_events = {
    .poll = take_poll,
    .device = take_device,
    .wrote = take_wrote,
};

/* A rule wants something written: it goes the way of every command. */
static void write_for_rule(void *owner, const struct rule_action *action)
{
    struct app *app = owner;
    struct command command = {.kind = COMMAND_WRITE,
                              .origin = COMMAND_VIA_RULE,
                              .rights = COMMAND_RIGHTS_ALL,
                              .expires_ms = CLOCK_NEVER};

    text_copy(command.target, sizeof(command.target), action->target);
    text_copy(command.by, sizeof(command.by), app->site->inventory->rules[action->instance].id);
    if (action->text)
        text_copy(command.argument, sizeof(command.argument), action->text);
    else
        text_from_number(command.argument, sizeof(command.argument), action->number, -1);
    if (command_submit(app->commands, &command) < 0)
        log_error("rule %s: too many commands wait; %s is not written", command.by, command.target);
}

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
    store_state_release(app->store); /* too late for rules: instances live already */
    if (app->keeper)
        keeper_start(app->keeper);
}

static const struct store_calls store_calls = {.committed = take_committed, .opened = take_opened};

static void take_delivered(void *owner, int64_t row)
{
    struct app *app = owner;

    if (app->keeper)
        keeper_delivered(app->keeper, row);
}

static void take_told(void *owner, uint64_t row)
{
    struct app *app = owner;

    if (app->keeper)
        keeper_told(app->keeper, row);
}

static void take_dropped(void *owner, uint64_t row, const char *why)
{
    log_warn("a notification is given up: %s", why);
    take_told(owner, row);
}

static void take_failing(void *owner, const char *notifier, int64_t since_ms, const char *why)
{
    (void)owner;
    (void)since_ms;
    log_error("notifier %s has failed for ten minutes: %s", notifier, why);
}

static void take_working(void *owner, const char *notifier)
{
    (void)owner;
    log_info("notifier %s works again", notifier);
}

static void take_hook_ended(void *owner, const char *hook, bool ok, const char *words)
{
    (void)owner;
    if (ok)
        log_debug("hook %s: %s", hook, words);
    else
        log_warn("hook %s: %s", hook, words);
}

static const struct notify_calls notify_calls = {
    .delivered = take_told,
    .dropped = take_dropped,
    .failing = take_failing,
    .working = take_working,
    .hook_ended = take_hook_ended,
};

static void restore_instance(void *owner, const struct store_state *state)
{
    struct app *app = owner;
    char *text = strndup(state->value, state->size);

    if (text)
        pipeline_restore(app->pipeline, state->key, text);
    free(text);
}

/* -- building ------------------------------------------------------------------------------- */

static int open_loop(struct app *app, struct error *reterr)
{
    app->loop = loop_new();
    if (app->loop)
        app->pipeline = pipeline_new(app->loop);
    if (!app->pipeline || !(app->end_timer = timer_new(app->loop, look_whether_safe, app)))
        return error_set(reterr, -ENOMEM, "out of memory or descriptors");
    if (loop_on_signal(app->loop, SIGTERM, stop_by_signal, app) < 0 ||
        loop_on_signal(app->loop, SIGINT, stop_by_signal, app) < 0 ||
        loop_on_signal(app->loop, SIGHUP, reload_by_signal, app) < 0)
        return error_set(reterr, -EAGAIN, "cannot listen to signals");
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

static int start_commands(struct app *app, struct error *reterr)
{
    app->commands = commands_new(app->loop, app->pipeline, reload_begin, app);
    if (!app->commands)
        return error_set(reterr, -ENOMEM, "out of memory");
    pipeline_on_write(app->pipeline, write_for_rule, app);
    return pipeline_add_sink(app->pipeline, &commands_sink, app->commands);
}

/* As a service there is always a store, in the folder that systemd has made for it. */
static int start_store(struct app *app, struct error *reterr)
{
    const struct section *root = conf_root(app->conf), *section = section_child(root, "store");
    const char *folder = getenv("STATE_DIRECTORY");
    struct store_options options = store_options(section);
    int r;

    if (!section_has(root, "store") && !folder)
        return 0;
    if (folder && !section_has(section, "path"))
        options.path = folder;
    r = store_open(app->loop, &options, STORE_WAIT_MS, &store_calls, app, &app->store, reterr);
    return r < 0 ? r : pipeline_add_sink(app->pipeline, &store_sink, app->store);
}

static int start_mqtt(struct app *app, struct error *reterr)
{
    const struct section *section = section_child(conf_root(app->conf), "mqtt");
    struct mqtt_context context = {
        .loop = app->loop, .store = app->store, .delivered = take_delivered, .owner = app};
    int r;

    app->mqtt_calls = mqtt_sink;
    if (!section)
        return 0;
    if (app->store) {
        app->mqtt_calls.event = NULL; /* the keeper's, from here on */
        app->mqtt_calls.publish = NULL;
    }
    r = mqtt_start(section, app->site->inventory->name, &app->mqtt, reterr);
    if (r == 0)
        r = mqtt_attach(app->mqtt, &context);
    return r < 0 ? r : pipeline_add_sink(app->pipeline, &app->mqtt_calls, app->mqtt);
}

/* Messages to people need the store: what cannot be kept until it has arrived is not begun. */
static int start_notify(struct app *app, struct error *reterr)
{
    const struct section *root = conf_root(app->conf);
    const struct section *notifiers = section_child(root, "notifiers");
    const struct section *hooks = section_child(root, "hooks");

    if (!notifiers && !hooks)
        return 0;
    if (!app->store)
        return error_set(reterr, -EINVAL,
                         "notifiers and hooks need a store: add `store: { path = \"...\" }`");
    return notify_start(app->loop, notifiers, hooks, &notify_calls, app, &app->notify, reterr);
}

static int start_keeper(struct app *app, struct error *reterr)
{
    if (!app->store)
        return 0;
    app->keeper = keeper_new(app->loop, app->store, app->mqtt, app->notify);
    if (!app->keeper)
        return error_set(reterr, -ENOMEM, "out of memory");
    return pipeline_add_sink(app->pipeline, &keeper_sink, app->keeper);
}

/* As a service there is always a socket, in the folder that systemd has made for it. */
static int start_web(struct app *app, struct error *reterr)
{
    const struct section *root = conf_root(app->conf);
    struct web_options options = web_options(section_child(root, "web"));
    struct web_context context = {
        .loop = app->loop, .commands = app->commands, .store = app->store, .owner = app};
    int r;

    if (!section_has(root, "web") && !getenv("RUNTIME_DIRECTORY"))
        return 0;
    r = web_open(&options, &context, &app->web, reterr);
    return r < 0 ? r : pipeline_add_sink(app->pipeline, &web_sink, app->web);
}

/* Everyone has taken what he needs. A large config is several times as large as a tree, and what
 * its reading took would stay with the process for ever. */
static void forget_config(struct app *app)
{
    conf_free(app->conf);
    app->conf = NULL;
    malloc_trim(0);
}

static int use_site(struct app *app, struct error *reterr)
{
    if (app->options->sink)
        pipeline_add_sink(app->pipeline, app->options->sink, app->options->sink_self);
    if (pipeline_use(app->pipeline, app->site) < 0)
        return error_set(reterr, -ENOMEM, "out of memory");
    if (app->store) {
        store_state_each(app->store, "rule", restore_instance, app);
        store_state_release(app->store);
        keeper_start(app->keeper);
    }
    return 0;
}

static int open_rooms(struct app *app, struct error *reterr)
{
    int r = start_commands(app, reterr);

    if (r == 0)
        r = start_store(app, reterr);
    if (r == 0)
        r = start_mqtt(app, reterr);
    if (r == 0)
        r = start_notify(app, reterr);
    if (r == 0)
        r = start_keeper(app, reterr);
    if (r == 0)
        r = start_web(app, reterr);
    if (r == 0)
        r = use_site(app, reterr);
    if (r == 0)
        r = adapters_open(app->loop, app->site->buses, app->site->n_buses, &adapters_events, app,
                          &app->adapters, reterr);
    if (r == 0)
        commands_use(app->commands, app->adapters);
    app->fixed_hash = hash_fixed(conf_root(app->conf));
    forget_config(app);
    return r;
}

/* -- life ----------------------------------------------------------------------------------- */

static void feed_watchdog(void *owner)
{
    struct app *app = owner;

    sd_notify(0, "WATCHDOG=1");
    timer_at(app->watchdog_timer, clock_boot_ms() + app->watchdog_ms);
}

/* The loop feeds it, so that a loop that stands still ends in a restart. */
static void start_watchdog(struct app *app)
{
    uint64_t interval_us;

    if (sd_watchdog_enabled(0, &interval_us) <= 0)
        return;
    app->watchdog_ms = (int64_t)(interval_us / 2000);
    app->watchdog_timer = timer_new(app->loop, feed_watchdog, app);
    if (app->watchdog_timer)
        feed_watchdog(app);
}

static void tell_start(struct app *app)
{
    const struct inventory *inventory = app->site->inventory;

    if (app->options->for_ms > 0)
        timer_at(app->end_timer, clock_boot_ms() + app->options->for_ms);
    start_watchdog(app);
    sd_notify(0, "READY=1");
    if (!app->options->quiet)
        log_info("thermogate " THERMOGATE_VERSION " runs: %u devices, %u sensors, %u rules%s",
                 inventory->n_devices, inventory->n_sensors, inventory->n_rules,
                 app->mqtt ? "" : "; no `mqtt` in the config, so nothing is published");
}

/* The lives of instances as they are at the end, timers included, and the last transition. */
static void tell_end(struct app *app)
{
    struct adapters_counts counts = adapters_counts(app->adapters);

    sd_notify(0, "STOPPING=1");
    commands_use(app->commands, NULL);
    if (app->store) {
        pipeline_save_all(app->pipeline);
        (void)store_settle(app->store, STOP_SETTLE_MS); /* a disk that hangs is not waited for */
    }
    if (!app->options->quiet)
        log_info("%llu polls, %llu without an answer, %llu late", (unsigned long long)counts.polls,
                 (unsigned long long)counts.failed, (unsigned long long)counts.late);
}

/* Backwards through struct app. true when a thread had to be left behind: then memory stays. */
static bool close_all(struct app *app)
{
    bool abandoned = mqtt_stop(app->mqtt, STOP_MQTT_MS) < 0;

    abandoned = adapters_close(app->adapters, STOP_WORKERS_MS) < 0 || abandoned;
    keeper_free(app->keeper);
    app->keeper = NULL;
    notify_stop(app->notify);
    if (app->web)
        web_close(app->web);
    abandoned = store_close(app->store, STOP_STORE_MS) < 0 || abandoned;
    if (abandoned)
        return true;
    commands_free(app->commands);
    web_free(app->web);
    site_free(app->site);
    conf_free(app->conf);
    pipeline_free(app->pipeline);
    timer_free(app->end_timer);
    timer_free(app->watchdog_timer);
    loop_free(app->loop);
    return false;
}

int app_run(const struct app_options *options, bool *ret_abandoned)
{
    struct app app = {.options = options};
    struct error err = {0};
    int r = open_loop(&app, &err), result = APP_FAILED;

    if (r == 0) {
        struct site_context context = context_of(&app);

        r = load(options, &context, &app.conf, &app.site, stderr);
        if (r == -EINVAL)
            result = APP_CONFIG; /* said in full already */
        else if (r == 0)
            r = open_rooms(&app, &err);
    }
    if (r == 0) {
        tell_start(&app);
        loop_run(app.loop);
        tell_end(&app);
        result = APP_OK;
    } else if (result != APP_CONFIG) {
        log_error("%s", err.code < 0 ? err.text : strerror(-r));
    }
    *ret_abandoned = close_all(&app);
    return result;
}
