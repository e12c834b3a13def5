#include "adapters/onewire/look.h"

#include "adapters/onewire/options.h"
#include "adapters/onewire/tree.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

#include <stdlib.h>
#include <string.h>

#define EVERY_MS 2000
#define LOOK_MAX 128 /* sensors that a look can see */

struct onewire_look {
    struct adapter_host *host;
    const struct onewire_tree *tree;
    bool (*is_ours)(void *owner, const char *address);
    void *owner;
    struct timer *timer;
    struct onewire_address before[LOOK_MAX]; /* what the last look has seen */
    size_t n_before;
};

static bool was_there(const struct onewire_look *look, const char *address)
{
    for (size_t i = 0; i < look->n_before; i++) {
        if (strcmp(look->before[i].text, address) == 0)
            return true;
    }
    return false;
}

static void look_around(void *owner)
{
    struct onewire_look *look = owner;
    struct onewire_address now[LOOK_MAX];
    size_t n = onewire_tree_list(look->tree, now, LOOK_MAX);

    for (size_t i = 0; i < n; i++) {
        if (was_there(look, now[i].text) && !look->is_ours(look->owner, now[i].text))
            onewire_appear(look->host, &now[i]);
    }
    memcpy(look->before, now, n * sizeof(*now));
    look->n_before = n;
    timer_at(look->timer, clock_boot_ms() + EVERY_MS);
}

struct onewire_look *onewire_look_start(struct adapter_host *host, const struct onewire_tree *tree,
                                        bool (*is_ours)(void *owner, const char *address),
                                        void *owner)
{
    struct onewire_look *look = calloc(1, sizeof(*look));

    if (!look)
        return NULL;
    *look = (struct onewire_look){.host = host, .tree = tree, .is_ours = is_ours, .owner = owner};
    look->timer = timer_new(host->loop, look_around, look);
    if (!look->timer) {
        free(look);
        return NULL;
    }
    timer_at(look->timer, clock_boot_ms());
    return look;
}

void onewire_look_stop(struct onewire_look *look)
{
    if (!look)
        return;
    timer_free(look->timer);
    free(look);
}
