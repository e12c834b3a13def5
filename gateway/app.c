#include "gateway/app.h"

#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/section.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/core/found.h"
#include "gateway/core/inventory.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/site.h"
#include "gateway/inside.h"
#include "gateway/keeper.h"
#include "gateway/learnt.h"
#include "gateway/load.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/outage.h"
#include "gateway/refill.h"
#include "gateway/reload.h"
#include "gateway/senses.h"
#include "gateway/starts.h"
#include "gateway/totals.h"
#include "gateway/web/web.h"
#include "gateway/wiring.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
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

#define TIDY_AFTER_MS 5000 /* when everything is connected and was read */

#define FOUND_LATER_MS 1000 /* until another attempt to take in what was found */

/* From so many bytes on memory is had from the kernel page by page, only when it is touched, and
 * goes back when it is freed. Left to itself malloc() raises this with every large piece that is
 * freed - the text of a config - and then clears large tables that nothing may ever be put into. */
#define LARGE_BYTES (128 * 1024)

static struct site_context context_of(const struct app *app)
{
    return (struct site_context){.output = &pipeline_rules_output,
                                 .owner = app->pipeline,
                                 .found = app->found,
                                 .before = app->site,
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

/* Adapters first: they can still refuse. Nothing is polled or judged between the two. */
static int take_over(struct app *app, struct reloaded *reloaded, struct reload_rest *rest,
                     struct error *reterr)
{
    struct site *fresh = reloaded->site;
    int r = adapters_reload(app->adapters, fresh->buses, fresh->n_buses, reterr);

    if (r < 0)
        return r;
    site_opened(fresh);
    (void)pipeline_use(app->pipeline, fresh, reloaded->workings); /* all that it needs is there */
    rest->site = app->site;
    app->site = fresh;
    return 0;
}

/* What was read stays only where devices may still be found: a large config is several times as
 * large as a tree, and what its reading took would stay with the process for ever. */
static void keep_config(struct app *app, struct conf *conf, struct reload_rest *rest)
{
    bool keep = app->site && app->site->discovers;

    if (app->conf != conf)
        rest->older = app->conf;
    if (!keep)
        rest->conf = conf;
    app->conf = keep ? conf : NULL;
}

/* At the start nothing is polled yet, and what is free again serves all that comes. */
static void keep_first_config(struct app *app)
{
    if (app->site->discovers)
        return;
    conf_free(app->conf);
    app->conf = NULL;
    malloc_trim(0);
}

/* What the start took for a while has left holes between what stays: 0.7 MB of 13 with 1,000
 * devices. Half a millisecond, once. */
static void tidy(void *owner)
{
    (void)owner;
    malloc_trim(0);
}

/* `began_us`: when the loop began with it. */
static void tell_reload(const struct app *app, int r, const char *why, int64_t began_us)
{
    const struct inventory *inventory = app->site->inventory;
    int64_t now_us = clock_boot_us();

    if (r == 0)
        log_info("reload: done in %lld ms, %.1f ms of it on the loop; %u devices, %u sensors, %u "
                 "rules",
                 (long long)(now_us - app->reload_us) / 1000, (double)(now_us - began_us) / 1000,
                 inventory->n_devices, inventory->n_sensors, inventory->n_rules);
    else
        log_error("reload: nothing was changed: %s", why);
}

static void reload_begin(void *owner);

static void reload_done(void *owner, struct reloaded *reloaded)
{
    static const char changes_wait[] =
        "changes of gateway, mqtt, store, notifiers, hooks and web wait for the next start";
    struct app *app = owner;
    struct error err = {.text = "the config has errors; the log has them all"};
    struct reload_rest rest = {0};
    int r = reloaded->result;
    int64_t began_us = clock_boot_us();
    const char *words = "";

    app->building = false;
    if (r == -ENOMEM)
        error_set(&err, r, "out of memory");
    if (r == 0)
        r = take_over(app, reloaded, &rest, &err);
    if (r < 0 && reloaded->site != app->site)
        rest.site = reloaded->site;
    rest.workings = reloaded->workings;
    if (r == 0 && hash_fixed(conf_root(reloaded->conf)) != app->fixed_hash) {
        words = changes_wait;
        log_warn("reload: %s", words);
    }
    if (r == 0 || reloaded->again)
        keep_config(app, reloaded->conf, &rest);
    else
        rest.conf = reloaded->conf;
    tell_reload(app, r, err.text, began_us);
    if (!reloaded->again)
        commands_reloaded(app->commands, r == 0, r == 0 ? words : err.text);
    if (app->reload_waits)
        reload_begin(app);
    reload_dispose(app->loop, &rest);
}

static void reload_begin(void *owner)
{
    struct app *app = owner;
    struct site_context context = context_of(app);

    app->reload_waits = app->building;
    if (app->building)
        return;
    app->reload_us = clock_boot_us();
    if (reload_start(app->loop, app->options, NULL, &context, reload_done, app) < 0)
        commands_reloaded(app->commands, false, "out of memory");
    else
        app->building = true;
}

/* Devices were found: the config as it was read, and them. */
static void take_in_found(void *owner)
{
    struct app *app = owner;
    struct site_context context = context_of(app);

    if (!app->conf)
        return; /* a reload has put an end to it */
    app->reload_us = clock_boot_us();
    if (app->building ||
        reload_start(app->loop, app->options, app->conf, &context, reload_done, app) < 0) {
        timer_at(app->found_timer, clock_boot_ms() + FOUND_LATER_MS);
        return;
    }
    app->conf = NULL; /* the thread's, until it is done */
    app->building = true;
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

/* -- building ------------------------------------------------------------------------------- */

static int open_loop(struct app *app, struct error *reterr)
{
    app->loop = loop_new();
    if (app->loop)
        app->pipeline = pipeline_new(app->loop);
    app->found = found_new();
    app->learnt = learnt_new();
    if (!app->pipeline || !app->found || !app->learnt ||
        !(app->end_timer = timer_new(app->loop, look_whether_safe, app)) ||
        !(app->found_timer = timer_new(app->loop, take_in_found, app)) ||
        !(app->tidy_timer = timer_new(app->loop, tidy, app)))
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
    pipeline_on_write(app->pipeline, wiring_write, app);
    if (starts_keep_crashing(app->starts))
        commands_hold(app->commands, APP_SAFE_MODE);
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
    text_copy(app->disk, sizeof(app->disk), options.path);
    r = store_open(app->loop, &options, STORE_WAIT_MS, &wiring_store, app, &app->store, reterr);
    return r < 0 ? r : pipeline_add_sink(app->pipeline, &store_sink, app->store);
}

static int start_mqtt(struct app *app, struct error *reterr)
{
    const struct section *section = section_child(conf_root(app->conf), "mqtt");
    struct mqtt_gateway gateway = {app->site->inventory->name, app->site->inventory->id};
    struct mqtt_context context = {.loop = app->loop,
                                   .store = app->store,
                                   .commands = app->commands,
                                   .delivered = wiring_delivered,
                                   .report = wiring_report,
                                   .owner = app};
    int r;

    if (!section)
        return 0;
    sink_split(&mqtt_sink, &app->mqtt_at_once, &app->mqtt_kept);
    app->mqtt_at_once.publish = NULL; /* both come out of the outbox: see keeper.c */
    app->mqtt_kept.event = NULL;
    r = mqtt_start(section, &gateway, &app->mqtt, reterr);
    if (r == 0)
        r = mqtt_attach(app->mqtt, &context);
    if (r < 0)
        return r;
    return pipeline_add_sink(app->pipeline, app->store ? &app->mqtt_at_once : &mqtt_sink,
                             app->mqtt);
}

/* Messages to people need the store: what cannot be kept until it has arrived is not begun. */
static int start_notify(struct app *app, struct error *reterr)
{
    const struct section *root = conf_root(app->conf);
    const struct section *notifiers = section_child(root, "notifiers");
    const struct section *hooks =
        starts_keep_crashing(app->starts) ? NULL : section_child(root, "hooks");

    if (!notifiers && !hooks)
        return 0;
    if (!app->store)
        return error_set(reterr, -EINVAL,
                         "notifiers and hooks need a store: add `store: { path = \"...\" }`");
    return notify_start(app->loop, notifiers, hooks, &wiring_notify, app, &app->notify, reterr);
}

static int start_keeper(struct app *app, struct error *reterr)
{
    if (!app->store)
        return 0;
    app->keeper = keeper_new(app->loop, app->store, app->mqtt, app->notify);
    if (!app->keeper)
        return error_set(reterr, -ENOMEM, "out of memory");
    if (app->mqtt)
        keeper_show(app->keeper, &app->mqtt_kept, app->mqtt);
    return pipeline_add_sink(app->pipeline, &keeper_sink, app->keeper);
}

/* As a service there is always a socket, in the folder that systemd has made for it. */
static int start_web(struct app *app, struct error *reterr)
{
    const struct section *root = conf_root(app->conf);
    struct web_options options = web_options(section_child(root, "web"));
    struct web_context context = {.loop = app->loop,
                                  .commands = app->commands,
                                  .store = app->store,
                                  .report = wiring_report,
                                  .newest = wiring_newest,
                                  .explain = wiring_explain,
                                  .bus_traffic = wiring_bus_traffic,
                                  .device_traffic = wiring_device_traffic,
                                  .test_notifier = wiring_test_notifier,
                                  .ask = wiring_ask,
                                  .owner = app};
    int r;

    if (!section_has(root, "web") && !getenv("RUNTIME_DIRECTORY"))
        return 0;
    r = web_open(&options, &context, &app->web, reterr);
    if (r < 0)
        return r;
    if (!app->keeper)
        return pipeline_add_sink(app->pipeline, &web_sink, app->web);
    sink_split(&web_sink, &app->web_at_once, &app->web_kept);
    keeper_show(app->keeper, &app->web_kept, app->web);
    return pipeline_add_sink(app->pipeline, &app->web_at_once, app->web);
}

/* What the rules knew of the past. */
static void refill(struct app *app)
{
    if (!clock_wall_is_good())
        return;
    app->refill =
        refill_windows(app->loop, app->store, app->site->rules, pipeline_texts(app->pipeline));
    if (refill_count(app->refill) > 0)
        log_debug("windows of the rules: %zu readings out of the history",
                  refill_count(app->refill));
}

static int use_site(struct app *app, struct error *reterr)
{
    if (app->options->sink)
        pipeline_add_sink(app->pipeline, app->options->sink, app->options->sink_self);
    if (app->store)
        app->outage = outage_begin(app->loop, app->store, app->pipeline);
    pipeline_hold(app->pipeline);
    if (pipeline_use(app->pipeline, app->site, NULL) < 0)
        return error_set(reterr, -ENOMEM, "out of memory");
    if (app->store) {
        store_state_each(app->store, "rule", wiring_restore, app);
        learnt_use_store(app->learnt, app->store);
        app->totals = totals_begin(app);
        store_state_release(app->store);
        keeper_start(app->keeper);
        refill(app);
    }
    pipeline_release(app->pipeline);
    return 0;
}

static int open_rooms(struct app *app, struct error *reterr)
{
    int r;

    if (!app->site->discovers) /* else they are made of it anew, with what is found */
        section_forget(conf_root(app->conf), "rules");
    r = start_commands(app, reterr);
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
        r = adapters_open(app->loop, app->site->buses, app->site->n_buses, &wiring_adapters, app,
                          &app->adapters, reterr);
    if (r == 0) {
        site_opened(app->site);
        commands_use(app->commands, app->adapters);
    }
    if (r == 0 && starts_keep_crashing(app->starts))
        commands_write_safe(app->commands);
    app->fixed_hash = hash_fixed(conf_root(app->conf));
    keep_first_config(app);
    return r;
}

/* -- life ----------------------------------------------------------------------------------- */

static void start_pulse(struct app *app)
{
    uint64_t interval_us = 0;

    if (sd_watchdog_enabled(0, &interval_us) > 0 &&
        pulse_start(app->loop, interval_us, wiring_parts, app, &app->pulse) < 0)
        log_error("out of memory: the watchdog is not fed");
}

static void tell_start(struct app *app)
{
    const struct inventory *inventory = app->site->inventory;

    if (app->options->for_ms > 0)
        timer_at(app->end_timer, clock_boot_ms() + app->options->for_ms);
    timer_at(app->tidy_timer, clock_boot_ms() + TIDY_AFTER_MS);
    start_pulse(app);
    if (senses_start(app, &app->senses) < 0)
        log_error("out of memory: rules cannot read sensors of the gateway itself");
    sd_notify(0, "READY=1");
    if (!app->options->quiet)
        log_info("thermogate " THERMOGATE_VERSION " runs: %u devices, %u sensors, %u rules%s",
                 inventory->n_devices, inventory->n_sensors, inventory->n_rules,
                 app->mqtt ? "" : "; no `mqtt` in the config, so nothing is published");
    if (starts_keep_crashing(app->starts)) {
        log_error(APP_SAFE_MODE);
        sd_notify(0, "STATUS=" APP_SAFE_MODE);
    }
    if (!app->options->quiet && inventory->n_devices == 0)
        log_info("there is nothing to poll yet: describe your devices in a file of your own, "
                 "/etc/thermogate/conf.d/NAME.cfg (man thermogate.cfg)");
}

/* The lives of instances as they are at the end, timers included, and the last transition. */
static void tell_end(struct app *app)
{
    struct adapters_counts counts = adapters_counts(app->adapters);

    sd_notify(0, "STOPPING=1");
    commands_use(app->commands, NULL);
    if (app->store) {
        outage_stop(app->outage);
        totals_save(app->totals);
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

    starts_end(app->starts);
    abandoned = adapters_close(app->adapters, STOP_WORKERS_MS) < 0 || abandoned;
    keeper_free(app->keeper);
    app->keeper = NULL;
    notify_stop(app->notify);
    if (app->web)
        web_close(app->web);
    abandoned = store_close(app->store, STOP_STORE_MS) < 0 || abandoned;
    if (abandoned)
        return true;
    outage_free(app->outage);
    totals_end(app->totals);
    refill_free(app->refill);
    commands_free(app->commands);
    web_free(app->web);
    site_free(app->site);
    conf_free(app->conf);
    pipeline_free(app->pipeline);
    timer_free(app->end_timer);
    timer_free(app->found_timer);
    timer_free(app->tidy_timer);
    found_free(app->found);
    learnt_free(app->learnt);
    pulse_stop(app->pulse);
    senses_stop(app->senses);
    loop_free(app->loop);
    return false;
}

int app_run(const struct app_options *options, bool *ret_abandoned)
{
    struct app app = {.options = options};
    struct error err = {0};
    int r, result = APP_FAILED;

    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    r = open_loop(&app, &err);
    if (r == 0) {
        struct site_context context = context_of(&app);

        app.starts = starts_begin(app.loop, getenv("RUNTIME_DIRECTORY"), STARTS_LONG_MS);
        r = load(options, &context, &app.conf, &app.site, stderr);
        if (r == -EINVAL)
            result = APP_CONFIG; /* said in full already */
        else if (r == 0)
            r = open_rooms(&app, &err);
    }
    if (r == 0) {
        tell_start(&app);
        if (app.stop_by_ms == 0) /* else told to end while it was starting */
            loop_run(app.loop);
        tell_end(&app);
        result = APP_OK;
    } else if (result != APP_CONFIG) {
        log_error("%s", err.code < 0 ? err.text : strerror(-r));
    }
    *ret_abandoned = close_all(&app);
    return result;
}
