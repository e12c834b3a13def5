#include "gateway/mqtt/listing.h"

#include "gateway/base/loop.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/topics.h"

#include <stdlib.h>
#include <string.h>

void listing_rolls_release(struct listing_rolls *rolls)
{
    roll_release(&rolls->shown);
    roll_release(&rolls->kept);
}

void listing_free(struct listing *listing)
{
    if (!listing)
        return;
    roll_index_release(&listing->rules);
    listing_rolls_release(&listing->before);
    listing_rolls_release(&listing->now);
    inventory_release(listing->was);
    inventory_release(listing->is);
    free(listing->base);
    free(listing);
}

struct listing *listing_new(const struct options *options, struct inventory *was,
                            struct inventory *is)
{
    struct listing *listing = calloc(1, sizeof(*listing));

    if (!listing)
        return NULL;
    *listing = (struct listing){.was = was ? inventory_hold(was) : NULL,
                                .is = inventory_hold(is),
                                .base = strdup(options->base),
                                .discovers = options->prefix != NULL,
                                .json = options->json,
                                .plain = options->plain,
                                .rights = options->commands};
    if (listing->base)
        return listing;
    listing_free(listing);
    return NULL;
}

/* -- what is announced ------------------------------------------------------------------------ */

static int add_component(void *owner, const struct hass_entity *entity)
{
    return roll_add(owner, entity->platform, entity->key);
}

static void list_components(const struct plan *plan, struct roll *roll)
{
    char none[1]; /* only the names are wanted, no text */

    for (uint32_t d = 0; d < roll->count; d++) {
        if (hass_shows(plan, d))
            (void)hass_entities(plan, d, NULL, none, sizeof(none), add_component,
                                &roll->entries[d]);
    }
}

/* -- what is retained ------------------------------------------------------------------------- */

static void add_topic(const struct plan *plan, struct roll_entry *entry, const char *topic)
{
    (void)roll_add(entry, LISTING_TOPIC, topic + strlen(plan->base) + 1);
}

static void list_values(const struct plan *plan, const struct listing *listing, uint32_t device,
                        struct roll_entry *entry)
{
    const struct inventory_device *it = &plan->inventory->devices[device];
    char topic[TOPICS_SIZE];

    add_topic(plan, entry, topics_device_availability(topic, plan->base, it->name));
    if (listing->json)
        add_topic(plan, entry, plan->state_topics[device]);
    for (uint32_t i = 0; listing->plain && i < it->n_sensors; i++)
        add_topic(plan, entry,
                  topics_channel(topic, plan->base, it->name,
                                 plan->inventory->sensors[it->first_sensor + i].channel));
}

/* A rule's stands with the device of its sensor, so that no entry gets long. */
static void list_rules(const struct plan *plan, struct roll *roll)
{
    const struct inventory *inventory = plan->inventory;
    char topic[TOPICS_SIZE];

    for (uint32_t r = 0; r < inventory->n_rules; r++) {
        uint32_t sensor = inventory->rules[r].sensor, device = inventory->n_devices;

        if (sensor < inventory->n_sensors)
            device = inventory->sensors[sensor].device;
        add_topic(plan, &roll->entries[device],
                  topics_rule_state(topic, plan->base, inventory->rules[r].id));
    }
    for (uint32_t g = 0; g < plan->n_groups; g++)
        add_topic(plan, &roll->entries[inventory->n_devices],
                  topics_rule_state(topic, plan->base, plan->groups[g]));
}

/* -- both ------------------------------------------------------------------------------------- */

static void list_site(const struct listing *listing, struct inventory *inventory,
                      struct listing_rolls *ret)
{
    struct plan *plan = inventory ? plan_new(inventory, listing->base) : NULL;

    if (!plan)
        return;
    plan->rights = listing->rights;
    if (listing->discovers && roll_start(&ret->shown, plan) == 0)
        list_components(plan, &ret->shown);
    if (roll_start(&ret->kept, plan) == 0) {
        for (uint32_t d = 0; d < inventory->n_devices; d++)
            list_values(plan, listing, d, &ret->kept.entries[d]);
        list_rules(plan, &ret->kept);
    }
    roll_sort(&ret->shown);
    roll_sort(&ret->kept);
    plan_free(plan);
}

void listing_make(struct listing *listing)
{
    list_site(listing, listing->was, &listing->before);
    list_site(listing, listing->is, &listing->now);
    (void)roll_index_new(&listing->rules, &listing->now.shown, " rule-");
}

static void work(void *owner)
{
    listing_make(owner);
}

static void end(void *owner)
{
    struct listing *listing = owner;

    if (listing->owner)
        listing->done(listing->owner, listing);
    listing_free(listing);
}

int listing_start(struct listing *listing, struct loop *loop,
                  void (*done)(void *owner, struct listing *listing), void *owner)
{
    listing->done = done;
    listing->owner = owner;
    return loop_work(loop, work, end, listing);
}
