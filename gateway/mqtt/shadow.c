#include "gateway/mqtt/shadow.h"

#include "gateway/base/clock.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void shadow_release(struct shadow *shadow)
{
    free(shadow->readings);
    free(shadow->devices);
    free(shadow->instances);
    free(shadow->groups);
    memset(shadow, 0, sizeof(*shadow));
}

/* Takes an instance into its group, or (`by` -1) out of it. */
static void count(struct shadow_group *group, const struct instance_state *state, uint32_t by)
{
    if (state->instance == PLAN_NONE)
        return;
    if (instance_is_firing(state))
        group->firing += by;
    else if (state->blind)
        group->blind += by;
}

static void start_readings(struct shadow *shadow, const struct shadow *old)
{
    const struct inventory *now = shadow->plan->inventory;
    const struct inventory *was = old->plan ? old->plan->inventory : NULL;

    for (uint32_t s = 0; s < now->n_sensors; s++) {
        if (was && s < was->n_sensors && strcmp(was->sensors[s].id, now->sensors[s].id) == 0)
            shadow->readings[s] = old->readings[s];
        else
            shadow->readings[s] = (struct reading){.sensor = s, .quality = QUALITY_NOT_READ};
    }
}

static void start_devices(struct shadow *shadow, const struct shadow *old)
{
    const struct inventory *now = shadow->plan->inventory;
    const struct inventory *was = old->plan ? old->plan->inventory : NULL;

    for (uint32_t d = 0; d < now->n_devices; d++) {
        if (was && d < was->n_devices && strcmp(was->devices[d].name, now->devices[d].name) == 0)
            shadow->devices[d] = old->devices[d];
        else
            shadow->devices[d] = (struct shadow_device){.at_ms = CLOCK_NEVER};
    }
}

static void start_instances(struct shadow *shadow, const struct shadow *old)
{
    const struct inventory *now = shadow->plan->inventory;
    const struct inventory *was = old->plan ? old->plan->inventory : NULL;

    for (uint32_t i = 0; i < now->n_rules; i++) {
        if (was && i < was->n_rules && strcmp(was->rules[i].id, now->rules[i].id) == 0)
            shadow->instances[i] = old->instances[i];
        else
            shadow->instances[i] = (struct instance_state){.instance = PLAN_NONE};
        if (shadow->plan->group_of[i] != PLAN_NONE)
            count(&shadow->groups[shadow->plan->group_of[i]], &shadow->instances[i], 1);
    }
}

int shadow_adopt(struct shadow *shadow, const struct plan *plan)
{
    const struct inventory *inventory = plan->inventory;
    struct shadow fresh = {.plan = plan};

    fresh.readings = calloc((size_t)inventory->n_sensors + 1, sizeof(*fresh.readings));
    fresh.devices = calloc((size_t)inventory->n_devices + 1, sizeof(*fresh.devices));
    fresh.instances = calloc((size_t)inventory->n_rules + 1, sizeof(*fresh.instances));
    fresh.groups = calloc((size_t)plan->n_groups + 1, sizeof(*fresh.groups));
    if (!fresh.readings || !fresh.devices || !fresh.instances || !fresh.groups) {
        shadow_release(&fresh);
        return -ENOMEM;
    }
    start_readings(&fresh, shadow);
    start_devices(&fresh, shadow);
    start_instances(&fresh, shadow);
    shadow_release(shadow);
    *shadow = fresh;
    return 0;
}

bool shadow_reading(struct shadow *shadow, const struct reading *reading)
{
    const struct inventory *inventory = shadow->plan ? shadow->plan->inventory : NULL;

    if (!inventory || reading->sensor >= inventory->n_sensors)
        return false;
    if (inventory->sensors[reading->sensor].kind == SENSOR_EVENT)
        return true; /* it has happened once, and is not told again */
    shadow->readings[reading->sensor] = *reading;
    shadow->devices[inventory->sensors[reading->sensor].device].at_ms = reading->at_ms;
    return true;
}

bool shadow_device(struct shadow *shadow, uint32_t device, bool online)
{
    struct shadow_device *it;

    if (!shadow->plan || device >= shadow->plan->inventory->n_devices)
        return false;
    it = &shadow->devices[device];
    if (it->heard && it->online == online)
        return false;
    it->heard = true;
    it->online = online;
    return true;
}

bool shadow_instance(struct shadow *shadow, const struct instance_state *state)
{
    struct instance_state *it;
    uint32_t group;

    if (!shadow->plan || state->instance >= shadow->plan->inventory->n_rules)
        return false;
    it = &shadow->instances[state->instance];
    group = shadow->plan->group_of[state->instance];
    if (group != PLAN_NONE) {
        count(&shadow->groups[group], it, (uint32_t)-1);
        count(&shadow->groups[group], state, 1);
    }
    *it = *state;
    return true;
}
