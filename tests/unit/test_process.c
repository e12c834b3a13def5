#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/process.h"
#include "tests/unit/loop_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct guard guard;
    struct processes *processes;
    int ends, wanted;
    struct process_end end;
    char output[PROCESS_OUTPUT_MAX + 1];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    guard_open(&f->guard);
    f->processes = processes_new(f->guard.loop);
    *state = f;
    return f->processes ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    processes_free(f->processes);
    guard_close(&f->guard);
    free(f);
    return 0;
}

static void on_end(void *owner, const struct process_end *end)
{
    struct fixture *f = owner;

    f->end = *end;
    memcpy(f->output, end->output, end->size + 1);
    if (++f->ends >= f->wanted)
        loop_stop(f->guard.loop);
}

static const char *const environment[] = {"PATH=/usr/bin:/bin", "COLOUR=red", NULL};

static int begin(struct fixture *f, const char *const *argv, int64_t timeout_ms)
{
    struct process_options options = {argv, environment, timeout_ms};

    return process_run(f->processes, &options, on_end, f);
}

static void run(struct fixture *f, int64_t timeout_ms, const char *const *argv)
{
    f->wanted = 1;
    f->ends = 0;
    assert_int_equal(begin(f, argv, timeout_ms), 0);
    assert_int_equal(f->ends, 0); /* never from inside */
    guard_run(&f->guard);
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

/* -- the tests ----------------------------------------------------------------------------------
 */

static void output_and_status_come_back(void **state)
{
    struct fixture *f = *state;

    run(f, 5000, ARGV("sh", "-c", "echo out; echo err >&2; exit 3"));
    assert_int_equal(f->end.error, 0);
    assert_int_equal(f->end.exit_status, 3);
    assert_int_equal(f->end.signal, 0);
    assert_string_equal(f->output, "out\nerr\n");
    assert_false(f->end.cut);
    assert_false(f->end.timed_out);
}

static void arguments_meet_no_shell(void **state)
{
    struct fixture *f = *state;

    run(f, 5000, ARGV("/bin/echo", "$HOME; `id` * 'x' > /tmp/never"));
    assert_string_equal(f->output, "$HOME; `id` * 'x' > /tmp/never\n");
}

static void the_environment_is_the_chosen_one_alone(void **state)
{
    struct fixture *f = *state;

    setenv("THERMOGATE_TEST_LEAK", "1", 1);
    run(f, 5000, ARGV("/usr/bin/env"));
    assert_string_equal(f->output, "PATH=/usr/bin:/bin\nCOLOUR=red\n");
}

static void there_is_nothing_to_read(void **state)
{
    struct fixture *f = *state;

    run(f, 5000, ARGV("sh", "-c", "cat; echo end"));
    assert_string_equal(f->output, "end\n");
}

static void a_missing_program_is_an_error(void **state)
{
    struct fixture *f = *state;

    run(f, 5000, ARGV("/nowhere/siren"));
    assert_int_equal(f->end.error, -ENOENT);
    run(f, 5000, ARGV("/etc/passwd"));
    assert_int_equal(f->end.error, -EACCES);
}

static void much_output_is_cut_and_holds_nobody_up(void **state)
{
    struct fixture *f = *state;

    run(f, 10000, ARGV("sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"));
    assert_int_equal(f->end.exit_status, 0);
    assert_int_equal(f->end.size, PROCESS_OUTPUT_MAX);
    assert_true(f->end.cut);
}

static void the_time_limit_ends_it(void **state)
{
    struct fixture *f = *state;

    run(f, 200, ARGV("sleep", "60"));
    assert_true(f->end.timed_out);
    assert_int_equal(f->end.signal, SIGTERM);
    assert_in_range(f->end.took_ms, 190, 1900);
}

static void what_ignores_sigterm_is_killed(void **state)
{
    struct fixture *f = *state;

    run(f, 300, ARGV("sh", "-c", "trap '' TERM; while :; do sleep 1; done"));
    assert_true(f->end.timed_out);
    assert_int_equal(f->end.signal, SIGKILL);
    assert_in_range(f->end.took_ms, 2200, 6000);
}

static bool is_alive(pid_t pid)
{
    char path[64], line[300] = "";
    FILE *file;
    const char *state;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (!file)
        return false;
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    fclose(file);
    state = strrchr(line, ')');
    return state && state[2] != 'Z';
}

/* Killed, but perhaps not yet gone. */
static void assert_dies(pid_t pid)
{
    int64_t until_ms = clock_boot_ms() + 5000;

    assert_true(pid > 1);
    while (is_alive(pid) && clock_boot_ms() < until_ms)
        usleep(1000);
    assert_false(is_alive(pid));
}

static void children_end_with_the_time_limit(void **state)
{
    struct fixture *f = *state;

    run(f, 300, ARGV("sh", "-c", "sleep 61 & echo $!; wait"));
    assert_true(f->end.timed_out);
    assert_dies(atoi(f->output));
}

static void children_end_with_the_program(void **state)
{
    struct fixture *f = *state;

    run(f, 5000, ARGV("sh", "-c", "sleep 62 & echo $!"));
    assert_int_equal(f->end.exit_status, 0);
    assert_dies(atoi(f->output));
}

static void a_descendant_that_keeps_the_pipe_is_not_waited_for(void **state)
{
    struct fixture *f = *state;

    run(f, 10000, ARGV("sh", "-c", "setsid sleep 5 & sleep 0.2; echo done"));
    assert_string_equal(f->output, "done\n");
    assert_true(f->end.took_ms < 4000);
}

static void only_four_run_at_once(void **state)
{
    struct fixture *f = *state;
    int64_t started_ms = clock_boot_ms();

    f->wanted = 6;
    for (int i = 0; i < 6; i++)
        assert_int_equal(begin(f, ARGV("sleep", "0.4"), 5000), 0);
    guard_run(&f->guard);
    assert_int_equal(f->ends, 6);
    assert_true(clock_boot_ms() - started_ms >= 790);
}

static void too_many_waiting_are_refused(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < PROCESSES_AT_ONCE + PROCESSES_WAIT_MAX; i++)
        assert_int_equal(begin(f, ARGV("sleep", "63"), 60000), 0);
    assert_int_equal(begin(f, ARGV("sleep", "63"), 60000), -ENOBUFS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(output_and_status_come_back),
        TEST(arguments_meet_no_shell),
        TEST(the_environment_is_the_chosen_one_alone),
        TEST(there_is_nothing_to_read),
        TEST(a_missing_program_is_an_error),
        TEST(much_output_is_cut_and_holds_nobody_up),
        TEST(the_time_limit_ends_it),
        TEST(what_ignores_sigterm_is_killed),
        TEST(children_end_with_the_time_limit),
        TEST(children_end_with_the_program),
        TEST(a_descendant_that_keeps_the_pipe_is_not_waited_for),
        TEST(only_four_run_at_once),
        TEST(too_many_waiting_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
