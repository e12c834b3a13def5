#include "gateway/core/max_on.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/core/inventory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 10000

/* An output with a limit; its list is sorted by sensor. */
struct output {
    uint32_t sensor;
    int64_t off_ms; /* when it is to go off; CLOCK_NEVER: it is */
};

struct max_on {
    const struct inventory *inventory;
    struct output *outputs;
    size_t n;
    struct timer *timer;
    void (*off)(void *owner, uint32_t sensor, double value);
    void *owner;
};

static bool is_limited(const struct inventory_sensor *sensor)
{
    return sensor->write && sensor->write->max_on_ms > 0;
}

static double off_value(const struct inventory_write *write)
{
    return isnan(write->safe) ? 0 : write->safe;
}

static void plan_timer(struct max_on *max_on)
{
    int64_t next_ms = CLOCK_NEVER;

    for (size_t i = 0; i < max_on->n; i++) {
        if (max_on->outputs[i].off_ms < next_ms)
            next_ms = max_on->outputs[i].off_ms;
    }
    timer_at(max_on->timer, next_ms);
}

static void switch_off(void *owner)
{
    struct max_on *max_on = owner;
    int64_t now_ms = clock_boot_ms();

    for (size_t i = 0; i < max_on->n; i++) {
        struct output *output = &max_on->outputs[i];

        if (output->off_ms > now_ms)
            continue;
        output->off_ms = now_ms + AGAIN_MS;
        max_on->off(max_on->owner, output->sensor,
                    off_value(max_on->inventory->sensors[output->sensor].write));
    }
    plan_timer(max_on);
}

struct max_on *max_on_new(struct loop *loop,
                          void (*off)(void *owner, uint32_t sensor, double value), void *owner)
{
    struct max_on *max_on = calloc(1, sizeof(*max_on));

    if (!max_on)
        return NULL;
    max_on->off = off;
    max_on->owner = owner;
    max_on->timer = timer_new(loop, switch_off, max_on);
    if (!max_on->timer) {
        free(max_on);
        return NULL;
    }
    return max_on;
}

void max_on_free(struct max_on *max_on)
{
    if (!max_on)
        return;
    timer_free(max_on->timer);
    free(max_on->outputs);
    free(max_on);
}

static int compare_output(const void *key, const void *member)
{
    uint32_t a = *(const uint32_t *)key, b = ((const struct output *)member)->sensor;

    return (a > b) - (a < b);
}

static struct output *find(const struct max_on *max_on, uint32_t sensor)
{
    if (max_on->n == 0)
        return NULL;
    return bsearch(&sensor, max_on->outputs, max_on->n, sizeof(struct output), compare_output);
}

/* When the output of this id was to go off, before. */
static int64_t known_off_ms(const struct max_on *max_on, const char *id)
{
    for (size_t i = 0; i < max_on->n; i++) {
        const struct output *output = &max_on->outputs[i];

        if (strcmp(max_on->inventory->sensors[output->sensor].id, id) == 0)
            return output->off_ms;
    }
    return CLOCK_NEVER;
}

int max_on_use(struct max_on *max_on, const struct inventory *inventory)
{
    struct output *outputs;
    size_t n = 0;

    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        n += is_limited(&inventory->sensors[i]);
    outputs = calloc(n + 1, sizeof(*outputs));
    for (uint32_t i = 0, at = 0; outputs && i < inventory->n_sensors; i++) {
        const struct inventory_sensor *sensor = &inventory->sensors[i];

        if (is_limited(sensor))
            outputs[at++] =
                (struct output){.sensor = i, .off_ms = known_off_ms(max_on, sensor->id)};
    }
    free(max_on->outputs);
    max_on->outputs = outputs;
    max_on->n = outputs ? n : 0;
    max_on->inventory = inventory;
    plan_timer(max_on);
    return outputs ? 0 : -ENOMEM;
}

void max_on_readings(struct max_on *max_on, const struct reading *readings, size_t count)
{
    bool changed = false;

    for (size_t i = 0; max_on->n > 0 && i < count; i++) {
        struct output *output = find(max_on, readings[i].sensor);
        const struct inventory_write *write;
        bool on;

        if (!output || readings[i].kind != VALUE_NUMBER)
            continue;
        write = max_on->inventory->sensors[output->sensor].write;
        on = readings[i].number != off_value(write);
        if (on != (output->off_ms == CLOCK_NEVER))
            continue; /* as before */
        output->off_ms = on ? readings[i].at_ms + write->max_on_ms : CLOCK_NEVER;
        changed = true;
    }
    if (changed)
        plan_timer(max_on);
}
