#include "gateway/load.h"

#include "config/config.h"
#include "gateway/base/problem.h"
#include "gateway/base/reading.h"
#include "gateway/core/inventory.h"
#include "gateway/core/site.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/notify/notify.h"
#include "gateway/store/store.h"
#include "gateway/web/web.h"
#include "rules/rules.h"

#include <errno.h>
#include <string.h>

const struct setting app_settings[] = {
    {"gateway", SETTING_GROUP, .inside = gateway_settings, .help = "Names of this gateway."},
    {"defaults", SETTING_GROUP, .inside = defaults_settings,
     .help = "What holds where nothing else is said."},
    {"mqtt", SETTING_GROUP, .inside = mqtt_settings,
     .help = "The broker; without it nothing is published."},
    {"store", SETTING_GROUP, .standard = "{}", .inside = store_settings,
     .help = "History, and what must outlive a restart. Run by hand, only where it is written."},
    {"web", SETTING_GROUP, .standard = "{}", .inside = web_settings,
     .help = "The API for the command line. Run by hand, only where it is written."},
    {"notifiers", SETTING_NAMED | SETTING_OPEN, .help = "Ways to tell people."},
    {"hooks", SETTING_NAMED, .inside = notify_hook_settings,
     .help = "Programs that rules may run."},
    {"buses", SETTING_NAMED | SETTING_OPEN, .help = "Lines and networks that devices are on."},
    {"devices", SETTING_NAMED | SETTING_OPEN, .help = "Devices and what is read from them."},
    {"rules", SETTING_NAMED, .inside = rules_settings, .help = "What is judged, and what then."},
    {0},
};

/* -- reading -------------------------------------------------------------------------------- */

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
    int r;

    wrong += web_check(section_child(root, "web"), problems);
    wrong += notify_check(section_child(root, "notifiers"), section_child(root, "hooks"), problems);
    r = site_new(root, context, problems, ret_site);
    return r == 0 && wrong > 0 ? -EINVAL : r;
}

int load(const struct app_options *options, const struct site_context *context,
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

/* -- check ---------------------------------------------------------------------------------- */

static void ignore_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    (void)transition;
}

static void ignore_event(void *owner, const struct rule_event *event)
{
    (void)owner;
    (void)event;
}

static void ignore_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

int app_check(const char *config_path, FILE *to)
{
    static const struct rules_output output = {ignore_transition, ignore_event, ignore_action};
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
