/* The simulated adapter as the gateway runs it: through adapters_open(). */

#include "adapters/sim/sim.h"

#include "adapters/adapters.h"
#include "config/config.h"
#include "tests/unit/adapter_config.h"
#include "tests/unit/loop_guard.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLLS_MAX 64

struct world {
    struct guard guard;
    struct made *made;
    struct adapters_bus bus;
    struct adapters *adapters;
    uint32_t ids[MADE_DEVICES];
    char path[64]; /* of a recording */
    struct sample samples[POLLS_MAX][MADE_CHANNELS];
    size_t n_polls, n_channels, stop_after;
};

static void take_poll(void *owner, uint32_t id, const struct sample *samples, size_t count)
{
    struct world *world = owner;
    (void)id;
    assert_true(count <= MADE_CHANNELS);
    if (world->n_polls == POLLS_MAX)
        return;
    memcpy(world->samples[world->n_polls++], samples, count * sizeof(*samples));
    world->n_channels = count;
    if (world->n_polls == world->stop_after)
        loop_stop(world->guard.loop);
}

static void take_device(void *owner, uint32_t id, uint8_t why, int64_t at_ms)
{
    (void)owner;
    (void)id;
    (void)at_ms;
    assert_int_equal(why, QUALITY_GOOD);
}

static const struct adapters_events events = {.poll = take_poll, .device = take_device};

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    guard_open(&world->guard);
    snprintf(world->path, sizeof(world->path), "/tmp/sim-XXXXXX");
    close(mkstemp(world->path));
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    int r = adapters_close(world->adapters, 1000);
    if (world->made)
        made_free(world->made);
    guard_close(&world->guard);
    unlink(world->path);
    free(world);
    return r;
}

/* Opens a bus of these devices, polled each 10 ms. */
static int open_devices(struct world *world, const char *connect, const char *devices,
                        struct error *reterr)
{
    world->made = made_bus(&sim_adapter, connect, devices);
    for (size_t i = 0; i < world->made->config.n_devices; i++)
        world->made->devices[i].every_ms = 10;
    world->bus = (struct adapters_bus){
        .adapter = &sim_adapter, .config = world->made->config, .ids = world->ids};
    return adapters_open(world->guard.loop, &world->bus, 1, &events, world, &world->adapters,
                         reterr);
}

static void write_recording(struct world *world, const char *text)
{
    FILE *file = fopen(world->path, "w");
    fputs(text, file);
    fclose(file);
}

static void run(struct world *world, size_t polls)
{
    world->stop_after = polls;
    guard_run(&world->guard);
}

static void waves_are_polled(void **state)
{
    struct world *world = *state;
    assert_int_equal(open_devices(world, "sim:",
                                  "a: { channels: { steady: { low = 4.5 };"
                                  " wave: { wave = \"sine\"; low = -1; high = 1; period = \"1s\" };"
                                  " noise: { wave = \"random\"; low = 5; high = 6 } } }",
                                  NULL),
                     0);
    run(world, 20);
    assert_int_equal(world->n_channels, 3);
    for (size_t i = 0; i < 20; i++) {
        const struct sample *samples = world->samples[i];
        for (uint32_t c = 0; c < 3; c++) {
            assert_int_equal(samples[c].channel, c);
            assert_int_equal(samples[c].quality, QUALITY_GOOD);
        }
        assert_true(samples[0].number == 4.5);
        assert_true(fabs(samples[1].number) <= 1);
        assert_true(samples[2].number >= 5 && samples[2].number <= 6);
    }
    assert_true(world->samples[0][1].number != world->samples[19][1].number);
}

static void a_recording_is_played_again_and_again(void **state)
{
    struct world *world = *state;
    char connect[100];
    int ones = 0, twos = 0, turns = 0;
    write_recording(world, "time,sensor,value\n0,a.t,1\n1,a.t,2\n1.999,other.t,0\n");
    snprintf(connect, sizeof(connect), "sim:%s", world->path);
    assert_int_equal(
        open_devices(world, connect, "a: { speed = 50; channels: { t: { }; absent: { } } }", NULL),
        0);
    run(world, 40);
    for (size_t i = 0; i < 40; i++) {
        double number = world->samples[i][0].number;
        assert_int_equal(world->samples[i][0].kind, VALUE_NUMBER);
        assert_int_equal(world->samples[i][1].quality, QUALITY_NO_SENSOR);
        ones += number == 1;
        twos += number == 2;
        turns += i > 0 && number < world->samples[i - 1][0].number;
    }
    assert_int_equal(ones + twos, 40);
    assert_true(ones > 0 && twos > 0 && turns > 1);
}

static void events_come_in_turn_one_each_period(void **state)
{
    struct world *world = *state;
    const char *turn[] = {"open", "open", "closed"};
    size_t n = 0;
    assert_int_equal(open_devices(world, "sim:",
                                  "a: { channels: { door: { type = \"event\"; period = \"30ms\";"
                                  " events = [ \"open\", \"open\", \"closed\" ] } } }",
                                  NULL),
                     0);
    run(world, 30);
    for (size_t i = 0; i < 30; i++) {
        const struct sample *sample = &world->samples[i][0];
        if (sample->quality == QUALITY_QUIET)
            continue;
        assert_int_equal(sample->kind, VALUE_TEXT);
        assert_string_equal(sample->text, turn[n++ % 3]);
    }
    assert_true(n > 3);
}

static void each_row_of_a_recording_is_an_event(void **state)
{
    struct world *world = *state;
    char connect[100];
    size_t n = 0;
    write_recording(world, "time,sensor,value\n0,a.door,open\n0,a.door,open\n0.1,a.door,closed\n");
    snprintf(connect, sizeof(connect), "sim:%s", world->path);
    assert_int_equal(open_devices(world, connect,
                                  "a: { channels: { door: { type = \"event\";"
                                  " events = [ \"open\", \"closed\" ] } } }",
                                  NULL),
                     0);
    run(world, 60);
    for (size_t i = 0; i < 60; i++) {
        const struct sample *sample = &world->samples[i][0];
        if (sample->quality == QUALITY_QUIET)
            continue;
        assert_int_equal(sample->kind, VALUE_TEXT);
        assert_string_equal(sample->text, n++ % 3 < 2 ? "open" : "closed");
    }
    assert_true(n > 3);
}

static void devices_may_share_a_recording(void **state)
{
    struct world *world = *state;
    char connect[100];
    write_recording(world, "time,sensor,value\n0,a.t,1\n0,b.t,2\n");
    snprintf(connect, sizeof(connect), "sim:%s", world->path);
    assert_int_equal(open_devices(world, connect,
                                  "a: { channels: { t: { } } }; b: { channels: { t: { } } }", NULL),
                     0);
    run(world, 2);
    assert_true(world->samples[0][0].number + world->samples[1][0].number == 3);
}

static void a_missing_recording_is_named(void **state)
{
    struct world *world = *state;
    struct error err = {0};
    assert_true(open_devices(world, "sim:/nonexistent/recording.csv", "a: { channels: { t: { } } }",
                             &err) < 0);
    assert_non_null(strstr(err.text, "/nonexistent/recording.csv"));
}

static void a_broken_recording_is_named_with_its_line(void **state)
{
    struct world *world = *state;
    struct error err = {0};
    char connect[100], place[100];
    write_recording(world, "time,sensor,value\n0,a.t,1\nlater,a.t,2\n");
    snprintf(connect, sizeof(connect), "sim:%s", world->path);
    snprintf(place, sizeof(place), "%s:3:", world->path);
    assert_true(open_devices(world, connect, "a: { channels: { t: { } } }", &err) < 0);
    assert_non_null(strstr(err.text, place));
}

static void expect_problem(const char *channel, const char *words)
{
    char devices[200];
    struct made *made;
    const char *line;
    snprintf(devices, sizeof(devices), "a: { channels: { t: { %s } } }", channel);
    made = made_bus(&sim_adapter, "sim:", devices);
    line = problems_line(made->problems, 0);
    if (!words) {
        assert_null(line);
    } else {
        assert_non_null(line);
        assert_non_null(strstr(line, words));
    }
    made_free(made);
}

static void what_is_wrong_with_a_wave_is_said(void **state)
{
    (void)state;
    expect_problem("wave = \"sine\"; low = 1; high = 2", NULL);
    expect_problem("wave = \"sinus\"", "sinus");
    expect_problem("wave = \"sine\"; low = 3; high = 2", "low is above high");
    expect_problem("wave = \"sine\"; low = 3", "low is above high");
    expect_problem("low = 3", NULL);
    expect_problem("period = \"0s\"", "period");
}

static void what_is_wrong_with_events_is_said(void **state)
{
    (void)state;
    expect_problem("type = \"event\"; events = [ \"open\" ]", NULL);
    expect_problem("type = \"event\"", "it does not say which events");
    expect_problem("type = \"event\"; events = [ \"\" ]", "this is no text of an event");
    expect_problem("events = [ \"open\" ]", "this channel gives numbers");
    expect_problem("type = \"event\"; events = [ \"open\" ]; low = 3", "`low` is for numbers");
}

#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(waves_are_polled),
        SIM_TEST(a_recording_is_played_again_and_again),
        SIM_TEST(events_come_in_turn_one_each_period),
        SIM_TEST(each_row_of_a_recording_is_an_event),
        SIM_TEST(devices_may_share_a_recording),
        SIM_TEST(a_missing_recording_is_named),
        SIM_TEST(a_broken_recording_is_named_with_its_line),
        cmocka_unit_test(what_is_wrong_with_a_wave_is_said),
        cmocka_unit_test(what_is_wrong_with_events_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
