#include "adapters/worker.h"

#include "gateway/base/queue.h"
#include "tests/unit/fake_adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#define DEADLINE_MS 20000

/* One worker on lane 2 of a fake bus; what it reports comes back to it. */
struct world {
    struct fake fake;
    struct adapter_host host;
    struct queue *notes;
    struct worker *worker;
};

static struct world *world_now; /* a host has no owner: there is one world at a time */

static void report(struct adapter_host *host, uint32_t device, const struct sample *samples,
                   size_t count)
{
    (void)host;
    (void)device;
    worker_report(world_now->worker, samples, count);
}

static void exchanged(struct adapter_host *host, uint32_t device,
                      const struct adapter_exchange *exchange)
{
    (void)host;
    (void)device;
    worker_count(world_now->worker, exchange);
}

static void start_world(struct world *world)
{
    fake_init(&world->fake, &fake_blocking, 3, 1000);
    world->host = (struct adapter_host){.report = report, .exchanged = exchanged};
    world->fake.host = &world->host;
    world->notes = queue_new(sizeof(struct worker_note), 4, QUEUE_REFUSE, NULL, NULL);
    world->worker = worker_new(&fake_blocking, &world->fake, 2, FAKE_CHANNELS, world->notes);
    assert_non_null(world->worker);
    world_now = world;
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    start_world(world);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    bool stopped = worker_stop(world->worker, clock_boot_ms() + DEADLINE_MS);
    queue_free(world->notes);
    free(world);
    return stopped ? 0 : -1;
}

static struct worker_note next_note(struct world *world)
{
    struct worker_note note;
    assert_int_equal(queue_wait(world->notes, &note, 1, clock_boot_ms() + DEADLINE_MS), 1);
    return note;
}

static void start_poll(struct world *world, uint32_t device)
{
    struct worker_job job = {.request = {.device = device}};
    worker_start(world->worker, &job);
}

static void a_job_is_counted_by_itself(void **state)
{
    struct world *world = *state;
    struct worker_job write = {.request = {.device = 1}, .token = 5, .write = true};

    start_poll(world, 1);
    assert_int_equal(next_note(world).kind, NOTE_END);
    assert_int_equal(worker_tally(world->worker)->replies, 1);
    worker_start(world->worker, &write);
    assert_int_equal(next_note(world).kind, NOTE_WROTE);
    assert_int_equal(worker_tally(world->worker)->replies, 1);
}

static void a_poll_ends_with_one_note(void **state)
{
    struct world *world = *state;
    struct worker_note note;
    world->fake.quality[1] = QUALITY_CRC;
    start_poll(world, 1);
    note = next_note(world);
    assert_int_equal(note.kind, NOTE_END);
    assert_int_equal(note.lane, 2);
    assert_int_equal(note.device, 1);
    assert_int_equal(note.quality, QUALITY_CRC);
    assert_int_equal(queue_length(world->notes), 0);
}

static void samples_of_several_reports_are_joined(void **state)
{
    struct world *world = *state;
    const struct sample *samples;
    size_t count;
    world->fake.in_pieces = true;
    start_poll(world, 1);
    next_note(world);
    samples = worker_samples(world->worker, &count);
    assert_int_equal(count, FAKE_CHANNELS);
    for (uint32_t c = 0; c < FAKE_CHANNELS; c++) {
        assert_int_equal(samples[c].channel, c);
        assert_true(samples[c].number == 10 + c);
    }
}

static void each_poll_has_its_own_samples(void **state)
{
    struct world *world = *state;
    const struct sample *samples;
    size_t count;
    for (uint32_t device = 0; device < 3; device++) {
        start_poll(world, device);
        assert_int_equal(next_note(world).device, device);
        samples = worker_samples(world->worker, &count);
        assert_int_equal(count, FAKE_CHANNELS);
        assert_true(samples[0].number == device * 10);
    }
}

static void a_write_ends_with_its_token(void **state)
{
    struct world *world = *state;
    struct worker_job job = {
        .request = {.device = 2, .channel = 1, .number = 5}, .token = 77, .write = true};
    struct worker_note note;
    size_t count;
    world->fake.quality[2] = QUALITY_TIMEOUT;
    worker_start(world->worker, &job);
    note = next_note(world);
    assert_int_equal(note.kind, NOTE_WROTE);
    assert_int_equal(note.device, 2);
    assert_int_equal(note.token, 77);
    assert_int_equal(note.quality, QUALITY_TIMEOUT);
    assert_string_equal(world->fake.trace, "w2.1=5 ");
    worker_samples(world->worker, &count);
    assert_int_equal(count, 0);
}

static void a_worker_that_is_told_to_stop_finishes_its_poll(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    (void)state;
    start_world(world);
    start_poll(world, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    assert_true(worker_stop(world->worker, clock_boot_ms() + DEADLINE_MS));
    assert_int_equal(next_note(world).device, 0);
    queue_free(world->notes);
    free(world);
}

/* What it does when it goes on, it does as if nothing had been: close_world() stops it again. */
static void a_worker_that_hangs_is_left_alone_in_time(void **state)
{
    struct world *world = *state;
    int64_t start_ms, took_ms;
    bool stopped;
    world->fake.hang[2] = true;
    start_poll(world, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    start_ms = clock_boot_ms();
    stopped = worker_stop(world->worker, start_ms + 50);
    took_ms = clock_boot_ms() - start_ms;
    fake_set_hang(&world->fake, 2, false);
    assert_false(stopped);
    assert_in_range(took_ms, 50, DEADLINE_MS / 2);
    assert_int_equal(next_note(world).device, 0);
}

static void stopping_no_worker_is_legal(void **state)
{
    (void)state;
    assert_true(worker_stop(NULL, 0));
}

#define WORKER_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(a_worker_that_hangs_is_left_alone_in_time),
        WORKER_TEST(a_job_is_counted_by_itself),
        WORKER_TEST(a_poll_ends_with_one_note),
        WORKER_TEST(samples_of_several_reports_are_joined),
        WORKER_TEST(each_poll_has_its_own_samples),
        WORKER_TEST(a_write_ends_with_its_token),
        cmocka_unit_test(a_worker_that_is_told_to_stop_finishes_its_poll),
        cmocka_unit_test(stopping_no_worker_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
