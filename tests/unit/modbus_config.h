/* Help for the tests of Modbus: configured buses out of short texts, with places as a file has
 * them.
 *
 *   "timeout=100ms; retries=0"                                      a bus or a device
 *   "register=holding 100; scale=0.1; enum=0: off | 1: on"          a channel; | makes a list
 *
 * What reads as a number is one, true and false are no texts either, all else is. */
#pragma once

#include "adapters/adapter.h"
#include "gateway/base/section.h"
#include "gateway/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MADE_DEVICES  64
#define MADE_CHANNELS 64

struct made {
    struct bus_config config;
    struct problems *problems; /* of all checks */
    struct device_config devices[MADE_DEVICES];
    struct channel_config channels[MADE_DEVICES][MADE_CHANNELS];
    struct section *sections[1 + MADE_DEVICES * (1 + MADE_CHANNELS)];
    struct source *sources[1 + MADE_DEVICES * (1 + MADE_CHANNELS)];
    size_t n_sections;
};

static inline void made_scalar(struct value *value, struct place place, const char *text)
{
    int64_t whole;
    double number;

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        value_bool(value, place, text[0] == 't');
    else if (text_to_int(text, &whole) == 0)
        value_int(value, place, whole);
    else if (text_to_number(text, &number) == 0)
        value_number(value, place, number);
    else
        assert(value_text(value, place, text, NULL) == 0);
}

static inline char *made_trim(char *text)
{
    size_t length;

    text += strspn(text, " ");
    length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    return text;
}

static inline void made_value(struct value *value, struct place place, char *text)
{
    char *rest = NULL;

    if (!strchr(text, '|')) {
        made_scalar(value, place, made_trim(text));
        return;
    }
    value_list(value, place);
    for (char *item = strtok_r(text, "|", &rest); item; item = strtok_r(NULL, "|", &rest))
        made_scalar(value_append(value), place, made_trim(item));
}

/* What the core knows of a channel, as far as it matters here. */
static const struct setting made_core_settings[] = {
    {"writable", SETTING_BOOL, "false", 0, 0, NULL, NULL, NULL},
    {"every", SETTING_DURATION, NULL, 0, 0, NULL, NULL, NULL},
    {0},
};

/* A section out of `spec`, checked against `table`; its source is "NAME.cfg". */
static inline const struct section *made_section(struct made *made, const char *name,
                                                 const char *spec, const struct setting *table)
{
    char file[80], text[1000], *rest = NULL;
    struct source *source;
    struct section *section;

    snprintf(file, sizeof(file), "%s.cfg", name);
    snprintf(text, sizeof(text), "%s", spec);
    source = made->sources[made->n_sections] = source_new(file, spec, strlen(spec));
    section = made->sections[made->n_sections++] = section_new(name, (struct place){source, 0});
    for (char *part = strtok_r(text, ";", &rest); part; part = strtok_r(NULL, ";", &rest)) {
        char *equals = strchr(part, '=');
        struct place place = {source, 0};
        char *key = part + strspn(part, " ");

        if (!equals)
            continue;
        *equals = '\0';
        place.offset = (uint32_t)(key - text);
        made_value(section_add(section, made_trim(key), place),
                   (struct place){source, (uint32_t)(equals + 1 - text)}, equals + 1);
    }
    section_check(section, (const struct setting *[]){table, made_core_settings}, 2,
                  made->problems);
    return section;
}

static inline struct made *made_bus(const struct adapter *adapter, const char *spec)
{
    struct made *made = calloc(1, sizeof(*made));

    made->problems = problems_new();
    made->config.name = "bus";
    made->config.devices = made->devices;
    made->config.options = made_section(made, "bus", spec, adapter->bus);
    return made;
}

/* `channels` ends with NULL; they are called a, b, c, ... */
static inline void made_device(struct made *made, const struct adapter *adapter,
                               const char *connect, const char *spec, const char *const *channels)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    struct device_config *device = &made->devices[made->config.n_devices];
    struct channel_config *list = made->channels[made->config.n_devices++];

    device->name = "device";
    device->connect = connect;
    device->every_ms = 1000;
    device->options = made_section(made, "device", spec, adapter->device);
    device->channels = list;
    for (; channels[device->n_channels]; device->n_channels++) {
        size_t i = device->n_channels;

        list[i].name = i < 10 ? names[i] : "more";
        list[i].options = made_section(made, list[i].name, channels[i], adapter->channel);
        if (section_has(list[i].options, "every"))
            list[i].every_ms = section_duration_ms(list[i].options, "every");
    }
}

static inline void made_free(struct made *made)
{
    for (size_t i = 0; i < made->n_sections; i++) {
        section_free(made->sections[i]);
        source_free(made->sources[i]);
    }
    problems_free(made->problems);
    free(made);
}

/* For hosts of which nobody has learnt anything. */
static inline const char *made_recall(struct adapter_host *host, uint32_t device)
{
    (void)host, (void)device;
    return NULL;
}

static inline void made_note(struct adapter_host *host, const char *words)
{
    (void)host, (void)words;
}

static inline void made_learnt(struct adapter_host *host, uint32_t device, const char *words)
{
    (void)host, (void)device, (void)words;
}
