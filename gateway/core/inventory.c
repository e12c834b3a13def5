#include "gateway/core/inventory.h"

#include "gateway/base/arena.h"
#include "gateway/core/inventory_edit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* An id and where it stands, for binary search. */
struct name {
    const char *id;
    uint32_t index;
};

struct whole {
    struct inventory inventory; /* first: outside only this is known */
    atomic_int owners;
    struct arena arena;
    struct name *sensors, *rules;   /* sorted by id */
    const struct inventory *before; /* only to be compared: it may be gone */
    uint32_t *was;                  /* by sensor */
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

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->id, ((const struct name *)b)->id);
}

int inventory_finish(struct inventory *inventory)
{
    struct whole *whole = whole_of(inventory);

    whole->sensors = arena_take(&whole->arena, (inventory->n_sensors + 1) * sizeof(struct name));
    whole->rules = arena_take(&whole->arena, (inventory->n_rules + 1) * sizeof(struct name));
    if (!whole->sensors || !whole->rules)
        return -ENOMEM;
    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        whole->sensors[i] = (struct name){inventory->sensors[i].id, i};
    for (uint32_t i = 0; i < inventory->n_rules; i++)
        whole->rules[i] = (struct name){inventory->rules[i].id, i};
    qsort(whole->sensors, inventory->n_sensors, sizeof(struct name), compare_names);
    qsort(whole->rules, inventory->n_rules, sizeof(struct name), compare_names);
    return 0;
}

static uint32_t find(const struct name *names, uint32_t n, const char *id)
{
    struct name wanted = {.id = id};
    const struct name *found = bsearch(&wanted, names, n, sizeof(*names), compare_names);

    return found ? found->index : UINT32_MAX;
}

uint32_t inventory_find_sensor(const struct inventory *inventory, const char *id)
{
    return find(whole_of(inventory)->sensors, inventory->n_sensors, id);
}

int inventory_follow(struct inventory *inventory, const struct inventory *before)
{
    struct whole *whole = whole_of(inventory);

    whole->was = arena_take(&whole->arena, (inventory->n_sensors + 1) * sizeof(*whole->was));
    if (!whole->was)
        return -ENOMEM;
    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        whole->was[i] = inventory_find_sensor(before, inventory->sensors[i].id);
    whole->before = before;
    return 0;
}

uint32_t inventory_was(const struct inventory *inventory, uint32_t sensor,
                       const struct inventory *before)
{
    const struct whole *whole = whole_of(inventory);

    return whole->before == before ? whole->was[sensor]
                                   : inventory_find_sensor(before, inventory->sensors[sensor].id);
}

uint32_t inventory_find_rule(const struct inventory *inventory, const char *id)
{
    return find(whole_of(inventory)->rules, inventory->n_rules, id);
}
