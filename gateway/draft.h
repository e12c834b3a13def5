/* Draft: a record of the store while it is being written - an event, how an instance stands, the
 * messages that leave - and what may be shown once it is on the disk. For keeper.c; loop thread
 * only. */
#pragma once

#include "gateway/base/text.h"
#include "gateway/core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inventory;
struct store;

#define DRAFT_TARGET_SIZE  (7 + TEXT_SLUG_MAX + 1) /* "mqtt", "notify:NAME" */
#define DRAFT_MESSAGES_MAX 16
#define DRAFT_STATE_KIND   "rule" /* of what is saved of an instance */

struct draft {
    struct draft *next; /* its keeper's */
    uint64_t token;
    bool has_event;
    struct event event;
    char id[136]; /* of the instance whose state goes with it; "" for none */
    char *state;  /* NULL: none */
    size_t n_messages;
    struct {
        char target[DRAFT_TARGET_SIZE];
        char *payload;
        size_t size;
    } messages[DRAFT_MESSAGES_MAX];
    struct instance_state *shown; /* how instances stand since then */
    size_t n_shown;
};

/* NULL when memory is out, which is logged. */
struct draft *draft_new(uint64_t token);
void draft_free(struct draft *draft); /* and all behind it; NULL is legal */

/* Takes ownership of `payload` (NULL: memory was out). What finds no room is logged. */
void draft_add_message(struct draft *draft, const char *target, char *payload, size_t size);

/* Takes over `count` states, from malloc(), behind those that are there. */
void draft_show(struct draft *draft, struct instance_state *states, size_t count);

/* `inventory` has taken the place of `old`: the event speaks of its numbers from now on; the states
 * are forgotten, since all are told anew after an inventory. */
void draft_renumber(struct draft *draft, const struct inventory *old,
                    const struct inventory *inventory);

/* Hands it to the store; as store_commit(). */
int draft_commit(const struct draft *draft, const struct inventory *inventory, struct store *store);
