#include "gateway/totals.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"
#include "gateway/core/site.h"
#include "gateway/inside.h"
#include "gateway/store/store.h"
#include "rules/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_KIND "total"
#define SAVE_MS    INT64_C(3600000)
#define FIRST_MS   60000 /* from then on there is something to go on from */
#define WORDS_SIZE 64    /* "5400123.25 1795266125123": the total, and Unix milliseconds or 0 */

struct totals {
    struct app *app;
    struct timer *timer;
};

/* -- saving --------------------------------------------------------------------------------- */

/* While nobody knows what time it is, nothing can be caught up later: 0. */
static size_t write_words(char words[WORDS_SIZE], double total, int64_t until_ms)
{
    char number[32];
    int64_t wall_ms = clock_wall_is_good() ? clock_wall_ms(until_ms) : 0;

    text_from_number(number, sizeof(number), total, -1);
    return (size_t)snprintf(words, WORDS_SIZE, "%s %lld", number, (long long)wall_ms);
}

static void save_one(struct totals *totals, uint32_t sensor)
{
    const struct rules *rules = totals->app->site->rules;
    char words[WORDS_SIZE];
    struct store_state state = {
        .kind = STATE_KIND, .key = rules_sensor(rules, sensor)->id, .value = words};
    struct store_record record = {.states = &state, .n_states = 1};
    double total;
    int64_t until_ms;

    if (!rules_total(rules, sensor, &total, &until_ms))
        return;
    state.size = write_words(words, total, until_ms);
    if (store_commit(totals->app->store, &record, NULL) < 0)
        log_warn("out of memory: the total of %s is not saved", state.key);
}

void totals_save(struct totals *totals)
{
    for (uint32_t i = 0; totals && i < rules_sensors(totals->app->site->rules); i++)
        save_one(totals, i);
}

static void save(void *owner)
{
    struct totals *totals = owner;

    totals_save(totals);
    timer_at(totals->timer, clock_boot_ms() + SAVE_MS);
}

/* -- putting back --------------------------------------------------------------------------- */

static bool read_words(const struct store_state *state, double *ret_total, int64_t *ret_wall_ms)
{
    char words[WORDS_SIZE], *space;

    if (state->size >= sizeof(words))
        return false;
    memcpy(words, state->value, state->size);
    words[state->size] = '\0';
    space = strchr(words, ' ');
    if (!space)
        return false;
    *space = '\0';
    return text_to_number(words, ret_total) == 0 && text_to_int(space + 1, ret_wall_ms) == 0;
}

static void take_state(void *owner, const struct store_state *state)
{
    struct totals *totals = owner;
    struct rules *rules = totals->app->site->rules;
    uint32_t sensor = rules_find_sensor(rules, state->key);
    int64_t wall_ms, until_ms = clock_boot_ms();
    double total;

    if (sensor == RULES_NO_SENSOR)
        return;
    if (!read_words(state, &total, &wall_ms)) {
        log_warn("the total of %s cannot be read; it begins anew", state->key);
        return;
    }
    if (wall_ms > 0 && clock_wall_is_good())
        until_ms = wall_ms - clock_wall_ms(0);
    rules_set_total(rules, sensor, total, until_ms);
}

/* -- life ----------------------------------------------------------------------------------- */

struct totals *totals_begin(struct app *app)
{
    struct totals *totals = app->store ? calloc(1, sizeof(*totals)) : NULL;

    if (!totals)
        return NULL;
    totals->app = app;
    totals->timer = timer_new(app->loop, save, totals);
    if (!totals->timer) {
        free(totals);
        return NULL;
    }
    store_state_each(app->store, STATE_KIND, take_state, totals);
    timer_at(totals->timer, clock_boot_ms() + FIRST_MS);
    return totals;
}

void totals_end(struct totals *totals)
{
    if (!totals)
        return;
    timer_free(totals->timer);
    free(totals);
}
