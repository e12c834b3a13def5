/* Sim: channels that follow a wave, or play a recording.
 *
 *   connect = "sim:"                      waves: wave low high period shift
 *   connect = "sim:/path/recording.csv"   plays the rows of "device.channel", again and again
 *
 * A channel that was written keeps the value until it is written again.
 * A recording that is played shows at each poll what was newest then; `speed` plays it faster. A
 * channel without rows in it is QUALITY_NO_SENSOR. */

#include "adapters/sim/sim.h"

#include "adapters/sim/track.h"
#include "adapters/sim/wave.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct setting device_settings_sim[] = {
    {"speed", SETTING_NUMBER, .standard = "1", .min = 0.001, .max = 100000,
     .help = "How many times faster than it was recorded a file is played."},
    {0},
};

static const struct setting channel_settings_sim[] = {
    {"wave", SETTING_CHOICE, .standard = "constant", .choices = WAVE_CHOICES,
     .help = "Form of the values between `low` and `high`."},
    {"low", SETTING_NUMBER, .standard = "0", .help = "Lowest value; the value of a constant."},
    {"high", SETTING_NUMBER, .standard = "1", .help = "Highest value."},
    {"period", SETTING_DURATION, .standard = "60s", .min = 1, .max = 365 * 86400e3,
     .help = "Length of one wave."},
    {"shift", SETTING_DURATION, .standard = "0s",
     .help = "How much later than the others the wave starts."},
    {0},
};

/* Writes that may wait for the loop's next turn; the command table refuses long before. */
#define WRITES_MAX 1024

struct sim_channel {
    struct wave wave;
    double written;          /* NAN: never */
    char sensor[2 * 64 + 2]; /* in a recording; "" when waves are played */
};

struct sim_device {
    struct sim_channel *channels;
    struct sample *samples;
    size_t n;
    const struct tracks *tracks; /* of the bus; NULL: waves */
    double speed;
};

struct question {
    uint64_t ticket;
    uint32_t device;
    bool write; /* done already: only its end is due */
};

struct recording {
    const char *path;
    struct tracks *tracks;
};

struct sim_bus {
    struct adapter_host *host;
    struct sim_device *devices;
    struct recording *recordings; /* at most one a device, shared by those with the same path */
    size_t n, n_recordings;
    int64_t start_ms;
    struct queue *asked; /* struct question: to answer on the loop's next turn */
    struct timer *timer;
};

static void answer(struct sim_bus *bus, uint32_t index)
{
    struct sim_device *device = &bus->devices[index];
    int64_t now_ms = clock_boot_ms(), ms = now_ms - bus->start_ms;

    for (uint32_t c = 0; c < device->n; c++) {
        const struct sim_channel *channel = &device->channels[c];

        if (!isnan(channel->written)) {
            device->samples[c] = sample_number(c, now_ms, channel->written);
        } else if (device->tracks) {
            int64_t played = (int64_t)((double)ms * device->speed);

            device->samples[c] = tracks_at(device->tracks, channel->sensor,
                                           played % tracks_length_ms(device->tracks), c, now_ms);
        } else {
            device->samples[c] = sample_number(c, now_ms, wave_at(&channel->wave, ms));
        }
    }
    bus->host->report(bus->host, index, device->samples, device->n);
}

static void answer_all(void *owner)
{
    struct sim_bus *bus = owner;
    struct question question;

    for (size_t n = queue_length(bus->asked); n > 0 && queue_pop(bus->asked, &question, 1); n--) {
        if (!question.write)
            answer(bus, question.device);
        bus->host->end(bus->host, question.ticket, QUALITY_GOOD);
    }
}

static void sim_begin(void *opened, uint32_t device, uint64_t ticket)
{
    struct sim_bus *bus = opened;
    struct question question = {.ticket = ticket, .device = device};

    queue_push(bus->asked, &question, 1);
    timer_at(bus->timer, clock_boot_ms());
}

static void sim_begin_write(void *opened, const struct write_request *request, uint64_t ticket)
{
    struct sim_bus *bus = opened;
    struct question question = {.ticket = ticket, .device = request->device, .write = true};

    bus->devices[request->device].channels[request->channel].written = request->number;
    queue_push(bus->asked, &question, 1);
    timer_at(bus->timer, clock_boot_ms());
}

/* -- opening -------------------------------------------------------------------------------- */

static void read_channel(const struct device_config *device, const struct channel_config *config,
                         uint32_t seed, struct sim_channel *channel)
{
    const struct section *options = config->options;

    channel->written = NAN;
    channel->wave = (struct wave){.form = (enum wave_form)section_choice(options, "wave"),
                                  .low = section_number(options, "low"),
                                  .high = section_number(options, "high"),
                                  .period_ms = section_duration_ms(options, "period"),
                                  .shift_ms = section_duration_ms(options, "shift"),
                                  .seed = seed};
    snprintf(channel->sensor, sizeof(channel->sensor), "%.64s.%.64s", device->name, config->name);
}

static int find_tracks(struct sim_bus *bus, const char *path, const struct tracks **ret_tracks,
                       struct error *reterr)
{
    struct recording *recording;
    int r;

    for (size_t i = 0; i < bus->n_recordings; i++) {
        if (strcmp(bus->recordings[i].path, path) == 0) {
            *ret_tracks = bus->recordings[i].tracks;
            return 0;
        }
    }
    recording = &bus->recordings[bus->n_recordings];
    recording->path = path;
    r = tracks_load(path, &recording->tracks, reterr);
    if (r < 0)
        return r;
    bus->n_recordings++;
    *ret_tracks = recording->tracks;
    return 0;
}

static int open_device(struct sim_bus *bus, const struct device_config *config, uint32_t index,
                       struct error *reterr)
{
    struct sim_device *device = &bus->devices[index];
    const char *path = connect_path(config->connect);

    device->n = config->n_channels;
    device->speed = section_number(config->options, "speed");
    device->channels = calloc(device->n + 1, sizeof(*device->channels));
    device->samples = calloc(device->n + 1, sizeof(*device->samples));
    if (!device->channels || !device->samples)
        return error_set(reterr, -ENOMEM, "out of memory");
    for (uint32_t c = 0; c < device->n; c++)
        read_channel(config, &config->channels[c], index * 1000 + c, &device->channels[c]);
    return *path ? find_tracks(bus, path, &device->tracks, reterr) : 0;
}

static void sim_close(void *opened)
{
    struct sim_bus *bus = opened;

    if (!bus)
        return;
    for (size_t i = 0; bus->devices && i < bus->n; i++) {
        free(bus->devices[i].channels);
        free(bus->devices[i].samples);
    }
    for (size_t i = 0; i < bus->n_recordings; i++)
        tracks_free(bus->recordings[i].tracks);
    free(bus->devices);
    free(bus->recordings);
    queue_free(bus->asked);
    timer_free(bus->timer);
    free(bus);
}

static int sim_open(const struct bus_config *config, struct adapter_host *host, void **ret_bus,
                    struct error *reterr)
{
    struct sim_bus *bus = calloc(1, sizeof(*bus));
    int r = bus ? 0 : -ENOMEM;

    if (bus) {
        bus->host = host;
        bus->n = config->n_devices;
        bus->start_ms = clock_boot_ms();
        bus->devices = calloc(bus->n + 1, sizeof(*bus->devices));
        bus->recordings = calloc(bus->n + 1, sizeof(*bus->recordings));
        bus->asked =
            queue_new(sizeof(struct question), bus->n + WRITES_MAX, QUEUE_REFUSE, NULL, NULL);
        bus->timer = timer_new(host->loop, answer_all, bus);
    }
    if (!bus || !bus->devices || !bus->recordings || !bus->asked || !bus->timer)
        r = error_set(reterr, -ENOMEM, "bus %s: out of memory", config->name);
    for (uint32_t i = 0; r == 0 && i < config->n_devices; i++)
        r = open_device(bus, &config->devices[i], i, reterr);
    if (r < 0) {
        sim_close(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

static void sim_check(const struct bus_config *config, struct problems *problems)
{
    for (size_t d = 0; d < config->n_devices; d++) {
        const struct device_config *device = &config->devices[d];

        for (size_t c = 0; c < device->n_channels; c++) {
            const struct section *options = device->channels[c].options;
            bool uses_high =
                section_has(options, "high") || section_choice(options, "wave") != WAVE_CONSTANT;

            if (uses_high && section_number(options, "low") > section_number(options, "high"))
                problem_error(problems, section_place(options, "low"), "exchange `low` and `high`",
                              "low is above high");
        }
    }
}

const struct adapter sim_adapter = {
    .word = "sim",
    .scheme = "sim",
    .default_connect = "sim:",
    .connect_help = "\"sim:\" or \"sim:/path/recording.csv\"",
    .device = device_settings_sim,
    .channel = channel_settings_sim,
    .check = sim_check,
    .open = sim_open,
    .close = sim_close,
    .begin = sim_begin,
    .begin_write = sim_begin_write,
};
