#include "gateway/learnt.h"

#include "gateway/base/log.h"
#include "gateway/store/store.h"

#include <stdlib.h>
#include <string.h>

#define STATE_KIND "learnt"

struct known {
    char *device, *words;
};

/* Few devices have anything to teach, so that a list will do. */
struct learnt {
    struct store *store; /* NULL: there is none */
    struct known *list;
    size_t n;
};

struct learnt *learnt_new(void)
{
    return calloc(1, sizeof(struct learnt));
}

void learnt_free(struct learnt *learnt)
{
    if (!learnt)
        return;
    for (size_t i = 0; i < learnt->n; i++) {
        free(learnt->list[i].device);
        free(learnt->list[i].words);
    }
    free(learnt->list);
    free(learnt);
}

static struct known *find(const struct learnt *learnt, const char *device)
{
    for (size_t i = 0; i < learnt->n; i++) {
        if (strcmp(learnt->list[i].device, device) == 0)
            return &learnt->list[i];
    }
    return NULL;
}

static struct known *add(struct learnt *learnt, const char *device)
{
    struct known *longer = realloc(learnt->list, (learnt->n + 1) * sizeof(*longer));
    char *name = strdup(device);

    if (longer)
        learnt->list = longer;
    if (!longer || !name) {
        free(name);
        return NULL;
    }
    longer += learnt->n++;
    *longer = (struct known){.device = name};
    return longer;
}

/* Takes ownership of `words`. false: that is what was known, or memory is out, and then it is
 * learnt anew. */
static bool keep(struct learnt *learnt, const char *device, char *words)
{
    struct known *known = find(learnt, device);

    if (words && !known)
        known = add(learnt, device);
    if (!words || !known || (known->words && strcmp(known->words, words) == 0)) {
        free(words);
        return false;
    }
    free(known->words);
    known->words = words;
    return true;
}

static void take_state(void *owner, const struct store_state *state)
{
    (void)keep(owner, state->key, strndup(state->value, state->size));
}

void learnt_use_store(struct learnt *learnt, struct store *store)
{
    learnt->store = store;
    store_state_each(store, STATE_KIND, take_state, learnt);
}

void learnt_put(struct learnt *learnt, const char *device, const char *words)
{
    struct store_state state = {
        .kind = STATE_KIND, .key = device, .value = words, .size = strlen(words)};
    struct store_record record = {.states = &state, .n_states = 1};

    if (!keep(learnt, device, strdup(words)) || !learnt->store)
        return;
    if (store_commit(learnt->store, &record, NULL) < 0)
        log_warn("what was learnt of device %s will be learnt anew after a restart", device);
}

const char *learnt_find(const struct learnt *learnt, const char *device)
{
    const struct known *known = find(learnt, device);

    return known ? known->words : NULL;
}
