/* Entities that were announced and are no longer configured, over restarts with a real store. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/core/command.h"
#include "gateway/mqtt/ghosts.h"
#include "gateway/mqtt/options.h"
#include "tests/unit/mqtt_site.h"
#include "tests/unit/store_world.h"

#include <inttypes.h>

#define USES_MAX 4

struct fixture {
    char folder[64];
    struct loop *loop;
    struct store *store;
    struct options options;
    struct ghosts *ghosts;
    struct ghost_list *list; /* the newest */
    bool listed;
    struct inventory_rule rules[USES_MAX][N_RULES];
    size_t n_uses;
};

static const struct store_calls nobody;

static void take_list(void *owner, struct ghost_list *list)
{
    struct fixture *f = owner;

    free(f->list);
    f->list = list;
    f->listed = true;
}

static bool is_listed(void *owner)
{
    return ((struct fixture *)owner)->listed;
}

/* A new start of the gateway, in two steps: without its disk, and when that is there. */
static void begin_without_disk(struct fixture *f)
{
    struct store_options options = world_options(f->folder);

    assert_int_equal(store_open(f->loop, &options, 5000, &nobody, f, &f->store, NULL), 0);
    f->ghosts = ghosts_new(f->loop, f->store, &f->options, take_list, f);
}

static void find_disk(struct fixture *f)
{
    ghosts_restore(f->ghosts);
    store_state_release(f->store);
}

static void begin(struct fixture *f)
{
    begin_without_disk(f);
    find_disk(f);
}

static void end(struct fixture *f)
{
    ghosts_free(f->ghosts);
    assert_int_equal(store_close(f->store, 5000), 0);
    f->ghosts = NULL;
    f->store = NULL;
}

static int setup(void **state)
{
    static char base[] = "t", prefix[] = "homeassistant";
    struct fixture *f = calloc(1, sizeof(*f));

    log_set_level(LOG_LEVEL_ERROR);
    folder_new(f->folder);
    f->loop = loop_new();
    f->options.base = base;
    f->options.prefix = prefix;
    f->options.json = true;
    f->options.commands = COMMAND_RIGHTS_ALL;
    *state = f;
    begin(f);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    end(f);
    free(f->list);
    loop_free(f->loop);
    folder_free(f->folder);
    free(f);
    return 0;
}

/* The site with its first `devices` devices and without the rules. */
static void begin_use(struct fixture *f, uint32_t devices)
{
    struct inventory *site = site_new(NULL);

    site->n_devices = devices;
    site->n_sensors = devices > METER ? ENERGY + 4 : ENERGY;
    site->n_rules = 0;
    inventory_finish(site);
    ghosts_use(f->ghosts, site);
    inventory_release(site);
}

static void use(struct fixture *f, uint32_t devices)
{
    f->listed = false;
    begin_use(f, devices);
    assert_true(world_run(f->loop, is_listed, f, 5000));
}

/* The same gateway, started anew with the other form of discovery. */
static void restart_as(struct fixture *f, bool entities)
{
    end(f);
    f->options.entities = entities;
    begin(f);
}

static bool has_moved(const struct fixture *f, const char *device, const char *key)
{
    for (size_t i = 0; i < f->list->n_moved; i++) {
        const struct ghost *it = &f->list->ghosts[f->list->count + i];

        if (strcmp(it->device, device) == 0 && strcmp(it->key, key) == 0)
            return true;
    }
    return false;
}

static bool has_topic(const struct fixture *f, const char *topic)
{
    for (size_t i = 0; i < f->list->n_topics; i++) {
        if (strcmp(f->list->ghosts[f->list->count + f->list->n_moved + i].key, topic) == 0)
            return true;
    }
    return false;
}

/* The whole site, with the rule `overload` at this sensor. */
static void use_rule_at(struct fixture *f, uint32_t sensor)
{
    struct inventory_rule *rules = f->rules[f->n_uses++];
    struct inventory *site = site_new(NULL);

    memcpy(rules, site_rules, sizeof(site_rules));
    rules[OVERLOAD].sensor = sensor;
    site->rules = rules;
    inventory_finish(site);
    f->listed = false;
    ghosts_use(f->ghosts, site);
    inventory_release(site);
    assert_true(world_run(f->loop, is_listed, f, 5000));
}

static bool has(const struct fixture *f, const char *device, const char *platform, const char *key)
{
    for (size_t i = 0; i < f->list->count; i++) {
        const struct ghost *it = &f->list->ghosts[i];

        if (strcmp(it->device, device) == 0 && strcmp(it->platform, platform) == 0 &&
            strcmp(it->key, key) == 0)
            return true;
    }
    return false;
}

static void what_stays_has_no_ghosts(void **state)
{
    struct fixture *f = *state;

    use(f, 2);
    assert_int_equal(f->list->count, 0);
    use(f, 2);
    assert_int_equal(f->list->count, 0);
    end(f);
    begin(f);
    use(f, 2);
    assert_int_equal(f->list->count, 0);
}

static void a_reload_leaves_those_that_it_removes(void **state)
{
    struct fixture *f = *state;

    use(f, 2);
    use(f, 1);
    assert_int_equal(f->list->count, 5);
    assert_true(has(f, "meter", "sensor", "energy"));
    assert_true(has(f, "meter", "binary_sensor", "availability"));
    use(f, 2); /* it was a slip */
    assert_int_equal(f->list->count, 0);
}

static void a_restart_with_another_config_knows_what_was_announced(void **state)
{
    struct fixture *f = *state;

    use(f, 2);
    end(f);
    begin(f);
    use(f, 1);
    assert_int_equal(f->list->count, 5);
    end(f);
    begin(f);
    use(f, 1); /* nobody has seen them go */
    assert_int_equal(f->list->count, 5);
    assert_true(has(f, "meter", "sensor", "values"));
}

static void what_was_seen_to_go_is_forgotten(void **state)
{
    struct fixture *f = *state;

    use(f, 2);
    use(f, 1);
    ghosts_buried(f->ghosts, f->list->serial - 1); /* an older list */
    assert_int_equal(f->list->count, 5);
    ghosts_buried(f->ghosts, f->list->serial);
    assert_int_equal(f->list->count, 0);
    end(f);
    begin(f);
    use(f, 1);
    assert_int_equal(f->list->count, 0);
}

static void what_nobody_has_seen_go_is_given_up_after_ninety_days(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = clock_wall_ms(clock_boot_ms()), day_ms = INT64_C(86400000);
    char lines[200];
    struct store_state gone = {.kind = "mqtt", .key = "gone/meter", .value = lines};
    struct store_record record = {.states = &gone, .n_states = 1};

    gone.size = (size_t)snprintf(lines, sizeof(lines),
                                 "sensor recent %" PRId64 "\nsensor ancient %" PRId64 "\n",
                                 now_ms - 89 * day_ms, now_ms - 91 * day_ms);
    assert_int_equal(store_commit(f->store, &record, NULL), 0);
    end(f);
    begin(f);
    use(f, 2);
    assert_int_equal(f->list->count, 1);
    assert_true(has(f, "meter", "sensor", "recent"));
}

static void what_a_right_took_away_goes_too(void **state)
{
    struct fixture *f = *state;

    use(f, 1);
    end(f);
    f->options.commands = COMMAND_RIGHTS_ACK;
    begin(f);
    use(f, 1);
    assert_int_equal(f->list->count, 2);
    assert_true(has(f, "gateway", "button", "reload"));
    assert_true(has(f, "gateway", "button", "rescan"));
}

static void a_change_to_single_entities_moves_each_device_until_it_is_through(void **state)
{
    struct fixture *f = *state;

    use(f, 2);
    assert_int_equal(f->list->n_moved, 0);
    restart_as(f, true);
    use(f, 2);
    assert_int_equal(f->list->count, 0);
    assert_int_equal(f->list->n_moved, 3);
    assert_true(has_moved(f, "boiler", ""));
    assert_true(has_moved(f, "gateway", ""));
    restart_as(f, true); /* before it was through */
    use(f, 2);
    assert_int_equal(f->list->n_moved, 3);
    ghosts_moved(f->ghosts, f->list->serial);
    restart_as(f, true);
    use(f, 2);
    assert_int_equal(f->list->n_moved, 0);
    assert_int_equal(f->list->count, 0);
}

static void a_change_back_moves_each_entity(void **state)
{
    struct fixture *f = *state;

    restart_as(f, true);
    use(f, 1);
    restart_as(f, false);
    use(f, 1);
    assert_int_equal(f->list->count, 0);
    assert_true(has_moved(f, "boiler", "flow_temp"));
    assert_true(has_moved(f, "boiler", "availability"));
    assert_true(has_moved(f, "gateway", "event"));
    ghosts_moved(f->ghosts, f->list->serial - 1); /* an older list */
    restart_as(f, true);                          /* he thinks better of it: now the devices move */
    use(f, 1);
    assert_int_equal(f->list->n_moved, 2);
}

static void what_went_together_with_the_form_moves_and_is_removed(void **state)
{
    struct fixture *f = *state;

    use(f, 2);
    restart_as(f, true);
    use(f, 1);
    assert_true(has_moved(f, "meter", ""));
    assert_int_equal(f->list->count, 5);
    assert_true(has(f, "meter", "sensor", "energy"));
}

static void a_rule_that_goes_to_another_device_moves_and_is_never_there_twice(void **state)
{
    struct fixture *f = *state;

    use_rule_at(f, POWER);
    use_rule_at(f, FLOW_TEMP);
    assert_int_equal(f->list->count, 0); /* a ghost would have the same unique id */
    assert_int_equal(f->list->n_moved, 1);
    assert_true(has_moved(f, "meter", ""));
    restart_as(f, false); /* before it was through */
    use_rule_at(f, FLOW_TEMP);
    assert_true(has_moved(f, "meter", ""));
    ghosts_moved(f->ghosts, f->list->serial);
    restart_as(f, false);
    use_rule_at(f, FLOW_TEMP);
    assert_int_equal(f->list->n_moved, 0);
}

static void as_an_entity_alone_it_moves_by_its_own_message(void **state)
{
    struct fixture *f = *state;

    restart_as(f, true);
    use_rule_at(f, POWER);
    use_rule_at(f, FLOW_TEMP);
    assert_int_equal(f->list->count, 0);
    assert_true(has_moved(f, "meter", "rule-overload-state"));
    use_rule_at(f, POWER); /* it was a slip */
    assert_false(has_moved(f, "meter", "rule-overload-state"));
    assert_true(has_moved(f, "boiler", "rule-overload-state"));
}

static void topics_that_keep_what_is_gone_are_listed_until_they_are_cleared(void **state)
{
    struct fixture *f = *state;

    use(f, 2);
    assert_int_equal(f->list->n_topics, 0);
    use(f, 1);
    assert_int_equal(f->list->n_topics, 2);
    assert_true(has_topic(f, "meter/state"));
    assert_true(has_topic(f, "meter/availability"));
    restart_as(f, false); /* nobody has cleared them */
    use(f, 1);
    assert_int_equal(f->list->n_topics, 2);
    ghosts_cleared(f->ghosts, f->list->serial - 1); /* an older list */
    ghosts_cleared(f->ghosts, f->list->serial);
    restart_as(f, false);
    use(f, 1);
    assert_int_equal(f->list->n_topics, 0);
    assert_int_equal(f->list->count, 5); /* entities are for Home Assistant to see */
}

static void topics_are_cleared_without_discovery_too_and_entities_stay_as_they_are(void **state)
{
    struct fixture *f = *state;
    char *prefix = f->options.prefix;

    use(f, 2);
    f->options.prefix = NULL;
    restart_as(f, false);
    use(f, 1);
    assert_int_equal(f->list->count, 0);
    assert_true(has_topic(f, "meter/state"));
    f->options.prefix = prefix;
    restart_as(f, false);
    use(f, 1);
    assert_int_equal(f->list->count, 5);
}

static void a_disk_that_comes_late_knows_what_is_gone_and_takes_nothing_that_is_there(void **state)
{
    struct fixture *f = *state;

    use(f, 2);
    end(f);
    begin_without_disk(f);
    use(f, 1);
    assert_int_equal(f->list->count, 0);
    find_disk(f);
    assert_int_equal(f->list->count, 5);
    assert_true(has_topic(f, "meter/state"));
    end(f);
    begin_without_disk(f);
    use(f, 2); /* it is there again */
    find_disk(f);
    assert_int_equal(f->list->count, 0);
    assert_int_equal(f->list->n_topics, 0);
}

static void another_form_of_values_leaves_the_topics_of_the_first(void **state)
{
    struct fixture *f = *state;

    use(f, 1);
    f->options.json = false;
    f->options.plain = true;
    restart_as(f, false);
    use(f, 1);
    assert_int_equal(f->list->n_topics, 1);
    assert_true(has_topic(f, "boiler/state"));
}

static bool has_no_meter(void *owner)
{
    struct fixture *f = owner;

    return f->list && f->list->count == 5;
}

static void of_reloads_that_come_at_once_the_last_counts(void **state)
{
    struct fixture *f = *state;

    use(f, 1);
    begin_use(f, 2);
    begin_use(f, 1);
    begin_use(f, 2);
    begin_use(f, 1);
    assert_true(world_run(f->loop, has_no_meter, f, 5000));
    assert_true(has(f, "meter", "sensor", "energy"));
}

static void closing_while_a_site_is_listed_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    begin_use(f, 2);
    begin_use(f, 1);
    end(f);
    begin(f);
    use(f, 2);
    assert_int_equal(f->list->count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_stays_has_no_ghosts),
        TEST(a_reload_leaves_those_that_it_removes),
        TEST(a_restart_with_another_config_knows_what_was_announced),
        TEST(what_was_seen_to_go_is_forgotten),
        TEST(what_nobody_has_seen_go_is_given_up_after_ninety_days),
        TEST(what_a_right_took_away_goes_too),
        TEST(a_change_to_single_entities_moves_each_device_until_it_is_through),
        TEST(a_change_back_moves_each_entity),
        TEST(of_reloads_that_come_at_once_the_last_counts),
        TEST(closing_while_a_site_is_listed_leaves_nothing),
        TEST(what_went_together_with_the_form_moves_and_is_removed),
        TEST(a_rule_that_goes_to_another_device_moves_and_is_never_there_twice),
        TEST(as_an_entity_alone_it_moves_by_its_own_message),
        TEST(topics_that_keep_what_is_gone_are_listed_until_they_are_cleared),
        TEST(topics_are_cleared_without_discovery_too_and_entities_stay_as_they_are),
        TEST(a_disk_that_comes_late_knows_what_is_gone_and_takes_nothing_that_is_there),
        TEST(another_form_of_values_leaves_the_topics_of_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
