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

static bool has_ghost(const struct hass_ghosts *ghosts, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ghosts->ghosts[i].key, key) == 0)
            return true;
    }
    return false;
}

bool hass_is_haunted(const struct message *m, const char *key)
{
    return !m->alone && m->ghosts && has_ghost(m->ghosts, m->ghosts->count, key);
}

void hass_put_ghosts(struct message *m, const struct hass_ghosts *ghosts)
{
    for (size_t i = 0; ghosts && i < ghosts->count; i++) {
        const struct ghost *ghost = &ghosts->ghosts[i];

        if (!m->alone && has_ghost(ghosts, i, ghost->key))
            continue; /* there is room for one of this key */
        if (ghosts->removed) {
            part_remove(m, ghost->platform, ghost->key);
            continue;
        }
        part_begin(m, ghost->platform, ghost->key);
        put_least(m, ghost);
        part_end(m);
    }
}
