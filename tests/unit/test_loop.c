#include "gateway/base/loop.h"

#include "tests/unit/loop_guard.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int open_world(void **state)
{
    struct guard *world = calloc(1, sizeof(*world));
    guard_open(world);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct guard *world = *state;
    guard_close(world);
    free(world);
    return 0;
}

/* A timer that writes down when it fired. */
struct probe {
    struct guard *world;
    struct timer *timer;
    int64_t at_ms, fired_us;
    int fired;
    bool stops;
    int *order, place; /* its number in the order of firing */
};

static void note(void *owner)
{
    struct probe *probe = owner;
    probe->fired_us = clock_boot_us();
    probe->fired++;
    if (probe->order)
        probe->place = (*probe->order)++;
    if (probe->stops)
        loop_stop(probe->world->loop);
}

static void probe_open(struct probe *probe, struct guard *world, int64_t at_ms, bool stops)
{
    *probe = (struct probe){.world = world, .at_ms = at_ms, .stops = stops};
    probe->timer = timer_new(world->loop, note, probe);
    assert_non_null(probe->timer);
    timer_at(probe->timer, at_ms);
}

/* -- timers -------------------------------------------------------------------------------------
 */

static void a_timer_never_fires_early(void **state)
{
    enum { N = 300 };
    struct guard *world = *state;
    struct probe *probes = calloc(N, sizeof(*probes));
    int64_t now_ms = clock_boot_ms();
    for (int i = 0; i < N; i++)
        probe_open(&probes[i], world, now_ms + i * 37 % 100, false);
    probes[0].stops = true;
    timer_at(probes[0].timer, probes[0].at_ms = now_ms + 120);
    guard_run(world);
    for (int i = 0; i < N; i++) {
        assert_int_equal(probes[i].fired, 1);
        assert_true(probes[i].fired_us >= probes[i].at_ms * 1000);
        timer_free(probes[i].timer);
    }
    free(probes);
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
    struct guard *world = *state;
    struct probe probes[3];
    int64_t now_ms = clock_boot_ms();
    int order = 0;
    probe_open(&probes[0], world, now_ms + 30, true);
    probe_open(&probes[1], world, now_ms + 10, false);
    probe_open(&probes[2], world, now_ms + 20, false);
    for (int i = 0; i < 3; i++)
        probes[i].order = &order;
    guard_run(world);
    assert_int_equal(probes[1].place, 0);
    assert_int_equal(probes[2].place, 1);
    assert_int_equal(probes[0].place, 2);
    for (int i = 0; i < 3; i++)
        timer_free(probes[i].timer);
}

static void a_timer_that_is_moved_fires_once_at_its_new_time(void **state)
{
    struct guard *world = *state;
    struct probe later, sooner;
    int64_t now_ms = clock_boot_ms();
    probe_open(&later, world, now_ms + 5, true);
    probe_open(&sooner, world, now_ms + GUARD_MS, false);
    timer_at(later.timer, now_ms + 40);
    timer_at(sooner.timer, now_ms + 10);
    guard_run(world);
    assert_int_equal(later.fired, 1);
    assert_true(later.fired_us >= (now_ms + 40) * 1000);
    assert_int_equal(sooner.fired, 1);
    timer_free(later.timer);
    timer_free(sooner.timer);
}

static void a_timer_set_again_to_the_same_time_fires_once_at_it(void **state)
{
    struct guard *world = *state;
    struct probe same;
    int64_t at_ms = clock_boot_ms() + 20;
    probe_open(&same, world, at_ms, true);
    timer_at(same.timer, at_ms);
    timer_at(same.timer, CLOCK_NEVER);
    timer_at(same.timer, at_ms);
    timer_at(same.timer, at_ms);
    guard_run(world);
    assert_int_equal(same.fired, 1);
    assert_true(same.fired_us >= at_ms * 1000);
    timer_free(same.timer);
}

static void a_timer_set_to_never_rests(void **state)
{
    struct guard *world = *state;
    struct probe rests, stops;
    probe_open(&rests, world, clock_boot_ms() + 1, false);
    timer_at(rests.timer, CLOCK_NEVER);
    probe_open(&stops, world, clock_boot_ms() + 20, true);
    guard_run(world);
    assert_int_equal(rests.fired, 0);
    timer_free(rests.timer);
    timer_free(stops.timer);
}

static void a_time_that_has_passed_fires_on_the_next_turn(void **state)
{
    struct guard *world = *state;
    struct probe probe;
    probe_open(&probe, world, 0, true);
    assert_int_equal(probe.fired, 0);
    guard_run(world);
    assert_int_equal(probe.fired, 1);
    timer_free(probe.timer);
}

struct chain {
    struct guard *world;
    struct timer *timer;
    int left;
};

static void next_link(void *owner)
{
    struct chain *chain = owner;
    if (--chain->left > 0)
        timer_at(chain->timer, 0);
    else
        loop_stop(chain->world->loop);
}

static void a_timer_may_set_itself_again(void **state)
{
    struct chain chain = {.world = *state, .left = 50};
    chain.timer = timer_new(chain.world->loop, next_link, &chain);
    timer_at(chain.timer, 0);
    guard_run(chain.world);
    assert_int_equal(chain.left, 0);
    timer_free(chain.timer);
}

static void free_self_and_stop(void *owner)
{
    struct chain *chain = owner;
    chain->left--;
    timer_free(chain->timer);
    loop_stop(chain->world->loop);
}

static void a_timer_may_free_itself(void **state)
{
    struct chain chain = {.world = *state, .left = 1};
    chain.timer = timer_new(chain.world->loop, free_self_and_stop, &chain);
    timer_at(chain.timer, 0);
    guard_run(chain.world);
    assert_int_equal(chain.left, 0);
}

static void a_freed_timer_never_fires(void **state)
{
    struct guard *world = *state;
    struct probe freed, stops;
    probe_open(&freed, world, 0, false);
    timer_free(freed.timer);
    timer_free(NULL);
    probe_open(&stops, world, clock_boot_ms() + 5, true);
    guard_run(world);
    assert_int_equal(freed.fired, 0);
    timer_free(stops.timer);
}

/* -- running ------------------------------------------------------------------------------------
 */

static void a_loop_runs_again_after_it_was_stopped(void **state)
{
    struct guard *world = *state;
    struct probe probe;
    probe_open(&probe, world, 0, true);
    guard_run(world);
    timer_at(probe.timer, 0);
    guard_run(world);
    assert_int_equal(probe.fired, 2);
    timer_free(probe.timer);
}

static void a_loop_that_is_stopped_while_it_rests_still_frees_everything(void **state)
{
    struct loop *loop = loop_new();
    struct chain unused = {0};
    struct timer *timer = timer_new(loop, next_link, &unused);
    struct wake *wake = wake_new(loop, next_link, &unused);
    (void)state;
    loop_stop(loop);
    timer_free(timer);
    wake_free(wake);
    loop_free(loop);
    loop_free(NULL);
}

static void sleep_50_ms(void *owner)
{
    int64_t until_ms = clock_boot_ms() + 50;
    (void)owner;
    while (clock_boot_ms() < until_ms)
        continue;
}

static void lateness_tells_of_a_callback_that_blocked(void **state)
{
    struct guard *world = *state;
    struct timer *blocks = timer_new(world->loop, sleep_50_ms, NULL);
    struct loop_lateness late;
    struct probe probe;
    int64_t now_ms = clock_boot_ms();
    loop_lateness(world->loop);
    timer_at(blocks, now_ms + 1);
    probe_open(&probe, world, now_ms + 10, true);
    guard_run(world);
    late = loop_lateness(world->loop);
    assert_int_equal(late.count, 2);
    assert_true(late.max_us >= 35000);
    assert_true(late.p99_us <= late.max_us);
    late = loop_lateness(world->loop);
    assert_int_equal(late.count, 0);
    assert_int_equal(late.max_us, 0);
    assert_int_equal(late.p99_us, 0);
    timer_free(blocks);
    timer_free(probe.timer);
}

/* -- wakes --------------------------------------------------------------------------------------
 */

struct knocker {
    struct guard *world;
    struct wake *wake;
    int sends, woken;
};

static void count_and_stop(void *owner)
{
    struct knocker *knocker = owner;
    knocker->woken++;
    loop_stop(knocker->world->loop);
}

static void *knock(void *arg)
{
    struct knocker *knocker = arg;
    for (int i = 0; i < knocker->sends; i++)
        wake_send(knocker->wake);
    return NULL;
}

static void another_thread_may_wake_the_loop(void **state)
{
    struct knocker knocker = {.world = *state, .sends = 1000};
    pthread_t thread;
    knocker.wake = wake_new(knocker.world->loop, count_and_stop, &knocker);
    pthread_create(&thread, NULL, knock, &knocker);
    guard_run(knocker.world);
    pthread_join(thread, NULL);
    assert_in_range(knocker.woken, 1, 1000);
    wake_free(knocker.wake);
}

static void a_wake_before_the_loop_runs_is_kept(void **state)
{
    struct knocker knocker = {.world = *state};
    knocker.wake = wake_new(knocker.world->loop, count_and_stop, &knocker);
    wake_send(knocker.wake);
    assert_int_equal(knocker.woken, 0);
    guard_run(knocker.world);
    assert_int_equal(knocker.woken, 1);
    wake_free(knocker.wake);
}

static void a_freed_wake_runs_no_more(void **state)
{
    struct knocker knocker = {.world = *state};
    struct probe stops;
    knocker.wake = wake_new(knocker.world->loop, count_and_stop, &knocker);
    wake_send(knocker.wake);
    wake_free(knocker.wake);
    wake_free(NULL);
    probe_open(&stops, knocker.world, clock_boot_ms() + 5, true);
    guard_run(knocker.world);
    assert_int_equal(knocker.woken, 0);
    timer_free(stops.timer);
}

/* -- signals ------------------------------------------------------------------------------------
 */

static void take_signal(void *owner, int signum)
{
    struct knocker *knocker = owner;
    knocker->woken = signum;
    loop_stop(knocker->world->loop);
}

static void a_signal_is_told_on_the_loop(void **state)
{
    struct knocker knocker = {.world = *state};
    assert_int_equal(loop_on_signal(knocker.world->loop, SIGUSR1, take_signal, &knocker), 0);
    assert_int_equal(loop_on_signal(knocker.world->loop, SIGUSR2, take_signal, &knocker), 0);
    raise(SIGUSR2);
    guard_run(knocker.world);
    assert_int_equal(knocker.woken, SIGUSR2);
    raise(SIGUSR1);
    guard_run(knocker.world);
    assert_int_equal(knocker.woken, SIGUSR1);
}

static void a_signal_that_nobody_can_take_is_refused(void **state)
{
    struct knocker knocker = {.world = *state};
    assert_true(loop_on_signal(knocker.world->loop, SIGKILL, take_signal, &knocker) < 0);
}

struct reader {
    struct guard *world;
    int fd, fired;
};

static void take_byte(void *owner)
{
    struct reader *reader = owner;
    char byte;
    assert_int_equal(read(reader->fd, &byte, 1), 1);
    if (++reader->fired == 2)
        loop_stop(reader->world->loop);
}

static void a_watch_fires_as_long_as_there_is_something_to_read(void **state)
{
    int fds[2];
    struct reader reader = {.world = *state};
    struct watch *watch;
    assert_int_equal(pipe(fds), 0);
    reader.fd = fds[0];
    watch = watch_new(reader.world->loop, fds[0], take_byte, &reader);
    assert_non_null(watch);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    guard_run(reader.world);
    watch_free(watch);
    close(fds[0]);
    close(fds[1]);
}

static void what_cannot_be_watched_is_refused(void **state)
{
    struct guard *world = *state;
    FILE *file = tmpfile();
    assert_null(watch_new(world->loop, fileno(file), NULL, NULL));
    fclose(file);
}

#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(a_timer_never_fires_early),
        LOOP_TEST(timers_fire_in_the_order_of_their_times),
        LOOP_TEST(a_timer_that_is_moved_fires_once_at_its_new_time),
        LOOP_TEST(a_timer_set_again_to_the_same_time_fires_once_at_it),
        LOOP_TEST(a_timer_set_to_never_rests),
        LOOP_TEST(a_time_that_has_passed_fires_on_the_next_turn),
        LOOP_TEST(a_timer_may_set_itself_again),
        LOOP_TEST(a_timer_may_free_itself),
        LOOP_TEST(a_freed_timer_never_fires),
        LOOP_TEST(a_loop_runs_again_after_it_was_stopped),
        cmocka_unit_test(a_loop_that_is_stopped_while_it_rests_still_frees_everything),
        LOOP_TEST(lateness_tells_of_a_callback_that_blocked),
        LOOP_TEST(another_thread_may_wake_the_loop),
        LOOP_TEST(a_wake_before_the_loop_runs_is_kept),
        LOOP_TEST(a_freed_wake_runs_no_more),
        LOOP_TEST(a_watch_fires_as_long_as_there_is_something_to_read),
        LOOP_TEST(what_cannot_be_watched_is_refused),
        LOOP_TEST(a_signal_is_told_on_the_loop),
        LOOP_TEST(a_signal_that_nobody_can_take_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
