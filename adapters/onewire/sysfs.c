/* 1-Wire through the kernel: thermometers whose texts decode.h describes, in folders that tree.h
 * describes. To read one starts a conversion and lasts 94 to 750 ms, and the kernel lets only one
 * thread at a time onto a master, so each master has a lane.
 *
 * Lanes are counted once, when the bus opens: one for each master seen then, and a last one. That
 * serves sensors that have not been found yet, masters that come later, and masters beyond the
 * number of sensors, since more workers than sensors have nothing to do. A sensor that turns up
 * elsewhere is read where it is looked for, and from its own master's lane the next time.
 *
 * All sensors are due together, so that bulk.h can measure them at once; prepare.h sets each up
 * when it turns up. */
#include "adapters/onewire/bulk.h"
#include "adapters/onewire/decode.h"
#include "adapters/onewire/file.h"
#include "adapters/onewire/look.h"
#include "adapters/onewire/onewire.h"
#include "adapters/onewire/options.h"
#include "adapters/onewire/prepare.h"
#include "adapters/onewire/tree.h"
#include "gateway/base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest that a good read lasts: five tries of the kernel's at 750 ms, twice, behind others
 * who use the wire. */
#define DEADLINE_MS 10000

/* One poll of a device is under way at a time, so only `lane` is seen by two threads at once. */
struct sensor {
    struct onewire_address address;
    int bits; /* of resolution, as the config wants it; 0: whatever it has */
    struct onewire_prepared prepared;
    atomic_int lane;
    int32_t master; /* where it was last, or ONEWIRE_NO_MASTER */
    uint32_t seen;  /* the last bulk conversion of that master that was read */
    bool has_last;
    struct onewire_value last; /* its last good value */
    bool said_error;
};

struct onewire_bus {
    struct adapter_host *host;
    struct onewire_tree *tree;
    struct onewire_bulk bulks[ONEWIRE_MASTERS_MAX]; /* by master */
    struct sensor *sensors;
    size_t n_sensors;
    uint32_t n_lanes;
    struct onewire_look *look; /* with `discover` */
};

/* -- reading -------------------------------------------------------------------------------- */

/* What the quality cannot say (no rights, no descriptors left) is told once, in words; up it is
 * when its file was read again. */
static void tell_error(struct onewire_bus *bus, struct sensor *sensor, uint8_t quality, int error)
{
    bool is_error = error < 0 && quality == QUALITY_ERROR;

    if (sensor->said_error ? error < 0 : !is_error)
        return;
    bus->host->link(bus->host, sensor->address.text, is_error ? strerror(-error) : NULL);
    sensor->said_error = is_error;
}

static struct onewire_value read_value(struct onewire_bus *bus, struct sensor *sensor,
                                       const char *folder)
{
    int error;
    struct onewire_value value = onewire_file_read(folder, sensor->address.family, &error);

    tell_error(bus, sensor, value.quality, error);
    return value;
}

/* Has it measured, together with the others of its master where that is possible. A result that has
 * waited since an earlier time is read and forgotten. */
static void convert(struct onewire_bus *bus, struct sensor *sensor,
                    const struct onewire_place *place)
{
    char folder[ONEWIRE_ROOT_MAX + 64];

    if (place->master == ONEWIRE_NO_MASTER)
        return;
    onewire_tree_folder(bus->tree, (uint32_t)place->master, folder);
    if (onewire_bulk_measure(&bus->bulks[place->master], folder, &sensor->seen, bus->host) ==
        ONEWIRE_OLD)
        (void)read_value(bus, sensor, place->folder);
}

static struct onewire_value read_sensor(struct onewire_bus *bus, struct sensor *sensor,
                                        const struct onewire_place *place)
{
    const char *folder = place->folder;
    struct onewire_value value;

    onewire_prepare(&sensor->prepared, sensor->address.text, folder, sensor->bits, bus->host);
    convert(bus, sensor, place);
    value = read_value(bus, sensor, folder);
    if (onewire_is_doubtful(value, sensor->has_last ? &sensor->last : NULL))
        value = onewire_confirm(read_value(bus, sensor, folder));
    if (value.quality == QUALITY_GOOD) {
        sensor->has_last = true;
        sensor->last = value;
    } else {
        onewire_unprepare(&sensor->prepared, sensor->address.text, folder, value.quality,
                          bus->host);
    }
    return value;
}

/* -- polls ---------------------------------------------------------------------------------- */

static int lane_of_master(const struct onewire_bus *bus, int32_t master)
{
    int last = (int)bus->n_lanes - 1;

    return master == ONEWIRE_NO_MASTER || master > last ? last : master;
}

static uint8_t find(struct onewire_bus *bus, struct sensor *sensor, struct onewire_place *ret)
{
    uint8_t quality = onewire_tree_find(bus->tree, sensor->address.text, sensor->master, ret);

    onewire_tree_tell(bus->tree, bus->host);
    /* Where it was stays known, for the reason when it is gone; but it is looked for on the last.
     */
    if (quality == QUALITY_GOOD && sensor->master != ret->master) {
        sensor->master = ret->master;
        sensor->prepared.done = false;
        sensor->seen = 0; /* of conversions on that master it knows nothing */
    }
    atomic_store(&sensor->lane, lane_of_master(bus, ret->master));
    return quality;
}

static void count(struct onewire_bus *bus, uint32_t device, uint8_t quality, int64_t since_us)
{
    struct adapter_exchange exchange = {.quality = quality,
                                        .answer_us = clock_boot_us() - since_us};

    exchange.busy_us = exchange.answer_us;
    bus->host->exchanged(bus->host, device, &exchange);
}

static uint8_t onewire_poll(void *opened, uint32_t device, uint32_t lane)
{
    struct onewire_bus *bus = opened;
    struct sensor *sensor = &bus->sensors[device];
    struct onewire_place place;
    struct onewire_value value;
    struct sample sample;
    uint8_t quality = find(bus, sensor, &place);
    int64_t since_us = clock_boot_us();

    (void)lane;
    if (quality != QUALITY_GOOD) {
        sensor->prepared.done = false; /* it comes back without what its RAM had */
        return quality;
    }
    value = read_sensor(bus, sensor, &place);
    count(bus, device, onewire_has_answered(value.quality) ? QUALITY_GOOD : value.quality,
          since_us);
    if (!onewire_has_answered(value.quality))
        return value.quality;
    if (value.quality == QUALITY_GOOD)
        sample = sample_number(0, clock_boot_ms(), value.milli_c / 1000.0);
    else
        sample = sample_bad(0, clock_boot_ms(), value.quality);
    bus->host->report(bus->host, device, &sample, 1);
    return QUALITY_GOOD;
}

static uint32_t onewire_lanes(void *opened)
{
    struct onewire_bus *bus = opened;

    return bus->n_lanes;
}

/* Never -1: one that is away has to be looked for, and that takes a worker. */
static int32_t onewire_lane_of(void *opened, uint32_t device)
{
    struct onewire_bus *bus = opened;

    return atomic_load(&bus->sensors[device].lane);
}

/* -- opening -------------------------------------------------------------------------------- */

static void onewire_close(void *opened)
{
    struct onewire_bus *bus = opened;

    if (!bus)
        return;
    for (size_t i = 0; i < ONEWIRE_MASTERS_MAX; i++)
        onewire_bulk_clear(&bus->bulks[i]);
    onewire_look_stop(bus->look);
    onewire_tree_free(bus->tree);
    free(bus->sensors);
    free(bus);
}

/* Finds them now, so that the first polls of all begin on their lanes. */
static int open_sensors(struct onewire_bus *bus, const struct bus_config *config,
                        struct error *reterr)
{
    for (size_t i = 0; i < config->n_devices; i++) {
        const char *text = section_text(config->devices[i].options, "address");
        struct sensor *sensor = &bus->sensors[i];
        struct onewire_place place;

        if (onewire_address_parse(text ? text : "", &sensor->address, reterr) < 0)
            return error_prefix(reterr, "device %s", config->devices[i].name);
        onewire_tree_find(bus->tree, sensor->address.text, ONEWIRE_NO_MASTER, &place);
        sensor->master = place.master;
        sensor->bits = (int)section_int(config->devices[i].options, "resolution");
        atomic_store(&sensor->lane, lane_of_master(bus, place.master));
    }
    return 0;
}

static bool is_ours(void *owner, const char *address)
{
    const struct onewire_bus *bus = owner;

    for (size_t i = 0; i < bus->n_sensors; i++) {
        if (strcmp(bus->sensors[i].address.text, address) == 0)
            return true;
    }
    return false;
}

static int onewire_open(const struct bus_config *config, struct adapter_host *host, void **ret_bus,
                        struct error *reterr)
{
    struct onewire_bus *bus = calloc(1, sizeof(*bus));
    uint32_t masters;
    int r;

    if (bus) {
        bus->host = host;
        for (size_t i = 0; i < ONEWIRE_MASTERS_MAX; i++)
            onewire_bulk_init(&bus->bulks[i]);
        bus->tree = onewire_tree_new(connect_path(config->connect));
        bus->n_sensors = config->n_devices;
        bus->sensors = calloc(config->n_devices + 1, sizeof(*bus->sensors));
    }
    if (!bus || !bus->tree || !bus->sensors) {
        onewire_close(bus);
        return error_set(reterr, -ENOMEM, "bus %s: out of memory", config->name);
    }
    masters = onewire_tree_masters(bus->tree);
    bus->n_lanes = config->n_devices > masters ? masters + 1 : (uint32_t)config->n_devices;
    r = open_sensors(bus, config, reterr);
    if (r == 0 && section_bool(config->options, "discover") &&
        !(bus->look = onewire_look_start(host, bus->tree, is_ours, bus)))
        r = error_set(reterr, -ENOMEM, "bus %s: out of memory", config->name);
    if (r < 0) {
        onewire_close(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

/* -- for the table ------------------------------------------------------------------------------
 */

static void onewire_check(const struct bus_config *config, struct problems *problems)
{
    const struct section *where =
        config->n_devices > 0 ? config->devices[0].options : config->options;
    const char *path = connect_path(config->connect);

    if (path[0] != '/' || strlen(path) > ONEWIRE_ROOT_MAX)
        problem_error(problems, section_place(where, "connect"),
                      "\"sysfs:/sys/bus/w1/devices\" is the kernel's", "\"%s\" is no path from /",
                      config->connect);
    onewire_check_devices(config, problems);
}

const struct adapter onewire_sysfs_adapter = {
    .word = "onewire",
    .scheme = "sysfs",
    .default_connect = "sysfs:/sys/bus/w1/devices",
    .connect_help = "\"sysfs:/sys/bus/w1/devices\"",
    .bus = onewire_bus_settings,
    .device = onewire_device_settings,
    .together = true,
    .deadline_ms = DEADLINE_MS,
    .complete = onewire_complete,
    .check = onewire_check,
    .traits = onewire_traits,
    .open = onewire_open,
    .close = onewire_close,
    .poll = onewire_poll,
    .lanes = onewire_lanes,
    .lane_of = onewire_lane_of,
};
