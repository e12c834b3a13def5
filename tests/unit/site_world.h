/* A site out of a config text, as the gateway makes it: for the tests of gateway/core. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/adapters.h"
#include "config/config.h"
#include "gateway/base/reading.h"
#include "gateway/core/inventory.h"
#include "gateway/core/site.h"
#include "rules/rules.h"

#include <errno.h>
#include <string.h>

struct site_world {
    struct conf *conf;
    struct problems *problems;
    struct text_table *texts;
    struct site *site;
};

static inline void site_ignore_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    (void)transition;
}

static inline void site_ignore_event(void *owner, const struct rule_event *event)
{
    (void)owner;
    (void)event;
}

static inline void site_ignore_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

static inline const struct setting *site_root(void)
{
    static const struct setting root[] = {
        {.key = "gateway", .forms = SETTING_GROUP, .inside = gateway_settings},
        {.key = "defaults", .forms = SETTING_GROUP, .inside = defaults_settings},
        {.key = "buses", .forms = SETTING_NAMED | SETTING_OPEN},
        {.key = "devices", .forms = SETTING_NAMED | SETTING_OPEN},
        {.key = "derived", .forms = SETTING_NAMED, .inside = derived_settings},
        {.key = "notifiers", .forms = SETTING_NAMED | SETTING_OPEN},
        {.key = "hooks", .forms = SETTING_NAMED | SETTING_OPEN},
        {.key = "rules", .forms = SETTING_NAMED, .inside = rules_settings},
        {0},
    };
    return root;
}

/* Reads `text` as "t.cfg". Returns what site_new() does; it is called whenever there is a tree.
 * With `context` NULL the rules speak to nobody. */
static inline int site_world_open(struct site_world *world, const char *text,
                                  const struct site_context *context)
{
    static const struct rules_output nobody = {site_ignore_transition, site_ignore_event,
                                               site_ignore_action};
    struct site_context own = {.output = &nobody};
    memset(world, 0, sizeof(*world));
    world->problems = problems_new();
    world->texts = text_table_new();
    own.texts = world->texts;
    conf_read_text("t.cfg", text, strlen(text), site_root(), world->problems, &world->conf);
    if (!world->conf)
        return -EINVAL;
    return site_new(conf_root(world->conf), context ? context : &own, world->problems,
                    &world->site);
}

static inline void site_world_close(struct site_world *world)
{
    site_free(world->site);
    conf_free(world->conf);
    text_table_free(world->texts);
    problems_free(world->problems);
}

/* A config without a single problem. */
static inline void site_world_good(struct site_world *world, const char *text)
{
    int r = site_world_open(world, text, NULL);
    if (problems_line(world->problems, 0))
        fail_msg("%s", problems_line(world->problems, 0));
    assert_int_equal(r, 0);
}

/* Refused with exactly these errors, separated by newlines. */
static inline void site_refuses(const char *text, const char *lines)
{
    struct site_world world;
    int r = site_world_open(&world, text, NULL);
    char got[4000] = "";
    const char *line;
    for (size_t i = 0; (line = problems_line(world.problems, i)); i++) {
        strncat(got, i ? "\n" : "", sizeof(got) - strlen(got) - 1);
        strncat(got, line, sizeof(got) - strlen(got) - 1);
    }
    assert_string_equal(got, lines);
    assert_int_equal(r, -EINVAL);
    assert_null(world.site);
    site_world_close(&world);
}
