#include "gateway/core/inventory.h"
#include "gateway/mqtt/ghosts.h"
#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/hass_part.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/topics.h"

#include <string.h>

/* What each platform must have at least, so that it is taken; nothing comes from these topics. */
static void put_least(struct message *m, const struct ghost *ghost)
{
    bool commanded =
        strcmp(ghost->platform, "number") == 0 || strcmp(ghost->platform, "switch") == 0 ||
        strcmp(ghost->platform, "select") == 0 || strcmp(ghost->platform, "button") == 0;
    char topic[TOPICS_SIZE];

    topics_channel(topic, m->plan->base, ghost->device, "removed");
    json_text(&m->json, commanded ? "cmd_t" : "stat_t", topic);
    if (strcmp(ghost->platform, "event") == 0)
        json_array(&m->json, "evt_typ");
    else if (strcmp(ghost->platform, "select") == 0)
        json_array(&m->json, "ops");
    else
        return;
    json_text(&m->json, NULL, "removed");
    json_end(&m->json);
}

/* In one message a key that has another platform by now cannot stand for both: the new one wins,
 * and the old one stays until its time is over. */
static bool is_taken(const struct message *m, const struct ghost *ghost)
{
    for (uint32_t i = 0; !m->alone && m->device && i < m->device->n_sensors; i++) {
        const struct inventory_sensor *it = &m->inventory->sensors[m->device->first_sensor + i];

        if (it->ha && strcmp(inventory_sensor_identity(it), ghost->key) == 0)
            return true;
    }
    return false;
}

void hass_put_ghosts(struct message *m, const struct hass_ghosts *ghosts)
{
    for (size_t i = 0; ghosts && i < ghosts->count; i++) {
        const struct ghost *ghost = &ghosts->ghosts[i];

        if (is_taken(m, ghost))
            continue;
        if (ghosts->removed) {
            part_remove(m, ghost->platform, ghost->key);
            continue;
        }
        part_begin(m, ghost->platform, ghost->key);
        put_least(m, ghost);
        part_end(m);
    }
}
