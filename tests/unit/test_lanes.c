#include "adapters/lanes.h"

#include "gateway/base/enclosing.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "tests/unit/fake_adapter.h"
#include "tests/unit/loop_guard.h"

#include <errno.h>
#include <stdlib.h>

#define DEADLINE_MS 50
#define CLOSE_MS    20000

/* Lanes on a loop, and all that they say, written down: "e1:timeout", "w1:77:good", "say:text". */
struct world {
    struct guard guard;
    struct fake fake;
    struct adapter_host host; /* of the fake: first of what its reports are found by */
    struct lanes *lanes;
    char said[500], log[1000];
    size_t length, logged;
    int stop_after;
};

static struct adapter with_deadline;

static void say(struct world *world, const char *what)
{
    text_append(world->said, sizeof(world->said), &world->length, "%s ", what);
    if (--world->stop_after == 0)
        loop_stop(world->guard.loop);
}

static void take_tally(void *owner, uint32_t device, const struct tally *tally)
{
    (void)owner, (void)device, (void)tally;
}

static void take_samples(void *owner, uint32_t device, const struct sample *samples, size_t count)
{
    (void)owner, (void)device, (void)samples, (void)count;
}

static void take_end(void *owner, uint32_t device, uint8_t quality)
{
    char what[32];
    snprintf(what, sizeof(what), "e%u:%s", device, quality_name(quality));
    say(owner, what);
}

static void take_wrote(void *owner, uint32_t device, uint32_t token, uint8_t quality)
{
    char what[48];
    snprintf(what, sizeof(what), "w%u:%u:%s", device, token, quality_name(quality));
    say(owner, what);
}

static void take_answer(void *owner, const struct adapter_answer *answer)
{
    char what[32];
    snprintf(what, sizeof(what), "q%u:%s", answer->bytes[0], quality_name(answer->quality));
    say(owner, what);
}

static int ask(struct world *world, uint32_t device, uint8_t unit)
{
    struct adapter_question question = {.unit = unit, .done = take_answer, .asker = world};
    return lanes_ask(world->lanes, device, &question);
}

static void take_words(void *owner, const struct worker_note *note)
{
    char what[300];
    snprintf(what, sizeof(what), "say:%s", note->why);
    say(owner, what);
}

static const struct lanes_events events = {take_tally, take_samples, take_end, take_wrote,
                                           take_words};

/* The way back of fake_report(): a host knows its lanes by where it stands. */
static void report(struct adapter_host *host, uint32_t device, const struct sample *samples,
                   size_t count)
{
    struct world *world = enclosing(host, struct world, host);
    lanes_report(world->lanes, device, samples, count);
}

static const char *recall(struct adapter_host *host, uint32_t device)
{
    (void)host, (void)device;
    return NULL;
}

static void exchanged(struct adapter_host *host, uint32_t device,
                      const struct adapter_exchange *exchange)
{
    struct world *world = enclosing(host, struct world, host);
    lanes_count(world->lanes, device, exchange);
}

static void take_log(void *owner, enum log_level level, const char *line)
{
    struct world *world = owner;
    (void)level;
    text_append(world->log, sizeof(world->log), &world->logged, "%s\n", line);
    if (strstr(line, "is back"))
        loop_stop(world->guard.loop);
}

/* Two lanes; devices 0 and 1 on the first, 2 on the second. */
static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    void *bus = NULL;
    with_deadline = fake_blocking;
    with_deadline.deadline_ms = DEADLINE_MS;
    guard_open(&world->guard);
    log_set_sink(take_log, world);
    fake_init(&world->fake, &with_deadline, 3, 1000);
    world->fake.n_lanes = 2;
    world->fake.lane_of[2] = 1;
    world->host = (struct adapter_host){.report = report, .exchanged = exchanged, .recall = recall};
    world->lanes = lanes_new(world->guard.loop, &with_deadline, "w1", FAKE_DEVICES, &events, world);
    assert_non_null(world->lanes);
    fake_open(&world->fake.plan.config, &world->host, &bus, NULL);
    assert_int_equal(lanes_start(world->lanes, bus, FAKE_CHANNELS), 0);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    bool all;
    for (uint32_t lane = 0; lane < FAKE_LANES; lane++)
        fake_set_hang(&world->fake, lane, false);
    all = lanes_stop(world->lanes, clock_boot_ms() + CLOSE_MS);
    lanes_free(world->lanes);
    fake_close(&world->fake);
    log_set_sink(NULL, NULL);
    guard_close(&world->guard);
    free(world);
    return all ? 0 : -1;
}

static int write_number(struct world *world, uint32_t device, uint32_t token)
{
    struct write_request request = {.device = device, .channel = 1, .number = 5};
    return lanes_write(world->lanes, &request, token);
}

static void expect(struct world *world, int ends, const char *said)
{
    world->said[world->length = 0] = '\0';
    world->stop_after = ends;
    guard_run(&world->guard);
    assert_string_equal(world->said, said);
}

/* The first lane hangs in the poll of device 0. */
static void hang(struct world *world)
{
    fake_set_hang(&world->fake, 0, true);
    lanes_poll(world->lanes, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    expect(world, 1, "e0:timeout ");
}

static void a_poll_beyond_the_deadline_is_a_timeout_and_said_once(void **state)
{
    struct world *world = *state;
    hang(world);
    assert_non_null(strstr(world->log, "bus w1: a line hangs since 0 s"));
    lanes_poll(world->lanes, 0);
    expect(world, 1, "e0:timeout ");
    assert_null(strstr(strstr(world->log, "hangs") + 1, "hangs"));
}

static void who_waits_for_a_lane_that_hangs_is_told_too(void **state)
{
    struct world *world = *state;
    fake_set_hang(&world->fake, 0, true);
    lanes_poll(world->lanes, 0);
    lanes_poll(world->lanes, 1);
    assert_int_equal(write_number(world, 1, 77), 0);
    expect(world, 3, "e0:timeout w1:77:timeout e1:timeout ");
    assert_int_equal(write_number(world, 1, 78), -ENODEV);
    lanes_poll(world->lanes, 1);
    expect(world, 1, "e1:timeout ");
}

static void a_question_comes_behind_all_that_waits(void **state)
{
    struct world *world = *state;
    fake_set_hang(&world->fake, 0, true);
    lanes_poll(world->lanes, 0);
    assert_true(fake_wait(&world->fake, 0, 1));
    assert_int_equal(ask(world, 0, 9), 0);
    lanes_poll(world->lanes, 1);
    fake_set_hang(&world->fake, 0, false);
    expect(world, 3, "e0:good e1:good q9:good ");
}

static void a_question_to_a_lane_that_hangs_is_ended(void **state)
{
    struct world *world = *state;
    fake_set_hang(&world->fake, 0, true);
    lanes_poll(world->lanes, 0);
    assert_int_equal(ask(world, 1, 9), 0);
    expect(world, 2, "e0:timeout q0:timeout ");
    assert_int_equal(ask(world, 1, 9), -ENODEV);
}

static void who_asked_is_told_when_the_bus_is_closed(void **state)
{
    struct world *world = *state;
    fake_set_hang(&world->fake, 0, true);
    assert_int_equal(ask(world, 0, 7), 0);
    assert_int_equal(ask(world, 0, 8), 0);
    fake_set_hang(&world->fake, 0, false);
    assert_true(lanes_stop(world->lanes, clock_boot_ms() + CLOSE_MS));
    lanes_free(world->lanes);
    world->lanes = NULL;
    assert_string_equal(world->said, "q0:disconnected q0:disconnected ");
}

static void too_many_questions_are_refused(void **state)
{
    struct world *world = *state;
    fake_set_hang(&world->fake, 0, true);
    lanes_poll(world->lanes, 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(ask(world, 0, 9), 0);
    assert_int_equal(ask(world, 0, 9), -ENOBUFS);
}

static void other_lanes_go_on(void **state)
{
    struct world *world = *state;
    hang(world);
    for (int i = 0; i < 3; i++) {
        lanes_poll(world->lanes, 2);
        expect(world, 1, "e2:good ");
    }
}

static void a_lane_that_comes_back_works_again_and_its_old_answer_is_dropped(void **state)
{
    struct world *world = *state;
    hang(world);
    fake_set_hang(&world->fake, 0, false);
    expect(world, 99, ""); /* ends with the line in the log */
    lanes_poll(world->lanes, 0);
    expect(world, 1, "e0:good ");
    assert_non_null(strstr(world->log, "bus w1: the line that hung is back after"));
}

static void a_device_that_moves_is_not_polled_while_a_thread_still_has_it(void **state)
{
    struct world *world = *state;
    hang(world);
    world->fake.lane_of[0] = 1;
    lanes_poll(world->lanes, 0);
    expect(world, 1, "e0:timeout ");
    world->fake.lane_of[1] = 1;
    lanes_poll(world->lanes, 1);
    expect(world, 1, "e1:good ");
}

static void what_workers_say_comes_on_the_loop(void **state)
{
    struct world *world = *state;
    struct worker_note note = {.kind = NOTE_WORDS, .why = "hello"};
    lanes_say(world->lanes, &note);
    expect(world, 1, "say:hello ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_poll_beyond_the_deadline_is_a_timeout_and_said_once),
        TEST(who_waits_for_a_lane_that_hangs_is_told_too),
        TEST(a_question_comes_behind_all_that_waits),
        TEST(a_question_to_a_lane_that_hangs_is_ended),
        TEST(who_asked_is_told_when_the_bus_is_closed),
        TEST(too_many_questions_are_refused),
        TEST(other_lanes_go_on),
        TEST(a_lane_that_comes_back_works_again_and_its_old_answer_is_dropped),
        TEST(a_device_that_moves_is_not_polled_while_a_thread_still_has_it),
        TEST(what_workers_say_comes_on_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
