#include "adapters/gather.h"

#include <stdlib.h>

struct gather_pool {
    struct gathered *spare;
    struct sample *scratch;
    size_t scratch_room;
};

struct gather_pool *gather_pool_new(void)
{
    return calloc(1, sizeof(struct gather_pool));
}

void gather_pool_free(struct gather_pool *pool)
{
    if (!pool)
        return;
    while (pool->spare) {
        struct gathered *spare = pool->spare;

        pool->spare = spare->next;
        free(spare);
    }
    free(pool->scratch);
    free(pool);
}

/* One that is too small goes: the next of its kind will be as large as needed. */
struct gathered *gather_take(struct gather_pool *pool, size_t room)
{
    struct gathered *gathered = pool->spare;

    if (gathered)
        pool->spare = gathered->next;
    if (gathered && gathered->room < room) {
        free(gathered);
        gathered = NULL;
    }
    if (!gathered) {
        gathered = malloc(sizeof(*gathered) + room * sizeof(struct sample));
        if (!gathered)
            return NULL;
        gathered->room = room;
    }
    gathered->count = 0;
    return gathered;
}

void gather_give(struct gather_pool *pool, struct gathered *gathered)
{
    if (!gathered)
        return;
    gathered->next = pool->spare;
    pool->spare = gathered;
}

struct sample *gather_scratch(struct gather_pool *pool, size_t room)
{
    struct sample *longer;

    if (room <= pool->scratch_room)
        return pool->scratch;
    longer = realloc(pool->scratch, room * sizeof(*longer));
    if (!longer)
        return NULL;
    pool->scratch = longer;
    pool->scratch_room = room;
    return longer;
}
