/* Ghosts: what the broker and Home Assistant were told of and what is no longer configured.
 *
 * Home Assistant would show such an entity as unavailable for ever: it removes only what it was
 * told of in its present run, so entities are remembered - in the store, for 90 days - announced
 * once more and then removed, at every connect and every start of Home Assistant, until it has seen
 * that. Retained messages would stay with the broker: they are taken away as soon as it is there.
 * Loop thread only, but for the lists, which go to the MQTT thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inventory;
struct loop;
struct options;
struct store;

struct ghost {
    char device[64]; /* slug; "gateway": our own */
    char platform[16];
    char key[320];    /* of the component; of a topic all behind the base */
    int64_t since_ms; /* wall */
    bool
        elsewhere; /* a rule that stands at another device by now: its id must not be there twice */
};

/* Entities that are gone; those of one device stand together. Behind them is what has to let go of
 * its entities without their being forgotten, since they were announced in the other form, device
 * or entity, or stand at another device by now: ghosts[count] on. And then topics. */
struct ghost_list {
    int64_t serial;
    size_t count, n_moved, n_topics;
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
/* Those that were to move have moved, and the broker has the other form no longer. */
void ghosts_moved(struct ghosts *ghosts, int64_t serial);
/* The broker has its topics no longer. */
void ghosts_cleared(struct ghosts *ghosts, int64_t serial);
