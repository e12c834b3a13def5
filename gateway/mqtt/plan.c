#include "gateway/mqtt/plan.h"

#include "gateway/core/inventory.h"
#include "gateway/mqtt/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one channel may take in a state beside its key: a text of 63 bytes that are all escaped
 * (\u001f), or a number; and its entry in `quality`. */
#define CHANNEL_BYTES 480
#define STATE_BYTES   128 /* braces, ts */

/* Two passes over the same words: without `to` it only counts. Returns the bytes with NUL. */
static size_t write_key(char *to, size_t size, const char *channel)
{
    return (size_t)snprintf(to, size, "\"%s\":", channel) + 1;
}

static size_t count_texts(const struct inventory *inventory, const char *base)
{
    size_t total = 1;
    char topic[TOPICS_SIZE];

    for (uint32_t s = 0; s < inventory->n_sensors; s++)
        total += write_key(NULL, 0, inventory->sensors[s].channel);
    for (uint32_t d = 0; d < inventory->n_devices; d++)
        total += strlen(topics_device_state(topic, base, inventory->devices[d].name)) + 1;
    return total;
}

static void write_texts(struct plan *plan)
{
    const struct inventory *inventory = plan->inventory;
    char *at = plan->texts, topic[TOPICS_SIZE];

    for (uint32_t s = 0; s < inventory->n_sensors; s++) {
        plan->keys[s] = at;
        at +=
            write_key(at, strlen(inventory->sensors[s].channel) + 4, inventory->sensors[s].channel);
    }
    for (uint32_t d = 0; d < inventory->n_devices; d++) {
        topics_device_state(topic, plan->base, inventory->devices[d].name);
        plan->state_topics[d] = memcpy(at, topic, strlen(topic) + 1);
        at += strlen(topic) + 1;
    }
}

static size_t find_state_size(const struct inventory *inventory)
{
    size_t largest = 0;

    for (uint32_t d = 0; d < inventory->n_devices; d++) {
        const struct inventory_device *device = &inventory->devices[d];
        size_t bytes = STATE_BYTES;

        for (uint32_t i = 0; i < device->n_sensors; i++)
            bytes +=
                CHANNEL_BYTES + 2 * strlen(inventory->sensors[device->first_sensor + i].channel);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

/* On whose page the binary sensor of an instance stands; PLAN_NONE: it has none, its group has. */
static uint32_t home_of(const struct inventory *inventory, uint32_t instance)
{
    const struct inventory_rule *rule = &inventory->rules[instance];
    uint32_t device;

    if (rule->many && !rule->each)
        return PLAN_NONE;
    if (rule->sensor >= inventory->n_sensors)
        return inventory->n_devices;
    device = inventory->sensors[rule->sensor].device;
    return inventory->devices[device].ha ? device : inventory->n_devices;
}

/* Counting sort by device: first how many each has, then where each begins, then the places. */
static void sort_rules(struct plan *plan)
{
    const struct inventory *inventory = plan->inventory;
    uint32_t n = inventory->n_devices + 1, *first = plan->first_rule;

    for (uint32_t r = 0; r < inventory->n_rules; r++) {
        uint32_t home = home_of(inventory, r);

        if (home != PLAN_NONE)
            first[home + 1]++;
    }
    for (uint32_t d = 0; d < n; d++)
        first[d + 1] += first[d];
    for (uint32_t r = 0; r < inventory->n_rules; r++) {
        uint32_t home = home_of(inventory, r);

        if (home != PLAN_NONE)
            plan->rules[first[home]++] = r;
    }
    /* Placing has moved each beginning to its end, which is where the next one begins. */
    memmove(first + 1, first, n * sizeof(*first));
    first[0] = 0;
}

/* Instances of a rule mostly stand together, so the newest group is looked at first. */
static uint32_t group_named(struct plan *plan, const char *rule)
{
    for (uint32_t g = plan->n_groups; g-- > 0;) {
        if (strcmp(plan->groups[g], rule) == 0)
            return g;
    }
    plan->groups[plan->n_groups] = rule;
    return plan->n_groups++;
}

static void find_groups(struct plan *plan)
{
    const struct inventory *inventory = plan->inventory;

    for (uint32_t r = 0; r < inventory->n_rules; r++) {
        plan->group_of[r] = PLAN_NONE;
        if (!inventory->rules[r].many)
            continue;
        plan->group_of[r] = group_named(plan, inventory->rules[r].rule);
        plan->group_size[plan->group_of[r]]++;
    }
}

/* calloc() of nothing may be NULL, which is no failure here: one more than needed. */
static void *zeroed(size_t count, size_t size)
{
    return calloc(count + 1, size);
}

struct plan *plan_new(struct inventory *inventory, const char *base)
{
    struct plan *plan = calloc(1, sizeof(*plan));

    if (!plan)
        return NULL;
    plan->inventory = inventory_hold(inventory);
    plan->base = strdup(base);
    plan->state_topics = zeroed(inventory->n_devices, sizeof(char *));
    plan->keys = zeroed(inventory->n_sensors, sizeof(char *));
    plan->first_rule = zeroed(inventory->n_devices + 2, sizeof(uint32_t));
    plan->rules = zeroed(inventory->n_rules, sizeof(uint32_t));
    plan->group_of = zeroed(inventory->n_rules, sizeof(uint32_t));
    plan->groups = zeroed(inventory->n_rules, sizeof(char *));
    plan->group_size = zeroed(inventory->n_rules, sizeof(uint32_t));
    plan->texts = malloc(count_texts(inventory, base));
    if (!plan->base || !plan->state_topics || !plan->keys || !plan->first_rule || !plan->rules ||
        !plan->group_of || !plan->groups || !plan->group_size || !plan->texts)
        goto fail;
    write_texts(plan);
    plan->state_size = find_state_size(inventory);
    sort_rules(plan);
    find_groups(plan);
    return plan;
fail:
    plan_free(plan);
    return NULL;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    inventory_release(plan->inventory);
    free(plan->base);
    free(plan->state_topics);
    free(plan->keys);
    free(plan->first_rule);
    free(plan->rules);
    free(plan->group_of);
    free(plan->groups);
    free(plan->group_size);
    free(plan->texts);
    free(plan);
}
