/* 1-Wire through an owserver of the 1-Wire file system, on the loop. A sensor is a folder of
 * properties:
 *
 *   /28.0316A2794AFF/temperature      a number, in degrees Celsius since we ask for them
 *   /uncached/28.0316A2794AFF/PIO.0   as it is now, not as it was some seconds ago
 *   /simultaneous/temperature         written 1: all thermometers of all buses convert at once, and
 *                                     what is read of them afterwards is that result
 *
 * A channel is a property, a poll reads them one after the other. All sensors of a bus are due
 * together, so that one conversion does for all. Sources: owfs.org, `man owserver`, and for the
 * properties `man DS18B20` and so on. */
#include "adapters/onewire/decode.h"
#include "adapters/onewire/onewire.h"
#include "adapters/onewire/options.h"
#include "adapters/onewire/owserver_link.h"
#include "adapters/scale.h"
#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The server takes a result for as long; then a read converts by itself. */
#define FRESH_MS 15000
#define RETRY_MS 300000 /* of a conversion for all, when the server refused */

#define LOOK_EVERY_MS 10000 /* between two looks for new sensors */

struct ow_channel {
    char *path; /* "/uncached/28.0316A2794AFF/temperature" */
    enum channel_kind kind;
    struct scale scale;
};

struct ow_device {
    struct onewire_address address;
    struct ow_ask ask; /* of the poll that is under way */
    struct ow_bus *bus;
    uint32_t index;
    uint64_t ticket;
    bool converts; /* one of its channels is a temperature of a thermometer */
    bool doubted;  /* its last answer was 85 °C, and nothing confirmed it */
    bool has_last;
    bool said_error;
    struct onewire_value last; /* its last good temperature */
    uint32_t seen;             /* the conversion whose result it has read */
    struct ow_channel *channels;
    struct sample *samples;
    uint32_t n, next; /* channels, and the one that is read next */
};

struct ow_bus {
    struct adapter_host *host;
    struct ow_link *link;
    struct ow_device *devices;
    size_t n_devices, n_converting; /* those with `converts` */
    struct ow_ask convert;
    uint32_t round;          /* of conversions for all */
    int64_t converted_ms;    /* when the last was done */
    int64_t retry_ms;        /* no conversion for all before */
    bool converting;         /* it is asked for */
    bool said_alone;         /* that the server refuses it */
    struct ow_write *writes; /* under way: only to be freed */
    struct ow_ask list;
    bool listing;       /* it is asked for */
    struct timer *look; /* with `discover` */
};

struct ow_write {
    struct ow_ask ask;
    struct ow_write *next, **link;
    uint64_t ticket;
    char value[32];
};

/* -- conversion for all --------------------------------------------------------------------- */

static void take_converted(struct ow_ask *ask, const struct ow_end *end)
{
    struct ow_bus *bus = ask->owner;
    char words[200], why[100];

    bus->converting = false;
    bus->converted_ms = end->at_ms;
    if (end->quality == QUALITY_GOOD)
        bus->said_alone = false;
    if (end->result == 0)
        return;
    bus->retry_ms = clock_boot_ms() + RETRY_MS;
    if (bus->said_alone)
        return;
    bus->said_alone = true;
    snprintf(words, sizeof(words), "thermometers are measured one after the other: %s",
             ow_words(end->result, why, sizeof(why)));
    bus->host->note(bus->host, words);
}

/* Before a thermometer is read: asks for a conversion, unless it can have the result of one. */
static void convert(struct ow_bus *bus, struct ow_device *device)
{
    int64_t now_ms = clock_boot_ms();
    bool fresh = bus->converting || now_ms < bus->converted_ms + FRESH_MS;

    if (bus->n_converting < 2 || now_ms < bus->retry_ms)
        return;
    if (device->seen == bus->round || !fresh) {
        if (!bus->converting)
            ow_link_put(bus->link, &bus->convert, false);
        bus->converting = true;
        bus->round++;
    }
    device->seen = bus->round;
}

/* -- values --------------------------------------------------------------------------------- */

/* 85 °C is also what stands in a sensor that has just got its power: then it is believed when the
 * next conversion says the same. */
static uint8_t judge_temperature(struct ow_device *device, double celsius)
{
    struct onewire_value value;
    bool doubtful;

    if (!(fabs(celsius) < 10000))
        return QUALITY_OUT_OF_RANGE;
    value = onewire_judge(device->address.family,
                          (int32_t)(celsius * 1000)); /* cut, as the kernel does */
    doubtful = onewire_is_doubtful(value, device->has_last ? &device->last : NULL);
    if (value.quality != QUALITY_GOOD || (doubtful && !device->doubted)) {
        device->doubted = doubtful;
        return doubtful ? QUALITY_POWER_ON : value.quality;
    }
    device->doubted = false;
    device->has_last = true;
    device->last = value;
    return QUALITY_GOOD;
}

/* Blanks stand before the numbers of owserver. */
static bool parse_number(const char *text, double *ret)
{
    char number[64];
    size_t length;

    text += strspn(text, " ");
    length = strcspn(text, " \r\n");
    if (length >= sizeof(number))
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    return text_to_number(number, ret) == 0;
}

static struct sample decode(struct ow_device *device, uint32_t index, const struct ow_end *end)
{
    const struct ow_channel *channel = &device->channels[index];
    uint8_t quality = QUALITY_GOOD;
    double number;

    if (strlen(end->text) != end->length)
        return sample_bad(index, end->at_ms, QUALITY_PROTOCOL);
    if (channel->kind == CHANNEL_TEXT)
        return text_is_utf8(end->text, end->length)
                   ? sample_text(index, end->at_ms, end->text + strspn(end->text, " "))
                   : sample_bad(index, end->at_ms, QUALITY_PROTOCOL);
    if (!parse_number(end->text, &number))
        return sample_bad(index, end->at_ms, QUALITY_PROTOCOL);
    if (onewire_is_temperature(device->address.family, channel->path))
        quality = judge_temperature(device, number);
    if (quality != QUALITY_GOOD)
        return sample_bad(index, end->at_ms, quality);
    if (channel->kind == CHANNEL_BINARY)
        return sample_number(index, end->at_ms, number != 0);
    return sample_number(index, end->at_ms, scale_apply(&channel->scale, number, -1));
}

/* -- polls ---------------------------------------------------------------------------------- */

static void read_next(struct ow_device *device, bool first);

/* A device of which no property can be read, all for the same reason, is away for that reason. */
static uint8_t quality_of_all(const struct ow_device *device)
{
    for (uint32_t i = 1; i < device->n; i++) {
        if (device->samples[i].quality != device->samples[0].quality)
            return QUALITY_GOOD;
    }
    return onewire_has_answered(device->samples[0].quality) ? QUALITY_GOOD
                                                            : device->samples[0].quality;
}

static void end_poll(struct ow_device *device, uint8_t quality)
{
    struct adapter_host *host = device->bus->host;

    if (quality == QUALITY_GOOD)
        host->report(host, device->index, device->samples, device->n);
    host->end(host, device->ticket, quality);
}

static void count(struct ow_device *device, const struct ow_end *end)
{
    struct adapter_exchange exchange = {
        .quality = end->quality, .answer_us = end->took_us, .busy_us = end->took_us};

    device->bus->host->exchanged(device->bus->host, device->index, &exchange);
}

/* What the quality cannot say is told once, in words. */
static void tell_error(struct ow_device *device, const struct ow_end *end, const char *path)
{
    char words[256], why[100];

    if (end->quality != QUALITY_ERROR || device->said_error)
        return;
    device->said_error = true;
    snprintf(words, sizeof(words), "%s: %s", path, ow_words(end->result, why, sizeof(why)));
    device->bus->host->note(device->bus->host, words);
}

static bool is_lost(const struct ow_end *end)
{
    return end->quality != QUALITY_GOOD && end->result == 0;
}

static void take_value(struct ow_ask *ask, const struct ow_end *end)
{
    struct ow_device *device = ask->owner;
    uint32_t index = device->next++;

    if (end->took_us > 0)
        count(device, end);
    tell_error(device, end, ask->path);
    if (is_lost(end)) {
        end_poll(device, end->quality);
        return;
    }
    if (end->quality == QUALITY_GOOD)
        device->samples[index] = decode(device, index, end);
    else
        device->samples[index] = sample_bad(index, end->at_ms, end->quality);
    if (device->next < device->n)
        read_next(device, true);
    else
        end_poll(device, quality_of_all(device));
}

/* The first property waits in line; the others follow it at once. */
static void read_next(struct ow_device *device, bool first)
{
    device->ask.path = device->channels[device->next].path;
    ow_link_put(device->bus->link, &device->ask, first);
}

static void ow_begin(void *opened, uint32_t index, uint64_t ticket)
{
    struct ow_bus *bus = opened;
    struct ow_device *device = &bus->devices[index];

    device->ticket = ticket;
    device->next = 0;
    if (device->converts)
        convert(bus, device);
    read_next(device, false);
}

/* -- writes --------------------------------------------------------------------------------- */

static void free_write(struct ow_write *write)
{
    *write->link = write->next;
    if (write->next)
        write->next->link = write->link;
    free(write);
}

static void take_written(struct ow_ask *ask, const struct ow_end *end)
{
    struct ow_write *write = enclosing(ask, struct ow_write, ask);
    struct ow_bus *bus = ask->owner;
    uint64_t ticket = write->ticket;

    free_write(write);
    bus->host->end(bus->host, ticket, end->quality);
}

/* Without memory nobody is told: whoever wrote gives up after a time of its own. */
static void ow_begin_write(void *opened, const struct write_request *request, uint64_t ticket)
{
    struct ow_bus *bus = opened;
    const struct ow_channel *channel = &bus->devices[request->device].channels[request->channel];
    struct ow_write *write = calloc(1, sizeof(*write));
    double raw = (request->number - channel->scale.offset) / channel->scale.factor;

    if (!write)
        return;
    *write = (struct ow_write){
        .ask = {.type = OW_WRITE,
                .path = strchr(channel->path + 1, '/'), /* a write has no cache */
                .value = write->value,
                .done = take_written,
                .owner = bus},
        .next = bus->writes,
        .link = &bus->writes,
        .ticket = ticket,
    };
    if (write->next)
        write->next->link = &write->next;
    bus->writes = write;
    text_from_number(write->value, sizeof(write->value), raw, -1);
    ow_link_put(bus->link, &write->ask, true);
}

/* -- discovering ---------------------------------------------------------------------------- */

static bool is_ours(const struct ow_bus *bus, const char *address)
{
    for (size_t i = 0; i < bus->n_devices; i++) {
        if (strcmp(bus->devices[i].address.text, address) == 0)
            return true;
    }
    return false;
}

/* "/uncached/28.0316A2794AFF,/uncached/29...": what is no thermometer has no channels by itself. */
static void take_list(struct ow_ask *ask, const struct ow_end *end)
{
    struct ow_bus *bus = ask->owner;
    struct onewire_address address;
    const char *list = end->quality == QUALITY_GOOD ? end->text : "";

    while (*list) {
        size_t length = strcspn(list, ",");
        char name[ONEWIRE_ADDRESS_SIZE] = "";

        if (length >= sizeof(name) - 1)
            memcpy(name, list + length - (sizeof(name) - 1), sizeof(name) - 1);
        if (onewire_address_parse(name, &address, NULL) == 0 && !is_ours(bus, address.text))
            onewire_appear(bus->host, &address);
        list += length + (list[length] == ',');
    }
    bus->listing = false;
    timer_at(bus->look, clock_boot_ms() + LOOK_EVERY_MS);
}

static void look_for_sensors(void *opened)
{
    struct ow_bus *bus = opened;

    if (!bus->look || bus->listing)
        return; /* it does not discover, or is about to know */
    bus->listing = true;
    ow_link_put(bus->link, &bus->list, false);
}

static int start_to_look(struct ow_bus *bus)
{
    bus->list =
        (struct ow_ask){.type = OW_LIST, .path = "/uncached", .done = take_list, .owner = bus};
    bus->look = timer_new(bus->host->loop, look_for_sensors, bus);
    if (!bus->look)
        return -ENOMEM;
    timer_at(bus->look, clock_boot_ms());
    return 0;
}

/* -- opening -------------------------------------------------------------------------------- */

static void ow_close(void *opened)
{
    struct ow_bus *bus = opened;

    if (!bus)
        return;
    ow_link_free(bus->link);
    timer_free(bus->look);
    while (bus->writes)
        free_write(bus->writes);
    for (size_t d = 0; bus->devices && d < bus->n_devices; d++) {
        struct ow_device *device = &bus->devices[d];

        for (uint32_t c = 0; device->channels && c < device->n; c++)
            free(device->channels[c].path);
        free(device->channels);
        free(device->samples);
    }
    free(bus->devices);
    free(bus);
}

/* As the folders of owserver are called: "28.0316A2794AFF". */
static void name_folder(const struct onewire_address *address, char folder[ONEWIRE_ADDRESS_SIZE])
{
    for (size_t i = 0; i < ONEWIRE_ADDRESS_SIZE; i++) {
        char c = address->text[i];

        folder[i] = c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c == '-' ? '.' : c;
    }
}

static int open_channel(struct ow_device *device, const char *folder,
                        const struct channel_config *config, struct ow_channel *channel)
{
    const struct section *options = config->options;

    if (asprintf(&channel->path, "/uncached/%s/%s", folder, onewire_property(options)) < 0) {
        channel->path = NULL;
        return -ENOMEM;
    }
    channel->kind = onewire_owserver_traits(options).kind;
    channel->scale =
        scale_make(section_number(options, "scale"), section_number(options, "offset"));
    device->converts =
        device->converts || onewire_is_temperature(device->address.family, channel->path);
    return 0;
}

static int open_device(struct ow_bus *bus, const struct device_config *config, uint32_t index,
                       struct error *reterr)
{
    struct ow_device *device = &bus->devices[index];
    struct onewire_address address;
    char folder[ONEWIRE_ADDRESS_SIZE];
    int r = 0;

    if (onewire_address_read(section_text(config->options, "address"), &address, reterr) < 0)
        return error_prefix(reterr, "device %s", config->name);
    *device = (struct ow_device){
        .ask = {.type = OW_READ, .done = take_value, .owner = device},
        .bus = bus,
        .index = index,
        .address = address,
        .n = (uint32_t)config->n_channels,
        .channels = calloc(config->n_channels + 1, sizeof(*device->channels)),
        .samples = calloc(config->n_channels + 1, sizeof(*device->samples)),
    };
    name_folder(&address, folder);
    if (!device->channels || !device->samples)
        r = -ENOMEM;
    for (uint32_t c = 0; r == 0 && c < device->n; c++)
        r = open_channel(device, folder, &config->channels[c], &device->channels[c]);
    bus->n_converting += device->converts;
    return r < 0 ? error_set(reterr, r, "device %s: out of memory", config->name) : 0;
}

static int ow_open(const struct bus_config *config, struct adapter_host *host, void **ret_bus,
                   struct error *reterr)
{
    struct ow_bus *bus = calloc(1, sizeof(*bus));
    struct address address;
    int r = -ENOMEM;

    if (bus && address_parse(config->connect, ONEWIRE_OWSERVER_PORT, &address) == 0) {
        bus->host = host;
        bus->n_devices = config->n_devices;
        bus->devices = calloc(config->n_devices + 1, sizeof(*bus->devices));
        bus->link = ow_link_new(host, &address);
        bus->convert = (struct ow_ask){.type = OW_WRITE,
                                       .path = "/simultaneous/temperature",
                                       .value = "1",
                                       .done = take_converted,
                                       .owner = bus};
        bus->converted_ms = -FRESH_MS;
    }
    if (bus && bus->devices && bus->link)
        r = 0;
    else
        error_set(reterr, r, "bus %s: out of memory", config->name);
    for (uint32_t i = 0; r == 0 && i < config->n_devices; i++)
        r = open_device(bus, &config->devices[i], i, reterr);
    if (r == 0 && section_bool(config->options, "discover") && (r = start_to_look(bus)) < 0)
        error_set(reterr, r, "bus %s: out of memory", config->name);
    if (r < 0) {
        ow_close(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

const struct adapter onewire_owserver_adapter = {
    .word = "onewire",
    .scheme = "owserver",
    .connect_help = "\"owserver://HOST[:PORT]\"",
    .bus = onewire_bus_settings,
    .device = onewire_owserver_device_settings,
    .channel = onewire_owserver_channel_settings,
    .together = true,
    .complete = onewire_owserver_complete,
    .check = onewire_owserver_check,
    .traits = onewire_owserver_traits,
    .open = ow_open,
    .close = ow_close,
    .look = look_for_sensors,
    .begin = ow_begin,
    .begin_write = ow_begin_write,
};
