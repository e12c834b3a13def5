#include "gateway/mqtt/pack.h"

#include "gateway/base/json.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/topics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A message holds at least one state, and many of a small device. */
#define MESSAGE_BYTES 16384

/* Which of the readings belong together. */
struct item {
    uint32_t device, number;
};

/* One call of pack_readings(). */
struct run {
    struct pack *pack;
    const struct reading *readings;
    const struct item *items;
    size_t count;
    const struct text_table *texts;
};

int pack_start(struct pack *pack, struct inventory *inventory, const char *base)
{
    *pack = (struct pack){.plan = plan_new(inventory, base)};
    if (!pack->plan)
        return -ENOMEM;
    pack->size = MESSAGE_BYTES + pack->plan->state_size;
    pack->buffer = malloc(pack->size);
    pack->newest = calloc((size_t)inventory->n_sensors + 1, sizeof(*pack->newest));
    pack->seen = calloc((size_t)inventory->n_sensors + 1, sizeof(*pack->seen));
    if (!pack->buffer || !pack->newest || !pack->seen) {
        pack_release(pack);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        pack->newest[i] = (struct reading){.sensor = i, .quality = QUALITY_NOT_READ};
    return 0;
}

void pack_release(struct pack *pack)
{
    plan_free(pack->plan);
    free(pack->buffer);
    free(pack->newest);
    free(pack->seen);
    memset(pack, 0, sizeof(*pack));
}

static int compare_items(const void *a, const void *b)
{
    const struct item *left = a, *right = b;

    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    return left->number < right->number ? -1 : 1;
}

/* The readings of one poll, from number `i` of the items on. A sensor that comes twice in the same
 * millisecond was read in two. Returns the number behind. */
static size_t take_poll(const struct run *run, size_t i)
{
    uint32_t device = run->items[i].device;
    int64_t at_ms = run->readings[run->items[i].number].at_ms;
    struct pack *pack = run->pack;

    pack->polls++;
    for (; i < run->count && run->items[i].device == device; i++) {
        const struct reading *reading = &run->readings[run->items[i].number];

        if (reading->at_ms != at_ms || pack->seen[reading->sensor] == pack->polls)
            break;
        pack->seen[reading->sensor] = pack->polls;
        pack->newest[reading->sensor] = *reading;
    }
    return i;
}

/* What has happened then has not happened in the next poll. */
static void forget_events(struct pack *pack, uint32_t device)
{
    const struct inventory *inventory = pack->plan->inventory;
    const struct inventory_device *it = &inventory->devices[device];

    for (uint32_t s = it->first_sensor; s < it->first_sensor + it->n_sensors; s++) {
        if (inventory->sensors[s].kind == SENSOR_EVENT)
            pack->newest[s] = (struct reading){.sensor = s, .quality = QUALITY_QUIET};
    }
}

/* As many states of one device as a message holds. Returns the number behind. */
static size_t write_message(const struct run *run, size_t i, struct json *json)
{
    struct pack *pack = run->pack;
    struct payload_state state = {.plan = pack->plan,
                                  .newest = pack->newest,
                                  .texts = run->texts,
                                  .clock = &pack->clock,
                                  .device = run->items[i].device};

    json_start(json, pack->buffer, pack->size);
    json_array(json, NULL);
    while (i < run->count && run->items[i].device == state.device && json->length < MESSAGE_BYTES) {
        state.wall_ms = run->readings[run->items[i].number].at_ms;
        i = take_poll(run, i);
        payload_put_state(json, &state);
        forget_events(pack, state.device);
    }
    return i;
}

static int put_all(const struct run *run,
                   int (*put)(void *owner, const struct mqtt_message *message), void *owner)
{
    const struct plan *plan = run->pack->plan;
    char topic[TOPICS_SIZE];
    size_t i = 0;
    int r = 0;

    while (i < run->count && r >= 0) {
        const char *device = plan->inventory->devices[run->items[i].device].name;
        struct mqtt_message message = {.topic = topics_device_replay(topic, plan->base, device),
                                       .payload = run->pack->buffer,
                                       .qos = 1};
        struct json json;

        i = write_message(run, i, &json);
        message.length = json_length(&json);
        r = put(owner, &message);
    }
    return r;
}

int pack_readings(struct pack *pack, const struct reading *readings, size_t count,
                  const struct text_table *texts,
                  int (*put)(void *owner, const struct mqtt_message *message), void *owner)
{
    const struct inventory *inventory = pack->plan->inventory;
    struct item *items = malloc((count + 1) * sizeof(*items));
    struct run run = {
        .pack = pack, .readings = readings, .items = items, .count = count, .texts = texts};
    int r;

    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct item){inventory->sensors[readings[i].sensor].device, (uint32_t)i};
    qsort(items, count, sizeof(*items), compare_items);
    r = put_all(&run, put, owner);
    free(items);
    return r;
}
