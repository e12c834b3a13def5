/* Listing: what a site has with the broker, and what the site before it had, worked out on a
 * thread: a thousand devices have ten thousand entities. */
#pragma once

#include "gateway/mqtt/roll.h"

#include <stdbool.h>
#include <stdint.h>

struct inventory;
struct loop;
struct options;

/* Of one site, by device. */
struct listing_rolls {
    struct roll shown; /* "platform key" of each component that is announced */
    struct roll kept;  /* "topic TOPIC" of each that is retained, without the base */
};
void listing_rolls_release(struct listing_rolls *rolls);

#define LISTING_TOPIC "topic"

struct listing {
    struct inventory *was, *is; /* held; `was` may be NULL */
    struct listing_rolls before, now;
    struct roll_index rules; /* all that is shown of rules, which may move between devices */
    void (*done)(void *owner, struct listing *listing);
    void *owner; /* NULL: nobody wants it any more */

    /* What the options say, which may be gone while the thread is still at it. */
    char *base;
    bool discovers, json, plain;
    uint8_t rights;
};

/* Copies what it needs of `options`. NULL when memory is out. */
struct listing *listing_new(const struct options *options, struct inventory *was,
                            struct inventory *is);
void listing_free(struct listing *listing); /* NULL is legal */

/* On the spot. Rolls are in the order of their names; empty when memory was out. */
void listing_make(struct listing *listing);

/* On a thread. `done` is called on the loop, unless `owner` was made NULL meanwhile, and the
 * listing is freed after it. 0, or -ENOMEM and the like: it is still the caller's. */
int listing_start(struct listing *listing, struct loop *loop,
                  void (*done)(void *owner, struct listing *listing), void *owner);
