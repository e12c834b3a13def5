#include "gateway/load.h"

#include "adapters/adapters.h"
#include "adapters/modbus/scan.h"
#include "config/config.h"
#include "config/tables.h"
#include "config/templates.h"
#include "gateway/base/problem.h"
#include "gateway/base/reading.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/core/site.h"
#include "gateway/library.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/notify/notify.h"
#include "gateway/store/store.h"
#include "gateway/web/web.h"
#include "rules/rules.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DEVICE_TABLES_MAX 16

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
    {"device_tables", SETTING_GROUPS, .inside = conf_table_settings,
     .help = "Files with a device in each line."},
    {"derived", SETTING_NAMED, .inside = derived_settings,
     .help = "Sensors that are reckoned from others."},
    {"rules", SETTING_NAMED, .inside = rules_settings, .help = "What is judged, and what then."},
    {0},
};

/* -- reading -------------------------------------------------------------------------------- */

static int read_files(const struct app_options *options, struct problems *problems,
                      struct conf **ret_conf)
{
    return conf_read_with(options->config_path, options->texts, options->n_texts, app_settings,
                          problems, ret_conf);
}

/* What a device of any bus can have. */
static size_t device_tables(const struct setting *tables[DEVICE_TABLES_MAX])
{
    const struct adapter *adapter;
    size_t n = 0;

    tables[n++] = device_settings;
    for (size_t i = 0; (adapter = adapters_at(i)) && n < DEVICE_TABLES_MAX; i++) {
        if (adapter->device && adapter->device != tables[n - 1])
            tables[n++] = adapter->device;
    }
    return n;
}

/* The devices of tables, then what templates know of them all. Takes `templates`. */
static int complete(struct conf *conf, struct conf_templates *templates, struct problems *problems)
{
    const struct setting *tables[DEVICE_TABLES_MAX];
    int added = conf_add_tables(conf, tables, device_tables(tables), problems);
    int used = conf_use_templates(conf, templates, problems);

    if (added == 0 || added == -EINVAL)
        return used < 0 ? used : added;
    return added;
}

/* What is wrong in one place does not keep the rest from being looked at: all errors at once. But
 * what is missing because it could not be read is not held against devices: `*ret_whole`. */
static int read_config(const struct app_options *options, struct conf_templates *templates,
                       struct problems *problems, struct conf **ret_conf, bool *ret_whole)
{
    int r = read_files(options, problems, ret_conf), completed;

    *ret_whole = *ret_conf && (r == 0 || r == -EINVAL);
    if (!*ret_whole) {
        conf_templates_free(templates);
        return r;
    }
    completed = complete(*ret_conf, templates, problems);
    *ret_whole = completed == 0 || completed == -EINVAL;
    if (completed == -ENOENT)
        completed = -EINVAL; /* said, as all else */
    return r < 0 ? r : completed;
}

/* Polls in groups cost less: a wake-up takes longer than a poll. But the last of a group of twenty
 * waits for the others, which nobody wants who has each message sent at once. */
#define GRID_MS      20
#define FINE_GRID_MS 5

static int64_t grid_of(const struct section *mqtt)
{
    return mqtt && section_duration_ms(mqtt, "gather") == 0 ? FINE_GRID_MS : GRID_MS;
}

static int build(struct section *root, const struct site_context *given, struct problems *problems,
                 struct site **ret_site)
{
    const struct section *mqtt = section_child(root, "mqtt");
    size_t wrong = mqtt ? mqtt_check(mqtt, problems) : 0;
    struct site_context context = *given;
    int r;

    wrong += web_check(section_child(root, "web"), problems);
    wrong += notify_check(section_child(root, "notifiers"), section_child(root, "hooks"), problems);
    context.grid_ms = grid_of(mqtt);
    r = site_new(root, &context, problems, ret_site);
    return r == 0 && wrong > 0 ? -EINVAL : r;
}

/* Takes `templates`. */
static int load_with(const struct app_options *options, const struct site_context *context,
                     struct conf_templates *templates, struct problems *problems,
                     struct conf **ret_conf, struct site **ret_site)
{
    bool whole = false;
    int r = -ENOMEM;

    *ret_conf = NULL;
    if (templates)
        r = read_config(options, templates, problems, ret_conf, &whole);
    if (whole) {
        int built = build(conf_root(*ret_conf), context, problems, ret_site);

        r = r < 0 ? r : built;
    }
    return r;
}

/* The templates beside the config, or beside what stands for it. */
static struct conf_templates *open_library(const struct app_options *options)
{
    return library_open(options->config_path ? options->config_path : options->texts[0].name);
}

int load_into(const struct app_options *options, const struct site_context *context,
              struct problems *problems, struct conf **ret_conf, struct site **ret_site)
{
    return load_with(options, context, open_library(options), problems, ret_conf, ret_site);
}

/* The same, with what is wrong printed to `to`. */
static int load_printed(const struct app_options *options, const struct site_context *context,
                        struct conf_templates *templates, struct conf **ret_conf,
                        struct site **ret_site, FILE *to)
{
    struct problems *problems = problems_new();
    int r = -ENOMEM;

    *ret_conf = NULL;
    if (problems)
        r = load_with(options, context, templates, problems, ret_conf, ret_site);
    else
        conf_templates_free(templates);
    if (problems)
        problems_print(problems, to);
    problems_free(problems);
    return r;
}

int load(const struct app_options *options, const struct site_context *context,
         struct conf **ret_conf, struct site **ret_site, FILE *to)
{
    return load_printed(options, context, open_library(options), ret_conf, ret_site, to);
}

int load_again(struct conf *conf, const struct site_context *context, struct site **ret_site,
               FILE *to)
{
    struct problems *problems = problems_new();
    int r = problems ? build(conf_root(conf), context, problems, ret_site) : -ENOMEM;

    if (problems && problems_errors(problems) > 0)
        problems_print(problems, to);
    problems_free(problems);
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

/* Loads what `options` name, with all that is wrong printed to `to`; `good` says what it is. */
static int check(const struct app_options *options, struct conf_templates *templates,
                 void (*good)(const char *name, const struct site *site, FILE *to),
                 const char *name, FILE *to)
{
    static const struct rules_output output = {ignore_transition, ignore_event, ignore_action};
    struct text_table *texts = text_table_new();
    struct site_context context = {.output = &output, .texts = texts};
    struct site *site = NULL;
    struct conf *conf = NULL;
    int r = load_printed(options, &context, templates, &conf, &site, to);

    if (r == 0)
        good(name, site, to);
    else if (r != -EINVAL)
        fprintf(to, "%s: %s\n", name, strerror(-r));
    site_free(site);
    conf_free(conf);
    text_table_free(texts);
    return r == 0 ? APP_OK : r == -EINVAL ? APP_CONFIG : APP_FAILED;
}

/* "rs485: 38 % busy, 1.9 s a cycle", for each line of which that can be told. */
static void tell_forecasts(const struct site *site, FILE *to)
{
    for (size_t i = 0; i < site->n_buses; i++) {
        const struct adapters_bus *bus = &site->buses[i];
        struct adapter_forecast forecast;

        if (bus->adapter->forecast && bus->adapter->forecast(&bus->config, &forecast))
            fprintf(to, "%s: %.0f %% busy, %.1f s a cycle\n", bus->config.name,
                    100 * forecast.share, (double)forecast.cycle_us / 1e6);
    }
}

/* Once for a rule, however many instances it has. */
static void tell_idle(const char *name, const struct rules *rules, FILE *to)
{
    const char *told = "";

    for (uint32_t i = 0; i < rules_count(rules); i++) {
        struct rule_info info = rules_info(rules, i);
        const char *id = info.many ? info.rule : info.id;

        if (info.idle && strcmp(id, told) != 0)
            fprintf(to, "%s: warning: rule \"%s\" neither notifies nor acts\n", name, id);
        told = info.idle ? id : told;
    }
}

static void tell_config(const char *name, const struct site *site, FILE *to)
{
    const struct inventory *inventory = site->inventory;

    tell_forecasts(site, to);
    tell_idle(name, site->rules, to);
    fprintf(to, "%s: good: %u buses, %u devices, %u sensors, %u rules\n", name, inventory->n_buses,
            inventory->n_devices, inventory->n_sensors, inventory->n_rules);
    if (rules_memory(site->rules) > 0)
        fprintf(to, "windows of the rules take %.2f MB of %g MB\n",
                (double)rules_memory(site->rules) / 1e6,
                (double)rules_memory_max(site->rules) / 1e6);
}

int app_check(const char *config_path, FILE *to)
{
    struct app_options options = {.config_path = config_path};

    return check(&options, library_open(config_path), tell_config, config_path, to);
}

static void tell_template(const char *name, const struct site *site, FILE *to)
{
    const struct inventory *inventory = site->inventory;

    fprintf(to, "%s: good: %u channels, %u of them by default\n", name,
            inventory->devices[1].n_sensors, inventory->devices[0].n_sensors);
}

/* Where most have such a device, and where it is slowest: a line at 9600 baud, asked each second.
 */
static void make_config(const char *name, char *text, size_t size)
{
    static const char *const devices[] = {
        "standard: { unit = 1; every = \"1s\"",
        "whole: { unit = 2; every = \"1h\"; only = \"*\"",
    };
    size_t at = 0;

    text_append(text, size, &at,
                "buses: { line: { adapter = \"modbus\"; connect = \"serial:/dev/null\" } }\n"
                "devices: {\n");
    for (size_t i = 0; i < 2; i++)
        text_append(text, size, &at, "%s; bus = \"line\"; template = \"%s\" }\n", devices[i], name);
    text_append(text, size, &at, "}\n");
}

/* What a scan knows it by. */
static bool check_signature(const char *const folders[], const char *name, FILE *to)
{
    struct conf_templates *templates = conf_templates_new(folders);
    struct problems *problems = problems_new();
    struct mb_guide *guide = mb_guide_new();
    const struct conf_template *template = NULL;
    int r = -ENOMEM;

    if (templates && problems && guide)
        template = conf_templates_get(templates, name, (struct place){NULL, 0}, problems);
    if (template)
        r = mb_guide_add(guide, name, template->root, problems);
    if (problems)
        problems_print(problems, to);
    mb_guide_free(guide);
    problems_free(problems);
    conf_templates_free(templates);
    return r == 0;
}

int app_check_template(const char *path, FILE *to)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    char folder[PATH_MAX], name[NAME_MAX + 1], text[3 * NAME_MAX];
    const char *folders[] = {folder, NULL};
    struct conf_text made = {.name = "what is made to check it", .text = text};
    struct app_options options = {.texts = &made, .n_texts = 1};
    int code;

    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    snprintf(name, sizeof(name), "%.*s", (int)strlen(file) - (text_glob("*.cfg", file) ? 4 : 0),
             file);
    make_config(name, text, sizeof(text));
    made.length = strlen(text);
    code = check(&options, conf_templates_new(folders), tell_template, path, to);
    return code == APP_OK && !check_signature(folders, name, to) ? APP_CONFIG : code;
}
