#include "adapters/onewire/options.h"

#include "adapters/onewire/decode.h"
#include "adapters/scale.h"
#include "gateway/base/section.h"
#include "gateway/base/text.h"

#include <string.h>

#define PROPERTY_MAX 80

const struct setting onewire_owserver_device_settings[] = {
    {"address", SETTING_TEXT | SETTING_REQUIRED, NULL, 0, 0, NULL, NULL,
     "Address of the sensor, as `owdir` lists it: \"28.0316A2794AFF\"."},
    {0},
};

enum { TYPE_NUMBER, TYPE_BIT, TYPE_TEXT };

const struct setting onewire_owserver_channel_settings[] = {
    {"property", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "Property of the sensor, as `owdir` lists it: \"counter.A\"; by default the channel's name."},
    {"type", SETTING_CHOICE, NULL, 0, 0, "number bit text", NULL,
     "What it has; by default a bit for PIO.*, sensed.* and latch.*, else a number."},
    {"scale", SETTING_NUMBER, "1", 0, 0, NULL, NULL, "The value is number * scale + offset."},
    {"offset", SETTING_NUMBER, "0", 0, 0, NULL, NULL, "Added after `scale`."},
    {0},
};

const char *onewire_property(const struct section *channel)
{
    const char *property = section_text(channel, "property");

    return property ? property : section_name(channel);
}

/* "temperature" in its resolutions, "temperature9" and so on: that of a thermometer, which
 * converts; other chips have one, too, and no power-on value that could be mistaken. */
bool onewire_is_temperature(uint8_t family, const char *path)
{
    const char *slash = strrchr(path, '/');

    return onewire_family_name(family) &&
           strncmp(slash ? slash + 1 : path, "temperature", strlen("temperature")) == 0;
}

/* PIO.3, but neither PIO.ALL, a list, nor PIO.BYTE, a number. */
static bool is_bit(const char *property)
{
    static const char *const words[] = {"PIO.", "sensed.", "latch."};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);

        if (strncmp(property, words[i], length) == 0 && property[length] != '\0' &&
            property[length + 1] == '\0')
            return true;
    }
    return strcmp(property, "PIO") == 0 || strcmp(property, "sensed") == 0 ||
           strcmp(property, "latch") == 0;
}

struct channel_traits onewire_owserver_traits(const struct section *channel)
{
    const char *property = onewire_property(channel);
    int type = section_choice(channel, "type");

    if (type < 0)
        type = is_bit(property) ? TYPE_BIT : TYPE_NUMBER;
    if (type == TYPE_TEXT)
        return (struct channel_traits){CHANNEL_TEXT, -1};
    if (type == TYPE_BIT)
        return (struct channel_traits){CHANNEL_BINARY, 0};
    if (strncmp(property, "temperature", strlen("temperature")) == 0 &&
        !section_has(channel, "scale"))
        return (struct channel_traits){CHANNEL_NUMBER, 3};
    return (struct channel_traits){CHANNEL_NUMBER, -1};
}

/* A channel `temp` is the temperature here, too, so that a config can change from the kernel to
 * owserver by its `connect` alone. */
static void complete_channel(struct section *channel)
{
    if (strcmp(section_name(channel), "temp") == 0)
        onewire_add_text(channel, "property", "temperature");
    if (strncmp(onewire_property(channel), "temperature", strlen("temperature")) != 0)
        return;
    onewire_add_text(channel, "unit", "°C");
    onewire_add_text(channel, "class", "temperature");
}

void onewire_owserver_complete(struct section *device, struct problems *problems)
{
    const char *text = section_text(device, "address"), *key;
    struct onewire_address address;
    struct section *channels;

    (void)problems; /* the check says what is wrong with the address */
    if (!text || onewire_address_read(text, &address, NULL) < 0)
        return;
    onewire_add_text(device, "serial_number", address.text);
    if (onewire_family_name(address.family)) {
        onewire_add_text(device, "model", onewire_family_name(address.family));
        onewire_add_temp(device);
    }
    channels = section_child(device, "channels");
    for (size_t i = 0; channels && (key = section_key(channels, i)); i++) {
        struct section *channel = section_child(channels, key);

        if (channel)
            complete_channel(channel);
    }
}

static void check_property(const struct section *channel, struct problems *problems)
{
    const char *property = onewire_property(channel);
    size_t length = strlen(property);

    if (length == 0 || length > PROPERTY_MAX || property[0] == '/' || strstr(property, "..") ||
        strspn(property, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") !=
            length)
        problem_error(problems, section_place(channel, "property"),
                      "`owdir /ADDRESS` lists what a sensor has",
                      "this is no property of a 1-Wire sensor");
    if (section_number(channel, "scale") == 0.0)
        problem_error(problems, section_place(channel, "scale"), "leave it out",
                      "a scale of 0 leaves nothing of the value");
    if (section_bool(channel, "writable") && onewire_owserver_traits(channel).kind == CHANNEL_TEXT)
        problem_error(problems, section_place(channel, "writable"), "leave it out",
                      "texts cannot be written");
}

void onewire_owserver_check(const struct bus_config *config, struct problems *problems)
{
    const struct section *where =
        config->n_devices > 0 ? config->devices[0].options : config->options;
    struct address address;

    if (address_parse(config->connect, ONEWIRE_OWSERVER_PORT, &address) < 0)
        problem_error(problems, section_place(where, "connect"), "write \"owserver://HOST[:PORT]\"",
                      "\"%s\" is no address of an owserver", config->connect);
    for (size_t i = 0; i < config->n_devices; i++) {
        const struct device_config *device = &config->devices[i];

        onewire_check_address(config, i, onewire_address_read, problems);
        for (size_t c = 0; c < device->n_channels; c++)
            check_property(device->channels[c].options, problems);
    }
}
