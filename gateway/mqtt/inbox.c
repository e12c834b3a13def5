#include "gateway/mqtt/inbox.h"

#include "gateway/base/queue.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/mqtt.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_HALF 40960 /* that readings and states may fill; the rest is for events */
#define EVENTS_MIN 4096
#define GROUP_MAX  256 /* readings pushed together; a longer poll goes in several groups */

/* Inside the queue there is one more: the last reading of a poll. */
#define CELL_READING_LAST (INBOX_REPORT + 1)

/* One reading; or the head of something else, whose bytes follow in `tail` more cells. */
struct cell {
    int64_t at_ms;
    uint32_t index; /* sensor, device */
    uint8_t what;   /* enum inbox_what, CELL_READING_LAST */
    uint8_t kind, quality;
    uint8_t tail;
    union {
        double number;
        uint32_t text;
        void *pointer;
    };
};

_Static_assert(sizeof(struct cell) == 24, "a reading must stay small");

#define TAIL_OF(type) ((sizeof(type) + sizeof(struct cell) - 1) / sizeof(struct cell))

#define CELLS (CELLS_HALF + EVENTS_MIN * (1 + TAIL_OF(struct event)))

_Static_assert(1 + TAIL_OF(struct event) <= GROUP_MAX, "an item must fit into what is taken");

/* What found no room, by index; UINT32_MAX in .sensor, .index and .instance where nothing waits. */
struct late {
    struct reading *readings;
    struct cell *devices;
    struct instance_state *instances;
    uint32_t n_sensors, n_devices, n_instances;
    bool inventory; /* the newest one has not been handed over */
    bool any;
};

struct inbox {
    struct queue *queue;
    void (*wake)(void *owner, bool urgent);
    void *owner;
    atomic_ullong superseded, lost;

    /* The loop's. */
    struct inventory *inventory;
    struct late late;
    int64_t gap_from_ms, gap_to_ms; /* of superseded readings; from > to: none */

    /* The taker's: cells that are out of the queue and not yet taken. */
    struct cell taken[GROUP_MAX];
    size_t next, end;
};

static void wake_for_more(void *owner)
{
    struct inbox *inbox = owner;

    inbox->wake(inbox->owner, false);
}

struct inbox *inbox_new(void (*wake)(void *owner, bool urgent), void *owner)
{
    struct inbox *inbox = calloc(1, sizeof(*inbox));

    if (!inbox)
        return NULL;
    inbox->wake = wake;
    inbox->owner = owner;
    inbox->gap_from_ms = INT64_MAX;
    inbox->queue = queue_new(sizeof(struct cell), CELLS, QUEUE_REFUSE, wake_for_more, inbox);
    if (!inbox->queue) {
        free(inbox);
        return NULL;
    }
    return inbox;
}

static void release_late(struct late *late)
{
    free(late->readings);
    free(late->devices);
    free(late->instances);
    *late = (struct late){0};
}

void inbox_free(struct inbox *inbox)
{
    struct inbox_item item;

    if (!inbox)
        return;
    while (inbox_next(inbox, &item)) {
        if (item.what == INBOX_INVENTORY)
            inventory_release(item.inventory);
        if (item.what == INBOX_PUBLISH || item.what == INBOX_REPLAY)
            free(item.publish);
        if (item.what == INBOX_GHOSTS || item.what == INBOX_REPORT)
            free(item.owned);
    }
    inventory_release(inbox->inventory);
    release_late(&inbox->late);
    queue_free(inbox->queue);
    free(inbox);
}

/* -- what comes late ------------------------------------------------------------------------ */

/* States and readings leave half of the room to events. */
static bool has_room(struct inbox *inbox)
{
    return queue_length(inbox->queue) < CELLS_HALF;
}

/* `table` made longer; the new places are all bits one, which is "nothing waits" in each of the
 * three. NULL when memory is out. */
static void *lengthen(void *table, uint32_t n, uint32_t wanted, size_t size)
{
    char *longer = realloc(table, ((size_t)wanted + 1) * size);

    if (longer)
        memset(longer + n * size, 0xff, (wanted - n) * size);
    return longer;
}

/* Room for all of an inventory, made when something is late for the first time: mostly nothing ever
 * is. Indices are never reused, so what waits stays right. Without memory there is simply no place
 * to wait. */
static void late_grow(struct late *late, const struct inventory *inventory)
{
    void *longer;

    if (inventory->n_sensors > late->n_sensors &&
        (longer = lengthen(late->readings, late->n_sensors, inventory->n_sensors,
                           sizeof(*late->readings)))) {
        late->readings = longer;
        late->n_sensors = inventory->n_sensors;
    }
    if (inventory->n_devices > late->n_devices &&
        (longer = lengthen(late->devices, late->n_devices, inventory->n_devices,
                           sizeof(*late->devices)))) {
        late->devices = longer;
        late->n_devices = inventory->n_devices;
    }
    if (inventory->n_rules > late->n_instances &&
        (longer = lengthen(late->instances, late->n_instances, inventory->n_rules,
                           sizeof(*late->instances)))) {
        late->instances = longer;
        late->n_instances = inventory->n_rules;
    }
}

/* It will not be published: neither it nor what came since. */
static void supersede(struct inbox *inbox, int64_t at_ms)
{
    atomic_fetch_add(&inbox->superseded, 1);
    if (at_ms < inbox->gap_from_ms)
        inbox->gap_from_ms = at_ms;
    if (at_ms > inbox->gap_to_ms)
        inbox->gap_to_ms = at_ms;
}

static struct late *make_late(struct inbox *inbox)
{
    struct late *late = &inbox->late;

    if (inbox->inventory)
        late_grow(late, inbox->inventory);
    late->any = true;
    return late;
}

static void late_reading(struct inbox *inbox, const struct reading *reading)
{
    struct late *late = make_late(inbox);
    bool fits = reading->sensor < late->n_sensors;

    if (!fits)
        supersede(inbox, reading->at_ms);
    else if (late->readings[reading->sensor].sensor != UINT32_MAX)
        supersede(inbox, late->readings[reading->sensor].at_ms);
    if (fits)
        late->readings[reading->sensor] = *reading;
}

bool inbox_take_gap(struct inbox *inbox, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    if (inbox->gap_from_ms > inbox->gap_to_ms)
        return false;
    *ret_from_ms = inbox->gap_from_ms;
    *ret_to_ms = inbox->gap_to_ms;
    inbox->gap_from_ms = INT64_MAX;
    inbox->gap_to_ms = 0;
    return true;
}

/* -- into the queue ------------------------------------------------------------------------- */

static struct cell cell_of(const struct reading *reading)
{
    struct cell cell = {.at_ms = reading->at_ms,
                        .index = reading->sensor,
                        .what = INBOX_READING,
                        .kind = reading->kind,
                        .quality = reading->quality};

    if (reading->kind == VALUE_TEXT)
        cell.text = reading->text;
    else if (reading->kind == VALUE_NUMBER)
        cell.number = reading->number;
    return cell;
}

/* Readings that belong together; the last one says so when `is_end`. */
static int push_readings(struct inbox *inbox, const struct reading *readings, size_t count,
                         bool is_end)
{
    struct cell cells[GROUP_MAX];

    for (size_t i = 0; i < count; i++)
        cells[i] = cell_of(&readings[i]);
    if (is_end)
        cells[count - 1].what = CELL_READING_LAST;
    return queue_push(inbox->queue, cells, count);
}

/* Something longer than a cell: a head and its bytes. */
static int push_bytes(struct inbox *inbox, uint8_t what, const void *bytes, size_t size)
{
    struct cell cells[1 + TAIL_OF(struct event)] = {{.what = what}};

    cells[0].tail = (uint8_t)((size + sizeof(cells[0]) - 1) / sizeof(cells[0]));
    memcpy(&cells[1], bytes, size);
    return queue_push(inbox->queue, cells, 1u + cells[0].tail);
}

static int push_inventory(struct inbox *inbox)
{
    struct cell cell = {.what = INBOX_INVENTORY};
    int r;

    cell.pointer = inventory_hold(inbox->inventory);
    r = queue_push(inbox->queue, &cell, 1);
    if (r < 0)
        inventory_release(inbox->inventory);
    return r;
}

/* What waits of one device, as if it were a poll. */
static void flush_device(struct inbox *inbox, const struct inventory_device *device, uint32_t index)
{
    struct late *late = &inbox->late;
    struct reading group[GROUP_MAX];
    size_t count = 0;

    for (uint32_t i = 0; i < device->n_sensors; i++) {
        struct reading *reading = NULL;

        if (device->first_sensor + i < late->n_sensors)
            reading = &late->readings[device->first_sensor + i];
        if (reading && reading->sensor != UINT32_MAX) {
            group[count++] = *reading;
            reading->sensor = UINT32_MAX;
        }
        if (count > 0 && (count == GROUP_MAX || i + 1 == device->n_sensors)) {
            push_readings(inbox, group, count, true);
            count = 0;
        }
    }
    if (index < late->n_devices && late->devices[index].index != UINT32_MAX) {
        queue_push(inbox->queue, &late->devices[index], 1);
        late->devices[index].index = UINT32_MAX;
    }
}

/* Hands over what waits as far as there is room; true when nothing waits any more. Rare, so it
 * looks through everything. The half of the queue beyond has_room() takes what one step pushes. */
static bool flush(struct inbox *inbox)
{
    struct late *late = &inbox->late;

    if (!late->any)
        return true;
    if (!has_room(inbox) || (late->inventory && push_inventory(inbox) < 0))
        return false;
    late->inventory = false;
    for (uint32_t d = 0; inbox->inventory && d < inbox->inventory->n_devices; d++) {
        if (!has_room(inbox))
            return false;
        flush_device(inbox, &inbox->inventory->devices[d], d);
    }
    for (uint32_t i = 0; i < late->n_instances; i++) {
        if (late->instances[i].instance == UINT32_MAX)
            continue;
        if (!has_room(inbox))
            return false;
        push_bytes(inbox, INBOX_INSTANCE, &late->instances[i], sizeof(late->instances[i]));
        late->instances[i].instance = UINT32_MAX;
    }
    release_late(late);
    return true;
}

/* -- loop thread ---------------------------------------------------------------------------- */

void inbox_put_inventory(struct inbox *inbox, struct inventory *inventory)
{
    inventory_hold(inventory);
    inventory_release(inbox->inventory);
    inbox->inventory = inventory;
    if (push_inventory(inbox) < 0)
        make_late(inbox)->inventory = true;
}

void inbox_put_readings(struct inbox *inbox, const struct reading *readings, size_t count)
{
    bool open = flush(inbox) && has_room(inbox);

    for (size_t at = 0; at < count;) {
        size_t n = count - at < GROUP_MAX ? count - at : GROUP_MAX;

        open = open && push_readings(inbox, readings + at, n, at + n == count) == 0;
        for (size_t i = 0; !open && i < n; i++)
            late_reading(inbox, &readings[at + i]);
        at += n;
    }
}

void inbox_put_device(struct inbox *inbox, uint32_t device, uint8_t why, int64_t at_ms)
{
    struct cell cell = {.what = INBOX_DEVICE, .index = device, .quality = why, .at_ms = at_ms};

    if (flush(inbox) && has_room(inbox) && queue_push(inbox->queue, &cell, 1) == 0)
        return;
    if (device < make_late(inbox)->n_devices)
        inbox->late.devices[device] = cell;
}

void inbox_put_instance(struct inbox *inbox, const struct instance_state *state)
{
    if (flush(inbox) && has_room(inbox) &&
        push_bytes(inbox, INBOX_INSTANCE, state, sizeof(*state)) == 0)
        return;
    if (state->instance < make_late(inbox)->n_instances)
        inbox->late.instances[state->instance] = *state;
}

int inbox_put_event(struct inbox *inbox, const struct event *event)
{
    int r;

    flush(inbox);
    /* The thread would read its numbers by an older inventory. */
    r = inbox->late.inventory ? -ENOBUFS : push_bytes(inbox, INBOX_EVENT, event, sizeof(*event));
    if (r < 0)
        atomic_fetch_add(&inbox->lost, 1);
    else
        inbox->wake(inbox->owner, true);
    return r;
}

static struct inbox_publish *publish_new(const struct mqtt_message *message)
{
    size_t topic_size = strlen(message->topic) + 1;
    struct inbox_publish *publish = malloc(sizeof(*publish) + topic_size + message->length);

    if (!publish)
        return NULL;
    publish->row = message->row;
    publish->qos = message->qos;
    publish->retain = message->retain;
    publish->length = message->length;
    memcpy(publish->topic, message->topic, topic_size);
    publish->payload = memcpy(publish->topic + topic_size, message->payload, message->length);
    return publish;
}

static int push_publish(struct inbox *inbox, uint8_t what, const struct mqtt_message *message)
{
    struct cell cell = {.what = what};
    int r = -ENOMEM;

    flush(inbox);
    cell.pointer = publish_new(message);
    if (cell.pointer)
        r = queue_push(inbox->queue, &cell, 1);
    if (r < 0)
        free(cell.pointer);
    return r;
}

int inbox_put_owned(struct inbox *inbox, uint8_t what, void *pointer)
{
    struct cell cell = {.what = what};
    int r;

    cell.pointer = pointer;
    r = queue_push(inbox->queue, &cell, 1);
    if (r < 0)
        free(pointer);
    return r;
}

int inbox_put_replay(struct inbox *inbox, const struct mqtt_message *message)
{
    return has_room(inbox) ? push_publish(inbox, INBOX_REPLAY, message) : -ENOBUFS;
}

int inbox_put_message(struct inbox *inbox, const struct mqtt_message *message)
{
    int r = push_publish(inbox, INBOX_PUBLISH, message);

    if (r == 0)
        inbox->wake(inbox->owner, true);
    /* What is kept elsewhere will be offered again. */
    if (r < 0 && message->row == 0)
        atomic_fetch_add(&inbox->lost, 1);
    return r;
}

/* -- MQTT thread ---------------------------------------------------------------------------- */

/* Has `count` cells ready to be taken; false when there are none. A head's tail was pushed with it.
 */
static bool have(struct inbox *inbox, size_t count)
{
    size_t ready = inbox->end - inbox->next;

    if (ready >= count)
        return true;
    memmove(inbox->taken, inbox->taken + inbox->next, ready * sizeof(inbox->taken[0]));
    inbox->next = 0;
    inbox->end = ready + queue_pop(inbox->queue, inbox->taken + ready, GROUP_MAX - ready);
    return inbox->end >= count;
}

static void take_reading(const struct cell *cell, struct inbox_item *item)
{
    item->what = INBOX_READING;
    item->last = cell->what == CELL_READING_LAST;
    item->reading = (struct reading){
        .at_ms = cell->at_ms, .sensor = cell->index, .kind = cell->kind, .quality = cell->quality};
    if (cell->kind == VALUE_TEXT)
        item->reading.text = cell->text;
    else
        item->reading.number = cell->number;
}

bool inbox_next(struct inbox *inbox, struct inbox_item *ret_item)
{
    const struct cell *cell;

    if (!have(inbox, 1) || !have(inbox, 1u + inbox->taken[inbox->next].tail))
        return false;
    cell = &inbox->taken[inbox->next];
    inbox->next += 1u + cell->tail;
    ret_item->what = cell->what;
    switch (cell->what) {
    case INBOX_INVENTORY:
        ret_item->inventory = cell->pointer;
        break;
    case INBOX_DEVICE:
        ret_item->device = cell->index;
        ret_item->why = cell->quality;
        break;
    case INBOX_INSTANCE:
        memcpy(&ret_item->state, cell + 1, sizeof(ret_item->state));
        break;
    case INBOX_EVENT:
        memcpy(&ret_item->event, cell + 1, sizeof(ret_item->event));
        break;
    case INBOX_GHOSTS:
    case INBOX_REPORT:
        ret_item->owned = cell->pointer;
        break;
    case INBOX_PUBLISH:
    case INBOX_REPLAY:
        ret_item->publish = cell->pointer;
        break;
    default:
        take_reading(cell, ret_item);
        break;
    }
    return true;
}

uint64_t inbox_superseded(struct inbox *inbox)
{
    return atomic_load(&inbox->superseded);
}

uint64_t inbox_lost(struct inbox *inbox)
{
    return atomic_load(&inbox->lost);
}
