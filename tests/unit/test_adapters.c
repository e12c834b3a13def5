#include "adapters/adapters.h"

#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "tests/unit/fake_adapter.h"
#include "tests/unit/loop_guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLOSE_MS 20000

/* Up to four fake buses, and what is said of them: "p100:3" a poll with three good samples,
 * "p100:timeout" one with a bad sample for each channel, "d100:good" a device that came, "w7:good"
 * a write. */
struct world {
    struct guard guard;
    struct fake fakes[4];
    struct adapters_bus buses[2];
    struct adapters_bus fresh[3]; /* after a reload */
    struct adapters *adapters;
    char said[1000];
    size_t length;
    int stop_after; /* polls, of the device `stop_at` only when that is not 0 */
    uint32_t stop_at;
    bool opening;
    char log[2000];
    size_t logged;
    int64_t polled_ms[8]; /* of device 100, the first ones */
    int polls;
};

static void say(struct world *world, const char *format, ...)
{
    char what[64];
    va_list args;
    assert_false(world->opening);
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    text_append(world->said, sizeof(world->said), &world->length, "%s ", what);
}

static void take_poll(void *owner, uint32_t id, const struct sample *samples, size_t count)
{
    struct world *world = owner;
    uint8_t quality = count ? samples[0].quality : QUALITY_GOOD;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(samples[i].quality, quality);
        assert_int_equal(samples[i].channel, i);
        assert_int_equal(samples[i].kind, quality == QUALITY_GOOD ? VALUE_NUMBER : VALUE_NONE);
    }
    if (quality == QUALITY_GOOD)
        say(world, "p%u:%zu", id, count);
    else
        say(world, "p%u:%s", id, quality_name(quality));
    if (id == 100 && world->polls < 8)
        world->polled_ms[world->polls++] = clock_boot_ms();
    if ((!world->stop_at || world->stop_at == id) && --world->stop_after == 0)
        loop_stop(world->guard.loop);
}

static void take_device(void *owner, uint32_t id, uint8_t why, int64_t at_ms)
{
    assert_true(at_ms <= clock_boot_ms() && at_ms > clock_boot_ms() - GUARD_MS);
    say(owner, "d%u:%s", id, quality_name(why));
}

static void take_doubt(void *owner, uint32_t id)
{
    say(owner, "doubt%u", id);
}

static void take_wrote(void *owner, uint32_t token, uint8_t quality)
{
    say(owner, "w%u:%s", token, quality_name(quality));
}

static const struct adapters_events events = {
    .poll = take_poll, .device = take_device, .doubt = take_doubt, .wrote = take_wrote};

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
    log_set_sink(take_log, world);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    int r = adapters_close(world->adapters, CLOSE_MS);
    log_set_sink(NULL, NULL);
    guard_close(&world->guard);
    free(world);
    return r;
}

static int open_buses(struct world *world, size_t n_buses, struct error *reterr)
{
    int r;
    for (size_t b = 0; b < n_buses; b++)
        world->buses[b] = world->fakes[b].plan;
    world->opening = true;
    r = adapters_open(world->guard.loop, world->buses, n_buses, &events, world, &world->adapters,
                      reterr);
    world->opening = false;
    return r;
}

static void open_one(struct world *world)
{
    assert_int_equal(open_buses(world, 1, NULL), 0);
}

/* Runs until `polls` have ended, of device `id` only when that is not 0. */
static void run(struct world *world, int polls, uint32_t id)
{
    world->stop_after = polls;
    world->stop_at = id;
    guard_run(&world->guard);
}

/* -- the table ----------------------------------------------------------------------------------
 */

static void every_adapter_is_complete(void **state)
{
    const struct adapter *adapter;
    (void)state;
    for (size_t i = 0; (adapter = adapters_at(i)); i++) {
        assert_non_null(adapter->word);
        assert_non_null(adapter->scheme);
        assert_non_null(adapter->connect_help);
        assert_non_null(adapter->open);
        assert_non_null(adapter->close);
        assert_false(adapter->poll && adapter->begin);
        assert_int_equal(adapter->poll != NULL, adapter->lanes != NULL);
        assert_int_equal(adapter->poll != NULL, adapter->lane_of != NULL);
        if (adapter->default_connect)
            assert_ptr_equal(adapters_find(adapter->word, adapter->default_connect), adapter);
        for (size_t k = 0; k < i; k++)
            assert_false(strcmp(adapters_at(k)->word, adapter->word) == 0 &&
                         strcmp(adapters_at(k)->scheme, adapter->scheme) == 0);
    }
}

static void an_adapter_is_found_by_its_word_and_scheme(void **state)
{
    const struct adapter *tcp = adapters_find("modbus", "tcp://192.168.1.50:502");
    (void)state;
    assert_non_null(tcp);
    assert_string_equal(tcp->word, "modbus");
    assert_string_equal(tcp->scheme, "tcp");
    assert_non_null(adapters_find("sim", "sim:/a/recording.csv"));
    assert_null(adapters_find("sim", "tcp://host"));
    assert_null(adapters_find("modbus", "tcpx://host"));
    assert_null(adapters_find("modbus", "tc://host"));
    assert_null(adapters_find("modbus", "tcp"));
    assert_null(adapters_find("modbus", ""));
    assert_null(adapters_find("modbuss", "tcp://host"));
}

static void without_an_address_the_one_with_a_default_is_found(void **state)
{
    (void)state;
    assert_non_null(adapters_find("sim", NULL));
    assert_null(adapters_find("modbus", NULL));
    assert_null(adapters_find("nothing", NULL));
}

/* -- polling ------------------------------------------------------------------------------------
 */

static void devices_are_polled_under_the_numbers_of_the_caller(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_asked, 2, 200);
    world->fakes[0].ids[1] = 55;
    open_one(world);
    run(world, 2, 0);
    assert_string_equal(world->said, "p100:3 d100:good p55:3 d55:good ");
}

static void buses_of_all_kinds_run_side_by_side(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_blocking, 1, 10);
    fake_init(&world->fakes[1], &fake_asked, 1, 10);
    world->fakes[1].ids[0] = 200;
    assert_int_equal(open_buses(world, 2, NULL), 0);
    run(world, 5, 100);
    run(world, 5, 200);
    assert_int_equal(adapters_counts(world->adapters).devices, 2);
    assert_int_equal(adapters_counts(world->adapters).online, 2);
    assert_true(adapters_counts(world->adapters).polls >= 10);
    assert_int_equal(adapters_counts(world->adapters).failed, 0);
}

static void each_interval_brings_one_poll(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_asked, 1, 40);
    open_one(world);
    run(world, 6, 100);
    assert_int_equal(world->fakes[0].started[0], 6);
    assert_in_range(world->polled_ms[5] - world->polled_ms[0], 5 * 40 - 35, 5 * 40 + 2000);
}

static void what_pushes_is_not_polled(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_pushing, 1, 10);
    fake_init(&world->fakes[1], &fake_asked, 1, 10);
    world->fakes[1].ids[0] = 200;
    assert_int_equal(open_buses(world, 2, NULL), 0);
    fake_report(&world->fakes[0], 0);
    assert_string_equal(world->said, "p100:3 ");
    run(world, 3, 200);
    assert_int_equal(world->polls, 1);
}

static void a_poll_that_failed_has_a_bad_sample_for_each_channel(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_asked, 1, 20);
    world->fakes[0].quality[0] = QUALITY_TIMEOUT;
    open_one(world);
    run(world, 1, 0);
    assert_string_equal(world->said, "d100:timeout p100:timeout ");
    assert_string_equal(world->log, "device d0 is down: timeout\n");
    assert_int_equal(adapters_counts(world->adapters).failed, 1);
    assert_int_equal(adapters_counts(world->adapters).online, 0);
}

static void three_failures_make_a_device_go_and_one_answer_brings_it_back(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_asked, 1, 10);
    open_one(world);
    run(world, 1, 0);
    world->fakes[0].quality[0] = QUALITY_CRC;
    run(world, 3, 0);
    assert_string_equal(world->said, "p100:3 d100:good p100:crc p100:crc d100:crc p100:crc ");
    assert_string_equal(world->log, "device d0 is down: crc\n");
    world->fakes[0].quality[0] = QUALITY_GOOD;
    run(world, 1, 0);
    assert_non_null(strstr(world->log, "device d0 is up after "));
    assert_non_null(strstr(world->log, " polls lost\n"));
    assert_int_equal(adapters_counts(world->adapters).online, 1);
}

static void a_device_without_connection_is_told_but_not_logged(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_asked, 1, 10);
    world->fakes[0].quality[0] = QUALITY_DISCONNECTED;
    open_one(world);
    run(world, 1, 0);
    assert_string_equal(world->said, "d100:disconnected p100:disconnected ");
    assert_string_equal(world->log, "");
}

static void the_first_without_connection_makes_the_others_doubted(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_asked, 2, 3600000);
    world->fakes[0].quality[0] = world->fakes[0].quality[1] = QUALITY_DISCONNECTED;
    open_one(world);
    run(world, 2, 0);
    assert_string_equal(world->said, "doubt100 d100:disconnected p100:disconnected "
                                     "d101:disconnected p101:disconnected ");
}

static void a_hung_line_does_not_hold_up_another_bus(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_blocking, 1, 10);
    fake_init(&world->fakes[1], &fake_blocking, 1, 10);
    world->fakes[0].hang[0] = true;
    world->fakes[1].ids[0] = 200;
    assert_int_equal(open_buses(world, 2, NULL), 0);
    run(world, 10, 200);
    assert_int_equal(world->polls, 0);
    fake_set_hang(&world->fakes[0], 0, false);
    run(world, 1, 100);
    assert_true(adapters_counts(world->adapters).late > 0);
}

/* -- writing ------------------------------------------------------------------------------------
 */

static void a_write_is_told_and_read_back_before_the_next_due_time(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_asked, 1, 3600000);
    open_one(world);
    run(world, 1, 0);
    assert_int_equal(adapters_write(world->adapters, 100, 2, 1.5, 7), 0);
    run(world, 1, 0);
    assert_string_equal(world->said, "p100:3 d100:good w7:good p100:3 ");
    assert_string_equal(world->fakes[0].trace, "p0 w0.2=1.5 p0 ");
}

static void a_write_that_failed_is_read_back_too(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_blocking, 1, 3600000);
    open_one(world);
    run(world, 1, 0);
    world->fakes[0].quality[0] = QUALITY_TIMEOUT;
    assert_int_equal(adapters_write(world->adapters, 100, 2, 1.5, 7), 0);
    run(world, 1, 0);
    assert_string_equal(world->said, "p100:3 d100:good w7:timeout p100:timeout ");
}

static void a_write_to_an_unknown_device_is_refused(void **state)
{
    struct world *world = *state;
    fake_init(&world->fakes[0], &fake_asked, 1, 1000);
    open_one(world);
    assert_int_equal(adapters_write(world->adapters, 0, 0, 1, 1), -ENOENT);
    assert_int_equal(adapters_write(world->adapters, 101, 0, 1, 1), -ENOENT);
}

/* -- opening and closing ------------------------------------------------------------------------
 */

static void no_buses_are_legal(void **state)
{
    struct world *world = *state;
    assert_int_equal(open_buses(world, 0, NULL), 0);
    assert_int_equal(adapters_counts(world->adapters).devices, 0);
}

/* What was opened before it must not keep the loop: loop_free() in the teardown would hang. */
static void a_bus_that_does_not_open_closes_those_before_it(void **state)
{
    struct world *world = *state;
    struct error err = {0};
    fake_init(&world->fakes[0], &fake_blocking, 3, 1000);
    world->fakes[0].n_lanes = 3;
    fake_init(&world->fakes[1], &fake_asked, 1, 1000);
    world->fakes[1].open_result = -ENOENT;
    assert_int_equal(open_buses(world, 2, &err), -ENOENT);
    assert_string_equal(err.text, "bus fake: refused");
    assert_null(world->adapters);
    assert_int_equal(world->fakes[0].opened, 1);
    assert_int_equal(world->fakes[0].closed, 1);
}

static void closing_nothing_is_legal(void **state)
{
    (void)state;
    assert_int_equal(adapters_close(NULL, 0), 0);
}

/* In a process of its own, since that is how such a worker ends: with _exit(). */
static int close_hung(void)
{
    struct world *world = calloc(1, sizeof(*world));
    int64_t start_ms;
    guard_open(&world->guard);
    fake_init(&world->fakes[0], &fake_blocking, 1, 10);
    fake_init(&world->fakes[1], &fake_asked, 1, 10);
    world->fakes[0].hang[0] = true;
    world->fakes[1].ids[0] = 200;
    if (open_buses(world, 2, NULL) < 0)
        return 2;
    run(world, 2, 200);
    if (!fake_wait(&world->fakes[0], 0, 1))
        return 3;
    start_ms = clock_boot_ms();
    if (adapters_close(world->adapters, 100) != -ETIMEDOUT)
        return 4;
    return clock_boot_ms() - start_ms < 100 || clock_boot_ms() - start_ms > 5000 ? 5 : 0;
}

static void closing_with_a_hung_worker_ends_in_time_and_says_so(void **state)
{
    int status = 0;
    pid_t child = fork();
    (void)state;
    if (child == 0)
        _exit(close_hung());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* -- reload -------------------------------------------------------------------------------------
 */

/* Bus `b` of the world: its device is 100, 200, ... to the caller. */
static void prepare(struct world *world, size_t b, const struct adapter *adapter)
{
    fake_init(&world->fakes[b], adapter, 1, 10);
    world->fakes[b].ids[0] = 100 * ((uint32_t)b + 1);
    world->fakes[b].plan.hash = 1000 + b;
}

static int reload(struct world *world, size_t n_buses, struct error *reterr)
{
    return adapters_reload(world->adapters, world->fresh, n_buses, reterr);
}

static void a_bus_that_did_not_change_goes_on_after_a_reload(void **state)
{
    struct world *world = *state;
    uint32_t number = 7;
    prepare(world, 0, &fake_asked);
    prepare(world, 1, &fake_blocking);
    assert_int_equal(open_buses(world, 2, NULL), 0);
    run(world, 2, 200);
    world->fresh[0] = world->buses[1];
    world->fresh[1] = world->buses[0];
    world->fresh[1].ids = &number;
    assert_int_equal(reload(world, 2, NULL), 0);
    run(world, 2, 7);
    run(world, 2, 200);
    assert_int_equal(world->fakes[0].opened, 1);
    assert_int_equal(world->fakes[1].opened, 1);
    assert_int_equal(world->fakes[0].closed + world->fakes[1].closed, 0);
    assert_null(strstr(world->said, "d7:"));
    assert_int_equal(adapters_counts(world->adapters).online, 2);
    assert_int_equal(adapters_close(world->adapters, CLOSE_MS), 0); /* `number` ends here */
    world->adapters = NULL;
}

static void a_bus_that_changed_is_closed_and_opened(void **state)
{
    struct world *world = *state;
    prepare(world, 0, &fake_asked);
    prepare(world, 1, &fake_asked);
    prepare(world, 2, &fake_asked);
    assert_int_equal(open_buses(world, 2, NULL), 0);
    run(world, 2, 200);
    world->fresh[0] = world->fakes[0].plan;
    world->fresh[1] = world->fakes[2].plan;
    assert_int_equal(reload(world, 2, NULL), 0);
    run(world, 2, 300);
    run(world, 2, 100);
    assert_int_equal(world->fakes[0].opened, 1);
    assert_int_equal(world->fakes[0].closed, 0);
    assert_int_equal(world->fakes[1].closed, 1);
    assert_int_equal(world->fakes[2].opened, 1);
    assert_int_equal(adapters_write(world->adapters, 200, 0, 1, 1), -ENOENT);
}

static void a_removed_bus_whose_worker_hangs_is_closed_when_it_comes_back(void **state)
{
    struct world *world = *state;
    int64_t start_ms;
    prepare(world, 0, &fake_blocking);
    prepare(world, 1, &fake_asked);
    world->fakes[0].hang[0] = true;
    world->fakes[0].quality[0] = QUALITY_TIMEOUT;
    assert_int_equal(open_buses(world, 2, NULL), 0);
    run(world, 2, 200);
    assert_true(fake_wait(&world->fakes[0], 0, 1));
    world->fresh[0] = world->fakes[1].plan;
    start_ms = clock_boot_ms();
    assert_int_equal(reload(world, 1, NULL), 0);
    assert_true(clock_boot_ms() - start_ms < 5000);
    run(world, 10, 200);
    assert_int_equal(world->fakes[0].closed, 0);
    fake_set_hang(&world->fakes[0], 0, false);
    while (world->fakes[0].closed == 0)
        run(world, 1, 200); /* guarded: fails when it never is */
    assert_int_equal(world->polls, 0);
    assert_null(strstr(world->said, "timeout")); /* under the number of another bus neither */
    assert_int_equal(world->fakes[1].opened, 1);
    assert_int_equal(world->fakes[1].closed, 0);
}

static void a_reload_that_fails_changes_nothing(void **state)
{
    struct world *world = *state;
    struct error err = {0};
    for (size_t b = 0; b < 4; b++)
        prepare(world, b, &fake_asked);
    world->fakes[3].open_result = -ENOENT;
    assert_int_equal(open_buses(world, 2, NULL), 0);
    run(world, 2, 200);
    world->fresh[0] = world->fakes[0].plan;
    world->fresh[1] = world->fakes[2].plan;
    world->fresh[2] = world->fakes[3].plan;
    assert_int_equal(reload(world, 3, &err), -ENOENT);
    assert_string_equal(err.text, "bus fake: refused");
    assert_int_equal(world->fakes[2].opened, 1);
    assert_int_equal(world->fakes[2].closed, 1);
    run(world, 2, 100);
    run(world, 2, 200);
    assert_int_equal(world->fakes[0].opened + world->fakes[1].opened, 2);
    assert_int_equal(world->fakes[0].closed + world->fakes[1].closed, 0);
    assert_int_equal(adapters_counts(world->adapters).devices, 2);
}

#define ADAPTERS_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_with_a_hung_worker_ends_in_time_and_says_so),
        cmocka_unit_test(every_adapter_is_complete),
        cmocka_unit_test(an_adapter_is_found_by_its_word_and_scheme),
        cmocka_unit_test(without_an_address_the_one_with_a_default_is_found),
        ADAPTERS_TEST(devices_are_polled_under_the_numbers_of_the_caller),
        ADAPTERS_TEST(buses_of_all_kinds_run_side_by_side),
        ADAPTERS_TEST(each_interval_brings_one_poll),
        ADAPTERS_TEST(what_pushes_is_not_polled),
        ADAPTERS_TEST(a_poll_that_failed_has_a_bad_sample_for_each_channel),
        ADAPTERS_TEST(three_failures_make_a_device_go_and_one_answer_brings_it_back),
        ADAPTERS_TEST(a_device_without_connection_is_told_but_not_logged),
        ADAPTERS_TEST(the_first_without_connection_makes_the_others_doubted),
        ADAPTERS_TEST(a_hung_line_does_not_hold_up_another_bus),
        ADAPTERS_TEST(a_write_is_told_and_read_back_before_the_next_due_time),
        ADAPTERS_TEST(a_write_that_failed_is_read_back_too),
        ADAPTERS_TEST(a_write_to_an_unknown_device_is_refused),
        ADAPTERS_TEST(no_buses_are_legal),
        ADAPTERS_TEST(a_bus_that_does_not_open_closes_those_before_it),
        cmocka_unit_test(closing_nothing_is_legal),
        ADAPTERS_TEST(a_bus_that_did_not_change_goes_on_after_a_reload),
        ADAPTERS_TEST(a_bus_that_changed_is_closed_and_opened),
        ADAPTERS_TEST(a_removed_bus_whose_worker_hangs_is_closed_when_it_comes_back),
        ADAPTERS_TEST(a_reload_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
