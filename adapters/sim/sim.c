/* Sim: channels that follow a wave, bring events, or play a recording.
 *
 *   connect = "sim:"                      waves: wave low high period shift; or type = "event":
 *                                         one of `events` each `period`, in turn
 *   connect = "sim:/path/recording.csv"   plays the rows of "device.channel", again and again
 *
 * A channel that was written keeps the value until it is written again.
 * A recording that is played shows at each poll what was newest then; `speed` plays it faster. A
 * channel without rows in it is QUALITY_NO_SENSOR. Of a channel of events each row is an event;
 * what comes faster than it is polled comes later, one with each poll. */

#include "adapters/sim/sim.h"

#include "adapters/sim/track.h"
#include "adapters/sim/wave.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"
#include "gateway/base/text.h"

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
    {"type", SETTING_CHOICE, .standard = "number", .choices = "number event",
     .help = "What it gives: a number with each poll, or now and then an event, which is a text."},
    {"events", SETTING_TEXTS,
     .help =
         "Of type event: the texts that it may have. Without a recording they come in turn, one "
         "each `period`."},
    {"wave", SETTING_CHOICE, .standard = "constant", .choices = WAVE_CHOICES,
     .help = "Form of the values between `low` and `high`."},
    {"low", SETTING_NUMBER, .standard = "0", .help = "Lowest value; the value of a constant."},
    {"high", SETTING_NUMBER, .standard = "1", .help = "Highest value."},
    {"period", SETTING_DURATION, .standard = "60s", .min = 1, .max = 365 * 86400e3,
     .help = "Length of one wave; time from one event to the next."},
    {"shift", SETTING_DURATION, .standard = "0s",
     .help = "How much later than the others the wave, or the first event, starts."},
    {0},
};

/* Writes that may wait for the loop's next turn; the command table refuses long before. */
#define WRITES_MAX 1024

struct sim_channel {
    struct wave wave;
    double written;                   /* NAN: never */
    char sensor[2 * 64 + 2];          /* in a recording; "" when waves are played */
    char (*events)[SAMPLE_TEXT_SIZE]; /* NULL: it gives numbers */
    size_t n_events;
    int64_t told; /* events so far, without a recording */
    struct track_place place;
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

/* What a channel has played of a recording `ms` after its beginning. */
static struct sample play(const struct sim_device *device, uint32_t c, int64_t ms, int64_t now_ms)
{
    struct sim_channel *channel = &device->channels[c];

    if (channel->events)
        return tracks_next(device->tracks, channel->sensor, ms, c, now_ms, &channel->place);
    return tracks_at(device->tracks, channel->sensor, ms % tracks_length_ms(device->tracks), c,
                     now_ms);
}

static struct sample next_event(struct sim_channel *channel, uint32_t c, int64_t ms, int64_t now_ms)
{
    const struct wave *wave = &channel->wave;

    if (wave->shift_ms + channel->told * wave->period_ms > ms)
        return sample_bad(c, now_ms, QUALITY_QUIET);
    return sample_text(c, now_ms, channel->events[channel->told++ % (int64_t)channel->n_events]);
}

static void answer(struct sim_bus *bus, uint32_t index)
{
    struct sim_device *device = &bus->devices[index];
    int64_t now_ms = clock_boot_ms(), ms = now_ms - bus->start_ms;

    for (uint32_t c = 0; c < device->n; c++) {
        struct sim_channel *channel = &device->channels[c];

        if (!isnan(channel->written))
            device->samples[c] = sample_number(c, now_ms, channel->written);
        else if (device->tracks)
            device->samples[c] = play(device, c, (int64_t)((double)ms * device->speed), now_ms);
        else if (channel->events)
            device->samples[c] = next_event(channel, c, ms, now_ms);
        else
            device->samples[c] = sample_number(c, now_ms, wave_at(&channel->wave, ms));
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

static bool is_event(const struct section *channel)
{
    return section_choice(channel, "type") == 1;
}

static bool read_events(const struct section *options, struct sim_channel *channel)
{
    size_t n = section_count(options, "events");

    if (!is_event(options))
        return true;
    channel->events = calloc(n + 1, sizeof(*channel->events));
    channel->n_events = n;
    for (size_t i = 0; channel->events && i < n; i++)
        text_copy(channel->events[i], sizeof(channel->events[i]),
                  section_text_at(options, "events", i));
    return channel->events != NULL;
}

static bool read_channel(const struct device_config *device, const struct channel_config *config,
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
    return read_events(options, channel);
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
    bool read = true;

    device->n = config->n_channels;
    device->speed = section_number(config->options, "speed");
    device->channels = calloc(device->n + 1, sizeof(*device->channels));
    device->samples = calloc(device->n + 1, sizeof(*device->samples));
    for (uint32_t c = 0; device->channels && c < device->n; c++)
        read = read_channel(config, &config->channels[c], index * 1000 + c, &device->channels[c]) &&
               read;
    if (!device->channels || !device->samples || !read)
        return error_set(reterr, -ENOMEM, "out of memory");
    return *path ? find_tracks(bus, path, &device->tracks, reterr) : 0;
}

static void release_device(struct sim_device *device)
{
    for (size_t c = 0; device->channels && c < device->n; c++)
        free(device->channels[c].events);
    free(device->channels);
    free(device->samples);
}

static void sim_close(void *opened)
{
    struct sim_bus *bus = opened;

    if (!bus)
        return;
    for (size_t i = 0; bus->devices && i < bus->n; i++)
        release_device(&bus->devices[i]);
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

static void check_wave(const struct section *channel, struct problems *problems)
{
    bool uses_high =
        section_has(channel, "high") || section_choice(channel, "wave") != WAVE_CONSTANT;

    if (uses_high && section_number(channel, "low") > section_number(channel, "high"))
        problem_error(problems, section_place(channel, "low"), "exchange `low` and `high`",
                      "low is above high");
    if (section_has(channel, "events"))
        problem_error(problems, section_place(channel, "events"), "add type = \"event\"",
                      "this channel gives numbers");
}

static void check_events(const struct section *channel, struct problems *problems)
{
    static const char *const numbers[] = {"wave", "low", "high"};

    if (section_count(channel, "events") == 0)
        problem_error(problems, section_place(channel, "type"),
                      "write events = [ \"open\", \"closed\" ]", "it does not say which events");
    for (size_t i = 0; i < section_count(channel, "events"); i++) {
        const char *text = section_text_at(channel, "events", i);
        size_t length = text ? strlen(text) : 0;

        if (length == 0 || length >= SAMPLE_TEXT_SIZE)
            problem_error(problems, section_place_at(channel, "events", i),
                          "write at most 63 bytes of text", "this is no text of an event");
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (section_has(channel, numbers[i]))
            problem_error(problems, section_place(channel, numbers[i]), "leave it out",
                          "`%s` is for numbers, this channel has events", numbers[i]);
    }
}

static void sim_check(const struct bus_config *config, struct problems *problems)
{
    for (size_t d = 0; d < config->n_devices; d++) {
        const struct device_config *device = &config->devices[d];

        for (size_t c = 0; c < device->n_channels; c++) {
            const struct section *channel = device->channels[c].options;

            if (is_event(channel))
                check_events(channel, problems);
            else
                check_wave(channel, problems);
        }
    }
}

static struct channel_traits sim_traits(const struct section *channel)
{
    return (struct channel_traits){is_event(channel) ? CHANNEL_EVENT : CHANNEL_NUMBER, -1};
}

static bool sim_option(const struct section *channel, size_t i, struct channel_option *ret)
{
    if (!is_event(channel) || i >= section_count(channel, "events"))
        return false;
    ret->number = (double)i;
    text_copy(ret->text, sizeof(ret->text), section_text_at(channel, "events", i));
    return true;
}

const struct adapter sim_adapter = {
    .word = "sim",
    .scheme = "sim",
    .default_connect = "sim:",
    .connect_help = "\"sim:\" or \"sim:/path/recording.csv\"",
    .device = device_settings_sim,
    .channel = channel_settings_sim,
    .check = sim_check,
    .traits = sim_traits,
    .option = sim_option,
    .open = sim_open,
    .close = sim_close,
    .begin = sim_begin,
    .begin_write = sim_begin_write,
};
