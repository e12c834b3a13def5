#include "gateway/core/site_device.h"

#include "gateway/base/arena.h"
#include "gateway/base/text.h"
#include "gateway/core/site_channel.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_MS  300000
#define STALE_MIN_MS  15000
#define STALE_PUSH_MS 300000 /* of what reports by itself */

static const char *const reserved_names[] = {"rule", "event", "health", "status", "gateway", NULL};
static const char *const reserved_channels[] = {
    "ts", "quality", "state", "availability", "replay", "set", "result", "online", NULL,
};

/* -- checks --------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *list)
{
    while (*list && strcmp(*list, name) != 0)
        list++;
    return *list != NULL;
}

/* That names are slugs was checked with the file. */
static void check_reserved(const struct section *section, const char *what,
                           const char *const *reserved, struct problems *problems)
{
    if (is_one_of(section_name(section), reserved))
        problem_error(problems, section_place(section, NULL), "choose another name",
                      "\"%s\" is reserved and cannot be the name of a %s", section_name(section),
                      what);
}

void site_check_name(const struct section *section, const char *what, struct problems *problems)
{
    check_reserved(section, what, reserved_names, problems);
}

/* Names the adapter that is meant, or lists all of them. */
static void hint_words(const char *word, char *hint, size_t size)
{
    const struct adapter *adapter;
    size_t length = 0;

    hint[0] = '\0';
    for (size_t i = 0; (adapter = adapters_at(i)); i++) {
        if (text_distance(word, adapter->word) <= 2) {
            length = 0;
            text_append(hint, size, &length, "did you mean \"%s\"?", adapter->word);
            return;
        }
        if (i == 0 || strcmp(adapters_at(i - 1)->word, adapter->word) != 0)
            text_append(hint, size, &length, "%s%s", i == 0 ? "there are: " : ", ", adapter->word);
    }
}

static bool is_word(const char *word)
{
    const struct adapter *adapter;

    for (size_t i = 0; (adapter = adapters_at(i)); i++) {
        if (strcmp(adapter->word, word) == 0)
            return true;
    }
    return false;
}

bool site_check_word(const struct section *bus, struct problems *problems)
{
    const char *word = section_text(bus, "adapter");
    char hint[200];

    if (!word || is_word(word))
        return true;
    hint_words(word, hint, sizeof(hint));
    problem_error(problems, section_place(bus, "adapter"), hint, "bus \"%s\": no adapter \"%s\"",
                  section_name(bus), word);
    return false;
}

/* -- reading -------------------------------------------------------------------------------- */

/* How the adapters of a word want to be reached: for the hint at a wrong or missing `connect`. */
static void hint_connect(const char *word, char *hint, size_t size)
{
    const struct adapter *adapter;
    size_t length = 0;

    hint[0] = '\0';
    for (size_t i = 0; (adapter = adapters_at(i)); i++) {
        if (strcmp(adapter->word, word) == 0)
            text_append(hint, size, &length, "%s%s",
                        length ? " or " : "write connect = ", adapter->connect_help);
    }
}

/* The bus that is meant by a name that is none: the nearest, or the only one. */
static void hint_bus(const struct section *buses, const char *name, char *hint, size_t size)
{
    const char *key, *nearest = NULL;
    size_t best = 3, length = 0;

    for (size_t i = 0; buses && (key = section_key(buses, i)); i++) {
        size_t distance = text_distance(name, key);

        if (distance < best || !section_key(buses, 1)) {
            best = distance;
            nearest = key;
        }
    }
    if (nearest)
        text_append(hint, size, &length, "did you mean \"%s\"?", nearest);
    else
        text_copy(hint, size, "add it under `buses`");
}

static bool find_bus(struct site_device *device, const struct section *root,
                     struct problems *problems)
{
    const struct section *buses = section_child(root, "buses");
    const char *name = section_text(device->section, "bus"), *key;
    char hint[128];

    if (!name) {
        problem_error(problems, section_place(device->section, "bus"),
                      "write bus = \"NAME\", the name of one under `buses`",
                      "device \"%s\" does not say on which bus it is",
                      section_name(device->section));
        return false;
    }
    for (uint32_t i = 0; buses && (key = section_key(buses, i)); i++) {
        if (strcmp(key, name) == 0) {
            device->bus_index = i;
            device->bus = section_child(buses, key);
            return device->bus != NULL; /* else said when the file was checked */
        }
    }
    hint_bus(buses, name, hint, sizeof(hint));
    problem_error(problems, section_place(device->section, "bus"), hint,
                  "device \"%s\": there is no bus \"%s\"", section_name(device->section), name);
    return false;
}

static bool find_adapter(struct site_device *device, struct problems *problems)
{
    const char *word = section_text(device->bus, "adapter");
    const struct section *owner =
        section_has(device->section, "connect") ? device->section : device->bus;
    const char *connect = section_text(owner, "connect");
    char hint[300];

    if (!word || !is_word(word))
        return false; /* said at the bus */
    device->adapter = adapters_find(word, connect);
    device->connect = connect ? connect : device->adapter ? device->adapter->default_connect : NULL;
    if (device->adapter)
        return true;
    hint_connect(word, hint, sizeof(hint));
    if (connect)
        problem_error(problems, section_place(owner, "connect"), hint, "\"%s\" is no address of %s",
                      connect, word);
    else
        problem_error(problems, section_place(device->section, NULL), hint,
                      "device \"%s\": neither it nor bus \"%s\" says where to connect",
                      section_name(device->section), section_name(device->bus));
    return false;
}

static bool read_channels(struct site_device *device, struct problems *problems)
{
    const struct setting *tables[] = {channel_settings, device->adapter->channel};
    struct section *channels = section_child(device->section, "channels");
    const char *key;
    size_t n = 0;

    while (channels && section_key(channels, n))
        n++;
    if (n == 0)
        problem_error(problems, section_place(device->section, NULL), "add `channels: { ... }`",
                      "device \"%s\" has no channels", section_name(device->section));
    device->channels = calloc(n + 1, sizeof(*device->channels));
    if (!device->channels)
        return false;
    for (size_t i = 0; i < n && (key = section_key(channels, i)); i++) {
        struct section *channel = section_child(channels, key);

        if (!channel)
            continue; /* said when the device was checked */
        check_reserved(channel, "channel", reserved_channels, problems);
        section_check(channel, tables, device->adapter->channel ? 2 : 1, problems);
        site_channel_check(device->adapter, channel, problems);
        device->channels[device->n_channels++] = channel;
    }
    device->n_read = device->n_channels;
    return true;
}

/* Its own interval, 0 when it is read with its device. */
static int64_t channel_every_ms(const struct section *channel)
{
    return section_has(channel, "every") ? section_duration_ms(channel, "every") : 0;
}

/* The shortest interval of its channels when each has one, else 0. */
static int64_t shortest_every_ms(const struct site_device *device)
{
    int64_t shortest_ms = 0;

    for (size_t i = 0; i < device->n_read; i++) {
        int64_t every_ms = channel_every_ms(device->channels[i]);

        if (every_ms == 0)
            return 0;
        if (shortest_ms == 0 || every_ms < shortest_ms)
            shortest_ms = every_ms;
    }
    return shortest_ms;
}

static void check_rate(const struct site_device *device, const struct section *channel,
                       struct problems *problems)
{
    if (section_has(channel, "max_rate") && device->every_ms > 0)
        problem_error(problems, section_key_place(channel, "max_rate"), "leave it out",
                      "`max_rate` is for what has no interval (every = \"0s\")");
}

/* A device of which every channel has an interval is polled at the shortest of them. Else none can
 * be shorter than its own. */
static void check_pace(struct site_device *device, struct problems *problems)
{
    int64_t shortest_ms = shortest_every_ms(device);

    if (shortest_ms > 0 && device->adapter->paced)
        device->every_ms = shortest_ms;
    for (size_t i = 0; i < device->n_read; i++) {
        const struct section *channel = device->channels[i];
        int64_t every_ms = channel_every_ms(channel);

        check_rate(device, channel, problems);
        if (every_ms == 0)
            continue;
        if (!device->adapter->paced)
            problem_error(problems, section_place(channel, "every"), "write `every` at the device",
                          "channels of a device of %s are read together", device->adapter->word);
        else if (every_ms < device->every_ms)
            problem_error(problems, section_place(channel, "every"),
                          "give the device the shortest interval, and channels longer ones",
                          "its device is not polled that often");
    }
}

static int64_t read_every(const struct site_device *device, const struct section *root)
{
    const struct section *defaults = section_child(root, "defaults");

    if (section_has(device->section, "every"))
        return section_duration_ms(device->section, "every");
    if (section_has(device->bus, "every"))
        return section_duration_ms(device->bus, "every");
    return defaults ? section_duration_ms(defaults, "every") : 10000;
}

bool site_device_read(struct site_device *device, const struct section *root,
                      struct section *section, struct problems *problems)
{
    const struct setting *tables[] = {device_settings, NULL};
    const struct section *buses = section_child(root, "buses");

    *device = (struct site_device){.section = section};
    site_check_name(section, "device", problems);
    if (buses && section_child(buses, section_name(section)))
        problem_error(problems, section_place(section, NULL), "choose another name",
                      "\"%s\" is the name of a bus already", section_name(section));
    if (!find_bus(device, root, problems) || !find_adapter(device, problems))
        return false;
    tables[1] = device->adapter->device;
    section_check(section, tables, tables[1] ? 2 : 1, problems);
    if (device->adapter->complete)
        device->adapter->complete(section, problems);
    device->every_ms = read_every(device, root);
    if (!read_channels(device, problems))
        return false;
    check_pace(device, problems);
    return true;
}

void site_device_start_derived(struct site_device *device, struct section *section,
                               struct problems *problems)
{
    *device = (struct site_device){.section = section, .bus_index = INVENTORY_NO_BUS};
    site_check_name(section, "device", problems);
}

int site_device_add_derived(struct site_device *device, const struct section *channel,
                            struct problems *problems)
{
    const struct section **grown;

    check_reserved(channel, "channel", reserved_channels, problems);
    for (size_t i = 0; i < device->n_channels; i++) {
        if (strcmp(section_name(device->channels[i]), section_name(channel)) != 0)
            continue;
        problem_error(problems, section_place(channel, NULL), "choose another name",
                      "device \"%s\" has a channel \"%s\" already", section_name(device->section),
                      section_name(channel));
        return -EEXIST;
    }
    grown = reallocarray(device->channels, device->n_channels + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    device->channels = grown;
    device->channels[device->n_channels++] = channel;
    return 0;
}

bool site_device_is_derived(const struct site_device *device, size_t channel)
{
    return channel >= device->n_read;
}

void site_device_clear(struct site_device *device)
{
    free(device->channels);
    device->channels = NULL;
}

const struct section *site_device_channel(const struct site_device *device, size_t channel)
{
    return device->channels[channel];
}

/* -- describing ----------------------------------------------------------------------------- */

static int64_t read_stale(const struct site_device *device, const struct section *channel)
{
    const struct section *levels[] = {channel, device->section, device->bus};
    int64_t every_ms = device->every_ms;

    for (size_t i = 0; i < 3; i++) {
        if (section_has(levels[i], "stale"))
            return section_duration_ms(levels[i], "stale");
    }
    if (!device->adapter->poll && !device->adapter->begin)
        return STALE_PUSH_MS;
    if (channel_every_ms(channel) > every_ms)
        every_ms = channel_every_ms(channel);
    return 3 * every_ms > STALE_MIN_MS ? 3 * every_ms : STALE_MIN_MS;
}

static const char *text_or(struct arena *arena, const struct section *section, const char *key,
                           const char *standard)
{
    const char *text = section_text(section, key);

    return text ? arena_text(arena, text) : standard;
}

static const char *state_class_of(const struct section *channel, const char *klass)
{
    static const char *const names[] = {"measurement", "total", "total_increasing", ""};
    int choice = section_choice(channel, "state_class");

    if (choice >= 0)
        return names[choice];
    if (section_bool(channel, "counter"))
        return "total_increasing";
    /* Energy and the like without `counter`: a plain measurement is refused for these classes. */
    return strcmp(klass, "energy") == 0 || strcmp(klass, "gas") == 0 ? "total" : "measurement";
}

static double number_or(const struct section *channel, const char *key, double standard)
{
    return section_has(channel, key) ? section_number(channel, key) : standard;
}

static double safe_of(const struct section *channel, const struct inventory_sensor *sensor)
{
    const char *text = section_text(channel, "safe");

    for (uint32_t i = 0; text && i < sensor->n_options; i++) {
        if (strcmp(sensor->options[i].text, text) == 0)
            return sensor->options[i].number;
    }
    return number_or(channel, "safe", NAN);
}

static void describe_writing(const struct section *channel, struct arena *arena,
                             struct inventory_sensor *sensor)
{
    const struct inventory_write write = {
        .min = number_or(channel, "min", -INFINITY),
        .max = number_or(channel, "max", INFINITY),
        .step = number_or(channel, "step", 0),
        .safe = safe_of(channel, sensor),
        .max_on_ms = section_has(channel, "max_on") ? section_duration_ms(channel, "max_on") : 0,
    };

    if (section_bool(channel, "writable"))
        sensor->write = arena_copy(arena, &write, 1, sizeof(write));
}

/* What the channel says, else the device. */
static void describe_publishing(const struct site_device *device, const struct section *channel,
                                struct arena *arena, struct inventory_sensor *sensor)
{
    const struct section *publish = section_has(channel, "publish") ? channel : device->section;
    const struct section *beat = section_has(channel, "heartbeat") ? channel : device->section;

    const struct inventory_sparse sparse = {
        .deadband = number_or(channel, "deadband", 0),
        .heartbeat_ms =
            section_has(beat, "heartbeat") ? section_duration_ms(beat, "heartbeat") : HEARTBEAT_MS,
    };

    if (section_choice(publish, "publish") == 1 || section_has(channel, "deadband"))
        sensor->sparse = arena_copy(arena, &sparse, 1, sizeof(sparse));
}

static void describe_trust(const struct section *channel, struct arena *arena,
                           struct inventory_sensor *sensor)
{
    bool has_valid = section_has(channel, "valid");
    const struct inventory_trust trust = {
        .low = has_valid ? section_number_at(channel, "valid", 0) : NAN,
        .high = has_valid ? section_number_at(channel, "valid", 1) : NAN,
        .max_step = number_or(channel, "max_step", 0),
    };

    if (has_valid || trust.max_step > 0)
        sensor->trust = arena_copy(arena, &trust, 1, sizeof(trust));
}

static bool has_option(const struct inventory_sensor *sensor, const char *text)
{
    for (uint32_t i = 0; i < sensor->n_options; i++) {
        if (strcmp(sensor->options[i].text, text) == 0)
            return true;
    }
    return false;
}

static void describe_options(const struct adapter *adapter, const struct section *channel,
                             struct arena *arena, struct inventory_sensor *sensor)
{
    struct inventory_option *options;
    struct channel_option option;
    uint32_t n = 0;

    while (adapter->option && adapter->option(channel, n, &option))
        n++;
    options = n > 0 ? arena_take(arena, n * sizeof(*options)) : NULL;
    sensor->options = options;
    sensor->n_options = 0;
    for (uint32_t i = 0; options && adapter->option(channel, i, &option); i++) {
        if (sensor->kind != SENSOR_EVENT || !has_option(sensor, option.text))
            options[sensor->n_options++] =
                (struct inventory_option){arena_text(arena, option.text), option.number};
    }
}

static void describe_sensor(const struct site_device *device, size_t index, struct arena *arena,
                            struct inventory_sensor *sensor)
{
    const struct section *channel = device->channels[index];
    bool derived = site_device_is_derived(device, index);

    static const enum sensor_kind kinds[] = {
        [CHANNEL_NUMBER] = SENSOR_NUMBER,
        [CHANNEL_BINARY] = SENSOR_BINARY,
        [CHANNEL_TEXT] = SENSOR_TEXT,
        [CHANNEL_EVENT] = SENSOR_EVENT,
    };
    struct channel_traits traits = {.kind = CHANNEL_NUMBER, .decimals = -1};

    if (!derived && device->adapter->traits)
        traits = device->adapter->traits(channel);
    sensor->channel = arena_text(arena, section_name(channel));
    sensor->id = arena_format(arena, "%s.%s", section_name(device->section), sensor->channel);
    sensor->was = text_or(arena, channel, "was", NULL);
    sensor->label = text_or(arena, channel, "label", sensor->channel);
    sensor->unit = text_or(arena, channel, "unit", "");
    sensor->klass = text_or(arena, channel, "class", "");
    sensor->icon = text_or(arena, channel, "icon", "");
    sensor->kind = (uint8_t)kinds[traits.kind];
    sensor->state_class =
        sensor->kind == SENSOR_NUMBER ? state_class_of(channel, sensor->klass) : "";
    sensor->category = section_choice(channel, "category") == 0 ? "diagnostic" : "";
    sensor->ha = section_bool(channel, "ha");
    sensor->counter = section_bool(channel, "counter");
    describe_trust(channel, arena, sensor);
    sensor->decimals =
        (int8_t)(section_has(channel, "precision") ? (int)section_int(channel, "precision")
                                                   : traits.decimals);
    sensor->stale_ms = derived ? 0 : read_stale(device, channel);
    if (!derived)
        describe_options(device->adapter, channel, arena, sensor);
    describe_writing(channel, arena, sensor);
    describe_publishing(device, channel, arena, sensor);
}

void site_device_describe(const struct site_device *device, struct arena *arena, uint32_t index,
                          uint32_t first_sensor, struct inventory_device *ret_device,
                          struct inventory_sensor *ret_sensors)
{
    const struct section *section = device->section;

    *ret_device = (struct inventory_device){
        .name = arena_text(arena, section_name(section)),
        .was = text_or(arena, section, "was", NULL),
        .area = text_or(arena, section, "area", ""),
        .manufacturer = text_or(arena, section, "manufacturer", ""),
        .model = text_or(arena, section, "model", ""),
        .serial_number = text_or(arena, section, "serial_number", ""),
        .bus = device->bus_index,
        .first_sensor = first_sensor,
        .n_sensors = (uint32_t)device->n_channels,
        .every_ms = device->every_ms,
        .ha = section_bool(section, "ha"),
    };
    ret_device->label = text_or(arena, section, "label", ret_device->name);
    for (size_t i = 0; i < device->n_channels; i++) {
        ret_sensors[i].device = index;
        describe_sensor(device, i, arena, &ret_sensors[i]);
    }
}

static uint64_t mix_text(uint64_t sum, const char *text)
{
    while (*text)
        sum = (sum ^ (unsigned char)*text++) * UINT64_C(1099511628211);
    return sum * 31;
}

uint64_t site_device_hash(const struct site_device *device)
{
    uint64_t sum = section_hash(device->section);

    sum = mix_text(mix_text(sum, section_name(device->section)), device->connect);
    return sum * 31 + (uint64_t)device->every_ms;
}

void site_device_configure(const struct site_device *device, struct arena *arena,
                           struct arena *until_open, struct device_config *ret_config)
{
    struct channel_config *channels =
        arena_take(until_open, (device->n_read + 1) * sizeof(*channels));

    *ret_config = (struct device_config){
        .name = arena_text(arena, section_name(device->section)),
        .connect = arena_text(arena, device->connect),
        .every_ms = device->every_ms,
        .options = device->section,
        .channels = channels,
        .n_channels = channels ? device->n_read : 0,
    };
    for (size_t i = 0; i < ret_config->n_channels; i++)
        channels[i] = (struct channel_config){.name = section_name(device->channels[i]),
                                              .options = device->channels[i],
                                              .every_ms = channel_every_ms(device->channels[i])};
}
