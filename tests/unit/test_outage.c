/* Starts after all kinds of ends, on a real store. */
#include "gateway/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/text.h"
#include "gateway/core/pipeline.h"
#include "tests/unit/site_world.h"
#include "tests/unit/store_door.h"

static const char config[] =
    "buses: { sim: { adapter = \"sim\" } }\n"
    "devices: { tank: { bus = \"sim\"; channels: { level: { precision = 0; unit = \"cm\" } } } }\n";

static const char larger[] =
    "buses: { sim: { adapter = \"sim\" } }\n"
    "devices: { hall: { bus = \"sim\"; channels: { t: { } } }\n"
    "           tank: { bus = \"sim\"; channels: { level: { precision = 0; unit = \"cm\" } } } }\n";

/* One run of a gateway, and what it told. */
struct run {
    struct world *world;
    struct pipeline *pipeline;
    struct site_world site, before;
    struct outage *outage;
    size_t events, notifications;
    char note[100], text[900];
};

static void take_event(void *owner, const struct event *event)
{
    struct run *run = owner;

    assert_int_equal(event->type, EVENT_OUTAGE);
    run->events++;
    text_copy(run->note, sizeof(run->note), event->note);
}

static void take_notify(void *owner, const struct sink_notification *notification)
{
    struct run *run = owner;

    assert_null(notification->notifier);
    run->notifications++;
    text_copy(run->text, sizeof(run->text), notification->text);
}

static const struct sink_calls recorder = {.event = take_event, .notify = take_notify};

static void open_site(struct run *run, const char *text)
{
    struct site_context context = {.output = &pipeline_rules_output,
                                   .owner = run->pipeline,
                                   .texts = pipeline_texts(run->pipeline),
                                   .before = run->before.site};

    assert_int_equal(site_world_open(&run->site, text, &context), 0);
    assert_int_equal(pipeline_use(run->pipeline, run->site.site, NULL), 0);
}

static void begin(struct run *run)
{
    struct world *world = run->world;

    *run = (struct run){.world = world, .pipeline = pipeline_new(world->loop)};
    open_store(world);
    assert_int_equal(pipeline_add_sink(run->pipeline, &store_sink, world->store), 0);
    assert_int_equal(pipeline_add_sink(run->pipeline, &recorder, run), 0);
    run->outage = outage_begin(world->loop, world->store, run->pipeline);
    store_state_release(world->store);
    open_site(run, config);
}

/* What is in memory is written, as a store does in time; the mark stays as it is. */
static void end(struct run *run)
{
    assert_int_equal(store_close(run->world->store, 5000), 0);
    run->world->store = NULL;
    outage_free(run->outage);
    site_world_close(&run->site);
    site_world_close(&run->before);
    pipeline_free(run->pipeline);
}

static void stop_in_order(struct run *run)
{
    outage_stop(run->outage);
    end(run);
}

/* The machine will have another boot. */
static void cut_power(struct run *run)
{
    struct store_state state = {.kind = "run", .key = "boot", .value = "other", .size = 5};
    struct store_record record = {.states = &state, .n_states = 1};

    assert_int_equal(store_commit(run->world->store, &record, NULL), 0);
    end(run);
}

static void measure(struct run *run, uint32_t device, double level, int times)
{
    for (int i = 0; i < times; i++) {
        struct sample sample = sample_number(0, clock_boot_ms(), level);

        pipeline_accept(run->pipeline, device, &sample, 1);
    }
}

static bool has_told(void *owner)
{
    return ((struct run *)owner)->events > 0;
}

static void wait_told_of_it(struct run *run)
{
    assert_true(world_run(run->world->loop, has_told, run, WORLD_PATIENCE_MS));
}

/* The mark, as the next start would find it. */
static const char *mark(struct run *run)
{
    reopen(run->world);
    read_states(run->world, "run");
    assert_int_equal(store_close(run->world->store, 5000), 0);
    run->world->store = NULL;
    return run->world->count ? run->world->texts[0] : "";
}

static int setup(void **state)
{
    struct run *run = calloc(1, sizeof(*run));
    void *world;

    start(&world);
    run->world = world;
    log_set_level(LOG_LEVEL_ERROR);
    *state = run;
    return 0;
}

static int teardown(void **state)
{
    struct run *run = *state;
    void *world = run->world;

    free(run);
    return stop(&world);
}

static void a_power_cut_is_told_once_as_an_event_and_to_all(void **state)
{
    struct run *run = *state;

    begin(run);
    measure(run, 0, 80, 3);
    cut_power(run);
    begin(run);
    measure(run, 0, 20, 5);
    wait_told_of_it(run);
    assert_non_null(strstr(run->text, ". tank 80 to 20 cm, now steady. Nothing else changed."));
    assert_string_equal(run->note, run->text);
    assert_int_equal(run->notifications, 1);
    end(run);
    begin(run); /* that was a crash */
    measure(run, 0, 20, 5);
    stop_in_order(run);
    assert_int_equal(run->events, 0);
}

static void a_stop_in_order_leaves_no_mark_and_a_run_has_one(void **state)
{
    struct run *run = *state;
    char now[80];

    begin(run);
    measure(run, 0, 80, 3);
    stop_in_order(run);
    assert_string_equal(mark(run), "");
    begin(run);
    end(run);
    snprintf(now, sizeof(now), "boot=%.26s", clock_boot_id());
    assert_string_equal(mark(run), now);
}

static void a_stop_before_it_was_told_forgets_nothing(void **state)
{
    struct run *run = *state;

    begin(run);
    measure(run, 0, 80, 3);
    cut_power(run);
    begin(run);
    measure(run, 0, 20, 5);
    stop_in_order(run);
    assert_int_equal(run->events, 0);
    assert_string_equal(mark(run), "boot=other");
    begin(run);
    measure(run, 0, 20, 5);
    wait_told_of_it(run);
    end(run);
}

static void a_device_that_is_found_meanwhile_moves_the_others(void **state)
{
    struct run *run = *state;

    begin(run);
    measure(run, 0, 80, 3);
    cut_power(run);
    begin(run);
    measure(run, 0, 20, 2);
    run->before = run->site;
    open_site(run, larger);
    measure(run, 1, 20, 3);
    wait_told_of_it(run);
    assert_non_null(strstr(run->text, ". tank 80 to 20 cm, now steady. Nothing else changed."));
    end(run);
}

static void a_cut_before_anything_was_read_is_not_told(void **state)
{
    struct run *run = *state;

    begin(run);
    cut_power(run);
    begin(run);
    measure(run, 0, 20, 5);
    end(run);
    assert_int_equal(run->events, 0);
    assert_null(strstr(mark(run), "other"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_power_cut_is_told_once_as_an_event_and_to_all),
        TEST(a_stop_in_order_leaves_no_mark_and_a_run_has_one),
        TEST(a_stop_before_it_was_told_forgets_nothing),
        TEST(a_device_that_is_found_meanwhile_moves_the_others),
        TEST(a_cut_before_anything_was_read_is_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
