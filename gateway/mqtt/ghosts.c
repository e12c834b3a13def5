#include "gateway/mqtt/ghosts.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/listing.h"
#include "gateway/mqtt/options.h"
#include "gateway/store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the store: "shown/<device>" has a line "platform key" for each component that was announced,
 * "each/<device>" the same of what was announced one by one, "kept/<device>" a line "topic TOPIC"
 * for each that keeps a message, "gone/<device>" a line of either kind with the time behind it for
 * what is there no longer. */
#define STATE_KIND "mqtt"
#define SHOWN      "shown/"
#define EACH       "each/"
#define KEPT       "kept/"
#define GONE       "gone/"

#define KEEP_MS    (INT64_C(90) * 86400000)
#define GHOSTS_MAX 4096
#define LINE_SIZE  400

struct ghosts {
    struct loop *loop;
    struct store *store;
    const struct options *options;
    void (*put)(void *owner, struct ghost_list *list);
    void *owner;
    struct inventory *inventory; /* that was compared last; NULL: none yet */
    struct listing_rolls before; /* what there was before it, while they are compared */
    struct roll moved;           /* what was announced in the other form, and still stands in it */
    struct ghost *gone;          /* by device, once there was a list */
    size_t n_gone;
    bool said_full;
    int64_t serial;          /* of the newest list */
    struct listing *listing; /* that a thread makes; NULL: none */
    struct inventory *next;  /* to be listed after it */
};

static const char *write_line(char line[LINE_SIZE], const struct ghost *ghost)
{
    snprintf(line, LINE_SIZE, "%s %s\n", ghost->platform, ghost->key);
    return line;
}

static bool is_topic(const struct ghost *ghost)
{
    return strcmp(ghost->platform, LISTING_TOPIC) == 0;
}

static bool is_entity(const struct ghost *ghost)
{
    return !is_topic(ghost);
}

static bool is_elsewhere(const struct ghost *ghost)
{
    return ghost->elsewhere;
}

/* -- the store ------------------------------------------------------------------------------ */

/* Where it stands what was announced in our form, and in the other one. */
static const char *own_form(const struct ghosts *ghosts)
{
    return ghosts->options->entities ? EACH : SHOWN;
}

static const char *other_form(const struct ghosts *ghosts)
{
    return ghosts->options->entities ? SHOWN : EACH;
}

static void commit(struct ghosts *ghosts, const char *prefix, const char *device, const char *lines,
                   size_t length)
{
    char key[80];
    struct store_state state = {
        .kind = STATE_KIND, .key = key, .value = length > 0 ? lines : NULL, .size = length};
    struct store_record record = {.states = &state, .n_states = 1};

    snprintf(key, sizeof(key), "%s%s", prefix, device);
    if (ghosts->store && store_commit(ghosts->store, &record, NULL) < 0)
        log_warn("mqtt: entities of %s that are removed later may stay in Home Assistant", device);
}

static void save_gone(struct ghosts *ghosts, const char *device)
{
    char *lines = malloc(ghosts->n_gone * sizeof(struct ghost) + 1);
    size_t length = 0;

    for (size_t i = 0; lines && i < ghosts->n_gone; i++) {
        const struct ghost *it = &ghosts->gone[i];

        if (strcmp(it->device, device) == 0)
            length += (size_t)sprintf(lines + length, "%s %s %" PRId64 "\n", it->platform, it->key,
                                      it->since_ms);
    }
    if (lines)
        commit(ghosts, GONE, device, lines, length);
    free(lines);
}

/* -- the gone ------------------------------------------------------------------------------- */

static bool is_gone(const struct ghosts *ghosts, const struct ghost *ghost)
{
    for (size_t i = ghosts->n_gone; i-- > 0;) {
        const struct ghost *it = &ghosts->gone[i];

        if (strcmp(it->device, ghost->device) == 0 && strcmp(it->platform, ghost->platform) == 0 &&
            strcmp(it->key, ghost->key) == 0)
            return true;
    }
    return false;
}

static void add_gone(struct ghosts *ghosts, const struct ghost *ghost)
{
    struct ghost *longer = NULL;

    if (is_gone(ghosts, ghost))
        return;
    if (ghosts->n_gone < GHOSTS_MAX)
        longer = realloc(ghosts->gone, (ghosts->n_gone + 1) * sizeof(*longer));
    if (longer) {
        ghosts->gone = longer;
        longer[ghosts->n_gone++] = *ghost;
        return;
    }
    if (!ghosts->said_full)
        log_warn("mqtt: too much went from the config at once: some of it stays with the broker; "
                 "`thermogate forget` takes back all");
    ghosts->said_full = true;
}

/* Those of a device that are there (again). */
static bool drop_present(struct ghosts *ghosts, const struct roll_entry *now)
{
    size_t kept = 0, before = ghosts->n_gone;
    char line[LINE_SIZE];

    for (size_t i = 0; i < ghosts->n_gone; i++) {
        const struct ghost *it = &ghosts->gone[i];

        if (strcmp(it->device, now->device) != 0 || !roll_has(now, write_line(line, it)))
            ghosts->gone[kept++] = *it;
    }
    ghosts->n_gone = kept;
    return kept != before;
}

/* Each line that there was and is not any more; `now` NULL: none is. */
static bool add_vanished(struct ghosts *ghosts, const struct roll_entry *was,
                         const struct roll_entry *now)
{
    struct ghost ghost = {.since_ms = clock_wall_ms(clock_boot_ms())};
    bool any = false;

    text_copy(ghost.device, sizeof(ghost.device), was->device);
    for (const char *at = was->lines; at && *at; at = strchr(at, '\n') + 1) {
        if ((now && roll_has(now, at)) || sscanf(at, "%15s %319s", ghost.platform, ghost.key) != 2)
            continue;
        add_gone(ghosts, &ghost);
        any = true;
    }
    return any;
}

/* Forgets those that `is_it` picks, also in the store. */
static void forget_gone(struct ghosts *ghosts, bool (*is_it)(const struct ghost *ghost))
{
    size_t at = 0;

    while (at < ghosts->n_gone) {
        size_t kept = at;
        char device[64];

        if (!is_it(&ghosts->gone[at])) {
            at++;
            continue;
        }
        text_copy(device, sizeof(device), ghosts->gone[at].device);
        for (size_t i = at; i < ghosts->n_gone; i++) {
            if (strcmp(ghosts->gone[i].device, device) != 0 || !is_it(&ghosts->gone[i]))
                ghosts->gone[kept++] = ghosts->gone[i];
        }
        ghosts->n_gone = kept;
        save_gone(ghosts, device);
    }
}

/* -- restored ------------------------------------------------------------------------------- */

static void restore_gone(struct ghosts *ghosts, const char *device, const struct store_state *state)
{
    int64_t oldest_ms = clock_wall_ms(clock_boot_ms()) - KEEP_MS;
    char *lines = strndup(state->value, state->size);
    struct ghost ghost = {0};

    text_copy(ghost.device, sizeof(ghost.device), device);
    for (const char *at = lines; at && *at; at += strcspn(at, "\n") + 1) {
        if (sscanf(at, "%15s %319s %" SCNd64, ghost.platform, ghost.key, &ghost.since_ms) == 3 &&
            ghost.since_ms > oldest_ms)
            add_gone(ghosts, &ghost);
        if (!strchr(at, '\n'))
            break;
    }
    free(lines);
}

/* What was there is of use until the first site is known. */
static void restore_roll(const struct ghosts *ghosts, struct roll *roll, const char *prefix,
                         const struct store_state *state)
{
    size_t length = strlen(prefix);

    if (!ghosts->inventory && strncmp(state->key, prefix, length) == 0)
        roll_restore(roll, state->key + length, state->value, state->size);
}

/* Without discovery what was announced stays as it is. */
static void take_state(void *owner, const struct store_state *state)
{
    struct ghosts *ghosts = owner;

    if (ghosts->options->prefix) {
        restore_roll(ghosts, &ghosts->before.shown, own_form(ghosts), state);
        restore_roll(ghosts, &ghosts->moved, other_form(ghosts), state);
    }
    restore_roll(ghosts, &ghosts->before.kept, KEPT, state);
    if (strncmp(state->key, GONE, strlen(GONE)) == 0)
        restore_gone(ghosts, state->key + strlen(GONE), state);
}

/* -- the list --------------------------------------------------------------------------------- */

static int compare_gone(const void *a, const void *b)
{
    return strcmp(((const struct ghost *)a)->device, ((const struct ghost *)b)->device);
}

/* How many messages there were at most of what has moved. */
static size_t count_moved(const struct ghosts *ghosts)
{
    size_t lines = 0;

    for (size_t i = 0; i < ghosts->moved.count; i++) {
        lines++;
        for (const char *at = ghosts->moved.entries[i].lines; at && *at; at = strchr(at, '\n') + 1)
            lines++;
    }
    return lines;
}

static void list_entities(const struct ghosts *ghosts, struct ghost_list *list)
{
    for (size_t i = 0; ghosts->options->prefix && i < ghosts->n_gone; i++) {
        if (is_entity(&ghosts->gone[i]) && !is_elsewhere(&ghosts->gone[i]))
            list->ghosts[list->count++] = ghosts->gone[i];
    }
}

/* A message of a whole device, or of one entity. */
static void add_moved(struct ghost_list *list, const char *device, const struct ghost *entity)
{
    struct ghost *last = &list->ghosts[list->count + list->n_moved];
    struct ghost ghost = {0};

    if (entity)
        ghost = *entity;
    text_copy(ghost.device, sizeof(ghost.device), device);
    if (entity || list->n_moved == 0 || strcmp(last[-1].device, device) != 0)
        list->ghosts[list->count + list->n_moved++] = ghost;
}

/* What was announced in the other form. */
static void list_other_form(const struct ghosts *ghosts, struct ghost_list *list)
{
    for (size_t i = 0; i < ghosts->moved.count; i++) {
        const struct roll_entry *moved = &ghosts->moved.entries[i];
        struct ghost ghost = {0};

        if (ghosts->options->entities)
            add_moved(list, moved->device, NULL);
        for (const char *at = moved->lines; !ghosts->options->entities && at && *at;
             at = strchr(at, '\n') + 1) {
            if (sscanf(at, "%15s %319s", ghost.platform, ghost.key) == 2)
                add_moved(list, moved->device, &ghost);
        }
    }
}

/* What another device shows by now, which would find its own id taken. */
static void list_elsewhere(const struct ghosts *ghosts, struct ghost_list *list)
{
    for (size_t i = 0; ghosts->options->prefix && i < ghosts->n_gone; i++) {
        const struct ghost *it = &ghosts->gone[i];

        if (is_elsewhere(it))
            add_moved(list, it->device, ghosts->options->entities ? it : NULL);
    }
}

static void list_topics(const struct ghosts *ghosts, struct ghost_list *list)
{
    for (size_t i = 0; i < ghosts->n_gone; i++) {
        if (is_topic(&ghosts->gone[i]))
            list->ghosts[list->count + list->n_moved + list->n_topics++] = ghosts->gone[i];
    }
}

static void put_list(struct ghosts *ghosts)
{
    struct ghost_list *list =
        malloc(sizeof(*list) + (ghosts->n_gone + count_moved(ghosts) + 1) * sizeof(struct ghost));

    if (!list)
        return;
    *list = (struct ghost_list){.serial = ++ghosts->serial};
    if (ghosts->n_gone > 0)
        qsort(ghosts->gone, ghosts->n_gone, sizeof(*ghosts->gone), compare_gone);
    list_entities(ghosts, list);
    list_other_form(ghosts, list);
    list_elsewhere(ghosts, list);
    list_topics(ghosts, list);
    ghosts->put(ghosts->owner, list);
}

/* -- what is configured --------------------------------------------------------------------- */

static void compare_entry(struct ghosts *ghosts, const char *prefix, const struct roll *before,
                          const struct roll_entry *now)
{
    struct roll_entry *was = roll_find(before, now->device);
    bool changed = false;

    if (was)
        was->seen = true;
    if (now->lost)
        return;
    changed = drop_present(ghosts, now);
    if (!was || strcmp(was->lines ? was->lines : "", now->lines ? now->lines : "") != 0) {
        commit(ghosts, prefix, now->device, now->lines, now->length);
        changed = (was && add_vanished(ghosts, was, now)) || changed;
    }
    if (changed)
        save_gone(ghosts, now->device);
}

static void compare_roll(struct ghosts *ghosts, const char *prefix, struct roll *before,
                         const struct roll *now)
{
    roll_sort(before);
    for (size_t i = 0; i < now->count; i++)
        compare_entry(ghosts, prefix, before, &now->entries[i]);
    for (size_t i = 0; now->count > 0 && i < before->count; i++) {
        const struct roll_entry *was = &before->entries[i];

        if (was->seen)
            continue; /* else the device is there no longer, with all of its lines */
        if (add_vanished(ghosts, was, NULL))
            save_gone(ghosts, was->device);
        commit(ghosts, prefix, was->device, NULL, 0);
    }
}

/* What was announced in the other form and is not configured any more goes as the rest does, after
 * it has moved. */
static void compare_moved(struct ghosts *ghosts, const struct roll *now)
{
    for (size_t i = 0; now->count > 0 && i < ghosts->moved.count; i++) {
        const struct roll_entry *was = &ghosts->moved.entries[i];

        if (add_vanished(ghosts, was, roll_find(now, was->device)))
            save_gone(ghosts, was->device);
    }
}

static void find_elsewhere(struct ghosts *ghosts, const struct roll_index *rules)
{
    char line[LINE_SIZE];

    for (size_t i = 0; i < ghosts->n_gone; i++) {
        struct ghost *it = &ghosts->gone[i];

        it->elsewhere = is_entity(it) && roll_index_has(rules, write_line(line, it));
    }
}

/* What was known from the store is of use the first time only. */
static void take_listing(struct ghosts *ghosts, struct listing *listing)
{
    struct listing_rolls *before = listing->was ? &listing->before : &ghosts->before;

    if (ghosts->options->prefix)
        compare_roll(ghosts, own_form(ghosts), &before->shown, &listing->now.shown);
    compare_roll(ghosts, KEPT, &before->kept, &listing->now.kept);
    if (!ghosts->inventory)
        compare_moved(ghosts, &listing->now.shown);
    find_elsewhere(ghosts, &listing->rules);
    listing_rolls_release(&ghosts->before);
    inventory_release(ghosts->inventory);
    ghosts->inventory = inventory_hold(listing->is);
    put_list(ghosts);
}

static void start_listing(struct ghosts *ghosts, struct inventory *inventory);

static void end_listing(void *owner, struct listing *listing)
{
    struct ghosts *ghosts = owner;
    struct inventory *next = ghosts->next;

    ghosts->listing = NULL;
    ghosts->next = NULL;
    take_listing(ghosts, listing);
    if (next)
        start_listing(ghosts, next);
    inventory_release(next);
}

static void start_listing(struct ghosts *ghosts, struct inventory *inventory)
{
    ghosts->listing = listing_new(ghosts->options, ghosts->inventory, inventory);
    if (ghosts->listing && listing_start(ghosts->listing, ghosts->loop, end_listing, ghosts) == 0)
        return;
    listing_free(ghosts->listing);
    ghosts->listing = NULL;
    log_warn("mqtt: out of memory: entities that were removed may stay in Home Assistant");
}

/* Before the first announcement, which has to know what is in the other form. */
static void list_at_once(struct ghosts *ghosts, struct inventory *inventory)
{
    struct listing *listing = listing_new(ghosts->options, NULL, inventory);

    if (listing) {
        listing_make(listing);
        take_listing(ghosts, listing);
    }
    listing_free(listing);
}

void ghosts_use(struct ghosts *ghosts, struct inventory *inventory)
{
    if (!ghosts->inventory) {
        list_at_once(ghosts, inventory);
    } else if (!ghosts->listing) {
        start_listing(ghosts, inventory);
    } else {
        inventory_release(ghosts->next);
        ghosts->next = inventory_hold(inventory);
    }
}

/* When the disk comes late it is as if the site came only now: what it has may have been gone. */
void ghosts_restore(struct ghosts *ghosts)
{
    struct inventory *inventory = ghosts->inventory;

    ghosts->inventory = NULL;
    if (ghosts->store)
        store_state_each(ghosts->store, STATE_KIND, take_state, ghosts);
    if (inventory)
        ghosts_use(ghosts, inventory);
    inventory_release(inventory);
}

void ghosts_moved(struct ghosts *ghosts, int64_t serial)
{
    if (serial != ghosts->serial)
        return; /* they are told once more, with a newer list */
    for (size_t i = 0; i < ghosts->moved.count; i++)
        commit(ghosts, other_form(ghosts), ghosts->moved.entries[i].device, NULL, 0);
    if (ghosts->moved.count > 0)
        log_info("mqtt: discovery has gone over to one message %s",
                 ghosts->options->entities ? "an entity" : "a device");
    roll_release(&ghosts->moved);
    forget_gone(ghosts, is_elsewhere);
}

void ghosts_cleared(struct ghosts *ghosts, int64_t serial)
{
    if (serial == ghosts->serial)
        forget_gone(ghosts, is_topic);
}

void ghosts_buried(struct ghosts *ghosts, int64_t serial)
{
    if (serial != ghosts->serial)
        return; /* there are others by now: once more, with all */
    forget_gone(ghosts, is_entity);
    put_list(ghosts);
}

struct ghosts *ghosts_new(struct loop *loop, struct store *store, const struct options *options,
                          void (*put)(void *owner, struct ghost_list *list), void *owner)
{
    struct ghosts *ghosts = calloc(1, sizeof(*ghosts));

    if (ghosts)
        *ghosts = (struct ghosts){
            .loop = loop, .store = store, .options = options, .put = put, .owner = owner};
    return ghosts;
}

void ghosts_free(struct ghosts *ghosts)
{
    if (!ghosts)
        return;
    if (ghosts->listing)
        ghosts->listing->owner = NULL;
    inventory_release(ghosts->next);
    listing_rolls_release(&ghosts->before);
    roll_release(&ghosts->moved);
    inventory_release(ghosts->inventory);
    free(ghosts->gone);
    free(ghosts);
}
