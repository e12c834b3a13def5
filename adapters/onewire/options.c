#include "adapters/onewire/options.h"

#include "adapters/onewire/decode.h"
#include "gateway/base/section.h"

#include <stdio.h>
#include <string.h>

const struct setting onewire_bus_settings[] = {
    {"discover", SETTING_BOOL, "false", 0, 0, NULL, NULL,
     "Whether thermometers that turn up are read without standing in the config, as w1_ADDRESS."},
    {0},
};

const struct setting onewire_device_settings[] = {
    {"address", SETTING_TEXT | SETTING_REQUIRED, NULL, 0, 0, NULL, NULL,
     "Address of the sensor, as the kernel names its folder: \"28-0316a2794aff\"."},
    {"resolution", SETTING_INT, NULL, 9, 12, NULL, NULL,
     "Bits of its conversions: 9 takes 94 ms and steps of 0.5 degrees, 12 takes 750 ms and 0.0625. "
     "By default what it has; kept in its RAM only."},
    {0},
};

/* -- discovering --------------------------------------------------------------------------------
 */

void onewire_appear(struct adapter_host *host, const struct onewire_address *address)
{
    char name[ONEWIRE_ADDRESS_SIZE + 8], what[64];
    struct adapter_found found = {
        .name = name, .key = "address", .value = address->text, .what = what};

    snprintf(name, sizeof(name), "w1_%s", address->text);
    name[strcspn(name, "-")] = '_';
    snprintf(what, sizeof(what), "%s %s", onewire_family_name(address->family), address->text);
    host->appear(host, &found);
}

/* -- completing ---------------------------------------------------------------------------------
 */

/* Memory that is out leaves an option out; the checks that follow say what is missing. */
void onewire_add_text(struct section *section, const char *key, const char *text)
{
    (void)section_add_text(section, key, text, section_place(section, NULL));
}

void onewire_add_temp(struct section *device)
{
    struct place place = section_place(device, NULL);
    struct section *channels = section_make_group(device, "channels", place);

    if (channels && !section_key(channels, 0))
        section_make_group(channels, "temp", place);
}

void onewire_complete(struct section *device, struct problems *problems)
{
    const char *text = section_text(device, "address"), *key;
    struct section *channels;
    struct onewire_address address;

    (void)problems; /* onewire_check_devices() says what is wrong with the address */
    if (text && onewire_address_parse(text, &address, NULL) == 0) {
        onewire_add_text(device, "model", onewire_family_name(address.family));
        onewire_add_text(device, "serial_number", address.text);
    }
    onewire_add_temp(device);
    channels = section_child(device, "channels");
    for (size_t i = 0; channels && (key = section_key(channels, i)); i++) {
        struct section *channel = section_child(channels, key);

        if (channel) {
            onewire_add_text(channel, "unit", "°C");
            onewire_add_text(channel, "class", "temperature");
        }
    }
}

/* -- checking -----------------------------------------------------------------------------------
 */

void onewire_check_address(const struct bus_config *config, size_t i, onewire_parse parse,
                           struct problems *problems)
{
    const struct section *options = config->devices[i].options;
    const char *text = section_text(options, "address"), *other;
    struct onewire_address address, earlier;
    struct error error;

    if (!text)
        return;
    if (parse(text, &address, &error) < 0) {
        problem_error(
            problems, section_place(options, "address"),
            "write it as `ls /sys/bus/w1/devices` does: \"28-0316a2794aff\"; families 10, "
            "22, 28, 3b and 42 are thermometers",
            "%s", error.text);
        return;
    }
    for (size_t k = 0; k < i; k++) {
        other = section_text(config->devices[k].options, "address");
        if (other && parse(other, &earlier, NULL) == 0 && strcmp(earlier.text, address.text) == 0)
            problem_error(problems, section_place(options, "address"), NULL,
                          "\"%s\" is the address of device \"%s\" already", address.text,
                          config->devices[k].name);
    }
}

/* Whatever stands in its memory, the DS18S20 counts halves of a degree. */
static void check_resolution(const struct section *options, struct problems *problems)
{
    const char *text = section_text(options, "address");
    struct onewire_address address;

    if (section_has(options, "resolution") && text &&
        onewire_address_parse(text, &address, NULL) == 0 && address.family == 0x10)
        problem_error(problems, section_key_place(options, "resolution"), "leave it out",
                      "a %s has one resolution only", onewire_family_name(address.family));
}

/* A value that is shown in a unit which it has not got would be a wrong one. */
static void check_channels(const struct device_config *device, struct problems *problems)
{
    const struct section *channel;
    const char *unit;

    if (device->n_channels > 1)
        problem_error(problems, section_place(device->channels[1].options, NULL),
                      "leave this one out", "a 1-Wire thermometer has one value, \"%s\"",
                      device->channels[0].name);
    for (size_t i = 0; i < device->n_channels; i++) {
        channel = device->channels[i].options;
        unit = section_text(channel, "unit");
        if (unit && strcmp(unit, "°C") != 0)
            problem_error(problems, section_place(channel, "unit"),
                          "leave it out; Home Assistant shows it as its users like",
                          "1-Wire thermometers give °C, not \"%s\"", unit);
    }
}

void onewire_check_devices(const struct bus_config *config, struct problems *problems)
{
    for (size_t i = 0; i < config->n_devices; i++) {
        onewire_check_address(config, i, onewire_address_parse, problems);
        check_resolution(config->devices[i].options, problems);
        check_channels(&config->devices[i], problems);
    }
}

/* Sensors answer in sixteenths of a degree, which the kernel gives in thousandths. */
struct channel_traits onewire_traits(const struct section *channel)
{
    (void)channel;
    return (struct channel_traits){CHANNEL_NUMBER, 3};
}
