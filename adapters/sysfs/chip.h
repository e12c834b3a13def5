/* Chip: sensors that the kernel reads, found by what they are called. Their folders are numbered in
 * the order in which drivers came up, which is another one at each boot.
 *
 *   iio      /sys/bus/iio/devices/iio:device0/name      "bme280"     in_temp_input, or in_temp_raw
 * with in_temp_scale, in_temp_offset hwmon    /sys/class/hwmon/hwmon3/name               "sht3x"
 * temp1_input; temp1_label "Core 0" thermal  /sys/class/thermal/thermal_zone0/type "cpu-thermal"
 * temp
 *
 * Two chips of one name are told apart by where they are: `at` is a folder on the real path to
 * them, as "1-0077", an address on an I2C bus. Blocks: for workers. Sources: the kernel's
 * Documentation/ABI/testing/sysfs-bus-iio, Documentation/hwmon/sysfs-interface.rst,
 * Documentation/ABI/testing/sysfs-class-thermal. */
#pragma once

#include <limits.h>
#include <stddef.h>

enum chip_kind { CHIP_IIO, CHIP_HWMON, CHIP_THERMAL, CHIP_KINDS };

/* The option by which a device says it: "iio". */
const char *chip_kind_name(enum chip_kind kind);

struct chip {
    enum chip_kind kind;
    const char *name; /* "bme280" */
    const char *at;   /* NULL: whichever comes first */
};

/* What the kernel's numbers of a quantity mean, by how its files begin ("temp", "in", "voltage").
 * The value is (number + offset) * factor in `unit`. */
struct chip_quantity {
    const char *start;
    double factor;
    const char *unit, *klass; /* klass: of Home Assistant; "" when there is none */
};

/* Of an input such as "temp1", "temp", "Core 0"; NULL when nobody knows: then numbers stay as they
 * are.
 */
const struct chip_quantity *chip_quantity(enum chip_kind kind, const char *input);

struct chip_file {
    char path[PATH_MAX];
    double factor, offset; /* value = (number + offset) * factor */
};

/* Finds the file of `input` below `root` ("/"). 0, or -ENOENT: no such chip, or it has no such
 * input.
 */
int chip_find(const char *root, const struct chip *chip, const char *input,
              struct chip_file *ret_file);
