#include "adapters/sysfs/options.h"

#include "adapters/scale.h"
#include "gateway/base/section.h"

#include <string.h>

const struct setting sysfs_device_settings[] = {
    {"iio", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "Name of a sensor of the kernel's industrial I/O: \"bme280\"."},
    {"hwmon", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "Name of a chip of the kernel's hardware monitoring, as `sensors` shows it: \"sht3x\"."},
    {"thermal", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "Type of one of the kernel's thermal zones: \"cpu-thermal\"."},
    {"at", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "Where it is, of several with one name: a folder on the way to it, as \"1-0077\"."},
    {0},
};

const struct setting sysfs_channel_settings[] = {
    {"file", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "File with one number, from /: \"/proc/sys/kernel/random/entropy_avail\"."},
    {"input", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "Which input of the device's chip: \"temp1\", \"Core 0\"; by default the channel's name."},
    {"scale", SETTING_NUMBER, "1", 0, 0, NULL, NULL, "The value is number * scale + offset."},
    {"offset", SETTING_NUMBER, "0", 0, 0, NULL, NULL, "Added after `scale`."},
    {0},
};

bool sysfs_chip(const struct section *device, struct chip *ret_chip)
{
    for (int kind = 0; kind < CHIP_KINDS; kind++) {
        const char *name = section_text(device, chip_kind_name((enum chip_kind)kind));

        if (name) {
            *ret_chip = (struct chip){(enum chip_kind)kind, name, section_text(device, "at")};
            return true;
        }
    }
    return false;
}

const char *sysfs_input(const struct section *channel)
{
    const char *input = section_text(channel, "input");

    return input ? input : section_name(channel);
}

/* -- completing ----------------------------------------------------------------------------- */

/* Memory that is out leaves an option out. */
static void add_text(struct section *section, const char *key, const char *text)
{
    if (*text)
        (void)section_add_text(section, key, text, section_place(section, NULL));
}

/* Somebody who scales a value has made another one of it. */
static void complete_channel(const struct chip *chip, struct section *channel)
{
    const struct chip_quantity *quantity = chip_quantity(chip->kind, sysfs_input(channel));

    if (!quantity || section_has(channel, "file") || section_has(channel, "scale"))
        return;
    add_text(channel, "unit", quantity->unit);
    add_text(channel, "class", quantity->klass);
}

void sysfs_complete(struct section *device, struct problems *problems)
{
    struct section *channels = section_child(device, "channels");
    const char *key;
    struct chip chip;

    (void)problems; /* the check says what is wrong */
    if (!sysfs_chip(device, &chip))
        return;
    add_text(device, "model", chip.name);
    for (size_t i = 0; channels && (key = section_key(channels, i)); i++) {
        struct section *channel = section_child(channels, key);

        if (channel)
            complete_channel(&chip, channel);
    }
}

/* -- checking ------------------------------------------------------------------------------- */

static void check_source(const struct section *channel, bool has_chip, struct problems *problems)
{
    const char *path = section_text(channel, "file");

    if (!path && !has_chip)
        problem_error(problems, section_place(channel, NULL),
                      "add file = \"/...\" here, or iio, hwmon or thermal to the device",
                      "nothing says what channel \"%s\" reads", section_name(channel));
    if (path && (path[0] != '/' || strlen(path) >= PATH_MAX))
        problem_error(problems, section_place(channel, "file"), "begin it with /",
                      "\"%s\" is no path from /", path);
    if (path && section_has(channel, "input"))
        problem_error(problems, section_place(channel, "input"), "leave one of them out",
                      "a channel has either a file or an input");
    if (strchr(sysfs_input(channel), '/'))
        problem_error(
            problems, section_place(channel, "input"),
            "write it without its ending: in_temp_input is \"temp\", temp1_input \"temp1\"",
            "\"%s\" is no input of a chip", sysfs_input(channel));
}

static void check_channel(const struct section *channel, bool has_chip, struct problems *problems)
{
    check_source(channel, has_chip, problems);
    if (section_number(channel, "scale") == 0.0)
        problem_error(problems, section_place(channel, "scale"),
                      "scale = 0.001 makes 45678 to 45.678",
                      "a scale of 0 leaves nothing of the value");
}

/* Names stand between slashes when they are looked for. */
static void check_chip(const struct section *device, const struct chip *chip,
                       struct problems *problems)
{
    size_t n = 0;

    for (int kind = 0; kind < CHIP_KINDS; kind++)
        n += section_has(device, chip_kind_name((enum chip_kind)kind));
    if (n > 1)
        problem_error(problems, section_place(device, NULL), "make a device of each",
                      "a device is one chip: iio, hwmon or thermal");
    if (chip->at && (strchr(chip->at, '/') || strlen(chip->at) > NAME_MAX))
        problem_error(problems, section_place(device, "at"),
                      "write one folder of the path, as \"1-0077\"", "\"%s\" is a whole path",
                      chip->at);
}

void sysfs_check(const struct bus_config *config, struct problems *problems)
{
    for (size_t d = 0; d < config->n_devices; d++) {
        const struct device_config *device = &config->devices[d];
        struct chip chip;
        bool has_chip = sysfs_chip(device->options, &chip);

        if (connect_path(device->connect)[0] != '/')
            problem_error(problems, section_place(device->options, "connect"),
                          "leave it out, or write \"sysfs:/\"", "\"%s\" is no path from /",
                          device->connect);
        if (has_chip)
            check_chip(device->options, &chip, problems);
        for (size_t c = 0; c < device->n_channels; c++)
            check_channel(device->channels[c].options, has_chip, problems);
    }
}

/* Without a scale the file itself says how many places it has. */
struct channel_traits sysfs_traits(const struct section *channel)
{
    struct channel_traits traits = {CHANNEL_NUMBER, -1};

    if (section_has(channel, "scale"))
        traits.decimals =
            scale_decimals(section_number(channel, "scale"), section_number(channel, "offset"));
    return traits;
}
