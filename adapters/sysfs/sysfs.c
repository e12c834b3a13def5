/* One number in a text file, as /sys/class/thermal/thermal_zone0/temp has: "45678\n". Blanks around
 * it are allowed, a unit or anything else behind it is not, hexadecimal neither. At most 4 KB of a
 * regular file are read; all channels of a device are read one after the other on the one lane. */
#include "adapters/sysfs/sysfs.h"

#include "adapters/attribute.h"
#include "adapters/scale.h"
#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct number_file {
    char *path;
    struct scale scale;
    bool said_error;
};

struct sysfs_device {
    struct number_file *files;
    struct sample *samples;
    uint32_t n;
};

struct sysfs_bus {
    struct adapter_host *host;
    struct sysfs_device *devices;
    size_t n;
};

/* -- reading -------------------------------------------------------------------------------- */

#define BLANKS " \t\r\n\v\f"

/* Takes the blanks off both ends, in place. */
static char *trim(char *text)
{
    size_t length;

    text += strspn(text, BLANKS);
    length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

static int places_of(const char *text)
{
    const char *point = strchr(text, '.');

    if (strpbrk(text, "eE"))
        return -1;
    return point ? (int)strlen(point + 1) : 0;
}

static struct sample decode(const struct number_file *file, uint32_t channel, char *text,
                            size_t length)
{
    int64_t now_ms = clock_boot_ms();
    double raw;
    int r;

    if (memchr(text, '\0', length))
        return sample_bad(channel, now_ms, QUALITY_PROTOCOL);
    text = trim(text);
    r = text_to_number(text, &raw);
    if (r < 0)
        return sample_bad(channel, now_ms, r == -ERANGE ? QUALITY_OUT_OF_RANGE : QUALITY_PROTOCOL);
    return sample_number(channel, now_ms, scale_apply(&file->scale, raw, places_of(text)));
}

static uint8_t quality_of(int result)
{
    if (result >= 0)
        return QUALITY_GOOD;
    if (result == -ENOENT || result == -ENOTDIR || result == -ENODEV || result == -ENXIO)
        return QUALITY_NO_SENSOR;
    return result == -EFBIG ? QUALITY_PROTOCOL : QUALITY_ERROR;
}

/* What the quality cannot say (no rights, a damaged disk) is told once, in words; up it is when it
 * was read again. */
static void tell_error(struct adapter_host *host, struct number_file *file, int result)
{
    bool is_error = quality_of(result) == QUALITY_ERROR;

    if (file->said_error ? result < 0 : !is_error)
        return;
    if (is_error)
        host->link(host, file->path,
                   result == -EINVAL ? "it is no regular file" : strerror(-result));
    else
        host->link(host, file->path, NULL);
    file->said_error = is_error;
}

static struct sample read_file(struct adapter_host *host, struct number_file *file,
                               uint32_t channel)
{
    char text[ATTRIBUTE_MAX + 1];
    int n = attribute_read(file->path, text);

    tell_error(host, file, n);
    if (n < 0)
        return sample_bad(channel, clock_boot_ms(), quality_of(n));
    return decode(file, channel, text, (size_t)n);
}

/* A device of which no file has a value, all for the same reason, is away for that reason. */
static uint8_t quality_of_all(const struct sysfs_device *device)
{
    for (uint32_t i = 1; i < device->n; i++) {
        if (device->samples[i].quality != device->samples[0].quality)
            return QUALITY_GOOD;
    }
    return device->n > 0 ? device->samples[0].quality : QUALITY_GOOD;
}

static uint8_t sysfs_poll(void *opened, uint32_t index, uint32_t lane)
{
    struct sysfs_bus *bus = opened;
    struct sysfs_device *device = &bus->devices[index];
    uint8_t quality;

    (void)lane;
    for (uint32_t i = 0; i < device->n; i++)
        device->samples[i] = read_file(bus->host, &device->files[i], i);
    quality = quality_of_all(device);
    if (quality == QUALITY_GOOD)
        bus->host->report(bus->host, index, device->samples, device->n);
    return quality;
}

static uint32_t sysfs_lanes(void *opened)
{
    (void)opened;
    return 1;
}

static int32_t sysfs_lane_of(void *opened, uint32_t device)
{
    (void)opened;
    (void)device;
    return 0;
}

/* -- opening -------------------------------------------------------------------------------- */

static void sysfs_close(void *opened)
{
    struct sysfs_bus *bus = opened;

    if (!bus)
        return;
    for (size_t d = 0; bus->devices && d < bus->n; d++) {
        struct sysfs_device *device = &bus->devices[d];

        for (uint32_t i = 0; device->files && i < device->n; i++)
            free(device->files[i].path);
        free(device->files);
        free(device->samples);
    }
    free(bus->devices);
    free(bus);
}

/* The root "/" adds nothing to a path that begins with it. */
static char *join_path(const char *root, const char *path)
{
    size_t length = strlen(root);
    char *joined;

    while (length > 0 && root[length - 1] == '/')
        length--;
    return asprintf(&joined, "%.*s%s", (int)length, root, path) < 0 ? NULL : joined;
}

static int open_device(struct sysfs_device *device, const struct device_config *config)
{
    device->n = (uint32_t)config->n_channels;
    device->files = calloc(config->n_channels + 1, sizeof(*device->files));
    device->samples = calloc(config->n_channels + 1, sizeof(*device->samples));
    if (!device->files || !device->samples)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_channels; i++) {
        const struct section *options = config->channels[i].options;
        const char *path = section_text(options, "file");

        device->files[i].path = join_path(connect_path(config->connect), path ? path : "/");
        device->files[i].scale =
            scale_make(section_number(options, "scale"), section_number(options, "offset"));
        if (!device->files[i].path)
            return -ENOMEM;
    }
    return 0;
}

static int sysfs_open(const struct bus_config *config, struct adapter_host *host, void **ret_bus,
                      struct error *reterr)
{
    struct sysfs_bus *bus = calloc(1, sizeof(*bus));
    int r = -ENOMEM;

    if (bus) {
        bus->host = host;
        bus->n = config->n_devices;
        bus->devices = calloc(config->n_devices + 1, sizeof(*bus->devices));
        r = bus->devices ? 0 : -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < config->n_devices; i++)
        r = open_device(&bus->devices[i], &config->devices[i]);
    if (r < 0) {
        sysfs_close(bus);
        return error_set(reterr, r, "bus %s: out of memory", config->name);
    }
    *ret_bus = bus;
    return 0;
}

/* -- options -------------------------------------------------------------------------------- */

static const struct setting channel_settings_sysfs[] = {
    {"file", SETTING_TEXT | SETTING_REQUIRED, NULL, 0, 0, NULL, NULL,
     "File with one number, from /: \"/sys/class/thermal/thermal_zone0/temp\"."},
    {"scale", SETTING_NUMBER, "1", 0, 0, NULL, NULL, "The value is number * scale + offset."},
    {"offset", SETTING_NUMBER, "0", 0, 0, NULL, NULL, "Added after `scale`."},
    {0},
};

static void check_channel(const struct section *options, struct problems *problems)
{
    const char *path = section_text(options, "file");

    if (path && (path[0] != '/' || strlen(path) >= PATH_MAX))
        problem_error(problems, section_place(options, "file"), "begin it with /",
                      "\"%s\" is no path from /", path);
    if (section_number(options, "scale") == 0.0)
        problem_error(problems, section_place(options, "scale"),
                      "scale = 0.001 makes 45678 to 45.678",
                      "a scale of 0 leaves nothing of the value");
}

static void sysfs_check(const struct bus_config *config, struct problems *problems)
{
    for (size_t d = 0; d < config->n_devices; d++) {
        const struct device_config *device = &config->devices[d];

        if (connect_path(device->connect)[0] != '/')
            problem_error(problems, section_place(device->options, "connect"),
                          "leave it out, or write \"sysfs:/\"", "\"%s\" is no path from /",
                          device->connect);
        for (size_t c = 0; c < device->n_channels; c++)
            check_channel(device->channels[c].options, problems);
    }
}

/* Without a scale the file itself says how many places it has. */
static struct channel_traits sysfs_traits(const struct section *channel)
{
    struct channel_traits traits = {CHANNEL_NUMBER, -1};

    if (section_has(channel, "scale"))
        traits.decimals =
            scale_decimals(section_number(channel, "scale"), section_number(channel, "offset"));
    return traits;
}

const struct adapter sysfs_adapter = {
    .word = "sysfs",
    .scheme = "sysfs",
    .default_connect = "sysfs:/",
    .connect_help = "\"sysfs:/\"",
    .channel = channel_settings_sysfs,
    .check = sysfs_check,
    .traits = sysfs_traits,
    .open = sysfs_open,
    .close = sysfs_close,
    .poll = sysfs_poll,
    .lanes = sysfs_lanes,
    .lane_of = sysfs_lane_of,
};
