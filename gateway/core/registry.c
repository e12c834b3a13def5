#include "gateway/core/registry.h"

#include "gateway/base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct registry {
    size_t capacity;
    struct reading last[];
};

struct registry *registry_new(size_t capacity)
{
    struct registry *registry = calloc(1, sizeof(*registry) + capacity * sizeof(struct reading));

    if (!registry)
        return NULL;
    registry->capacity = capacity;
    for (size_t i = 0; i < capacity; i++)
        registry->last[i] = (struct reading){
            .sensor = (uint32_t)i, .at_ms = CLOCK_NEVER, .quality = QUALITY_NOT_READ};
    return registry;
}

void registry_free(struct registry *registry)
{
    free(registry);
}

static bool same_value(const struct reading *a, const struct reading *b)
{
    if (a->kind != b->kind || a->quality != b->quality)
        return false;
    if (a->kind == VALUE_NUMBER)
        return a->number == b->number;
    return a->kind == VALUE_TEXT ? a->text == b->text : true;
}

int registry_update(struct registry *registry, const struct reading *reading)
{
    struct reading *last;
    int changed;

    if (reading->sensor >= registry->capacity)
        return -ENOENT;
    last = &registry->last[reading->sensor];
    changed = !same_value(last, reading);
    *last = *reading;
    return changed;
}

const struct reading *registry_last(const struct registry *registry, uint32_t sensor)
{
    return sensor < registry->capacity ? &registry->last[sensor] : NULL;
}
