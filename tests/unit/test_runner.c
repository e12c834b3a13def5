#include "adapters/runner.h"

#include "adapters/gather.h"

#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "tests/unit/fake_adapter.h"
#include "tests/unit/loop_guard.h"

#include <errno.h>
#include <stdlib.h>

#define BUS       7
#define CLOSE_MS  20000
#define POLL_FAST 1000 /* interval: nothing here goes by it */

/* A bus on a loop, and all that its runner says, written down: "s1:3" samples of device 1, three of
 * them; "e1:timeout" the end of its poll; "w1:77:good" of a write. */
struct world {
    struct guard guard;
    struct fake fake;
    struct gather_pool *pool;
    struct runner *runner;
    char said[500];
    size_t length;
    int stop_after; /* ends */
    bool inside;    /* a call into the runner */
    char log[2000];
    size_t logged;
};

static void say(struct world *world, const char *what)
{
    assert_false(world->inside);
    text_append(world->said, sizeof(world->said), &world->length, "%s ", what);
}

static void count_end(struct world *world)
{
    if (--world->stop_after == 0)
        loop_stop(world->guard.loop);
}

static void take_samples(void *owner, uint32_t bus, uint32_t device, const struct sample *samples,
                         size_t count)
{
    char what[32];
    assert_int_equal(bus, BUS);
    for (size_t i = 0; i < count; i++)
        assert_true(samples[i].number == device * 10 + samples[i].channel);
    snprintf(what, sizeof(what), "s%u:%zu", device, count);
    say(owner, what);
}

static void take_end(void *owner, uint32_t bus, uint32_t device, uint8_t quality)
{
    char what[32];
    assert_int_equal(bus, BUS);
    snprintf(what, sizeof(what), "e%u:%s", device, quality_name(quality));
    say(owner, what);
    count_end(owner);
}

static void take_wrote(void *owner, uint32_t bus, uint32_t device, uint32_t token, uint8_t quality)
{
    char what[48];
    assert_int_equal(bus, BUS);
    snprintf(what, sizeof(what), "w%u:%u:%s", device, token, quality_name(quality));
    say(owner, what);
    count_end(owner);
}

static void take_found(void *owner, uint32_t bus, const struct adapter_found *found)
{
    char what[64];
    assert_int_equal(bus, BUS);
    snprintf(what, sizeof(what), "found:%s", found->name);
    say(owner, what);
}

static void take_learnt(void *owner, uint32_t bus, uint32_t device, const char *words)
{
    char what[64];
    assert_int_equal(bus, BUS);
    snprintf(what, sizeof(what), "l%u:%s", device, words);
    say(owner, what);
}

static const char *recall(void *owner, const char *device)
{
    (void)owner;
    return strcmp(device, "d1") == 0 ? "3:110" : NULL;
}

static const struct runner_events events = {take_samples, take_end,    take_wrote,
                                            take_found,   take_learnt, recall};

static void take_log(void *owner, enum log_level level, const char *line)
{
    struct world *world = owner;
    (void)level;
    text_append(world->log, sizeof(world->log), &world->logged, "%s\n", line);
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    guard_open(&world->guard);
    world->pool = gather_pool_new();
    log_set_sink(take_log, world);
    *state = world;
    return 0;
}

/* After fake_init() and what the test wants of the fake. */
static void open_bus(struct world *world)
{
    assert_int_equal(runner_open(world->guard.loop, world->pool, &world->fake.plan, BUS, &events,
                                 world, &world->runner, NULL),
                     0);
}

static int close_world(void **state)
{
    struct world *world = *state;
    int r;
    for (uint32_t lane = 0; lane < FAKE_LANES; lane++)
        fake_set_hang(&world->fake, lane, false);
    r = runner_close(world->runner, clock_boot_ms() + CLOSE_MS);
    gather_pool_free(world->pool);
    log_set_sink(NULL, NULL);
    guard_close(&world->guard);
    free(world);
    return r;
}

static void poll(struct world *world, uint32_t device)
{
    world->inside = true;
    runner_poll(world->runner, device);
    world->inside = false;
}

static int write_number(struct world *world, uint32_t device, double number, uint32_t token)
{
    struct write_request request = {.device = device, .channel = 1, .number = number};
    int r;
    world->inside = true;
    r = runner_write(world->runner, &request, token);
    world->inside = false;
    return r;
}

/* Runs until so many polls and writes have ended, and compares. */
static void expect(struct world *world, int ends, const char *said)
{
    world->stop_after = ends;
    guard_run(&world->guard);
    assert_string_equal(world->said, said);
}

/* -- asked on the loop --------------------------------------------------------------------------
 */

static void what_is_asked_ends_later_on_the_loop(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_asked, 2, POLL_FAST);
    open_bus(world);
    poll(world, 0);
    poll(world, 1);
    expect(world, 2, "s0:3 e0:good s1:3 e1:good ");
}

static void several_reports_of_one_poll_are_joined(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_asked, 2, POLL_FAST);
    world->fake.in_pieces = true;
    open_bus(world);
    poll(world, 1);
    poll(world, 0);
    expect(world, 2, "s1:3 e1:good s0:3 e0:good ");
    poll(world, 1);
    expect(world, 1, "s1:3 e1:good s0:3 e0:good s1:3 e1:good ");
}

static void of_a_poll_that_failed_no_samples_are_told(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_asked, 1, POLL_FAST);
    world->fake.quality[0] = QUALITY_TIMEOUT;
    open_bus(world);
    poll(world, 0);
    expect(world, 1, "e0:timeout ");
}

static void a_write_on_the_loop_ends_with_its_token(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_asked, 2, POLL_FAST);
    world->fake.quality[1] = QUALITY_EXCEPTION + 2;
    open_bus(world);
    assert_int_equal(write_number(world, 1, 21.5, UINT32_MAX), 0);
    poll(world, 0);
    expect(world, 2, "w1:4294967295:exception_2 s0:3 e0:good ");
    assert_string_equal(world->fake.trace, "w1.1=21.5 p0 ");
}

static void what_was_reported_when_the_bus_closes_is_freed(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_asked, 1, POLL_FAST);
    open_bus(world);
    poll(world, 0);
    fake_report(&world->fake, 0);
    assert_string_equal(world->said, "");
}

/* -- pushing ------------------------------------------------------------------------------------
 */

static void each_report_of_what_pushes_is_a_poll_of_its_own(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_pushing, 1, 0);
    world->fake.in_pieces = true;
    open_bus(world);
    fake_report(&world->fake, 0);
    assert_string_equal(world->said, "s0:1 s0:1 s0:1 ");
    assert_int_equal(write_number(world, 0, 1, 1), -ENOTSUP);
}

/* -- with lanes that block ----------------------------------------------------------------------
 */

static void a_blocking_poll_is_told_on_the_loop(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    world->fake.in_pieces = true;
    open_bus(world);
    poll(world, 0);
    expect(world, 1, "s0:3 e0:good ");
}

static void a_blocking_poll_that_failed_has_no_samples(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    world->fake.quality[0] = QUALITY_CRC;
    open_bus(world);
    poll(world, 0);
    expect(world, 1, "e0:crc ");
}

static void devices_of_one_lane_take_turns_in_order(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 4, POLL_FAST);
    open_bus(world);
    poll(world, 2);
    poll(world, 0);
    poll(world, 3);
    poll(world, 1);
    expect(world, 4, "s2:3 e2:good s0:3 e0:good s3:3 e3:good s1:3 e1:good ");
    assert_string_equal(world->fake.trace, "p2 p0 p3 p1 ");
}

static void a_lane_that_hangs_does_not_hold_up_another(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 3, POLL_FAST);
    world->fake.n_lanes = 2;
    world->fake.lane_of[1] = world->fake.lane_of[2] = 1;
    world->fake.hang[0] = true;
    open_bus(world);
    poll(world, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    poll(world, 1);
    poll(world, 2);
    expect(world, 2, "s1:3 e1:good s2:3 e2:good ");
    fake_set_hang(&world->fake, 0, false);
    expect(world, 1, "s1:3 e1:good s2:3 e2:good s0:3 e0:good ");
}

static void a_device_may_change_its_lane(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    world->fake.n_lanes = 2;
    open_bus(world);
    poll(world, 0);
    expect(world, 1, "s0:3 e0:good ");
    world->fake.lane_of[0] = 1;
    poll(world, 0);
    expect(world, 1, "s0:3 e0:good s0:3 e0:good ");
}

static void a_device_on_no_lane_is_no_sensor(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 2, POLL_FAST);
    world->fake.lane_of[0] = world->fake.lane_of[1] = -1;
    open_bus(world);
    poll(world, 1);
    poll(world, 0);
    expect(world, 2, "e1:no_sensor e0:no_sensor ");
    assert_int_equal(world->fake.started[0], 0);
    assert_int_equal(write_number(world, 0, 1, 1), -ENODEV);
}

static void writes_go_ahead_of_the_polls_that_wait(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 3, POLL_FAST);
    world->fake.hang[0] = true;
    open_bus(world);
    poll(world, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    poll(world, 1);
    poll(world, 2);
    assert_int_equal(write_number(world, 2, 1, 11), 0);
    assert_int_equal(write_number(world, 1, 2, 12), 0);
    fake_set_hang(&world->fake, 0, false);
    expect(world, 5, "s0:3 e0:good w2:11:good w1:12:good s1:3 e1:good s2:3 e2:good ");
    assert_string_equal(world->fake.trace, "p0 w2.1=1 w1.1=2 p1 p2 ");
}

static void too_many_writes_that_wait_are_refused(void **state)
{
    struct world *world = *state;
    uint32_t taken = 0;
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    world->fake.hang[0] = true;
    open_bus(world);
    poll(world, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    while (taken < 10000 && write_number(world, 0, 1, taken) == 0)
        taken++;
    assert_int_equal(write_number(world, 0, 1, taken), -ENOBUFS);
    assert_in_range(taken, 1, 9999);
}

static void a_bus_without_writing_says_so(void **state)
{
    struct world *world = *state;
    struct adapter reads_only = fake_blocking;
    fake_init(&world->fake, &reads_only, 1, POLL_FAST);
    reads_only.write = NULL;
    open_bus(world);
    assert_int_equal(write_number(world, 0, 1, 1), -ENOTSUP);
    assert_int_equal(runner_close(world->runner, clock_boot_ms() + CLOSE_MS), 0);
    world->runner = NULL;
}

/* -- links --------------------------------------------------------------------------------------
 */

static void links_are_logged_from_workers_and_from_the_loop(void **state)
{
    static const char lines[] = "bus fake: /dev/fake is down: unplugged\n"
                                "bus fake: /dev/fake is up\n";
    const struct adapter *const adapters[] = {&fake_blocking, &fake_asked};
    struct world *world = *state;
    for (int i = 0; i < 2; i++) {
        fake_init(&world->fake, adapters[i], 1, POLL_FAST);
        world->fake.links = 2;
        world->logged = 0;
        open_bus(world);
        poll(world, 0);
        world->stop_after = 1;
        guard_run(&world->guard);
        assert_string_equal(world->log, lines);
        assert_int_equal(runner_close(world->runner, clock_boot_ms() + CLOSE_MS), 0);
        world->runner = NULL;
    }
}

/* The loop looks only when the worker has said all of it. */
static void a_link_that_flaps_wildly_does_not_swallow_the_end_of_a_poll(void **state)
{
    struct world *world = *state;
    int64_t until_ms = clock_boot_ms() + 50;
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    world->fake.links = 1000;
    open_bus(world);
    poll(world, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    while (clock_boot_ms() < until_ms)
        continue;
    expect(world, 1, "s0:3 e0:good ");
    world->fake.links = 0;
}

/* -- opening and closing ------------------------------------------------------------------------
 */

static void what_an_adapter_finds_is_handed_on(void **state)
{
    struct world *world = *state;
    struct adapter_found found = {.name = "w1_x", .key = "address", .value = "x", .what = "x"};
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    open_bus(world);
    world->fake.host->appear(world->fake.host, &found);
    assert_string_equal(world->said, "found:w1_x ");
}

static void what_is_noted_is_logged_from_workers_and_from_the_loop(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    open_bus(world);
    world->fake.host->note(world->fake.host, "it is slow");
    poll(world, 0);
    world->stop_after = 1;
    guard_run(&world->guard);
    assert_non_null(strstr(world->log, "bus fake: it is slow"));
}

static void a_bus_that_does_not_open_says_why(void **state)
{
    const struct adapter *const adapters[] = {&fake_blocking, &fake_asked, &fake_pushing};
    struct world *world = *state;
    for (int i = 0; i < 3; i++) {
        struct error err = {0};
        fake_init(&world->fake, adapters[i], 1, POLL_FAST);
        world->fake.open_result = -EIO;
        assert_int_equal(runner_open(world->guard.loop, world->pool, &world->fake.plan, BUS,
                                     &events, world, &world->runner, &err),
                         -EIO);
        assert_string_equal(err.text, "bus fake: refused");
        assert_null(world->runner);
    }
}

static void a_bus_without_lanes_or_devices_is_legal(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 0, POLL_FAST);
    world->fake.n_lanes = 0;
    open_bus(world);
}

static void closing_closes_the_adapter_once(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    open_bus(world);
    assert_int_equal(runner_close(world->runner, clock_boot_ms() + CLOSE_MS), 0);
    assert_int_equal(world->fake.closed, 1);
    assert_int_equal(runner_close(NULL, 0), 0);
    world->runner = NULL;
}

static void closing_waits_for_a_poll_and_leaves_out_those_that_wait(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 2, POLL_FAST);
    open_bus(world);
    poll(world, 0);
    poll(world, 1);
    assert_true(fake_wait(&world->fake, 0, 1));
    assert_int_equal(runner_close(world->runner, clock_boot_ms() + CLOSE_MS), 0);
    assert_int_equal(world->fake.started[1], 0);
    world->runner = NULL;
}

static void closing_leaves_hung_workers_alone_in_time(void **state)
{
    struct world *world = *state;
    int64_t start_ms, took_ms;
    fake_init(&world->fake, &fake_blocking, 2, POLL_FAST);
    world->fake.n_lanes = 3;
    world->fake.lane_of[1] = 1;
    world->fake.hang[0] = world->fake.hang[1] = true;
    open_bus(world);
    poll(world, 0);
    poll(world, 1);
    assert_true(fake_wait(&world->fake, 0, 1));
    assert_true(fake_wait(&world->fake, 1, 1));
    start_ms = clock_boot_ms();
    assert_int_equal(runner_close(world->runner, start_ms + 100), -ETIMEDOUT);
    took_ms = clock_boot_ms() - start_ms;
    assert_in_range(took_ms, 100, 5000);
    assert_int_equal(world->fake.closed, 0); /* what hangs still uses it */
}

static void a_bus_that_hung_closes_when_it_goes_on(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_blocking, 1, POLL_FAST);
    world->fake.hang[0] = true;
    open_bus(world);
    poll(world, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    assert_int_equal(runner_close(world->runner, clock_boot_ms()), -ETIMEDOUT);
    fake_set_hang(&world->fake, 0, false);
    assert_int_equal(runner_close(world->runner, clock_boot_ms() + CLOSE_MS), 0);
    assert_int_equal(world->fake.closed, 1);
    world->runner = NULL;
}

static void what_is_learnt_is_handed_on_from_workers_and_from_the_loop(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_asked, 2, POLL_FAST);
    world->fake.learns = "3:110";
    open_bus(world);
    poll(world, 1);
    expect(world, 1, "l1:3:110 s1:3 e1:good ");
    assert_int_equal(runner_close(world->runner, clock_boot_ms() + CLOSE_MS), 0);
    fake_init(&world->fake, &fake_blocking, 2, POLL_FAST);
    world->fake.learns = "4:7";
    open_bus(world);
    poll(world, 0);
    expect(world, 1, "l1:3:110 s1:3 e1:good l0:4:7 s0:3 e0:good ");
}

static void an_adapter_that_opens_gets_what_was_learnt_of_its_devices(void **state)
{
    struct world *world = *state;
    fake_init(&world->fake, &fake_asked, 2, POLL_FAST);
    open_bus(world);
    assert_string_equal(world->fake.recalled, "3:110");
}

#define RUNNER_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNER_TEST(what_is_asked_ends_later_on_the_loop),
        RUNNER_TEST(several_reports_of_one_poll_are_joined),
        RUNNER_TEST(of_a_poll_that_failed_no_samples_are_told),
        RUNNER_TEST(a_write_on_the_loop_ends_with_its_token),
        RUNNER_TEST(what_was_reported_when_the_bus_closes_is_freed),
        RUNNER_TEST(each_report_of_what_pushes_is_a_poll_of_its_own),
        RUNNER_TEST(a_blocking_poll_is_told_on_the_loop),
        RUNNER_TEST(a_blocking_poll_that_failed_has_no_samples),
        RUNNER_TEST(devices_of_one_lane_take_turns_in_order),
        RUNNER_TEST(a_lane_that_hangs_does_not_hold_up_another),
        RUNNER_TEST(a_device_may_change_its_lane),
        RUNNER_TEST(a_device_on_no_lane_is_no_sensor),
        RUNNER_TEST(writes_go_ahead_of_the_polls_that_wait),
        RUNNER_TEST(too_many_writes_that_wait_are_refused),
        RUNNER_TEST(a_bus_without_writing_says_so),
        RUNNER_TEST(links_are_logged_from_workers_and_from_the_loop),
        RUNNER_TEST(a_link_that_flaps_wildly_does_not_swallow_the_end_of_a_poll),
        RUNNER_TEST(what_an_adapter_finds_is_handed_on),
        RUNNER_TEST(what_is_noted_is_logged_from_workers_and_from_the_loop),
        RUNNER_TEST(what_is_learnt_is_handed_on_from_workers_and_from_the_loop),
        RUNNER_TEST(an_adapter_that_opens_gets_what_was_learnt_of_its_devices),
        RUNNER_TEST(a_bus_that_does_not_open_says_why),
        RUNNER_TEST(a_bus_without_lanes_or_devices_is_legal),
        RUNNER_TEST(closing_closes_the_adapter_once),
        RUNNER_TEST(closing_waits_for_a_poll_and_leaves_out_those_that_wait),
        RUNNER_TEST(closing_leaves_hung_workers_alone_in_time),
        RUNNER_TEST(a_bus_that_hung_closes_when_it_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
