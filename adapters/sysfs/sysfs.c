/* One number in a text file, as /sys/class/thermal/thermal_zone0/temp has: "45678\n". Blanks around
 * it are allowed, a unit or anything else behind it is not, hexadecimal neither. At most 4 KB of a
 * regular file are read; all channels of a device are read one after the other on the one lane.
 *
 * The files of a chip that is known by its name are found when they are read for the first time,
 * and again whenever they are gone. */
#include "adapters/sysfs/sysfs.h"

#include "adapters/attribute.h"
#include "adapters/scale.h"
#include "adapters/sysfs/chip.h"
#include "adapters/sysfs/options.h"
#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A chip may hang on a bus that hangs. */
#define DEADLINE_MS 10000

struct number_file {
    char *path;         /* NULL: not found yet */
    struct scale scale; /* with what the kernel's numbers mean */
    bool said_error;
    char *input;           /* of the device's chip; NULL: `path` was given */
    double factor, offset; /* as the config has them */
};

struct sysfs_device {
    struct chip chip; /* its texts are ours */
    struct number_file *files;
    struct sample *samples;
    uint32_t n;
};

struct sysfs_bus {
    struct adapter_host *host;
    char *root; /* "" for "/" */
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

/* The kernel's own factor goes before that of the config. */
static int find_file(const struct sysfs_bus *bus, const struct sysfs_device *device,
                     struct number_file *file)
{
    struct chip_file found;
    int r = chip_find(bus->root, &device->chip, file->input, &found);

    if (r < 0)
        return r;
    file->scale = scale_make(found.factor * file->factor,
                             found.offset * found.factor * file->factor + file->offset);
    file->path = strdup(found.path);
    return file->path ? 0 : -ENOMEM;
}

static int read_text(const struct sysfs_bus *bus, const struct sysfs_device *device,
                     struct number_file *file, char text[ATTRIBUTE_MAX + 1])
{
    int r = file->path ? attribute_read(file->path, text) : -ENOENT;

    if (!file->input || quality_of(r) != QUALITY_NO_SENSOR)
        return r;
    free(file->path);
    file->path = NULL;
    r = find_file(bus, device, file);
    return r < 0 ? r : attribute_read(file->path, text);
}

static struct sample read_file(const struct sysfs_bus *bus, const struct sysfs_device *device,
                               uint32_t channel)
{
    struct number_file *file = &device->files[channel];
    char text[ATTRIBUTE_MAX + 1];
    int n = read_text(bus, device, file, text);

    tell_error(bus->host, file, n);
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
        device->samples[i] = read_file(bus, device, i);
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

static void close_device(struct sysfs_device *device)
{
    for (uint32_t i = 0; device->files && i < device->n; i++) {
        free(device->files[i].path);
        free(device->files[i].input);
    }
    free((char *)(uintptr_t)device->chip.name);
    free((char *)(uintptr_t)device->chip.at);
    free(device->files);
    free(device->samples);
}

static void sysfs_close(void *opened)
{
    struct sysfs_bus *bus = opened;

    if (!bus)
        return;
    for (size_t d = 0; bus->devices && d < bus->n; d++)
        close_device(&bus->devices[d]);
    free(bus->devices);
    free(bus->root);
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

static int open_file(const struct sysfs_bus *bus, const struct section *options,
                     struct number_file *file)
{
    const char *path = section_text(options, "file");

    file->factor = section_number(options, "scale");
    file->offset = section_number(options, "offset");
    file->scale = scale_make(file->factor, file->offset);
    if (path)
        file->path = join_path(bus->root, path);
    else
        file->input = strdup(sysfs_input(options));
    return file->path || file->input ? 0 : -ENOMEM;
}

static int open_device(const struct sysfs_bus *bus, struct sysfs_device *device,
                       const struct device_config *config)
{
    struct chip chip = {.name = NULL};
    int r = 0;

    sysfs_chip(config->options, &chip);
    device->chip = (struct chip){.kind = chip.kind,
                                 .name = chip.name ? strdup(chip.name) : NULL,
                                 .at = chip.at ? strdup(chip.at) : NULL};
    device->n = (uint32_t)config->n_channels;
    device->files = calloc(config->n_channels + 1, sizeof(*device->files));
    device->samples = calloc(config->n_channels + 1, sizeof(*device->samples));
    if (!device->files || !device->samples || (chip.name && !device->chip.name) ||
        (chip.at && !device->chip.at))
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < config->n_channels; i++)
        r = open_file(bus, config->channels[i].options, &device->files[i]);
    return r;
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
        bus->root = join_path(connect_path(config->connect), "");
        r = bus->devices && bus->root ? 0 : -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < config->n_devices; i++)
        r = open_device(bus, &bus->devices[i], &config->devices[i]);
    if (r < 0) {
        sysfs_close(bus);
        return error_set(reterr, r, "bus %s: out of memory", config->name);
    }
    *ret_bus = bus;
    return 0;
}

const struct adapter sysfs_adapter = {
    .word = "sysfs",
    .scheme = "sysfs",
    .default_connect = "sysfs:/",
    .connect_help = "\"sysfs:/\"",
    .device = sysfs_device_settings,
    .channel = sysfs_channel_settings,
    .deadline_ms = DEADLINE_MS,
    .complete = sysfs_complete,
    .check = sysfs_check,
    .traits = sysfs_traits,
    .open = sysfs_open,
    .close = sysfs_close,
    .poll = sysfs_poll,
    .lanes = sysfs_lanes,
    .lane_of = sysfs_lane_of,
};
