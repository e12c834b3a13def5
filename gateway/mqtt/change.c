#include "gateway/mqtt/change.h"

#include "gateway/core/inventory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool has_sparse(const struct inventory *inventory)
{
    for (uint32_t i = 0; i < inventory->n_sensors; i++) {
        if (inventory->sensors[i].sparse)
            return true;
    }
    return false;
}

int change_use(struct change *change, const struct inventory *inventory)
{
    change_release(change);
    change->inventory = inventory;
    if (!has_sparse(inventory))
        return 0;
    change->sent = calloc(inventory->n_sensors, sizeof(*change->sent));
    if (!change->sent)
        return -ENOMEM;
    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        change->sent[i].quality = QUALITY_NOT_READ;
    return 0;
}

void change_release(struct change *change)
{
    free(change->sent);
    *change = (struct change){0};
}

static bool differs(const struct reading *a, const struct reading *b, double deadband)
{
    if (a->quality != b->quality || a->kind != b->kind)
        return true;
    if (a->kind == VALUE_TEXT)
        return a->text != b->text;
    return a->kind == VALUE_NUMBER && a->number != b->number &&
           !(fabs(a->number - b->number) < deadband);
}

bool change_is_due(const struct change *change, const struct reading *reading)
{
    const struct inventory_sensor *sensor = &change->inventory->sensors[reading->sensor];
    const struct reading *sent = change->sent ? &change->sent[reading->sensor] : NULL;

    return !sent || !sensor->sparse || differs(reading, sent, sensor->sparse->deadband) ||
           reading->at_ms - sent->at_ms >= sensor->sparse->heartbeat_ms;
}

void change_sent(struct change *change, const struct reading *reading)
{
    if (change->sent)
        change->sent[reading->sensor] = *reading;
}
