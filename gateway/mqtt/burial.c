#include "gateway/mqtt/burial.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/queue.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/ghosts.h"
#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/inside.h"
#include "gateway/mqtt/news.h"

#include <stdlib.h>
#include <string.h>

#define REMOVE_MS 2000 /* Home Assistant needs 1.5 s to take an announcement in */

static size_t count_of(const struct publisher *p)
{
    return p->burial.list ? p->burial.list->count : 0;
}

static bool is_moving(const struct publisher *p)
{
    return p->burial.list && p->burial.list->n_moved > 0;
}

static bool has_leftovers(const struct publisher *p)
{
    return p->burial.list && p->burial.list->n_topics > 0;
}

bool burial_ghosts_of(const struct publisher *p, const char *device, struct hass_ghosts *ret_ghosts)
{
    const struct ghost *ghosts = count_of(p) > 0 ? p->burial.list->ghosts : NULL;
    size_t i = 0, n = 0;

    while (i < count_of(p) && strcmp(ghosts[i].device, device) != 0)
        i++;
    while (i + n < count_of(p) && strcmp(ghosts[i + n].device, device) == 0)
        n++;
    if (p->burial.stage == BURIAL_REPLACING)
        n = 0;
    *ret_ghosts = (struct hass_ghosts){.count = n, .removed = p->burial.stage == BURIAL_REMOVING};
    if (n > 0)
        ret_ghosts->ghosts = &ghosts[i];
    return n > 0;
}

/* The number in discovery's todo of a device that is there; UINT32_MAX: it is not. */
static uint32_t discovery_number(const struct publisher *p, const char *device)
{
    const struct inventory *inventory = p->plan->inventory;

    if (strcmp(device, "gateway") == 0)
        return 0;
    for (uint32_t d = 0; d < inventory->n_devices; d++) {
        if (strcmp(inventory_device_identity(&inventory->devices[d]), device) == 0)
            return hass_shows(p->plan, d) ? d + 1 : UINT32_MAX;
    }
    return UINT32_MAX;
}

/* Every device that has ghosts, once: with its own discovery, or as a grave, which is the number of
 * its first ghost. */
static void add_graves(struct publisher *p)
{
    const struct ghost *ghosts = count_of(p) > 0 ? p->burial.list->ghosts : NULL;

    for (size_t i = 0; i < count_of(p); i++) {
        uint32_t number;

        if (i > 0 && strcmp(ghosts[i].device, ghosts[i - 1].device) == 0)
            continue;
        number = discovery_number(p, ghosts[i].device);
        if (number != UINT32_MAX && p->burial.stage != BURIAL_ANNOUNCING)
            todo_add(&p->discovery, number);
        else if (number == UINT32_MAX && p->burial.stage != BURIAL_REPLACING)
            todo_add(&p->graves, (uint32_t)i);
    }
}

bool burial_take(struct publisher *p, struct ghost_list *list)
{
    free(p->burial.list);
    p->burial.list = list;
    p->burial.stage = BURIAL_IDLE; /* with the next announcement */
    if (todo_resize(&p->graves, (uint32_t)list->count) < 0 ||
        todo_resize(&p->moves, (uint32_t)list->n_moved) < 0 ||
        todo_resize(&p->leftovers, (uint32_t)list->n_topics) < 0)
        log_warn("mqtt: out of memory: removed devices may stay in Home Assistant");
    return p->plan && list->count + list->n_moved + list->n_topics > 0;
}

void burial_release(struct publisher *p)
{
    free(p->burial.list);
    todo_release(&p->graves);
    todo_release(&p->moves);
    todo_release(&p->leftovers);
}

static void announce_all(struct publisher *p)
{
    bool more = count_of(p) > 0 || is_moving(p) || has_leftovers(p);

    if (p->options->prefix)
        todo_add_all(&p->discovery);
    p->burial.stage = more ? BURIAL_ANNOUNCING : BURIAL_IDLE;
    add_graves(p);
}

void burial_announce(struct publisher *p)
{
    p->burial.for_birth = p->burial.next_for_birth;
    p->burial.next_for_birth = false;
    p->told_of_device = p->told_of_grave = 0;
    if (!is_moving(p)) {
        announce_all(p);
        return;
    }
    todo_clear(&p->discovery);
    todo_clear(&p->graves);
    todo_clear(&p->leftovers);
    todo_add_all(&p->moves);
    p->burial.stage = BURIAL_MOVING;
}

static bool is_out(const struct publisher *p)
{
    return p->discovery.length == 0 && p->graves.length == 0 && p->moves.length == 0 &&
           p->leftovers.length == 0 && session_underway(p->session) == 0;
}

static void wait_for_it(struct burial *burial, enum burial_stage stage, int64_t now_ms)
{
    burial->stage = (uint8_t)stage;
    burial->at_ms = now_ms + REMOVE_MS;
}

/* Messages of the other form. Where only a rule has gone to another device, its old one was
 * announced anew without it. */
static void add_moved(struct publisher *p)
{
    const struct ghost_list *list = p->burial.list;

    for (uint32_t i = 0; list && i < list->n_moved; i++) {
        const struct ghost *it = &list->ghosts[list->count + i];

        if (it->key[0] || p->options->entities || discovery_number(p, it->device) == UINT32_MAX)
            todo_add(&p->moves, i);
    }
}

static void start_removing(struct publisher *p)
{
    p->burial.stage = BURIAL_REMOVING;
    add_graves(p);
    add_moved(p);
    todo_add_all(&p->leftovers);
}

/* What has taken the place of a ghost, under the same key, can be announced now. */
static void start_replacing(struct publisher *p)
{
    p->burial.stage = BURIAL_REPLACING;
    add_graves(p);
}

static void tell_loop(const struct publisher *p, enum news_what what)
{
    queue_push(p->news, &(struct news){.what = (uint8_t)what, .value = p->burial.list->serial}, 1);
}

static void finish(struct publisher *p)
{
    p->burial.stage = BURIAL_IDLE;
    if (is_moving(p))
        tell_loop(p, NEWS_MOVED);
    if (has_leftovers(p))
        tell_loop(p, NEWS_CLEARED);
    p->burial.list->n_moved = p->burial.list->n_topics = 0;
    if (p->burial.for_birth && count_of(p) > 0)
        tell_loop(p, NEWS_BURIED);
}

void burial_run(struct publisher *p, int64_t now_ms)
{
    struct burial *burial = &p->burial;

    switch (burial->stage) {
    case BURIAL_MOVING:
        if (is_out(p))
            wait_for_it(burial, BURIAL_MOVED, now_ms);
        break;
    case BURIAL_MOVED:
        if (now_ms >= burial->at_ms)
            announce_all(p);
        break;
    case BURIAL_ANNOUNCING:
        if (is_out(p))
            wait_for_it(burial, BURIAL_WAITING, now_ms);
        break;
    case BURIAL_WAITING:
        if (now_ms >= burial->at_ms)
            start_removing(p);
        break;
    case BURIAL_REMOVING:
        if (is_out(p) && count_of(p) > 0 && !p->options->entities)
            wait_for_it(burial, BURIAL_REMOVED, now_ms);
        else if (is_out(p))
            finish(p);
        break;
    case BURIAL_REMOVED:
        if (now_ms >= burial->at_ms)
            start_replacing(p);
        break;
    case BURIAL_REPLACING:
        if (is_out(p))
            finish(p);
        break;
    default:
        break;
    }
}

int64_t burial_next_ms(const struct publisher *p)
{
    uint8_t stage = p->burial.stage;
    bool waits = stage == BURIAL_MOVED || stage == BURIAL_WAITING || stage == BURIAL_REMOVED;

    return waits ? p->burial.at_ms : CLOCK_NEVER;
}
