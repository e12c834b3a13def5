#include "adapters/sysfs/chip.h"

#include "adapters/attribute.h"
#include "gateway/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct kind {
    const char *name, *folder, *start, *label;
} kinds[CHIP_KINDS] = {
    [CHIP_IIO] = {"iio", "sys/bus/iio/devices", "iio:device", "name"},
    [CHIP_HWMON] = {"hwmon", "sys/class/hwmon", "hwmon", "name"},
    [CHIP_THERMAL] = {"thermal", "sys/class/thermal", "thermal_zone", "type"},
};

static const struct chip_quantity iio_quantities[] = {
    {"temp", 0.001, "°C", "temperature"},
    {"humidityrelative", 0.001, "%", "humidity"},
    {"pressure", 10, "hPa", "pressure"},
    {"voltage", 0.001, "V", "voltage"},
    {"altvoltage", 0.001, "V", "voltage"},
    {"current", 0.001, "A", "current"},
    {"power", 0.001, "W", "power"},
    {"illuminance", 1, "lx", "illuminance"},
    {0},
};
static const struct chip_quantity hwmon_quantities[] = {
    {"temp", 0.001, "°C", "temperature"},
    {"humidity", 0.001, "%", "humidity"},
    {"in", 0.001, "V", "voltage"},
    {"curr", 0.001, "A", "current"},
    {"power", 0.000001, "W", "power"},
    {"energy", 0.000001, "J", "energy"},
    {"fan", 1, "rpm", ""},
    {0},
};
static const struct chip_quantity thermal_quantities[] = {
    {"temp", 0.001, "°C", "temperature"},
    {0},
};
static const struct chip_quantity *const quantities[CHIP_KINDS] = {
    [CHIP_IIO] = iio_quantities,
    [CHIP_HWMON] = hwmon_quantities,
    [CHIP_THERMAL] = thermal_quantities,
};

const char *chip_kind_name(enum chip_kind kind)
{
    return kinds[kind].name;
}

/* Behind the start stands nothing, a number, or "_" and more. */
const struct chip_quantity *chip_quantity(enum chip_kind kind, const char *input)
{
    for (const struct chip_quantity *row = quantities[kind]; row->start; row++) {
        size_t length = strlen(row->start);
        const char *rest = input + length;

        if (strncmp(input, row->start, length) != 0)
            continue;
        rest += strspn(rest, "0123456789");
        if (*rest == '\0' || *rest == '_')
            return row;
    }
    return NULL;
}

/* -- files ---------------------------------------------------------------------------------- */

/* A line of text without its end; false when there is none. */
static bool read_line(const char *folder, const char *name, char text[ATTRIBUTE_MAX + 1])
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path) ||
        attribute_read(path, text) < 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return true;
}

static double read_number(const char *folder, const char *name, double standard)
{
    char text[ATTRIBUTE_MAX + 1];
    double number;

    return read_line(folder, name, text) && text_to_number(text, &number) == 0 ? number : standard;
}

static bool is_at(const char *folder, const char *at)
{
    char real[PATH_MAX], part[NAME_MAX + 3];

    if (!at)
        return true;
    snprintf(part, sizeof(part), "/%s/", at);
    return realpath(folder, real) && strstr(real, part);
}

static bool is_chip(const char *folder, const struct chip *chip)
{
    char name[ATTRIBUTE_MAX + 1];

    return read_line(folder, kinds[chip->kind].label, name) && strcmp(name, chip->name) == 0 &&
           is_at(folder, chip->at);
}

/* -- inputs --------------------------------------------------------------------------------- */

/* `what` of an input, "in_temp_raw" or "temp1_input", below `folder`; false when there is none. */
static bool has_file(const char *folder, const char *start, const char *input, const char *end,
                     char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s%s%s", folder, start, input, end) < PATH_MAX &&
           access(path, F_OK) == 0;
}

/* Channels of one kind may share their scale: in_voltage_scale serves in_voltage0_raw. */
static double read_shared(const char *folder, const char *input, const char *end, double standard)
{
    char name[NAME_MAX];
    int stem = (int)strcspn(input, "0123456789");

    snprintf(name, sizeof(name), "in_%.*s%s", stem, input, end);
    standard = read_number(folder, name, standard);
    snprintf(name, sizeof(name), "in_%s%s", input, end);
    return read_number(folder, name, standard);
}

static int find_iio(const char *folder, const char *input, struct chip_file *file)
{
    if (has_file(folder, "in_", input, "_input", file->path))
        return 0;
    if (!has_file(folder, "in_", input, "_raw", file->path))
        return -ENOENT;
    file->factor *= read_shared(folder, input, "_scale", 1);
    file->offset = read_shared(folder, input, "_offset", 0);
    return 0;
}

/* The input whose label is `label`: "temp1" for temp1_label. */
static bool find_label(const char *folder_path, const char *label, char input[64])
{
    DIR *folder = opendir(folder_path);
    const struct dirent *entry;
    char text[ATTRIBUTE_MAX + 1];
    bool found = false;

    while (folder && !found && (entry = readdir(folder))) {
        size_t length = strlen(entry->d_name), end = strlen("_label");

        found = length > end && length - end < 64 &&
                strcmp(entry->d_name + length - end, "_label") == 0 &&
                read_line(folder_path, entry->d_name, text) && strcmp(text, label) == 0;
        if (found)
            snprintf(input, 64, "%.*s", (int)(length - end), entry->d_name);
    }
    if (folder)
        closedir(folder);
    return found;
}

static int find_hwmon(const char *folder, const char *input, struct chip_file *file)
{
    char labelled[64];
    const struct chip_quantity *quantity;

    if (has_file(folder, "", input, "_input", file->path))
        return 0;
    if (!find_label(folder, input, labelled) ||
        !has_file(folder, "", labelled, "_input", file->path))
        return -ENOENT;
    quantity = chip_quantity(CHIP_HWMON, labelled);
    file->factor = quantity ? quantity->factor : 1;
    return 0;
}

static int find_input(const char *folder, enum chip_kind kind, const char *input,
                      struct chip_file *file)
{
    const struct chip_quantity *quantity = chip_quantity(kind, input);

    file->factor = quantity ? quantity->factor : 1;
    file->offset = 0;
    switch (kind) {
    case CHIP_IIO:
        return find_iio(folder, input, file);
    case CHIP_HWMON:
        return find_hwmon(folder, input, file);
    default:
        return has_file(folder, "", input, "", file->path) ? 0 : -ENOENT;
    }
}

/* Of several chips of one name the first that has the input. */
int chip_find(const char *root, const struct chip *chip, const char *input,
              struct chip_file *ret_file)
{
    const struct kind *kind = &kinds[chip->kind];
    char all[PATH_MAX], one[PATH_MAX];
    const struct dirent *entry;
    int r = -ENOENT;
    DIR *folder;

    if (snprintf(all, sizeof(all), "%s/%s", root, kind->folder) >= (int)sizeof(all))
        return -ENOENT;
    folder = opendir(all);
    while (folder && r < 0 && (entry = readdir(folder))) {
        if (strncmp(entry->d_name, kind->start, strlen(kind->start)) == 0 &&
            snprintf(one, sizeof(one), "%s/%s", all, entry->d_name) < (int)sizeof(one) &&
            is_chip(one, chip))
            r = find_input(one, chip->kind, input, ret_file);
    }
    if (folder)
        closedir(folder);
    return r;
}
