/* The checks of options.h that look at whole devices and buses. */
#include "adapters/modbus/options.h"

#include "adapters/modbus/forecast.h"
#include "adapters/modbus/greeting.h"
#include "adapters/modbus/share.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOAD_WARN 0.9

/* A channel of the device that is being checked. */
struct checked {
    struct mb_span span;
    const struct channel_config *config;
};

static int compare_span(const void *a, const void *b)
{
    const struct mb_span *x = &((const struct checked *)a)->span;
    const struct mb_span *y = &((const struct checked *)b)->span;

    if (x->function != y->function)
        return x->function < y->function ? -1 : 1;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return (y->count > x->count) - (y->count < x->count);
}

/* One channel within another is meant (a number and its bits); one that begins within another and
 * ends behind it is a slip: a float that is read one register late. */
static void check_overlaps(struct checked *channels, size_t n, struct problems *problems)
{
    const struct checked *wide = channels; /* reaches furthest */

    qsort(channels, n, sizeof(*channels), compare_span);
    for (size_t i = 1; i < n; i++) {
        const struct mb_span *a = &wide->span, *b = &channels[i].span;
        unsigned a_end = a->address + (unsigned)a->count, b_end = b->address + (unsigned)b->count;

        if (a->function == b->function && b->address < a_end && b_end > a_end &&
            b->address > a->address)
            problem_error(problems, section_place(channels[i].config->options, "register"),
                          "check address and type of both",
                          "its registers %u to %u overlap those of \"%s\", %u to %u", b->address,
                          b_end - 1, wide->config->name, a->address, a_end - 1);
        if (a->function != b->function || b_end > a_end)
            wide = &channels[i];
    }
}

static void check_channels(const struct device_config *device, struct problems *problems)
{
    struct checked *checked = calloc(device->n_channels + 1, sizeof(*checked));
    size_t n = 0;

    if (!checked)
        return; /* open() will not get the memory either, and says so */
    for (size_t i = 0; i < device->n_channels; i++) {
        struct mb_channel channel;

        if (mb_channel_read(device->options, &device->channels[i], &channel, problems) < 0)
            continue;
        checked[n++] = (struct checked){channel.span, &device->channels[i]};
        mb_channel_clear(&channel);
    }
    check_overlaps(checked, n, problems);
    mb_greeting_check(device->options, problems);
    free(checked);
    if (device->n_channels == 0)
        problem_error(problems, section_place(device->options, NULL),
                      "channels: { temperature: { register = \"holding 0\" } }",
                      "device \"%s\" has no channels", device->name);
}

/* Where the connect address of a device was written. */
static struct place connect_place(const struct bus_config *bus, const struct device_config *device)
{
    bool own = section_has(device->options, "connect");

    return section_place(own ? device->options : bus->options, "connect");
}

static void check_address(const struct bus_config *bus, const struct device_config *device,
                          const char *hint, struct problems *problems)
{
    struct address address;

    if (address_parse(device->connect, 502, &address) < 0)
        problem_error(problems, connect_place(bus, device), hint, "\"%s\" is no address",
                      device->connect);
}

/* -- sharing -------------------------------------------------------------------------------- */

static bool is_one_place(const struct bus_config *config)
{
    for (size_t i = 1; i < config->n_devices; i++) {
        if (strcasecmp(config->devices[i].connect, config->devices[0].connect) != 0)
            return false;
    }
    return true;
}

/* Nothing on the loop waits for a name, and everybody who reaches the port may read. */
static void check_share(const struct bus_config *config, struct problems *problems)
{
    const char *share = section_text(config->options, "share");
    struct place place = section_place(config->options, "share");
    struct in6_addr ignored;
    struct address address;

    if (!share && section_bool(config->options, "share_write"))
        problem_warning(problems, section_place(config->options, "share_write"),
                        "add share = \"tcp://127.0.0.1:1502\"", "nothing is shared here");
    if (!share)
        return;
    if (strncmp(share, "tcp://", 6) != 0 || address_parse(share, MB_SHARE_PORT, &address) < 0 ||
        (inet_pton(AF_INET, address.host, &ignored) != 1 &&
         inet_pton(AF_INET6, address.host, &ignored) != 1))
        problem_error(problems, place, "write share = \"tcp://127.0.0.1:1502\"",
                      "\"%s\" is no address of our own, in figures", share);
    else if (!is_one_place(config))
        problem_error(problems, place, "give the bus the `connect` of the devices that are meant",
                      "what is shared is one connection, and this bus has several");
    else if (strncmp(address.host, "127.", 4) != 0 && strcmp(address.host, "::1") != 0)
        problem_warning(problems, place, "let a firewall name those who may",
                        "everybody who reaches this address may %s on the line",
                        section_bool(config->options, "share_write") ? "read and write" : "read");
}

/* -- the schemes ---------------------------------------------------------------------------- */

void mb_check_tcp(const struct bus_config *config, struct problems *problems)
{
    check_share(config, problems);
    for (size_t i = 0; i < config->n_devices; i++) {
        const struct device_config *device = &config->devices[i];
        int64_t unit = section_int(device->options, "unit");

        check_address(config, device, "write tcp://192.168.1.50 or tcp://meter.lan:1502", problems);
        if (unit >= 248 && unit <= 254)
            problem_warning(problems, section_place(device->options, "unit"),
                            "units go from 1 to 247; 0 and 255 mean the device itself",
                            "unit %lld is reserved", (long long)unit);
        check_channels(device, problems);
    }
}

/* Without numbers in the frames an answer is known by being the next one. */
static void check_parallel(const struct bus_config *config, struct problems *problems)
{
    if (section_int(config->options, "parallel") > 1)
        problem_warning(problems, section_place(config->options, "parallel"),
                        "leave it out, or reach the devices as tcp://",
                        "RTU frames have no numbers: there is one request at a time");
}

/* Of what a slave on a line can have, also behind a converter. */
static void check_unit(const struct device_config *device, struct problems *problems)
{
    int64_t unit = section_int(device->options, "unit");

    if (unit < 1 || unit > 247)
        problem_error(problems, section_place(device->options, "unit"),
                      "0 is the broadcast that nobody answers, 248 and above are reserved",
                      "units of a serial line go from 1 to 247");
}

void mb_check_rtu_tcp(const struct bus_config *config, struct problems *problems)
{
    check_share(config, problems);
    check_parallel(config, problems);
    for (size_t i = 0; i < config->n_devices; i++) {
        const struct device_config *device = &config->devices[i];

        check_address(config, device, "write rtu+tcp://192.168.1.50:8899", problems);
        check_unit(device, problems);
        check_channels(device, problems);
    }
}

static void check_baud(const struct bus_config *config, struct problems *problems)
{
    static const int bauds[] = {1200,  2400,   4800,   9600,   19200, 38400,
                                57600, 115200, 230400, 460800, 921600};
    int64_t baud = section_int(config->options, "baud");
    int nearest = bauds[0];
    char hint[40];

    for (size_t i = 0; i < sizeof(bauds) / sizeof(*bauds); i++) {
        if (llabs(bauds[i] - baud) <= llabs(nearest - baud))
            nearest = bauds[i];
    }
    if (nearest == baud)
        return;
    snprintf(hint, sizeof(hint), "did you mean %d?", nearest);
    problem_error(problems, section_place(config->options, "baud"), hint,
                  "serial lines do not know %lld baud", (long long)baud);
}

/* What is over can never be done: every poll would be late. */
static void check_load(const struct bus_config *config, struct problems *problems)
{
    const char *largest;
    struct mb_forecast forecast;
    struct place place;
    char hint[200];

    if (mb_forecast(config, &forecast) < 0 || forecast.share < LOAD_WARN)
        return;
    largest = config->devices[forecast.largest].name;
    place = section_place(config->options, section_has(config->options, "baud") ? "baud" : NULL);
    snprintf(hint, sizeof(hint),
             "raise `every` of \"%s\", which takes %.0f %%, or of others; or the baud rate of all",
             largest, 100 * forecast.largest_share);
    if (forecast.share > 1)
        problem_error(problems, place, hint,
                      "bus \"%s\": its polls would take %.0f %% of the line's time", config->name,
                      100 * forecast.share);
    else
        problem_warning(problems, place, hint,
                        "bus \"%s\": its polls take %.0f %% of the line's time", config->name,
                        100 * forecast.share);
}

bool mb_forecast_serial(const struct bus_config *config, struct adapter_forecast *ret)
{
    struct mb_forecast forecast;

    if (mb_forecast(config, &forecast) < 0)
        return false;
    *ret = (struct adapter_forecast){.share = forecast.share, .cycle_us = forecast.cycle_us};
    return true;
}

void mb_check_serial(const struct bus_config *config, struct problems *problems)
{
    size_t before = problems_errors(problems);

    check_baud(config, problems);
    check_share(config, problems);
    check_parallel(config, problems);
    for (size_t i = 0; i < config->n_devices; i++) {
        const struct device_config *device = &config->devices[i];

        if (connect_path(device->connect)[0] != '/')
            problem_error(problems, connect_place(config, device),
                          "write the whole path: serial:/dev/ttyUSB0", "\"%s\" names no line",
                          device->connect);
        check_unit(device, problems);
        check_channels(device, problems);
    }
    if (problems_errors(problems) == before)
        check_load(config, problems);
}
