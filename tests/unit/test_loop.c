#include "gateway/base/loop.h"

#include "tests/unit/loop_probe.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static void never_called(void *owner)
{
    (void)owner;
    fail();
}

static void a_loop_that_is_stopped_while_it_rests_still_frees_everything(void **state)
{
    struct loop *loop = loop_new();
    struct timer *timer = timer_new(loop, never_called, NULL);
    struct wake *wake = wake_new(loop, never_called, NULL);
    (void)state;
    loop_stop(loop);
    timer_free(timer);
    wake_free(wake);
    loop_free(loop);
    loop_free(NULL);
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
        LOOP_TEST(a_loop_runs_again_after_it_was_stopped),
        cmocka_unit_test(a_loop_that_is_stopped_while_it_rests_still_frees_everything),
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
