#include "gateway/cli/rehearse.h"

#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/core/inventory.h"
#include "gateway/core/site.h"
#include "gateway/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rehearsal {
    struct rehearsal_config config;
    struct text_table *texts;
    struct site *site;
    int64_t offset_ms; /* wall less boot time; CLOCK_NEVER: not known */
    int64_t now_ms;
    bool begun;
};

static int build(struct rehearsal *rehearsal, struct problems *problems, struct site **ret_site)
{
    const struct rehearsal_config *config = &rehearsal->config;
    struct site_context context = {.output = config->output,
                                   .owner = config->owner,
                                   .texts = rehearsal->texts,
                                   .probes = config->probes,
                                   .change = config->change};
    struct app_options options = {
        .config_path = config->path, .texts = config->texts, .n_texts = config->n_texts};
    struct conf *conf;
    int r = load_into(&options, &context, problems, &conf, ret_site);

    conf_free(conf);
    return r;
}

static void set_time(struct rehearsal *rehearsal, int64_t at_ms)
{
    if (at_ms > rehearsal->now_ms)
        rehearsal->now_ms = at_ms;
    clock_use_fixed(rehearsal->now_ms, rehearsal->offset_ms);
}

int rehearsal_open(const struct rehearsal_config *config, struct problems *problems,
                   struct rehearsal **ret_rehearsal)
{
    struct rehearsal *rehearsal = calloc(1, sizeof(*rehearsal));
    int r = -ENOMEM;

    if (!rehearsal)
        return r;
    rehearsal->config = *config;
    rehearsal->offset_ms = config->wall_ms;
    rehearsal->texts = text_table_new();
    set_time(rehearsal, 0);
    if (rehearsal->texts)
        r = build(rehearsal, problems, &rehearsal->site);
    if (r < 0) {
        rehearsal_close(rehearsal);
        return r;
    }
    *ret_rehearsal = rehearsal;
    return 0;
}

void rehearsal_close(struct rehearsal *rehearsal)
{
    if (!rehearsal)
        return;
    site_free(rehearsal->site);
    text_table_free(rehearsal->texts);
    free(rehearsal);
    clock_use_system();
}

struct rules *rehearsal_rules(struct rehearsal *rehearsal)
{
    return rehearsal->site->rules;
}

const struct inventory *rehearsal_inventory(const struct rehearsal *rehearsal)
{
    return rehearsal->site->inventory;
}

uint32_t rehearsal_add_text(struct rehearsal *rehearsal, const char *text)
{
    return text_table_add(rehearsal->texts, text);
}

/* Not when it is opened: whoever takes what comes out may still have to make room for it, and a
 * clock that is set before is known from the first instant on. */
static void begin(struct rehearsal *rehearsal)
{
    if (!rehearsal->begun)
        rules_on_time(rehearsal->site->rules, 0);
    rehearsal->begun = true;
}

/* Messages tell times of day: the clock stands at each instant that is due, not at the end. */
static void run_due(struct rehearsal *rehearsal, int64_t until_ms)
{
    struct rules *rules = rehearsal->site->rules;
    int64_t next_ms;

    while ((next_ms = rules_next_ms(rules)) <= until_ms) {
        set_time(rehearsal, next_ms);
        rules_on_time(rules, rehearsal->now_ms);
    }
}

void rehearsal_time(struct rehearsal *rehearsal, int64_t at_ms)
{
    begin(rehearsal);
    run_due(rehearsal, at_ms);
    set_time(rehearsal, at_ms);
    rules_on_time(rehearsal->site->rules, rehearsal->now_ms);
}

void rehearsal_poll(struct rehearsal *rehearsal, const struct reading *readings, size_t count,
                    int64_t at_ms)
{
    begin(rehearsal);
    run_due(rehearsal, at_ms - 1); /* a reading of the same instant counts before its timers */
    set_time(rehearsal, at_ms);
    rules_on_poll(rehearsal->site->rules, readings, count, rehearsal->now_ms);
}

void rehearsal_set_clock(struct rehearsal *rehearsal, int64_t wall_ms, int64_t at_ms)
{
    if (rehearsal->begun)
        rehearsal_time(rehearsal, at_ms);
    set_time(rehearsal, at_ms);
    rehearsal->offset_ms = wall_ms - rehearsal->now_ms;
    set_time(rehearsal, at_ms);
    rules_on_clock(rehearsal->site->rules, rehearsal->now_ms, wall_ms);
}

/* -- restart -------------------------------------------------------------------------------- */

static int64_t wall_ms(const struct rehearsal *rehearsal)
{
    return rehearsal->offset_ms == CLOCK_NEVER ? CLOCK_NEVER
                                               : rehearsal->now_ms + rehearsal->offset_ms;
}

/* How every instance stands, one text behind the other; to be freed. */
static char *save_all(struct rehearsal *rehearsal)
{
    const struct rules *rules = rehearsal->site->rules;
    size_t n = rules_count(rules);
    char *saved = calloc(n + 1, RULES_SAVED_SIZE);

    for (uint32_t i = 0; saved && i < n; i++)
        rules_save(rules, i, rehearsal->now_ms, wall_ms(rehearsal),
                   saved + (size_t)i * RULES_SAVED_SIZE);
    return saved;
}

static void hand_over_totals(struct rules *fresh, const struct rules *old)
{
    double total;
    int64_t until_ms;

    for (uint32_t i = 0; i < rules_sensors(old); i++) {
        if (rules_total(old, i, &total, &until_ms))
            rules_set_total(fresh, i, total, until_ms);
    }
}

int rehearsal_restart(struct rehearsal *rehearsal, int64_t at_ms, int64_t down_ms)
{
    struct problems *problems = problems_new();
    struct site *fresh = NULL, *old = rehearsal->site;
    char *saved;
    int r = problems ? 0 : -ENOMEM;

    rehearsal_time(rehearsal, at_ms);
    saved = save_all(rehearsal);
    set_time(rehearsal, at_ms + down_ms);
    if (r == 0)
        r = saved ? build(rehearsal, problems, &fresh) : -ENOMEM;
    problems_free(problems);
    if (r == 0) {
        rehearsal->site = fresh;
        hand_over_totals(fresh->rules, old->rules);
        for (uint32_t i = 0; i < rules_count(old->rules); i++)
            rules_restore(fresh->rules, rules_info(old->rules, i).id,
                          saved + (size_t)i * RULES_SAVED_SIZE, rehearsal->now_ms,
                          wall_ms(rehearsal));
        site_free(old);
        rules_on_time(fresh->rules, rehearsal->now_ms);
    }
    free(saved);
    return r;
}
