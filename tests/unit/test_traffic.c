#include "adapters/adapters.h"

#include "gateway/base/enclosing.h"
#include "gateway/base/report.h"
#include "gateway/base/text.h"
#include "tests/unit/fake_adapter.h"
#include "tests/unit/loop_guard.h"

#include <errno.h>
#include <stdlib.h>

/* A bus in two parts: devices 100 and 101 (which never answers) that are asked, 107 on a lane. */
struct world {
    struct guard guard;
    struct fake fakes[2];
    struct adapters_bus buses[2];
    struct adapters *adapters;
    int polls; /* of 107 */
    struct report report;
    char text[8000];
    size_t length;
};

static void take_poll(void *owner, uint32_t id, const struct sample *samples, size_t count)
{
    struct world *world = owner;
    (void)samples, (void)count;
    if (id == 107 && ++world->polls == 4)
        loop_stop(world->guard.loop);
}

static void take_device(void *owner, uint32_t id, uint8_t why, int64_t at_ms)
{
    (void)owner, (void)id, (void)why, (void)at_ms;
}

static int setup(void **state)
{
    static const struct adapters_events events = {.poll = take_poll, .device = take_device};
    struct world *world = calloc(1, sizeof(*world));

    guard_open(&world->guard);
    fake_init(&world->fakes[0], &fake_asked, 2, 20);
    fake_init(&world->fakes[1], &fake_blocking, 1, 20);
    world->fakes[1].ids[0] = 107;
    world->fakes[0].quality[1] = QUALITY_TIMEOUT;
    for (size_t b = 0; b < 2; b++)
        world->buses[b] = world->fakes[b].plan;
    assert_int_equal(
        adapters_open(world->guard.loop, world->buses, 2, &events, world, &world->adapters, NULL),
        0);
    guard_run(&world->guard);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    assert_int_equal(adapters_close(world->adapters, 20000), 0);
    guard_close(&world->guard);
    free(world);
    return 0;
}

static void requests_are_counted_by_device_and_by_bus(void **state)
{
    struct world *world = *state;
    struct adapters_traffic of[2], bus;

    assert_int_equal(adapters_device_traffic(world->adapters, 100, &of[0]), 0);
    assert_int_equal(adapters_device_traffic(world->adapters, 107, &of[1]), 0);
    assert_int_equal(adapters_device_traffic(world->adapters, 102, &bus), -ENOENT);
    assert_true(of[0].requests >= 2 && of[1].replies >= 4);
    assert_int_equal(of[0].replies, of[0].requests);
    assert_int_equal(adapters_bus_traffic(world->adapters, "fake", &bus), 0);
    assert_true(bus.timeouts >= 1);
    assert_int_equal(bus.requests, of[0].requests + of[1].requests + bus.timeouts);
    assert_in_range(bus.p50_us, 900, 1100);
    assert_int_equal(adapters_bus_traffic(world->adapters, "other", &bus), -ENOENT);
}

static void take_count(void *to, const char *name, double value)
{
    struct world *world = to;

    text_append(world->text, sizeof(world->text), &world->length, "%s=%g ", name, value);
}

static void every_count_has_a_name(void **state)
{
    const struct adapters_traffic traffic = {1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1500, -1};

    adapters_traffic_each(&traffic, take_count, *state);
    assert_string_equal(((struct world *)*state)->text,
                        "requests=1 replies=2 exceptions=3 timeouts=4 crc_errors=5 "
                        "protocol_errors=6 foreign_frames=7 reconnects=8 busy_ratio=0.5 "
                        "answer_p50_seconds=0.0015 answer_p99_seconds=nan ");
}

static void take_row(struct report *report, const struct report_row *row)
{
    struct world *world = enclosing(report, struct world, report);

    if (row->label)
        text_append(world->text, sizeof(world->text), &world->length, "%s{%s=%s}%s%g\n", row->name,
                    row->label, row->of, row->total ? "+" : "=", row->value);
}

static void every_bus_and_device_has_rows_and_those_of_one_name_follow_each_other(void **state)
{
    struct world *world = *state;
    struct adapters_traffic bus;
    char expected[200];

    world->report.row = take_row;
    adapters_report(world->adapters, &world->report);
    adapters_bus_traffic(world->adapters, "fake", &bus);
    snprintf(expected, sizeof(expected), "bus_requests{bus=fake}+%g\nbus_replies{bus=fake}+%g\n",
             (double)bus.requests, (double)bus.replies);
    assert_non_null(strstr(world->text, expected));
    snprintf(expected, sizeof(expected),
             "device_timeouts{device=d0}+0\ndevice_timeouts{device=d1}+%g\n"
             "device_timeouts{device=d0}+0\n",
             (double)bus.timeouts);
    assert_non_null(strstr(world->text, expected));
    assert_non_null(strstr(world->text, "bus_busy_ratio{bus=fake}="));
    assert_non_null(strstr(world->text, "bus_answer_p99_seconds{bus=fake}=0.00"));
}

static void a_device_that_never_answered_has_no_answer_times(void **state)
{
    struct world *world = *state;

    world->report.row = take_row;
    adapters_report(world->adapters, &world->report);
    assert_non_null(strstr(world->text, "device_answer_p50_seconds{device=d0}="));
    assert_null(strstr(world->text, "device_answer_p50_seconds{device=d1}="));
}

static void devices_that_do_not_answer_are_a_problem_for_those_who_look_for_problems_only(
    void **state)
{
    struct world *world = *state;
    struct report nobody = {0};

    adapters_report(world->adapters, &nobody);
    assert_int_equal(adapters_counts(world->adapters).away, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_counted_by_device_and_by_bus),
        TEST(every_count_has_a_name),
        TEST(every_bus_and_device_has_rows_and_those_of_one_name_follow_each_other),
        TEST(a_device_that_never_answered_has_no_answer_times),
        TEST(devices_that_do_not_answer_are_a_problem_for_those_who_look_for_problems_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
