#include "gateway/core/site.h"

#include "adapters/adapters.h"
#include "gateway/base/arena.h"
#include "gateway/base/text.h"
#include "gateway/core/found.h"
#include "gateway/core/inventory.h"
#include "gateway/core/inventory_edit.h"
#include "gateway/core/own.h"
#include "gateway/core/site_derived.h"
#include "gateway/core/site_was.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A site and what is needed only while it is built. */
struct builder {
    struct site *site;
    struct section *root;
    struct problems *problems;
    struct arena *arena;         /* of the inventory */
    struct site_device *devices; /* in the order of the file */
    size_t n_devices, n_sensors;
    struct inventory_device *inventory_devices;
    struct inventory_sensor *sensors; /* both as in the inventory */
    int64_t grid_ms;
    bool no_memory;
};

static size_t count_keys(const struct section *section)
{
    size_t n = 0;

    while (section && section_key(section, n))
        n++;
    return n;
}

/* -- buses and devices ---------------------------------------------------------------------- */

static void check_bus(struct builder *builder, struct section *bus)
{
    const struct setting *tables[16] = {bus_settings};
    const char *word;
    size_t n = 1;

    site_check_name(bus, "bus", builder->problems);
    word = section_text(bus, "adapter");
    for (size_t i = 0; adapters_at(i) && n < 16; i++) {
        const struct adapter *adapter = adapters_at(i);

        if (word && strcmp(adapter->word, word) == 0 && adapter->bus &&
            (n == 1 || tables[n - 1] != adapter->bus))
            tables[n++] = adapter->bus;
    }
    if (site_check_word(bus, builder->problems))
        section_check(bus, tables, n, builder->problems);
}

static void check_buses(struct builder *builder)
{
    const struct section *buses = section_child(builder->root, "buses");
    size_t n = count_keys(buses);

    for (size_t i = 0; i < n; i++) {
        struct section *bus = section_child(buses, section_key(buses, i));

        if (bus) /* else said when the file was checked */
            check_bus(builder, bus);
    }
}

static void read_devices(struct builder *builder)
{
    const struct section *devices = section_child(builder->root, "devices");
    size_t n = count_keys(devices);
    size_t room = n + count_keys(section_child(builder->root, "derived"));

    builder->devices = calloc(room + 1, sizeof(*builder->devices));
    if (!builder->devices) {
        builder->no_memory = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct site_device *device = &builder->devices[builder->n_devices];
        struct section *section = section_child(devices, section_key(devices, i));

        if (!section || !site_device_read(device, builder->root, section, builder->problems))
            continue;
        builder->n_devices++;
    }
    if (site_derived_read(builder->root, builder->devices, &builder->n_devices, builder->problems) <
        0)
        builder->no_memory = true;
    site_was_check(builder->devices, builder->n_devices, builder->problems);
    for (size_t i = 0; i < builder->n_devices; i++)
        builder->n_sensors += builder->devices[i].n_channels;
}

/* -- inventory ------------------------------------------------------------------------------ */

/* A slug out of the host's name, where the config has none. */
void site_names(const struct section *root, struct site_names *ret_names)
{
    const struct section *gateway = section_child(root, "gateway");
    const char *name = gateway ? section_text(gateway, "name") : NULL;
    const char *id = gateway ? section_text(gateway, "id") : NULL;
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    text_make_slug(ret_names->name, sizeof(ret_names->name), host);
    if (name)
        text_copy(ret_names->name, sizeof(ret_names->name), name);
    text_copy(ret_names->id, sizeof(ret_names->id), id ? id : ret_names->name);
}

static void check_slug(struct builder *builder, const struct section *gateway, const char *key)
{
    const char *text = gateway ? section_text(gateway, key) : NULL;

    if (text && !text_is_slug(text))
        problem_error(builder->problems, section_place(gateway, key),
                      "write small letters, digits and _, beginning with a letter",
                      "gateway.%s: \"%s\" is not a name", key, text);
}

static void name_gateway(struct builder *builder, struct inventory *inventory)
{
    const struct section *gateway = section_child(builder->root, "gateway");
    const char *label = gateway ? section_text(gateway, "label") : NULL;
    struct site_names names;

    check_slug(builder, gateway, "name");
    check_slug(builder, gateway, "id");
    site_names(builder->root, &names);
    inventory->name = arena_text(builder->arena, names.name);
    inventory->id = arena_text(builder->arena, names.id);
    inventory->label = label ? arena_text(builder->arena, label) : inventory->name;
}

static void fill_buses(struct builder *builder, struct inventory *inventory)
{
    const struct section *buses = section_child(builder->root, "buses");
    size_t n = count_keys(buses);
    struct inventory_bus *list = arena_take(builder->arena, (n + 1) * sizeof(*list));

    for (size_t i = 0; list && i < n; i++) {
        const struct section *bus = section_child(buses, section_key(buses, i));
        const char *label = bus ? section_text(bus, "label") : NULL;

        list[i].name = arena_text(builder->arena, section_key(buses, i));
        list[i].label = label ? arena_text(builder->arena, label) : list[i].name;
    }
    inventory->buses = list;
    inventory->n_buses = (uint32_t)n;
}

static void fill_devices(struct builder *builder, struct inventory *inventory)
{
    struct inventory_device *devices =
        arena_take(builder->arena, (builder->n_devices + 1) * sizeof(*devices));
    struct inventory_sensor *sensors =
        arena_take(builder->arena, (builder->n_sensors + 1) * sizeof(*sensors));
    uint32_t sensor = 0;

    if (!devices || !sensors) {
        builder->no_memory = true;
        return;
    }
    for (uint32_t d = 0; d < builder->n_devices; d++) {
        site_device_describe(&builder->devices[d], builder->arena, d, sensor, &devices[d],
                             sensors + sensor);
        sensor += devices[d].n_sensors;
    }
    builder->inventory_devices = devices;
    builder->sensors = sensors;
    inventory->devices = devices;
    inventory->n_devices = (uint32_t)builder->n_devices;
    inventory->sensors = sensors;
    inventory->n_sensors = sensor;
}

/* -- adapters ------------------------------------------------------------------------------- */

/* Devices on their way to the parts of their buses: sorted, those of one part stand together. */
struct placed {
    const struct site_device *device;
    uint32_t id;
};

static int compare_parts(const struct site_device *a, const struct site_device *b)
{
    if (a->bus_index != b->bus_index)
        return a->bus_index < b->bus_index ? -1 : 1;
    if (a->adapter != b->adapter)
        return strcmp(a->adapter->scheme, b->adapter->scheme);
    return strcmp(a->connect, b->connect);
}

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = compare_parts(x->device, y->device);

    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

/* One part of a bus: the `n` devices from `placed` on, which share adapter and address. */
static bool fill_part(struct builder *builder, const struct placed *placed, size_t n,
                      struct adapters_bus *part)
{
    struct device_config *devices = arena_take(builder->arena, n * sizeof(*devices));
    uint32_t *ids = arena_take(builder->arena, n * sizeof(*ids));
    const struct section *bus = placed[0].device->bus;

    if (!devices || !ids)
        return false;
    *part = (struct adapters_bus){
        .adapter = placed[0].device->adapter,
        .config = {.name = arena_text(builder->arena, section_name(bus)),
                   .connect = arena_text(builder->arena, placed[0].device->connect),
                   .options = bus,
                   .devices = devices,
                   .n_devices = n},
        .ids = ids,
        .hash = section_hash(bus),
        .grid_ms = builder->grid_ms,
    };
    for (size_t i = 0; i < n; i++) {
        site_device_configure(placed[i].device, builder->arena, &builder->site->channels,
                              &devices[i]);
        ids[i] = placed[i].id;
        part->hash = part->hash * 31 + site_device_hash(placed[i].device);
    }
    if (part->adapter->check)
        part->adapter->check(&part->config, builder->problems);
    return true;
}

/* A bus that looks for devices is run also while it has none. */
static void fill_empty_part(struct builder *builder, const struct section *bus,
                            struct adapters_bus *buses)
{
    const char *word = section_text(bus, "adapter"), *connect = section_text(bus, "connect");
    const struct adapter *adapter = word ? adapters_find(word, connect) : NULL;
    const char *name = section_name(bus);

    if (!adapter) {
        problem_error(builder->problems, section_place(bus, "connect"), NULL,
                      "bus \"%s\": it discovers, and does not say where", name);
        return;
    }
    builder->site->discovers = true;
    if (!connect)
        connect = adapter->default_connect;
    for (size_t i = 0; i < builder->site->n_buses; i++) {
        if (strcmp(buses[i].config.name, name) == 0 &&
            strcmp(buses[i].config.connect, connect) == 0)
            return;
    }
    buses[builder->site->n_buses++] = (struct adapters_bus){
        .adapter = adapter,
        .config = {.name = arena_text(builder->arena, name),
                   .connect = arena_text(builder->arena, connect),
                   .options = bus},
        .hash = section_hash(bus),
        .grid_ms = builder->grid_ms,
    };
    if (adapter->check)
        adapter->check(&buses[builder->site->n_buses - 1].config, builder->problems);
}

static void fill_empty_parts(struct builder *builder, struct adapters_bus *list)
{
    const struct section *buses = section_child(builder->root, "buses");
    size_t n = count_keys(buses);

    for (size_t i = 0; !builder->no_memory && i < n; i++) {
        const struct section *bus = section_child(buses, section_key(buses, i));

        if (bus && section_bool(bus, "discover"))
            fill_empty_part(builder, bus, list);
    }
}

static void fill_parts(struct builder *builder)
{
    size_t n = 0, end;
    size_t most = builder->n_devices + count_keys(section_child(builder->root, "buses"));
    struct placed *placed = calloc(builder->n_devices + 1, sizeof(*placed));
    struct adapters_bus *buses =
        arena_take(builder->arena, (most + 1) * sizeof(*builder->site->buses));

    builder->no_memory = builder->no_memory || !placed || !buses;
    for (size_t d = 0; placed && d < builder->n_devices; d++) {
        if (builder->devices[d].bus)
            placed[n++] = (struct placed){.device = &builder->devices[d], .id = (uint32_t)d};
    }
    if (placed)
        qsort(placed, n, sizeof(*placed), compare_placed);
    for (size_t start = 0; !builder->no_memory && start < n; start = end) {
        for (end = start + 1; end < n; end++) {
            if (compare_parts(placed[start].device, placed[end].device) != 0)
                break;
        }
        builder->no_memory =
            !fill_part(builder, placed + start, end - start, &buses[builder->site->n_buses++]);
    }
    fill_empty_parts(builder, buses);
    builder->site->buses = buses;
    free(placed);
}

/* -- rules ---------------------------------------------------------------------------------- */

/* Those of its options, one after the other; NULL when it has none. */
static const char *const *texts_of(struct arena *arena, const struct inventory_sensor *sensor)
{
    const char **texts = arena_take(arena, sensor->n_options * sizeof(*texts));

    for (uint32_t i = 0; texts && i < sensor->n_options; i++)
        texts[i] = sensor->options[i].text;
    return texts;
}

static void describe_to_rules(struct builder *builder, struct rules_sensor *list,
                              struct rules_origin *origins)
{
    const struct inventory *inventory = builder->site->inventory;

    own_describe(inventory, builder->arena, list + inventory->n_sensors,
                 origins + inventory->n_sensors);
    for (uint32_t i = 0; i < inventory->n_sensors; i++) {
        const struct inventory_sensor *sensor = &inventory->sensors[i];
        const struct inventory_device *device = &inventory->devices[sensor->device];
        const struct site_device *from = &builder->devices[sensor->device];
        const struct section *channel = site_device_channel(from, i - device->first_sensor);
        bool derived = site_device_is_derived(from, i - device->first_sensor);

        list[i] = (struct rules_sensor){
            .id = sensor->id,
            .label = arena_format(builder->arena, "%s %s", device->label, sensor->label),
            .unit = sensor->unit,
            .text = sensor->kind == SENSOR_TEXT || sensor->kind == SENSOR_EVENT,
            .event = sensor->kind == SENSOR_EVENT,
            .decimals = sensor->decimals,
            .every_ms = derived ? 0 : device->every_ms,
            .stale_ms = sensor->stale_ms,
            .max_rate = section_has(channel, "max_rate") ? section_number(channel, "max_rate") : 0,
            .writable = sensor->write != NULL,
        };
        origins[i] = (struct rules_origin){
            .limits = section_child(channel, "limits"),
            .options = sensor->write ? texts_of(builder->arena, sensor) : NULL,
            .n_options = sensor->n_options,
            .bus = device->bus == INVENTORY_NO_BUS
                       ? NULL
                       : list[own_bus_online(inventory, device->bus)].id,
            .derived = derived ? channel : NULL,
        };
    }
}

/* What is derived becomes stale when those can that it is made of, and its device keeps their pace.
 */
static void pace_derived(struct builder *builder)
{
    for (uint32_t i = 0; i < builder->site->inventory->n_sensors; i++) {
        const struct rules_sensor *from = rules_sensor(builder->site->rules, i);
        struct inventory_sensor *sensor = &builder->sensors[i];
        int64_t *every_ms = &builder->inventory_devices[sensor->device].every_ms;

        sensor->stale_ms = from->stale_ms;
        if (*every_ms == 0 && !builder->devices[sensor->device].bus)
            *every_ms = from->every_ms;
    }
}

static const struct inventory_limit *describe_limits(struct builder *builder, uint32_t instance,
                                                     uint8_t n)
{
    struct inventory_limit *list = arena_take(builder->arena, n * sizeof(*list));

    for (uint8_t i = 0; list && i < n; i++) {
        struct rule_limit limit = rules_limit(builder->site->rules, instance, i);

        list[i] = (struct inventory_limit){.key = arena_text(builder->arena, limit.key),
                                           .min = limit.min,
                                           .max = limit.max,
                                           .step = limit.step};
    }
    return list;
}

static void fill_rules(struct builder *builder, struct inventory *inventory)
{
    const struct rules *rules = builder->site->rules;
    size_t n = rules_count(rules);
    struct inventory_rule *list = arena_take(builder->arena, (n + 1) * sizeof(*list));

    for (uint32_t i = 0; list && i < n; i++) {
        struct rule_info info = rules_info(rules, i);

        list[i] = (struct inventory_rule){
            .id = arena_text(builder->arena, info.id),
            .rule = arena_text(builder->arena, info.rule),
            .label = arena_text(builder->arena, info.label),
            .summary = arena_text(builder->arena, info.summary),
            .sensor = info.sensor < inventory->n_sensors ? info.sensor : UINT32_MAX,
            .severity = info.severity,
            .many = info.many,
            .each = info.each,
            .ack = info.ack,
            .n_limits = info.n_limits,
            .limits = describe_limits(builder, i, info.n_limits),
        };
    }
    inventory->rules = list;
    inventory->n_rules = list ? (uint32_t)n : 0;
}

/* The names under a group of the config: what rules may refer to. Never NULL but without memory. */
static const char **names_of(const struct section *section, size_t *ret_n)
{
    size_t n = count_keys(section);
    const char **names = calloc(n + 1, sizeof(*names));

    for (size_t i = 0; names && i < n; i++)
        names[i] = section_key(section, i);
    *ret_n = n;
    return names;
}

static size_t rules_memory_of(const struct section *root)
{
    const struct section *gateway = section_child(root, "gateway");

    return gateway ? (size_t)section_size(gateway, "rules_memory") : RULES_MEMORY;
}

static int compile_rules(struct builder *builder, const struct site_context *context)
{
    const struct inventory *inventory = builder->site->inventory;
    uint32_t n = inventory->n_sensors + own_count(inventory);
    struct rules_sensor *sensors = calloc(n, sizeof(*sensors));
    struct rules_origin *origins = calloc(n, sizeof(*origins));
    struct rules_config config = {
        .rules = section_child(builder->root, "rules"),
        .defaults = section_child(builder->root, "defaults"),
        .sensors = sensors,
        .origins = origins,
        .n_sensors = n,
        .more_come = builder->site->discovers,
        .texts = context->texts,
        .memory = rules_memory_of(builder->root),
        .probes = context->probes,
    };
    const char **notifiers =
        names_of(section_child(builder->root, "notifiers"), &config.n_notifiers);
    const char **hooks = names_of(section_child(builder->root, "hooks"), &config.n_hooks);
    int r = -ENOMEM;

    config.notifiers = notifiers;
    config.hooks = hooks;
    if (sensors && origins && notifiers && hooks) {
        describe_to_rules(builder, sensors, origins);
        r = rules_new(&config, context->output, context->owner, builder->problems,
                      &builder->site->rules);
    }
    free(sensors);
    free(origins);
    free(notifiers);
    free(hooks);
    return r;
}

/* -- door ----------------------------------------------------------------------------------- */

static int build(struct builder *builder, const struct site_context *context)
{
    struct inventory *inventory = builder->site->inventory;
    int r;

    check_buses(builder);
    if (context->found && found_merge(context->found, builder->root) < 0)
        return -ENOMEM;
    read_devices(builder);
    name_gateway(builder, inventory);
    fill_buses(builder, inventory);
    fill_devices(builder, inventory);
    fill_parts(builder);
    inventory->texts = context->texts;
    r = builder->no_memory ? -ENOMEM : compile_rules(builder, context);
    if (r < 0)
        return r;
    if (problems_errors(builder->problems) > 0)
        return -EINVAL;
    pace_derived(builder);
    fill_rules(builder, inventory);
    r = inventory_finish(inventory);
    if (r == 0 && context->before)
        r = inventory_follow(inventory, context->before->inventory);
    return r;
}

int site_new(struct section *root, const struct site_context *context, struct problems *problems,
             struct site **ret_site)
{
    struct builder builder = {.root = root, .problems = problems, .grid_ms = context->grid_ms};
    int r = context->change ? context->change(context->owner, root, problems) : 0;

    if (r < 0)
        return r;
    r = -ENOMEM;
    builder.site = calloc(1, sizeof(*builder.site));
    if (builder.site)
        builder.site->inventory = inventory_new();
    if (builder.site && builder.site->inventory) {
        builder.arena = inventory_arena(builder.site->inventory);
        r = build(&builder, context);
    }
    for (size_t i = 0; i < builder.n_devices; i++)
        site_device_clear(&builder.devices[i]);
    free(builder.devices);
    if (r < 0) {
        site_free(builder.site);
        return r;
    }
    *ret_site = builder.site;
    return 0;
}

void site_opened(struct site *site)
{
    arena_free(&site->channels);
}

void site_free(struct site *site)
{
    if (!site)
        return;
    rules_free(site->rules);
    site_opened(site);
    inventory_release(site->inventory);
    free(site);
}
