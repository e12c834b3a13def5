/* A world for the tests of gateway/store: a folder of its own, a loop, an inventory. */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/core/inventory.h"
#include "gateway/core/inventory_edit.h"
#include "gateway/store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing in a test takes longer than this, unless it hangs. */
#define WORLD_PATIENCE_MS 20000

#define DAY_MS INT64_C(86400000)

/* Folder of a test, removed with what is in it. */
static inline void folder_new(char folder[64])
{
    snprintf(folder, 64, "/tmp/thermogate-store-XXXXXX");
    if (!mkdtemp(folder))
        abort();
}

static inline void folder_free(const char *folder)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0)
        abort();
}

/* "d0.c0", "d0.c1", ...: `count` sensors, ten a device, unit "°C"; the third of each ten is a text.
 */
static inline struct inventory *world_inventory(uint32_t count, struct text_table *texts)
{
    struct inventory *inventory = inventory_new();
    struct arena *arena = inventory_arena(inventory);
    struct inventory_sensor *sensors = arena_take(arena, (count + 1) * sizeof(*sensors));
    struct inventory_device *devices = arena_take(arena, (count / 10 + 1) * sizeof(*devices));

    for (uint32_t i = 0; i <= count / 10; i++)
        devices[i] = (struct inventory_device){.name = arena_format(arena, "d%u", i)};
    for (uint32_t i = 0; i < count; i++)
        sensors[i] = (struct inventory_sensor){
            .id = arena_format(arena, "d%u.c%u", i / 10, i % 10),
            .channel = arena_format(arena, "c%u", i % 10),
            .label = "",
            .unit = "°C",
            .klass = "",
            .state_class = "",
            .icon = "",
            .category = "",
            .device = i / 10,
            .kind = i % 10 == 2 ? SENSOR_TEXT : SENSOR_NUMBER,
            .decimals = -1,
        };
    inventory->name = inventory->id = inventory->label = "test";
    inventory->devices = devices;
    inventory->n_devices = count / 10 + 1;
    inventory->sensors = sensors;
    inventory->n_sensors = count;
    inventory->texts = texts;
    if (inventory_finish(inventory) < 0)
        abort();
    return inventory;
}

static inline struct reading world_number(uint32_t sensor, int64_t at_ms, double number)
{
    return (struct reading){
        .at_ms = at_ms, .sensor = sensor, .kind = VALUE_NUMBER, .number = number};
}

static inline struct reading world_bad(uint32_t sensor, int64_t at_ms, uint8_t quality)
{
    return (struct reading){.at_ms = at_ms, .sensor = sensor, .quality = quality};
}

static inline struct store_options world_options(const char *folder)
{
    return (struct store_options){
        .path = folder,
        .keep_ms = 30 * DAY_MS,
        .keep_minutes_ms = 400 * DAY_MS,
        .keep_hours_ms = 3650 * DAY_MS,
        .commit_every_ms = 60000,
        .max_size = 2000000000,
    };
}

/* Runs the loop until what `enough` looks at is so, or for ever too long: then false. */
struct world_wait {
    struct loop *loop;
    struct timer *timer;
    bool (*enough)(void *owner);
    void *owner;
    int64_t until_ms;
};

static inline void world_look(void *owner)
{
    struct world_wait *wait = owner;

    if (wait->enough(wait->owner) || clock_boot_ms() >= wait->until_ms)
        loop_stop(wait->loop);
    else
        timer_at(wait->timer, clock_boot_ms() + 2);
}

static inline bool world_run(struct loop *loop, bool (*enough)(void *owner), void *owner,
                             int64_t for_ms)
{
    struct world_wait wait = {.loop = loop, .enough = enough, .owner = owner};

    wait.until_ms = clock_boot_ms() + for_ms;
    wait.timer = timer_new(loop, world_look, &wait);
    timer_at(wait.timer, clock_boot_ms());
    loop_run(loop);
    timer_free(wait.timer);
    return enough(owner);
}

/* Numbers that are the same in every run. */
static inline uint64_t world_random(uint64_t *seed)
{
    uint64_t x = *seed ? *seed : 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *seed = x;
}
