/* The adapters modbus/tcp and modbus/rtu+tcp: devices, the connections that they share, and what
 * cannot be asked. */
#include "adapters/modbus/connection.h"
#include "adapters/modbus/cuts.h"
#include "adapters/modbus/modbus.h"
#include "adapters/modbus/question.h"
#include "adapters/modbus/share.h"
#include "adapters/modbus/write.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#define DEFAULT_PORT 502

struct tcp_device {
    struct mb_device model;
    struct mb_job job;
    struct mb_pending *pending; /* NULL when answers have numbers */
    struct mb_connection *connection;
};

struct tcp_bus {
    struct adapter_host *host;
    const struct mb_framing *framing;
    struct mb_bus_options options;
    struct tcp_device *devices;
    size_t n_devices;
    struct mb_connection **connections;
    size_t n_connections;
    struct timer *soon;
    struct mb_job *refused; /* what need not, or cannot, be asked; `soon` ends them */
    struct mb_share *share; /* NULL: nobody else may ask */
};

/* -- opening -------------------------------------------------------------------------------- */

/* A device on its way to a connection. */
struct placed {
    struct address address;
    size_t device;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int host = strcasecmp(x->address.host, y->address.host);

    if (host != 0)
        return host;
    if (x->address.port != y->address.port)
        return x->address.port < y->address.port ? -1 : 1;
    return (x->device > y->device) - (x->device < y->device);
}

static bool is_same_peer(const struct placed *a, const struct placed *b)
{
    return a->address.port == b->address.port && strcasecmp(a->address.host, b->address.host) == 0;
}

/* `placed` is sorted: devices with the same address stand together and get one connection. */
static int make_connections(struct tcp_bus *bus, const struct placed *placed)
{
    for (size_t i = 0; i < bus->n_devices; i++) {
        struct tcp_device *device = &bus->devices[placed[i].device];

        if (i == 0 || !is_same_peer(&placed[i - 1], &placed[i])) {
            struct mb_connection *made =
                mb_connection_new(bus->host, &placed[i].address, bus->framing, &bus->options);
            if (!made)
                return -ENOMEM;
            bus->connections[bus->n_connections++] = made;
        }
        device->connection = bus->connections[bus->n_connections - 1];
    }
    return 0;
}

static int place_devices(struct tcp_bus *bus, const struct bus_config *config, struct error *reterr)
{
    struct placed *placed = calloc(bus->n_devices + 1, sizeof(*placed));
    int result = placed ? 0 : error_set(reterr, -ENOMEM, "out of memory");

    for (size_t i = 0; i < bus->n_devices && result == 0; i++) {
        placed[i].device = i;
        if (address_parse(config->devices[i].connect, DEFAULT_PORT, &placed[i].address) < 0)
            result = error_set(reterr, -EINVAL, "device \"%s\": \"%s\" is no address",
                               config->devices[i].name, config->devices[i].connect);
    }
    if (result == 0) {
        qsort(placed, bus->n_devices, sizeof(*placed), compare_placed);
        result = make_connections(bus, placed);
    }
    free(placed);
    return result;
}

static int make_devices(struct tcp_bus *bus, const struct bus_config *config, struct error *reterr)
{
    for (size_t i = 0; i < config->n_devices; i++) {
        struct tcp_device *device = &bus->devices[i];
        int result = mb_device_init(&device->model, &bus->options, &config->devices[i], reterr);

        if (result < 0)
            return result;
        mb_cuts_recall(&device->model, bus->host->recall(bus->host, (uint32_t)i));
        if (!bus->framing->numbered && !(device->pending = calloc(1, sizeof(*device->pending))))
            return error_set(reterr, -ENOMEM, "out of memory");
        device->job = (struct mb_job){.unit = device->model.unit,
                                      .index = (uint32_t)i,
                                      .device = &device->model,
                                      .pending = device->pending,
                                      .timeout_ms = device->model.timeout_ms};
    }
    return bus->host->scratch(bus->host) ? 0 : error_set(reterr, -ENOMEM, "out of memory");
}

static void end_refused(void *owner)
{
    struct tcp_bus *bus = owner;
    struct mb_job *job = bus->refused;

    bus->refused = NULL;
    while (job) {
        struct mb_job *next = job->next;

        if (job->kind == MB_JOB_POLL)
            mb_poll_take(job->device, job->quality, NULL, clock_boot_ms(),
                         bus->host->scratch(bus->host));
        mb_job_end(job, bus->host, job->quality, NULL);
        job = next;
    }
}

/* The host may ask for the next poll of a device from inside end(): a poll's job is its again. */
static void refuse(struct tcp_bus *bus, struct mb_job *job, uint8_t quality)
{
    job->quality = quality;
    job->next = bus->refused;
    bus->refused = job;
    timer_at(bus->soon, clock_boot_ms());
}

static void tcp_close(void *owner)
{
    struct tcp_bus *bus = owner;

    if (!bus)
        return;
    mb_share_close(bus->share);
    for (size_t i = 0; i < bus->n_connections; i++)
        mb_connection_free(bus->connections[i]);
    for (size_t i = 0; bus->devices && i < bus->n_devices; i++) {
        mb_device_clear(&bus->devices[i].model);
        free(bus->devices[i].pending);
    }
    while (bus->refused) {
        struct mb_job *job = bus->refused;

        bus->refused = job->next;
        mb_job_cancel(job);
    }
    timer_free(bus->soon);
    free(bus->connections);
    free(bus->devices);
    free(bus);
}

static int open_bus(const struct bus_config *config, const struct mb_framing *framing,
                    struct adapter_host *host, void **ret_bus, struct error *reterr)
{
    struct tcp_bus *bus = calloc(1, sizeof(*bus));
    int result;

    if (!bus)
        return error_set(reterr, -ENOMEM, "out of memory");
    bus->host = host;
    bus->framing = framing;
    bus->options = mb_bus_options_read(config->options, false);
    bus->n_devices = config->n_devices;
    bus->devices = calloc(config->n_devices, sizeof(*bus->devices));
    bus->connections = calloc(config->n_devices, sizeof(struct mb_connection *));
    bus->soon = timer_new(host->loop, end_refused, bus);
    if (bus->devices && bus->connections && bus->soon)
        result = make_devices(bus, config, reterr);
    else
        result = error_set(reterr, -ENOMEM, "out of memory");
    if (result == 0)
        result = place_devices(bus, config, reterr);
    if (result == 0)
        bus->share = mb_share_as_said(bus->host, config->options);
    if (result < 0) {
        tcp_close(bus);
        return result;
    }
    *ret_bus = bus;
    return 0;
}

static int tcp_open(const struct bus_config *config, struct adapter_host *host, void **ret_bus,
                    struct error *reterr)
{
    return open_bus(config, &mb_framing_tcp, host, ret_bus, reterr);
}

static int rtu_open(const struct bus_config *config, struct adapter_host *host, void **ret_bus,
                    struct error *reterr)
{
    return open_bus(config, &mb_framing_rtu, host, ret_bus, reterr);
}

/* -- polls and writes ----------------------------------------------------------------------- */

static void tcp_begin(void *owner, uint32_t index, uint64_t ticket)
{
    struct tcp_bus *bus = owner;
    struct tcp_device *device = &bus->devices[index];

    mb_poll_tell(&device->model, bus->host, index); /* of the last poll */
    device->job.ticket = ticket;
    mb_poll_start(&device->model, clock_boot_ms());
    if (mb_connection_ask(device->connection, &device->job) < 0)
        refuse(bus, &device->job, QUALITY_DISCONNECTED);
}

/* Without memory nobody is told: whoever wrote gives up after a time of its own. */
static void tcp_begin_write(void *owner, const struct write_request *request, uint64_t ticket)
{
    struct tcp_bus *bus = owner;
    struct tcp_device *device = &bus->devices[request->device];
    struct mb_job *job = malloc(sizeof(*job));
    uint8_t quality;

    if (!job)
        return;
    mb_poll_want(&device->model, request->channel);
    *job = device->job;
    job->kind = MB_JOB_WRITE;
    job->ticket = ticket;
    quality = mb_write_build(&device->model.channels[request->channel], request->number, &job->own);
    if (quality != QUALITY_GOOD)
        refuse(bus, job, quality);
    else if (mb_connection_ask(device->connection, job) < 0)
        refuse(bus, job, QUALITY_DISCONNECTED);
}

/* -- questions ------------------------------------------------------------------------------ */

/* The device with this unit behind a connection; NULL when none is configured. */
static const struct tcp_device *find_unit(const struct tcp_bus *bus,
                                          const struct mb_connection *connection, uint8_t unit)
{
    for (size_t i = 0; i < bus->n_devices; i++) {
        if (bus->devices[i].connection == connection && bus->devices[i].model.unit == unit)
            return &bus->devices[i];
    }
    return NULL;
}

/* Of a unit that is polled: an answer to the poll before is not taken for this one, and what is
 * known need not be asked. */
static void look_up(const struct tcp_device *device, struct mb_question *question)
{
    const uint8_t *data = mb_question_known(&question->asked, &device->model, clock_boot_ms());

    question->job.device = device->job.device;
    question->job.pending = device->job.pending;
    question->job.index = device->job.index;
    question->known = data != NULL;
    if (data)
        question->answer = mb_question_answer(&question->job.own, QUALITY_GOOD, data);
}

static int tcp_begin_ask(void *owner, uint32_t index, const struct adapter_question *asked)
{
    struct tcp_bus *bus = owner;
    struct mb_connection *connection = bus->devices[index].connection;
    const struct tcp_device *device = find_unit(bus, connection, asked->unit);
    struct mb_question *question = mb_question_new(asked);

    if (!question)
        return -ENOMEM;
    if (device && asked->function != MB_IDENTIFY)
        look_up(device, question);
    if (question->known || mb_connection_ask(connection, &question->job) < 0)
        refuse(bus, &question->job, QUALITY_DISCONNECTED);
    return 0;
}

const struct adapter modbus_tcp_adapter = {
    .word = "modbus",
    .scheme = "tcp",
    .default_port = DEFAULT_PORT,
    .connect_help = "\"tcp://HOST[:PORT]\"",
    .bus = mb_bus_settings + MB_SERIAL_ROWS,
    .device = mb_device_settings,
    .channel = mb_channel_settings,
    .paced = true,
    .network = true,
    .check = mb_check_tcp,
    .traits = mb_channel_traits,
    .option = mb_channel_option,
    .open = tcp_open,
    .close = tcp_close,
    .begin = tcp_begin,
    .begin_write = tcp_begin_write,
    .begin_ask = tcp_begin_ask,
};

const struct adapter modbus_rtu_tcp_adapter = {
    .word = "modbus",
    .scheme = "rtu+tcp",
    .default_port = DEFAULT_PORT,
    .connect_help = "\"rtu+tcp://HOST[:PORT]\"",
    .bus = mb_bus_settings + MB_SERIAL_ROWS,
    .device = mb_device_settings,
    .channel = mb_channel_settings,
    .paced = true,
    .network = true,
    .check = mb_check_rtu_tcp,
    .traits = mb_channel_traits,
    .option = mb_channel_option,
    .open = rtu_open,
    .close = tcp_close,
    .begin = tcp_begin,
    .begin_write = tcp_begin_write,
    .begin_ask = tcp_begin_ask,
};
