#include "gateway/app.h"

#include "adapters/adapters.h"
#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/problem.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/site.h"
#include "gateway/mqtt/mqtt.h"
#include "rules/rules.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* What each step of a stop may take; together under a second. */
#define STOP_MQTT_MS    500
#define STOP_WORKERS_MS 200

const struct setting app_settings[] = {
    {"gateway", SETTING_GROUP, .inside = gateway_settings, .help = "Names of this gateway."},
    {"defaults", SETTING_GROUP, .inside = defaults_settings,
     .help = "What holds where nothing else is said."},
    {"mqtt", SETTING_GROUP, .inside = mqtt_settings,
     .help = "The broker; without it nothing is published."},
    {"buses", SETTING_NAMED | SETTING_OPEN, .help = "Lines and networks that devices are on."},
    {"devices", SETTING_NAMED | SETTING_OPEN, .help = "Devices and what is read from them."},
    {"rules", SETTING_NAMED, .inside = rules_settings, .help = "What is judged, and what then."},
    {0},
};

/* The rooms, in the order in which they are built; app_close() goes backwards. */
struct app {
    const struct app_options *options;
    struct loop *loop;
    struct pipeline *pipeline;
    struct conf *conf;
    struct site *site;
    struct mqtt *mqtt;
    struct adapters *adapters;
    struct timer *end_timer;
};

/* -- config --------------------------------------------------------------------------------- */

static int read_config(const struct app_options *options, struct problems *problems,
                       struct conf **ret_conf)
{
    if (options->config_text)
        return conf_read_text(options->config_path, options->config_text,
                              strlen(options->config_text), app_settings, problems, ret_conf);
    return conf_read(options->config_path, app_settings, problems, ret_conf);
}

static int build(struct section *root, const struct site_context *context,
                 struct problems *problems, struct site **ret_site)
{
    const struct section *mqtt = section_child(root, "mqtt");
    size_t wrong = mqtt ? mqtt_check(mqtt, problems) : 0;
    int r = site_new(root, context, problems, ret_site);

    return r == 0 && wrong > 0 ? -EINVAL : r;
}

/* From the file to a site; all that is wrong is printed to `to`. 0, -EINVAL, -ENOMEM. */
static int load(const struct app_options *options, const struct site_context *context,
                struct conf **ret_conf, struct site **ret_site, FILE *to)
{
    struct problems *problems = problems_new();
    struct conf *conf = NULL;
    int r = problems ? read_config(options, problems, &conf) : -ENOMEM;

    /* A file that is wrong in one place is looked at further: all errors at once. */
    if (conf && (r == 0 || r == -EINVAL)) {
        int built = build(conf_root(conf), context, problems, ret_site);

        r = r < 0 ? r : built;
    }
    if (problems)
        problems_print(problems, to);
    problems_free(problems);
    *ret_conf = conf;
    return r;
}

/* -- life ----------------------------------------------------------------------------------- */

static void stop_by_signal(void *owner, int signum)
{
    struct app *app = owner;

    if (!app->options->quiet)
        log_info("%s: stopping", signum == SIGINT ? "interrupted" : "told to end");
    loop_stop(app->loop);
}

static void stop_by_time(void *owner)
{
    struct app *app = owner;

    loop_stop(app->loop);
}

static const struct adapters_events adapters_events = {
    .poll = pipeline_accept,
    .device = pipeline_device,
};

static int start_mqtt(struct app *app, struct error *reterr)
{
    const struct section *section = section_child(conf_root(app->conf), "mqtt");
    int r;

    if (!section)
        return 0;
    r = mqtt_start(section, app->site->inventory->name, &app->mqtt, reterr);
    return r < 0 ? r : pipeline_add_sink(app->pipeline, &mqtt_sink, app->mqtt);
}

static int open_loop(struct app *app, struct error *reterr)
{
    app->loop = loop_new();
    if (app->loop)
        app->pipeline = pipeline_new(app->loop);
    if (!app->pipeline || !(app->end_timer = timer_new(app->loop, stop_by_time, app)))
        return error_set(reterr, -ENOMEM, "out of memory or descriptors");
    if (loop_on_signal(app->loop, SIGTERM, stop_by_signal, app) < 0 ||
        loop_on_signal(app->loop, SIGINT, stop_by_signal, app) < 0)
        return error_set(reterr, -EAGAIN, "cannot listen to signals");
    signal(SIGPIPE, SIG_IGN);
    if (app->options->sink)
        return pipeline_add_sink(app->pipeline, app->options->sink, app->options->sink_self);
    return 0;
}

/* Everyone has taken what he needs. A large config is several times as large as a tree, and what its
 * reading took would stay with the process for ever. */
static void forget_config(struct app *app)
{
    conf_free(app->conf);
    app->conf = NULL;
    malloc_trim(0);
}

static int open_rooms(struct app *app, struct error *reterr)
{
    int r = start_mqtt(app, reterr);

    if (r == 0 && (r = pipeline_use(app->pipeline, app->site)) < 0)
        error_set(reterr, r, "out of memory");
    if (r == 0)
        r = adapters_open(app->loop, app->site->buses, app->site->n_buses, &adapters_events,
                          app->pipeline, &app->adapters, reterr);
    forget_config(app);
    if (r == 0 && app->options->for_ms > 0)
        timer_at(app->end_timer, clock_boot_ms() + app->options->for_ms);
    return r;
}

/* Backwards through struct app. true when a thread had to be left behind: then memory stays. */
static bool close_all(struct app *app)
{
    bool abandoned = mqtt_stop(app->mqtt, STOP_MQTT_MS) < 0;

    abandoned = adapters_close(app->adapters, STOP_WORKERS_MS) < 0 || abandoned;
    if (abandoned)
        return true;
    site_free(app->site);
    conf_free(app->conf);
    pipeline_free(app->pipeline);
    timer_free(app->end_timer);
    loop_free(app->loop);
    return false;
}

static void tell_start(const struct app *app)
{
    const struct inventory *inventory = app->site->inventory;

    sd_notify(0, "READY=1");
    if (!app->options->quiet)
        log_info("thermogate " THERMOGATE_VERSION " runs: %u devices, %u sensors, %u rules%s",
                 inventory->n_devices, inventory->n_sensors, inventory->n_rules,
                 app->mqtt ? "" : "; no `mqtt` in the config, so nothing is published");
}

static void tell_end(const struct app *app)
{
    struct adapters_counts counts = adapters_counts(app->adapters);

    sd_notify(0, "STOPPING=1");
    if (!app->options->quiet)
        log_info("%llu polls, %llu without an answer, %llu late", (unsigned long long)counts.polls,
                 (unsigned long long)counts.failed, (unsigned long long)counts.late);
}

int app_run(const struct app_options *options, bool *ret_abandoned)
{
    struct app app = {.options = options};
    struct error err = {0};
    int r = open_loop(&app, &err), result = APP_FAILED;

    if (r == 0) {
        struct site_context context = {.output = &pipeline_rules_output,
                                       .owner = app.pipeline,
                                       .texts = pipeline_texts(app.pipeline)};

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

/* -- check ---------------------------------------------------------------------------------- */

static void ignore_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    (void)transition;
}

static void ignore_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

int app_check(const char *config_path, FILE *to)
{
    static const struct rules_output output = {ignore_transition, ignore_action};
    struct app_options options = {.config_path = config_path};
    struct text_table *texts = text_table_new();
    struct site_context context = {.output = &output, .texts = texts};
    struct site *site = NULL;
    struct conf *conf = NULL;
    int r = texts ? load(&options, &context, &conf, &site, to) : -ENOMEM;

    if (r == 0)
        fprintf(to, "%s: good: %u buses, %u devices, %u sensors, %u rules\n", config_path,
                site->inventory->n_buses, site->inventory->n_devices, site->inventory->n_sensors,
                site->inventory->n_rules);
    else if (r != -EINVAL)
        fprintf(to, "%s: %s\n", config_path, strerror(-r));
    site_free(site);
    conf_free(conf);
    text_table_free(texts);
    return r == 0 ? APP_OK : r == -EINVAL ? APP_CONFIG : APP_FAILED;
}
