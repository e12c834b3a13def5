/* The adapter modbus/serial: devices on lines, a worker for each line. */
#include "adapters/modbus/cuts.h"
#include "adapters/modbus/line.h"
#include "adapters/modbus/modbus.h"
#include "adapters/modbus/pending.h"
#include "adapters/modbus/question.h"
#include "adapters/modbus/share.h"
#include "adapters/modbus/write.h"

#include "gateway/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line that is away is looked for in growing pauses, at most this long: a stick that is plugged
 * in again is found soon. */
#define REOPEN_STEP_MS 1000
#define REOPEN_MAX_MS  5000

struct serial_device {
    struct mb_device model;
    uint32_t lane;
    uint32_t opened; /* of the lane, when it was asked last */
    struct mb_pending pending;
};

enum told { TOLD_NOTHING, TOLD_UP, TOLD_DOWN };

struct lane {
    struct mb_line *line;
    char *path;
    struct sample *samples; /* of one answer */
    int64_t open_ms;        /* not before this */
    int64_t pause_ms;
    int16_t last_unit; /* -1: none yet */
    uint8_t told;      /* enum told: to the host */
    uint32_t opened;   /* how often */
    bool reopened;     /* and again, and nothing was asked since */
};

struct serial_bus {
    struct adapter_host *host;
    struct mb_bus_options options;
    struct serial_device *devices;
    size_t n_devices;
    struct lane *lanes;
    uint32_t n_lanes;
    struct mb_share *share; /* NULL: it is ours alone */
};

/* -- opening -------------------------------------------------------------------------------- */

static void serial_close(void *owner)
{
    struct serial_bus *bus = owner;

    if (!bus)
        return;
    mb_share_close(bus->share);
    for (uint32_t i = 0; bus->lanes && i < bus->n_lanes; i++) {
        mb_line_free(bus->lanes[i].line);
        free(bus->lanes[i].samples);
        free(bus->lanes[i].path);
    }
    for (size_t i = 0; bus->devices && i < bus->n_devices; i++)
        mb_device_clear(&bus->devices[i].model);
    free(bus->lanes);
    free(bus->devices);
    free(bus);
}

/* Lines are few: the lane of a path is looked for among all. */
static int find_lane(struct serial_bus *bus, const char *path, uint32_t *ret_lane)
{
    struct lane *lane;

    for (*ret_lane = 0; *ret_lane < bus->n_lanes; ++*ret_lane) {
        if (strcmp(bus->lanes[*ret_lane].path, path) == 0)
            return 0;
    }
    lane = &bus->lanes[bus->n_lanes++];
    lane->path = strdup(path);
    lane->last_unit = -1;
    lane->line = mb_line_new(path, &bus->options);
    return lane->line && lane->path ? 0 : -ENOMEM;
}

static int make_devices(struct serial_bus *bus, const struct bus_config *config,
                        struct error *reterr)
{
    size_t most = 1;

    for (size_t i = 0; i < config->n_devices; i++) {
        struct serial_device *device = &bus->devices[i];
        const struct device_config *from = &config->devices[i];
        int result = mb_device_init(&device->model, &bus->options, from, reterr);

        if (result < 0)
            return result;
        mb_cuts_recall(&device->model, bus->host->recall(bus->host, (uint32_t)i));
        device->model.away = true; /* until it answers it costs the others one request a poll */
        if (find_lane(bus, connect_path(from->connect), &device->lane) < 0)
            return error_set(reterr, -ENOMEM, "out of memory");
        if (device->model.n_channels > most)
            most = device->model.n_channels;
    }
    for (uint32_t i = 0; i < bus->n_lanes; i++) {
        bus->lanes[i].samples = calloc(most, sizeof(*bus->lanes[i].samples));
        if (!bus->lanes[i].samples)
            return error_set(reterr, -ENOMEM, "out of memory");
    }
    return 0;
}

static int serial_open(const struct bus_config *config, struct adapter_host *host, void **ret_bus,
                       struct error *reterr)
{
    struct serial_bus *bus = calloc(1, sizeof(*bus));
    int result;

    if (!bus)
        return error_set(reterr, -ENOMEM, "out of memory");
    bus->host = host;
    bus->options = mb_bus_options_read(config->options, true);
    bus->n_devices = config->n_devices;
    bus->devices = calloc(config->n_devices + 1, sizeof(*bus->devices));
    bus->lanes = calloc(config->n_devices + 1, sizeof(*bus->lanes));
    if (bus->devices && bus->lanes)
        result = make_devices(bus, config, reterr);
    else
        result = error_set(reterr, -ENOMEM, "out of memory");
    if (result == 0)
        bus->share = mb_share_as_said(bus->host, config->options);
    if (result < 0) {
        serial_close(bus);
        return result;
    }
    *ret_bus = bus;
    return 0;
}

/* -- the line ------------------------------------------------------------------------------- */

static void tell(struct serial_bus *bus, struct lane *lane, const char *why)
{
    uint8_t told = why ? TOLD_DOWN : TOLD_UP;

    if (lane->told == told)
        return;
    lane->told = told;
    bus->host->link(bus->host, lane->path, why);
}

static void tell_fault(struct serial_bus *bus, struct lane *lane)
{
    const char *words = mb_line_diagnose(lane->line);
    char line[300];

    if (!words)
        return;
    snprintf(line, sizeof(line), "%s: %s", lane->path, words);
    bus->host->note(bus->host, line);
}

static void lane_lost(struct serial_bus *bus, struct lane *lane, const char *why)
{
    if (lane->pause_ms < REOPEN_MAX_MS)
        lane->pause_ms += REOPEN_STEP_MS;
    lane->open_ms = clock_boot_ms() + lane->pause_ms;
    tell(bus, lane, why);
}

static bool lane_ready(struct serial_bus *bus, struct lane *lane)
{
    struct error err;

    if (mb_line_is_open(lane->line))
        return true;
    if (clock_boot_ms() < lane->open_ms)
        return false;
    if (mb_line_open(lane->line, &err) < 0) {
        lane_lost(bus, lane, err.text);
        return false;
    }
    lane->pause_ms = 0;
    lane->last_unit = -1;
    lane->reopened = lane->opened++ > 0;
    tell(bus, lane, NULL);
    return true;
}

static void lane_pause(const struct serial_bus *bus, struct lane *lane, uint8_t unit)
{
    mb_line_pause(lane->line, bus->options.pause_requests_ms);
    if (lane->last_unit >= 0 && lane->last_unit != unit)
        mb_line_pause(lane->line, bus->options.pause_units_ms);
    lane->last_unit = unit;
}

/* -- asking --------------------------------------------------------------------------------- */

/* Sends a request and counts what came of it. The silence before it is the line's time, too. */
static uint8_t exchange(struct serial_bus *bus, struct lane *lane, uint32_t index,
                        const struct mb_request *request, const uint8_t **ret_data)
{
    const struct mb_device *model = &bus->devices[index].model;
    struct adapter_exchange exchange = {.reconnected = lane->reopened};
    struct error err;
    int64_t began_us = clock_boot_us();

    lane_pause(bus, lane, model->unit);
    exchange.quality =
        mb_line_ask(lane->line, model->unit, request, model->timeout_ms, ret_data, &err);
    exchange.answer_us = mb_line_answer_us(lane->line);
    exchange.foreign = mb_line_take_foreign(lane->line);
    exchange.busy_us = clock_boot_us() - began_us;
    lane->reopened = false;
    bus->host->exchanged(bus->host, index, &exchange);
    tell_fault(bus, lane);
    if (exchange.quality == QUALITY_DISCONNECTED)
        lane_lost(bus, lane, err.text);
    return exchange.quality;
}

/* Asks once; in a shape, or behind an echo, such that no older answer can be taken for this. */
static uint8_t ask_once(struct serial_bus *bus, struct lane *lane, uint32_t index,
                        const struct mb_request *wanted, const uint8_t **ret_data)
{
    struct serial_device *device = &bus->devices[index];
    struct mb_request request;
    uint8_t quality;

    do {
        if (mb_pending_next(&device->pending, wanted, device->model.max_registers, clock_boot_ms(),
                            &request) == MB_HOLD)
            return QUALITY_TIMEOUT;
        quality = mb_pending_end(&device->pending, exchange(bus, lane, index, &request, ret_data));
    } while (quality == MB_AGAIN);
    return quality;
}

static uint8_t ask(struct serial_bus *bus, struct lane *lane, uint32_t index,
                   const struct mb_request *request, const uint8_t **ret_data)
{
    uint8_t quality;
    unsigned tries = 0;

    for (;;) {
        quality = ask_once(bus, lane, index, request, ret_data);
        if (!mb_poll_again(&bus->devices[index].model, quality, ++tries))
            return quality;
        if (mb_poll_is_busy(quality))
            mb_line_pause(lane->line, MB_BUSY_MS);
    }
}

/* -- questions ------------------------------------------------------------------------------ */

/* The device of a line that has this unit; UINT32_MAX when none is configured. */
static uint32_t find_unit(const struct serial_bus *bus, uint32_t lane, uint8_t unit)
{
    for (uint32_t i = 0; i < bus->n_devices; i++) {
        if (bus->devices[i].lane == lane && bus->devices[i].model.unit == unit)
            return i;
    }
    return UINT32_MAX;
}

/* Of a unit that nobody polls no late reply can be taken for another's. */
static uint8_t ask_stranger(struct serial_bus *bus, struct lane *lane,
                            const struct adapter_question *question,
                            const struct mb_request *request, const uint8_t **ret_data)
{
    struct error err;
    uint8_t quality;

    lane_pause(bus, lane, question->unit);
    quality =
        mb_line_ask(lane->line, question->unit, request, question->timeout_ms, ret_data, &err);
    if (quality == QUALITY_DISCONNECTED)
        lane_lost(bus, lane, err.text);
    return quality;
}

/* Of a unit that is polled: an answer to the poll before is not taken for this one. */
static uint8_t ask_known(struct serial_bus *bus, struct lane *lane, uint32_t index,
                         const struct mb_request *request, const uint8_t **ret_data)
{
    uint8_t quality = ask_once(bus, lane, index, request, ret_data);

    if (!mb_is_read(request->function))
        mb_device_forget(&bus->devices[index].model);
    return quality;
}

static void serial_ask(void *owner, const struct adapter_question *question, uint32_t lane_index,
                       struct adapter_answer *ret)
{
    struct serial_bus *bus = owner;
    struct lane *lane = &bus->lanes[lane_index];
    struct mb_request request = mb_question_request(question);
    uint32_t index = find_unit(bus, lane_index, question->unit);
    bool known = index != UINT32_MAX && request.function != MB_IDENTIFY;
    const uint8_t *data =
        known ? mb_question_known(question, &bus->devices[index].model, clock_boot_ms()) : NULL;
    uint8_t quality = QUALITY_DISCONNECTED;

    if (data)
        quality = QUALITY_GOOD;
    else if (lane_ready(bus, lane))
        quality = known ? ask_known(bus, lane, index, &request, &data)
                        : ask_stranger(bus, lane, question, &request, &data);
    *ret = mb_question_answer(&request, quality, data);
}

/* -- door ----------------------------------------------------------------------------------- */

static uint8_t serial_poll(void *owner, uint32_t index, uint32_t lane_index)
{
    struct serial_bus *bus = owner;
    struct serial_device *device = &bus->devices[index];
    struct lane *lane = &bus->lanes[lane_index];
    const struct mb_request *request;

    if (!lane_ready(bus, lane))
        return QUALITY_DISCONNECTED;
    if (device->opened != lane->opened)
        mb_poll_greet(&device->model);
    device->opened = lane->opened;
    mb_poll_start(&device->model, clock_boot_ms());
    while ((request = mb_poll_request(&device->model))) {
        const uint8_t *data = NULL;
        uint8_t quality = ask(bus, lane, index, request, &data);
        size_t n;

        n = mb_poll_take(&device->model, quality, data, clock_boot_ms(), lane->samples);
        if (n > 0)
            bus->host->report(bus->host, index, lane->samples, n);
    }
    mb_poll_tell(&device->model, bus->host, index);
    return mb_poll_quality(&device->model);
}

/* Asked once: whether a write that was not answered has been done is for the caller to find out. */
static uint8_t serial_write(void *owner, const struct write_request *request, uint32_t lane_index)
{
    struct serial_bus *bus = owner;
    struct serial_device *device = &bus->devices[request->device];
    struct lane *lane = &bus->lanes[lane_index];
    const uint8_t *data;
    struct mb_request write;
    uint8_t quality =
        mb_write_build(&device->model.channels[request->channel], request->number, &write);

    if (quality != QUALITY_GOOD)
        return quality;
    if (!lane_ready(bus, lane))
        return QUALITY_DISCONNECTED;
    mb_poll_want(&device->model, request->channel);
    return ask_once(bus, lane, request->device, &write, &data);
}

static uint32_t serial_lanes(void *owner)
{
    return ((struct serial_bus *)owner)->n_lanes;
}

static int32_t serial_lane_of(void *owner, uint32_t device)
{
    return (int32_t)((struct serial_bus *)owner)->devices[device].lane;
}

const struct adapter modbus_serial_adapter = {
    .word = "modbus",
    .scheme = "serial",
    .connect_help = "\"serial:/dev/ttyUSB0\"",
    .bus = mb_bus_settings,
    .device = mb_device_settings,
    .channel = mb_channel_settings,
    .paced = true,
    .check = mb_check_serial,
    .forecast = mb_forecast_serial,
    .traits = mb_channel_traits,
    .option = mb_channel_option,
    .open = serial_open,
    .close = serial_close,
    .poll = serial_poll,
    .write = serial_write,
    .ask = serial_ask,
    .lanes = serial_lanes,
    .lane_of = serial_lane_of,
};
