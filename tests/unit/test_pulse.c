#include "gateway/pulse.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "tests/unit/made_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>

#define INTERVAL_US 20000 /* a beat each 10 ms */

/* What systemd would hear, and parts that get on or do not. */
struct fixture {
    struct files files;
    struct loop *loop;
    struct timer *end;
    struct pulse *pulse;
    int fd;
    int64_t first_ms, second_ms;
};

static int64_t first_stuck_ms(void *owner)
{
    return ((struct fixture *)owner)->first_ms;
}

static int64_t second_stuck_ms(void *owner)
{
    return ((struct fixture *)owner)->second_ms;
}

static const struct pulse_part parts[] = {
    {"the first", first_stuck_ms}, {"the second", second_stuck_ms}, {0}};

static void end(void *owner)
{
    loop_stop(((struct fixture *)owner)->loop);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[FILES_PATH_MAX];

    files_init(&f->files);
    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s",
             files_path(&f->files, "notify", path));
    f->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    f->loop = loop_new();
    f->end = timer_new(f->loop, end, f);
    *state = f;
    return bind(f->fd, (struct sockaddr *)&address, sizeof(address));
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    pulse_stop(f->pulse);
    timer_free(f->end);
    loop_free(f->loop);
    close(f->fd);
    files_remove(&f->files, "");
    free(f);
    unsetenv("NOTIFY_SOCKET");
    return 0;
}

/* How many signs of life come while the loop runs for so long. */
static unsigned count_beats(struct fixture *f, int64_t run_ms)
{
    char text[64] = "";
    unsigned count = 0;

    timer_at(f->end, clock_boot_ms() + run_ms);
    loop_run(f->loop);
    for (ssize_t n; (n = recv(f->fd, text, sizeof(text) - 1, 0)) > 0; count++) {
        text[n] = '\0';
        assert_string_equal(text, "WATCHDOG=1");
    }
    return count;
}

static void signs_of_life_come_in_time(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(pulse_start(f->loop, INTERVAL_US, parts, f, &f->pulse), 0);
    assert_in_range(count_beats(f, 100), 2, 11);
}

static void where_nobody_asks_there_are_none(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(pulse_start(f->loop, 0, parts, f, &f->pulse), 0);
    assert_null(f->pulse);
    assert_int_equal(count_beats(f, 30), 0);
}

static void they_stop_while_a_part_hangs(void **state)
{
    struct fixture *f = *state;
    f->second_ms = PULSE_PATIENCE_MS;
    assert_int_equal(pulse_start(f->loop, INTERVAL_US, parts, f, &f->pulse), 0);
    assert_int_equal(count_beats(f, 100), 0);
    f->second_ms = 0;
    assert_true(count_beats(f, 100) > 0);
}

static void what_only_takes_its_time_is_not_stuck(void **state)
{
    struct fixture *f = *state;
    f->first_ms = PULSE_PATIENCE_MS - 1;
    assert_null(pulse_find_stuck(parts, f));
    f->first_ms++;
    assert_string_equal(pulse_find_stuck(parts, f)->name, "the first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signs_of_life_come_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(where_nobody_asks_there_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(they_stop_while_a_part_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(what_only_takes_its_time_is_not_stuck, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
