/* Help for the tests of adapters: a configured bus out of the text of its devices, completed and
 * checked as the gateway does it, and a host that keeps what it is told.
 *
 *   struct made *made = made_bus(&adapter, "sysfs:/tmp/x", "cpu: { channels: { temp: { ... } } }");
 */
#pragma once

#include "adapters/adapter.h"
#include "config/config.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MADE_DEVICES  8
#define MADE_CHANNELS 8

struct made {
    struct conf *conf;
    struct problems *problems; /* of all checks */
    struct bus_config config;
    struct device_config devices[MADE_DEVICES];
    struct channel_config channels[MADE_DEVICES][MADE_CHANNELS];
};

/* What the tests use of the core's options. */
static const struct setting made_channel_settings[] = {
    {"unit", SETTING_TEXT, NULL, 0, 0, NULL, NULL, NULL},
    {"class", SETTING_TEXT, NULL, 0, 0, NULL, NULL, NULL},
    {0},
};
static const struct setting made_device_settings[] = {
    {"connect", SETTING_TEXT, NULL, 0, 0, NULL, NULL, NULL},
    {"model", SETTING_TEXT, NULL, 0, 0, NULL, NULL, NULL},
    {"serial_number", SETTING_TEXT, NULL, 0, 0, NULL, NULL, NULL},
    {"channels", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, NULL},
    {0},
};
static const struct setting made_root_settings[] = {
    {"discover", SETTING_BOOL, NULL, 0, 0, NULL, NULL, NULL},
    {"devices", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, NULL},
    {0},
};

static inline void made_section(struct made *made, struct section *section,
                                const struct setting *core, const struct setting *own)
{
    const struct setting *tables[] = {core, own};

    section_check(section, tables, own ? 2 : 1, made->problems);
}

static inline void made_device(struct made *made, const struct adapter *adapter,
                               const char *connect, struct section *section)
{
    struct device_config *device = &made->devices[made->config.n_devices];
    struct channel_config *list = made->channels[made->config.n_devices++];
    const struct section *channels;
    const char *key;

    made_section(made, section, made_device_settings, adapter->device);
    if (adapter->complete)
        adapter->complete(section, made->problems);
    device->name = section_name(section);
    device->connect = section_has(section, "connect") ? section_text(section, "connect") : connect;
    device->every_ms = 1000;
    device->options = section;
    device->channels = list;
    channels = section_child(section, "channels");
    for (size_t i = 0; channels && (key = section_key(channels, i)); i++) {
        struct section *channel = section_child(channels, key);

        made_section(made, channel, made_channel_settings, adapter->channel);
        list[device->n_channels++] = (struct channel_config){.name = key, .options = channel};
    }
}

/* With options of the bus before its devices: "discover = true;". */
static inline struct made *made_bus_with(const struct adapter *adapter, const char *connect,
                                         const char *options, const char *devices)
{
    struct made *made = calloc(1, sizeof(*made));
    struct section *all;
    char text[4000];
    const char *key;

    made->problems = problems_new();
    snprintf(text, sizeof(text), "%s devices: { %s }", options, devices);
    conf_read_text("test.cfg", text, strlen(text), made_root_settings, made->problems, &made->conf);
    made->config.name = "bus";
    made->config.connect = connect;
    made->config.options = conf_root(made->conf);
    made->config.devices = made->devices;
    all = section_child(conf_root(made->conf), "devices");
    for (size_t i = 0; (key = section_key(all, i)); i++)
        made_device(made, adapter, connect, section_child(all, key));
    adapter->check(&made->config, made->problems);
    return made;
}

static inline struct made *made_bus(const struct adapter *adapter, const char *connect,
                                    const char *devices)
{
    return made_bus_with(adapter, connect, "", devices);
}

static inline void made_free(struct made *made)
{
    conf_free(made->conf);
    problems_free(made->problems);
    free(made);
}

/* -- a host ------------------------------------------------------------------------------------ */

#define HOST_LINKS 16

struct made_host {
    struct adapter_host host;
    pthread_mutex_t lock;
    struct sample samples[MADE_DEVICES][MADE_CHANNELS];
    size_t n_reports[MADE_DEVICES]; /* samples that came of each */
    char links[HOST_LINKS][300];    /* "w1_bus_master1 up", "w1_bus_master1 down: it is gone" */
    size_t n_links;
    char found[400]; /* "w1_28_...=28-... ", in order */
    void (*on_found)(void);
};

static inline void host_report(struct adapter_host *host, uint32_t device,
                               const struct sample *samples, size_t count)
{
    struct made_host *made = enclosing(host, struct made_host, host);

    pthread_mutex_lock(&made->lock);
    for (size_t i = 0; i < count; i++)
        made->samples[device][samples[i].channel] = samples[i];
    made->n_reports[device] += count;
    pthread_mutex_unlock(&made->lock);
}

static inline void host_link(struct adapter_host *host, const char *link, const char *why)
{
    struct made_host *made = enclosing(host, struct made_host, host);

    pthread_mutex_lock(&made->lock);
    if (made->n_links < HOST_LINKS)
        snprintf(made->links[made->n_links++], sizeof(made->links[0]), "%s %s%s", link,
                 why ? "down: " : "up", why ? why : "");
    pthread_mutex_unlock(&made->lock);
}

static inline void host_note(struct adapter_host *host, const char *words)
{
    struct made_host *made = enclosing(host, struct made_host, host);

    pthread_mutex_lock(&made->lock);
    if (made->n_links < HOST_LINKS)
        snprintf(made->links[made->n_links++], sizeof(made->links[0]), "note: %s", words);
    pthread_mutex_unlock(&made->lock);
}

static inline void host_appear(struct adapter_host *host, const struct adapter_found *found)
{
    struct made_host *made = enclosing(host, struct made_host, host);
    size_t length = strlen(made->found);

    snprintf(made->found + length, sizeof(made->found) - length, "%s %s=%s ", found->name,
             found->key, found->value);
    if (made->on_found)
        made->on_found();
}

static inline void host_exchanged(struct adapter_host *host, uint32_t device,
                                  const struct adapter_exchange *exchange)
{
    (void)host, (void)device, (void)exchange;
}

static inline void host_init(struct made_host *made)
{
    memset(made, 0, sizeof(*made));
    pthread_mutex_init(&made->lock, NULL);
    made->host.report = host_report;
    made->host.link = host_link;
    made->host.note = host_note;
    made->host.appear = host_appear;
    made->host.exchanged = host_exchanged;
}
