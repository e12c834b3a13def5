#include "gateway/mqtt/ghosts.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/plan.h"
#include "gateway/store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the store: "shown/<device>" has a line "platform key" for each component that was announced,
 * "each/<device>" the same of what was announced one by one, "gone/<device>" a line "platform key
 * since" for each that is no longer. */
#define STATE_KIND "mqtt"
#define SHOWN      "shown/"
#define EACH       "each/"
#define GONE       "gone/"

#define KEEP_MS    (INT64_C(90) * 86400000)
#define GHOSTS_MAX 4096
#define GATEWAY    "gateway"

/* What was announced of one device. */
struct shown {
    char device[64];
    char *lines; /* NULL: memory was out */
    size_t length;
    bool seen; /* it is still there */
};

/* A site's components by name, listed on a thread: a thousand devices have ten thousand. */
struct listing {
    struct ghosts *ghosts; /* NULL: closed meanwhile */
    char *base;
    unsigned rights;
    struct inventory *was, *is; /* held; `was` NULL: what was announced is known from the store */
    struct shown *before, *now; /* in the order of their names */
    size_t n_before, n_now;
};

struct ghosts {
    struct loop *loop;
    struct store *store;
    const struct options *options;
    void (*put)(void *owner, struct ghost_list *list);
    void *owner;
    struct inventory *inventory; /* that was announced; NULL: none yet */
    struct shown *before;        /* what was announced before it, while they are compared */
    size_t n_before;
    struct shown *moved; /* what was announced in the other form, and still stands in it */
    size_t n_moved;
    struct ghost *gone;
    size_t n_gone;
    int64_t serial;          /* of the newest list */
    struct listing *listing; /* that a thread makes; NULL: none */
    struct inventory *next;  /* to be listed after it */
};

/* -- lines ---------------------------------------------------------------------------------- */

static int add_line(void *owner, const struct hass_entity *entity)
{
    struct shown *shown = owner;
    size_t more = strlen(entity->platform) + strlen(entity->key) + 2;
    char *longer = realloc(shown->lines, shown->length + more + 1);

    if (!longer)
        return -ENOMEM;
    shown->lines = longer;
    shown->length += (size_t)snprintf(longer + shown->length, more + 1, "%s %s\n", entity->platform,
                                      entity->key);
    return 0;
}

/* What is announced of number `device` of the plan. */
static struct shown list_device(const struct plan *plan, uint32_t device)
{
    const struct inventory *inventory = plan->inventory;
    struct shown shown = {.lines = calloc(1, 1)};
    char none[1]; /* only the names are wanted, no text */

    text_copy(shown.device, sizeof(shown.device),
              device < inventory->n_devices ? inventory_device_identity(&inventory->devices[device])
                                            : GATEWAY);
    if (hass_shows(plan, device))
        (void)hass_entities(plan, device, NULL, none, sizeof(none), add_line, &shown);
    return shown;
}

/* Whether `line`, which ends with a newline, is one of `lines`. */
static bool has_line(const char *lines, const char *line, size_t length)
{
    for (const char *at = lines; at && *at; at = strchr(at, '\n') + 1) {
        if (strncmp(at, line, length) == 0)
            return true;
    }
    return false;
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
    struct ghost *longer;

    if (ghosts->n_gone == GHOSTS_MAX || is_gone(ghosts, ghost))
        return;
    longer = realloc(ghosts->gone, (ghosts->n_gone + 1) * sizeof(*longer));
    if (!longer)
        return;
    ghosts->gone = longer;
    longer[ghosts->n_gone++] = *ghost;
}

/* Those of a device that are announced (again). */
static bool drop_shown(struct ghosts *ghosts, const struct shown *now)
{
    size_t kept = 0, before = ghosts->n_gone;
    char line[400];

    for (size_t i = 0; i < ghosts->n_gone; i++) {
        const struct ghost *it = &ghosts->gone[i];
        int length = snprintf(line, sizeof(line), "%s %s\n", it->platform, it->key);

        if (strcmp(it->device, now->device) != 0 || !has_line(now->lines, line, (size_t)length))
            ghosts->gone[kept++] = *it;
    }
    ghosts->n_gone = kept;
    return kept != before;
}

/* Each line that was announced and is not any more. */
static bool add_vanished(struct ghosts *ghosts, const struct shown *was, const char *now)
{
    struct ghost ghost = {.since_ms = clock_wall_ms(clock_boot_ms())};
    bool any = false;

    text_copy(ghost.device, sizeof(ghost.device), was->device);
    for (const char *at = was->lines; at && *at; at = strchr(at, '\n') + 1) {
        size_t length = strcspn(at, "\n") + 1;

        if (has_line(now, at, length) || sscanf(at, "%15s %319s", ghost.platform, ghost.key) != 2)
            continue;
        add_gone(ghosts, &ghost);
        any = true;
    }
    return any;
}

/* -- restored ------------------------------------------------------------------------------- */

/* One more in a list of `*count`. */
static void restore_shown(struct shown **list, size_t *count, const char *device,
                          const struct store_state *state)
{
    struct shown *longer = realloc(*list, (*count + 1) * sizeof(*longer));

    if (!longer)
        return;
    *list = longer;
    longer += (*count)++;
    *longer = (struct shown){.lines = strndup(state->value, state->size), .length = state->size};
    text_copy(longer->device, sizeof(longer->device), device);
}

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

static void take_state(void *owner, const struct store_state *state)
{
    struct ghosts *ghosts = owner;
    const char *own = own_form(ghosts), *other = other_form(ghosts);

    if (strncmp(state->key, own, strlen(own)) == 0 && !ghosts->inventory)
        restore_shown(&ghosts->before, &ghosts->n_before, state->key + strlen(own), state);
    if (strncmp(state->key, other, strlen(other)) == 0 && !ghosts->inventory)
        restore_shown(&ghosts->moved, &ghosts->n_moved, state->key + strlen(other), state);
    if (strncmp(state->key, GONE, strlen(GONE)) == 0)
        restore_gone(ghosts, state->key + strlen(GONE), state);
}

static int compare_gone(const void *a, const void *b)
{
    return strcmp(((const struct ghost *)a)->device, ((const struct ghost *)b)->device);
}

/* How many messages there were of it. */
static size_t count_moved(const struct ghosts *ghosts)
{
    size_t lines = 0;

    if (ghosts->options->entities)
        return ghosts->n_moved;
    for (size_t i = 0; i < ghosts->n_moved; i++) {
        for (const char *at = ghosts->moved[i].lines; at && *at; at = strchr(at, '\n') + 1)
            lines++;
    }
    return lines;
}

/* Of one device. */
static void list_moved(const struct ghosts *ghosts, const struct shown *moved,
                       struct ghost_list *list)
{
    struct ghost ghost = {0};

    text_copy(ghost.device, sizeof(ghost.device), moved->device);
    if (ghosts->options->entities) {
        list->ghosts[list->count + list->n_moved++] = ghost;
        return;
    }
    for (const char *at = moved->lines; at && *at; at = strchr(at, '\n') + 1) {
        if (sscanf(at, "%15s %319s", ghost.platform, ghost.key) == 2)
            list->ghosts[list->count + list->n_moved++] = ghost;
    }
}

static void put_list(struct ghosts *ghosts)
{
    struct ghost_list *list =
        malloc(sizeof(*list) + (ghosts->n_gone + count_moved(ghosts) + 1) * sizeof(struct ghost));

    if (!list)
        return;
    list->serial = ++ghosts->serial;
    list->count = ghosts->n_gone;
    list->n_moved = 0;
    if (list->count > 0) {
        qsort(ghosts->gone, ghosts->n_gone, sizeof(*ghosts->gone), compare_gone);
        memcpy(list->ghosts, ghosts->gone, list->count * sizeof(list->ghosts[0]));
    }
    for (size_t i = 0; i < ghosts->n_moved; i++)
        list_moved(ghosts, &ghosts->moved[i], list);
    ghosts->put(ghosts->owner, list);
}

void ghosts_restore(struct ghosts *ghosts)
{
    if (ghosts->store)
        store_state_each(ghosts->store, STATE_KIND, take_state, ghosts);
    if (ghosts->inventory && ghosts->n_gone > 0)
        put_list(ghosts);
}

/* -- what is configured --------------------------------------------------------------------- */

static void forget_list(struct shown **list, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        free((*list)[i].lines);
    free(*list);
    *list = NULL;
    *count = 0;
}

static int compare_shown(const void *a, const void *b)
{
    return strcmp(((const struct shown *)a)->device, ((const struct shown *)b)->device);
}

/* The one of the same device, in a list that is sorted. */
static struct shown *find_shown(struct shown *list, size_t count, const struct shown *of)
{
    return count > 0 ? bsearch(of, list, count, sizeof(*of), compare_shown) : NULL;
}

static void compare_device(struct ghosts *ghosts, const struct shown *now)
{
    struct shown *was = find_shown(ghosts->before, ghosts->n_before, now);
    bool changed = drop_shown(ghosts, now);

    if (was && was->lines && strcmp(was->lines, now->lines) == 0) {
        was->seen = true;
    } else {
        commit(ghosts, own_form(ghosts), now->device, now->lines, now->length);
        if (was) {
            changed = add_vanished(ghosts, was, now->lines) || changed;
            was->seen = true;
        }
    }
    if (changed)
        save_gone(ghosts, now->device);
}

/* Devices that are not there any more: all of theirs. */
static void compare_rest(struct ghosts *ghosts)
{
    for (size_t i = 0; i < ghosts->n_before; i++) {
        const struct shown *was = &ghosts->before[i];

        if (was->seen)
            continue;
        if (add_vanished(ghosts, was, ""))
            save_gone(ghosts, was->device);
        commit(ghosts, own_form(ghosts), was->device, NULL, 0);
    }
}

/* What was announced in the other form and is not configured any more goes as the rest does, after
 * it has moved. */
static void compare_moved(struct ghosts *ghosts, struct shown *now, size_t count)
{
    for (size_t i = 0; i < ghosts->n_moved; i++) {
        const struct shown *was = &ghosts->moved[i];
        const struct shown *there = find_shown(now, count, was);

        if (add_vanished(ghosts, was, there ? there->lines : ""))
            save_gone(ghosts, was->device);
    }
}

static void compare_all(struct ghosts *ghosts, struct shown *now, size_t count)
{
    if (ghosts->n_before > 0)
        qsort(ghosts->before, ghosts->n_before, sizeof(*ghosts->before), compare_shown);
    for (size_t i = 0; i < count; i++) {
        if (now[i].lines)
            compare_device(ghosts, &now[i]);
    }
    compare_rest(ghosts);
    if (!ghosts->inventory)
        compare_moved(ghosts, now, count);
}

/* All of one inventory; none when memory is out. */
static size_t list_site(const struct listing *listing, struct inventory *inventory,
                        struct shown **ret_list)
{
    struct plan *plan = inventory ? plan_new(inventory, listing->base) : NULL;
    uint32_t count = 0;

    *ret_list = plan ? calloc((size_t)inventory->n_devices + 1, sizeof(**ret_list)) : NULL;
    if (plan)
        plan->rights = listing->rights;
    while (*ret_list && count <= inventory->n_devices) {
        (*ret_list)[count] = list_device(plan, count);
        count++;
    }
    if (count > 0)
        qsort(*ret_list, count, sizeof(**ret_list), compare_shown);
    plan_free(plan);
    return count;
}

static void work_listing(void *owner)
{
    struct listing *listing = owner;

    listing->n_before = list_site(listing, listing->was, &listing->before);
    listing->n_now = list_site(listing, listing->is, &listing->now);
}

static void listing_free(struct listing *listing)
{
    if (!listing)
        return;
    forget_list(&listing->before, &listing->n_before);
    forget_list(&listing->now, &listing->n_now);
    inventory_release(listing->was);
    inventory_release(listing->is);
    free(listing->base);
    free(listing);
}

static struct listing *listing_new(struct ghosts *ghosts, struct inventory *inventory)
{
    struct listing *listing = calloc(1, sizeof(*listing));

    if (!listing)
        return NULL;
    listing->ghosts = ghosts;
    listing->base = strdup(ghosts->options->base);
    listing->rights = ghosts->options->commands;
    listing->was = ghosts->inventory ? inventory_hold(ghosts->inventory) : NULL;
    listing->is = inventory_hold(inventory);
    if (listing->base)
        return listing;
    listing_free(listing);
    return NULL;
}

/* What was known from the store is of use the first time only. */
static void take_listing(struct ghosts *ghosts, struct listing *listing)
{
    if (listing->was) {
        forget_list(&ghosts->before, &ghosts->n_before);
        ghosts->before = listing->before;
        ghosts->n_before = listing->n_before;
        listing->before = NULL;
        listing->n_before = 0;
    }
    if (listing->n_now > 0)
        compare_all(ghosts, listing->now, listing->n_now);
    forget_list(&ghosts->before, &ghosts->n_before);
    inventory_release(ghosts->inventory);
    ghosts->inventory = inventory_hold(listing->is);
    put_list(ghosts);
}

static void start_listing(struct ghosts *ghosts, struct inventory *inventory);

static void end_listing(void *owner)
{
    struct listing *listing = owner;
    struct ghosts *ghosts = listing->ghosts;
    struct inventory *next;

    if (ghosts) {
        ghosts->listing = NULL;
        take_listing(ghosts, listing);
        next = ghosts->next;
        ghosts->next = NULL;
        if (next)
            start_listing(ghosts, next);
        inventory_release(next);
    }
    listing_free(listing);
}

static void start_listing(struct ghosts *ghosts, struct inventory *inventory)
{
    ghosts->listing = listing_new(ghosts, inventory);
    if (ghosts->listing && loop_work(ghosts->loop, work_listing, end_listing, ghosts->listing) == 0)
        return;
    listing_free(ghosts->listing);
    ghosts->listing = NULL;
    log_warn("mqtt: out of memory: entities that were removed may stay in Home Assistant");
}

/* Before the first announcement, which has to know what is in the other form. */
static void list_at_once(struct ghosts *ghosts, struct inventory *inventory)
{
    struct listing *listing = listing_new(ghosts, inventory);

    if (listing) {
        work_listing(listing);
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

void ghosts_moved(struct ghosts *ghosts, int64_t serial)
{
    if (serial != ghosts->serial)
        return; /* they are told once more, with a newer list */
    for (size_t i = 0; i < ghosts->n_moved; i++)
        commit(ghosts, other_form(ghosts), ghosts->moved[i].device, NULL, 0);
    if (ghosts->n_moved > 0)
        log_info("mqtt: discovery has gone over to one message %s",
                 ghosts->options->entities ? "an entity" : "a device");
    forget_list(&ghosts->moved, &ghosts->n_moved);
}

void ghosts_buried(struct ghosts *ghosts, int64_t serial)
{
    if (serial != ghosts->serial)
        return; /* there are others by now: once more, with all */
    while (ghosts->n_gone > 0) {
        char device[64];

        text_copy(device, sizeof(device), ghosts->gone[ghosts->n_gone - 1].device);
        while (ghosts->n_gone > 0 && strcmp(ghosts->gone[ghosts->n_gone - 1].device, device) == 0)
            ghosts->n_gone--;
        save_gone(ghosts, device);
    }
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
        ghosts->listing->ghosts = NULL;
    inventory_release(ghosts->next);
    forget_list(&ghosts->before, &ghosts->n_before);
    forget_list(&ghosts->moved, &ghosts->n_moved);
    inventory_release(ghosts->inventory);
    free(ghosts->gone);
    free(ghosts);
}
