/* The keeper between a pipeline and a real store, with nobody to tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/core/pipeline.h"
#include "gateway/keeper.h"
#include "tests/unit/site_world.h"
#include "tests/unit/store_door.h"

static const char config[] =
    "buses: { sim: { adapter = \"sim\" } }\n"
    "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
    "rules: { hot: { sensor = \"a.t\"; above = 50\n"
    "                on_fire = ( { publish = \"siren\"; payload = \"ON\" } ) } }\n";

static struct keeper *keeper; /* of the test that runs */
static struct pipeline *pipeline;
static struct site_world site;

static void take_committed(void *owner, uint64_t token, bool durable)
{
    on_committed(owner, token, durable);
    if (keeper) /* the store may end after it, as in app.c */
        keeper_committed(keeper, token, durable);
}

static int open_world(void **state)
{
    struct world *world;
    struct site_context context = {.output = &pipeline_rules_output};
    start(state);
    world = *state;
    world->calls.committed = take_committed;
    open_store(world);
    keeper = keeper_new(world->loop, world->store, NULL, NULL);
    pipeline = pipeline_new(world->loop);
    context.owner = pipeline;
    context.texts = pipeline_texts(pipeline);
    assert_int_equal(pipeline_add_sink(pipeline, &keeper_sink, keeper), 0);
    assert_int_equal(site_world_open(&site, config, &context), 0);
    assert_int_equal(pipeline_use(pipeline, site.site, NULL), 0);
    keeper_start(keeper);
    return 0;
}

static void close_keeper(void)
{
    keeper_free(keeper);
    keeper = NULL;
}

static int close_world(void **state)
{
    close_keeper();
    site_world_close(&site);
    pipeline_free(pipeline);
    return stop(state);
}

static void measure(double number)
{
    struct sample sample = sample_number(0, clock_boot_ms(), number);
    pipeline_accept(pipeline, 0, &sample, 1);
}

/* What is on disk, after everything was closed. */
static void look_at_disk(struct world *world)
{
    static const struct store_log_query everything = {.max = 100};
    close_keeper();
    world->calls.committed = on_committed;
    reopen(world);
    read_log(world, &everything);
}

static size_t count_states(struct world *world)
{
    read_states(world, "rule");
    return world->count;
}

static void an_alarm_and_its_state_are_kept_in_one_record(void **state)
{
    struct world *world = *state;
    measure(60);
    wait_told(world, 1);
    assert_int_equal(world->durable, 1);
    assert_int_equal(store_counts(world->store).records, 1);
    look_at_disk(world);
    assert_int_equal(world->told, 1);
    assert_int_equal(world->count, 1);
    assert_true(world->durables[0]);
    assert_int_equal(count_states(world), 1);
    assert_memory_equal(world->texts[0], "hot", 3);
}

static void its_end_is_kept_too_and_the_state_forgotten(void **state)
{
    struct world *world = *state;
    measure(60);
    measure(40);
    wait_told(world, 2);
    assert_int_equal(store_counts(world->store).records, 2);
    look_at_disk(world);
    assert_int_equal(world->count, 2);
    assert_true(world->sequences[0] > world->sequences[1]); /* newest first */
    assert_int_equal(count_states(world), 0);
}

static void what_changes_nothing_is_not_kept(void **state)
{
    struct world *world = *state;
    measure(20);
    measure(21);
    measure(60);
    measure(61);
    wait_told(world, 1);
    look_at_disk(world);
    assert_int_equal(world->told, 1);
    assert_int_equal(world->count, 1);
}

static void without_a_broker_nothing_waits_for_it(void **state)
{
    struct world *world = *state;
    measure(60);
    wait_told(world, 1);
    look_at_disk(world);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10);
    assert_int_equal(world->count, 0);
}

static void what_the_disk_refused_is_kept_when_it_can_be(void **state)
{
    struct world *world = *state;
    atomic_store(&test_disk.fail, SQLITE_FULL);
    measure(60);
    wait_told(world, 1);
    assert_int_equal(world->late, 1);
    atomic_store(&test_disk.fail, 0);
    assert_true(world_run(world->loop, is_well, world, WORLD_PATIENCE_MS));
    look_at_disk(world);
    assert_int_equal(world->count, 1);
    assert_int_equal(count_states(world), 1);
}

/* -- what is shown -------------------------------------------------------------------------- */

static struct shown {
    struct instance_state state;
    struct event event;
    size_t states, events;
    bool is_kept; /* what was durable when the event was shown */
} shown;

static void show_state(void *sink, const struct instance_state *state)
{
    (void)sink;
    shown.state = *state;
    shown.states++;
}

static void show_event(void *sink, const struct event *event)
{
    struct world *world = sink;
    shown.event = *event;
    shown.events++;
    shown.is_kept = world->told > 0;
}

static const struct sink_calls show = {.instance = show_state, .event = show_event};

static void watch(struct world *world)
{
    shown = (struct shown){0};
    assert_int_equal(keeper_show(keeper, &show, world), 0);
}

static void nothing_is_shown_before_it_is_kept(void **state)
{
    struct world *world = *state;
    watch(world);
    measure(60);
    assert_int_equal(shown.states, 0);
    assert_int_equal(shown.events, 0);
    wait_told(world, 1);
    assert_int_equal(shown.events, 1);
    assert_int_equal(shown.event.type, EVENT_FIRED);
    assert_true(shown.is_kept);
    assert_int_equal(shown.state.state, RULE_FIRING);
}

static void a_disk_that_refuses_does_not_hide_an_alarm(void **state)
{
    struct world *world = *state;
    watch(world);
    atomic_store(&test_disk.fail, SQLITE_FULL);
    measure(60);
    wait_told(world, 1);
    assert_int_equal(world->late, 1);
    assert_int_equal(shown.events, 1);
    assert_int_equal(shown.state.state, RULE_FIRING);
    atomic_store(&test_disk.fail, 0);
}

static bool hot_is_shown(void *world)
{
    (void)world;
    return shown.state.instance == inventory_find_rule(site.site->inventory, "hot");
}

/* What is on its way to the disk speaks of the rules of the inventory before. */
static void over_a_new_inventory_events_keep_their_rule(void **state)
{
    static const char other[] = "buses: { sim: { adapter = \"sim\" } }\n"
                                "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                                "rules: { cold: { sensor = \"a.t\"; below = -50 } hot: { sensor = "
                                "\"a.t\"; above = 50 } }\n";
    struct world *world = *state;
    struct site_context context = {
        .output = &pipeline_rules_output, .owner = pipeline, .texts = pipeline_texts(pipeline)};
    struct site_world next;
    watch(world);
    measure(60);
    assert_int_equal(site_world_open(&next, other, &context), 0);
    assert_int_equal(pipeline_use(pipeline, next.site, NULL), 0);
    site_world_close(&site);
    site = next;
    assert_true(world_run(world->loop, hot_is_shown, world, WORLD_PATIENCE_MS));
    assert_int_equal(shown.events, 1);
    assert_string_equal(site.site->inventory->rules[shown.event.instance].id, "hot");
    assert_int_equal(shown.state.state, RULE_FIRING);
}

static void answers_that_belong_to_nothing_are_ignored(void **state)
{
    struct world *world = *state;
    keeper_committed(keeper, 12345, true);
    keeper_committed(keeper, 12345, false);
    keeper_told(keeper, 7);
    keeper_delivered(keeper, 7);
    measure(60);
    wait_told(world, 1);
    keeper_committed(keeper, world->tokens[0], true); /* told before */
}

#define KEEPER_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEEPER_TEST(an_alarm_and_its_state_are_kept_in_one_record),
        KEEPER_TEST(its_end_is_kept_too_and_the_state_forgotten),
        KEEPER_TEST(what_changes_nothing_is_not_kept),
        KEEPER_TEST(without_a_broker_nothing_waits_for_it),
        KEEPER_TEST(what_the_disk_refused_is_kept_when_it_can_be),
        KEEPER_TEST(nothing_is_shown_before_it_is_kept),
        KEEPER_TEST(a_disk_that_refuses_does_not_hide_an_alarm),
        KEEPER_TEST(over_a_new_inventory_events_keep_their_rule),
        KEEPER_TEST(answers_that_belong_to_nothing_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
