/* Ghosts: entities that Home Assistant was told of and that are no longer configured. It would show
 * them as unavailable for ever: it removes only what it was told of in its present run, so they are
 * remembered - in the store, for 90 days - announced once more and then removed, at every connect
 * and every start of Home Assistant, until it has seen that. Loop thread only, but for the lists,
 * which go to the MQTT thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct inventory;
struct loop;
struct options;
struct store;

struct ghost {
    char device[64]; /* slug; "gateway": our own */
    char platform[16];
    char key[320];    /* of the component */
    int64_t since_ms; /* wall */
};

/* Those of one device stand together. Behind them is what was announced in the other form, device
 * or entity, and has to be taken back in it without being forgotten: ghosts[count] on. */
struct ghost_list {
    int64_t serial;
    size_t count, n_moved;
    struct ghost ghosts[]; /* a moved one without a key is the message of its whole device */
};

struct ghosts;

/* `store` NULL: what is removed while we run is all that is known. `put` takes ownership of a list
 * (free() it). The rest is borrowed for its life. NULL when memory is out. */
struct ghosts *ghosts_new(struct loop *loop, struct store *store, const struct options *options,
                          void (*put)(void *owner, struct ghost_list *list), void *owner);
void ghosts_free(struct ghosts *ghosts); /* NULL is legal */

/* The store has opened: takes up what earlier runs have announced and not seen removed. */
void ghosts_restore(struct ghosts *ghosts);

/* What is configured from now on. The first time a list is put before this returns; later the site
 * is listed on a thread, and the list follows. */
void ghosts_use(struct ghosts *ghosts, struct inventory *inventory);

/* Home Assistant has seen those of the list `serial` go. */
void ghosts_buried(struct ghosts *ghosts, int64_t serial);
/* The broker has the other form no longer. */
void ghosts_moved(struct ghosts *ghosts, int64_t serial);
