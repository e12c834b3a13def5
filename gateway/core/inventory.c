#include "gateway/core/inventory.h"

#include "gateway/base/arena.h"
#include "gateway/core/inventory_edit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An id and where it stands, for binary search. */
struct name {
    const char *id;
    uint32_t index;
};

/* Sorted by id. */
struct names {
    struct name *list;
    uint32_t count;
};

#define FORMER_MAX 3 /* ids that a sensor may have had */

struct whole {
    struct inventory inventory; /* first: outside only this is known */
    atomic_int owners;
    struct arena arena;
    struct names sensors, rules;
    struct names former_sensors, former_rules; /* of those that were renamed */
    const struct inventory *before;            /* only to be compared: it may be gone */
    uint32_t *was;                             /* by sensor */
};

static struct whole *whole_of(const struct inventory *inventory)
{
    return (struct whole *)(uintptr_t)inventory;
}

struct inventory *inventory_new(void)
{
    struct whole *whole = calloc(1, sizeof(*whole));

    if (!whole)
        return NULL;
    atomic_init(&whole->owners, 1);
    return &whole->inventory;
}

struct arena *inventory_arena(struct inventory *inventory)
{
    return &whole_of(inventory)->arena;
}

struct inventory *inventory_hold(struct inventory *inventory)
{
    atomic_fetch_add(&whole_of(inventory)->owners, 1);
    return inventory;
}

void inventory_release(struct inventory *inventory)
{
    struct whole *whole = whole_of(inventory);

    if (!whole || atomic_fetch_sub(&whole->owners, 1) > 1)
        return;
    arena_free(&whole->arena);
    free(whole);
}

/* -- renamed -------------------------------------------------------------------------------- */

const char *inventory_device_identity(const struct inventory_device *device)
{
    return device->was ? device->was : device->name;
}

const char *inventory_sensor_identity(const struct inventory_sensor *sensor)
{
    return sensor->was ? sensor->was : sensor->channel;
}

/* Device and channel may have been renamed one after the other. */
bool inventory_former_id(const struct inventory *inventory, uint32_t sensor, int number,
                         char id[INVENTORY_ID_SIZE])
{
    const struct inventory_sensor *it = &inventory->sensors[sensor];
    const struct inventory_device *device = &inventory->devices[it->device];
    const char *names[FORMER_MAX][2] = {
        {inventory_device_identity(device), inventory_sensor_identity(it)},
        {device->was, it->channel},
        {device->name, it->was},
    };
    int count = device->was && it->was ? FORMER_MAX : device->was || it->was ? 1 : 0;

    if (number >= count)
        return false;
    snprintf(id, INVENTORY_ID_SIZE, "%s.%s", names[number][0], names[number][1]);
    return true;
}

/* -- names ---------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->id, ((const struct name *)b)->id);
}

static uint32_t find(const struct names *names, const char *id)
{
    struct name wanted = {.id = id};
    const struct name *found = names->count > 0 ? bsearch(&wanted, names->list, names->count,
                                                          sizeof(wanted), compare_names)
                                                : NULL;

    return found ? found->index : UINT32_MAX;
}

static bool make_names(struct whole *whole, struct names *names, size_t most)
{
    names->list = arena_take(&whole->arena, (most + 1) * sizeof(*names->list));
    return names->list != NULL;
}

static void add_name(struct names *names, const char *id, uint32_t index)
{
    if (id)
        names->list[names->count++] = (struct name){id, index};
}

static void sort_names(struct names *names)
{
    qsort(names->list, names->count, sizeof(*names->list), compare_names);
}

/* What the id of an instance ends with, when it is that of its sensor; NULL: it is not. */
static const char *sensor_part(const struct inventory *inventory, const struct inventory_rule *rule)
{
    const char *at = strchr(rule->id, '@');

    return at && rule->sensor < inventory->n_sensors &&
                   strcmp(at + 1, inventory->sensors[rule->sensor].id) == 0
               ? at + 1
               : NULL;
}

static int name_former_sensors(struct whole *whole, size_t renamed)
{
    const struct inventory *inventory = &whole->inventory;
    char id[INVENTORY_ID_SIZE];

    if (!make_names(whole, &whole->former_sensors, renamed * FORMER_MAX))
        return -ENOMEM;
    for (uint32_t i = 0; i < inventory->n_sensors; i++) {
        for (int number = 0; inventory_former_id(inventory, i, number, id); number++)
            add_name(&whole->former_sensors, arena_text(&whole->arena, id), i);
    }
    sort_names(&whole->former_sensors);
    return 0;
}

static int name_former_rules(struct whole *whole)
{
    const struct inventory *inventory = &whole->inventory;
    char id[INVENTORY_ID_SIZE];
    const char *part;

    if (!make_names(whole, &whole->former_rules, (size_t)inventory->n_rules * FORMER_MAX))
        return -ENOMEM;
    for (uint32_t i = 0; i < inventory->n_rules; i++) {
        const struct inventory_rule *rule = &inventory->rules[i];

        if (!(part = sensor_part(inventory, rule)))
            continue;
        for (int number = 0; inventory_former_id(inventory, rule->sensor, number, id); number++)
            add_name(&whole->former_rules,
                     arena_format(&whole->arena, "%.*s%s", (int)(part - rule->id), rule->id, id),
                     i);
    }
    sort_names(&whole->former_rules);
    return 0;
}

static int name_former(struct whole *whole)
{
    size_t renamed = 0;
    char id[INVENTORY_ID_SIZE];
    int r;

    for (uint32_t i = 0; i < whole->inventory.n_sensors; i++)
        renamed += inventory_former_id(&whole->inventory, i, 0, id);
    if (renamed == 0)
        return 0;
    r = name_former_sensors(whole, renamed);
    return r < 0 ? r : name_former_rules(whole);
}

int inventory_finish(struct inventory *inventory)
{
    struct whole *whole = whole_of(inventory);

    if (!make_names(whole, &whole->sensors, inventory->n_sensors) ||
        !make_names(whole, &whole->rules, inventory->n_rules))
        return -ENOMEM;
    whole->sensors.count = whole->rules.count = 0; /* it may be finished anew */
    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        add_name(&whole->sensors, inventory->sensors[i].id, i);
    for (uint32_t i = 0; i < inventory->n_rules; i++)
        add_name(&whole->rules, inventory->rules[i].id, i);
    sort_names(&whole->sensors);
    sort_names(&whole->rules);
    return name_former(whole);
}

uint32_t inventory_find_sensor(const struct inventory *inventory, const char *id)
{
    const struct whole *whole = whole_of(inventory);
    uint32_t found = find(&whole->sensors, id);

    return found != UINT32_MAX ? found : find(&whole->former_sensors, id);
}

uint32_t inventory_find_rule(const struct inventory *inventory, const char *id)
{
    const struct whole *whole = whole_of(inventory);
    uint32_t found = find(&whole->rules, id);

    return found != UINT32_MAX ? found : find(&whole->former_rules, id);
}

/* -- one after another ---------------------------------------------------------------------- */

static uint32_t find_before(const struct inventory *inventory, uint32_t sensor,
                            const struct inventory *before)
{
    uint32_t found = inventory_find_sensor(before, inventory->sensors[sensor].id);
    char id[INVENTORY_ID_SIZE];

    for (int number = 0; found == UINT32_MAX && inventory_former_id(inventory, sensor, number, id);
         number++)
        found = inventory_find_sensor(before, id);
    return found;
}

int inventory_follow(struct inventory *inventory, const struct inventory *before)
{
    struct whole *whole = whole_of(inventory);

    whole->was = arena_take(&whole->arena, (inventory->n_sensors + 1) * sizeof(*whole->was));
    if (!whole->was)
        return -ENOMEM;
    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        whole->was[i] = find_before(inventory, i, before);
    whole->before = before;
    return 0;
}

uint32_t inventory_was(const struct inventory *inventory, uint32_t sensor,
                       const struct inventory *before)
{
    const struct whole *whole = whole_of(inventory);

    return whole->before == before ? whole->was[sensor] : find_before(inventory, sensor, before);
}
