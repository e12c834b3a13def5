#include "gateway/web/waiting.h"

#include "gateway/base/clock.h"

#include <stdlib.h>

struct waiting {
    struct waiting *next, **link; /* `link` points to what points here */
    struct web *web;
    void *owner;
    void (*give_up)(void *owner);
    int64_t until_ms;
};

struct waiting *waiting_new(struct web *web, void *owner, void (*give_up)(void *owner))
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));

    if (!waiting)
        return NULL;
    *waiting = (struct waiting){.next = web->waiting,
                                .link = &web->waiting,
                                .web = web,
                                .owner = owner,
                                .give_up = give_up,
                                .until_ms = clock_boot_ms() + WEB_ANSWER_MS};
    if (web->waiting)
        web->waiting->link = &waiting->next;
    web->waiting = waiting;
    return waiting;
}

void waiting_forget(struct waiting *waiting)
{
    if (waiting)
        waiting->owner = NULL;
}

void *waiting_end(struct waiting *waiting)
{
    void *owner = waiting->owner;

    *waiting->link = waiting->next;
    if (waiting->next)
        waiting->next->link = waiting->link;
    free(waiting);
    return owner;
}

/* Giving up takes nothing off the list, so walking on is safe. */
void waiting_sweep(struct web *web, int64_t now_ms)
{
    for (struct waiting *waiting = web->waiting; waiting; waiting = waiting->next) {
        void *owner = waiting->owner;

        if (!owner || waiting->until_ms > now_ms)
            continue;
        waiting->owner = NULL;
        waiting->give_up(owner);
    }
}

void waiting_free_all(struct web *web)
{
    while (web->waiting)
        waiting_end(web->waiting);
}
