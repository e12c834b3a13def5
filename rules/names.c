#include "rules/names.h"

#include "gateway/base/text.h"

#include <stdlib.h>
#include <string.h>

struct name {
    const char *id;
    uint32_t index;
};

struct names {
    uint32_t count;
    struct name sorted[];
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->id, ((const struct name *)b)->id);
}

struct names *names_new(const char *const *ids, uint32_t count)
{
    struct names *names = malloc(sizeof *names + count * sizeof names->sorted[0]);
    if (!names)
        return NULL;
    names->count = count;
    for (uint32_t i = 0; i < count; i++)
        names->sorted[i] = (struct name){ids[i], i};
    qsort(names->sorted, count, sizeof names->sorted[0], compare);
    return names;
}

void names_free(struct names *names)
{
    free(names);
}

uint32_t names_find(const struct names *names, const char *id)
{
    struct name wanted = {id, 0};
    const struct name *found =
        bsearch(&wanted, names->sorted, names->count, sizeof names->sorted[0], compare);
    return found ? found->index : NAMES_NONE;
}

const char *names_nearest(const struct names *names, const char *id)
{
    const char *nearest = NULL;
    size_t best = strlen(id) / 4 + 2; /* farther is guessing */
    for (uint32_t i = 0; i < names->count; i++) {
        size_t distance = text_distance(id, names->sorted[i].id);
        if (distance < best) {
            best = distance;
            nearest = names->sorted[i].id;
        }
    }
    return nearest;
}
