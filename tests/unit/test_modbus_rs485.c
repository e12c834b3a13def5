#include "adapters/modbus/rs485.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A pty knows neither RS-485 nor RTS: what would be said to a driver is written down instead. */
static char said[200];
static struct serial_rs485 config;
static int refuse;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *argument;

    (void)fd;
    va_start(args, request);
    argument = va_arg(args, void *);
    va_end(args);
    if (refuse) {
        errno = refuse;
        return -1;
    }
    if (request == TIOCSRS485) {
        config = *(struct serial_rs485 *)argument;
        strcat(said, "kernel ");
    } else if (request == TIOCMBIS || request == TIOCMBIC) {
        assert_int_equal(*(int *)argument, TIOCM_RTS);
        strcat(said, request == TIOCMBIS ? "high " : "low ");
    }
    return 0;
}

/* Its name on 32-bit ARM, where time is asked to have 64 bits. */
int __wrap___ioctl_time64(int fd, unsigned long request, ...)
    __attribute__((alias("__wrap_ioctl")));

static int open_pty(void **state)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    said[0] = '\0';
    refuse = 0;
    config = (struct serial_rs485){0};
    *state = (void *)(intptr_t)fd;
    return fd < 0;
}

static int close_pty(void **state)
{
    return close((int)(intptr_t)*state);
}

static void play(int fd, uint8_t mode)
{
    const struct mb_rs485 rs485 = {.mode = mode, .before_ms = 1, .after_ms = 2};

    assert_int_equal(mb_rs485_open(&rs485, fd), 0);
    assert_int_equal(mb_rs485_begin(&rs485, fd), 0);
    assert_int_equal(mb_rs485_end(&rs485, fd), 0);
}

static void an_adapter_that_switches_by_itself_is_told_nothing(void **state)
{
    play((int)(intptr_t)*state, MB_RS485_NONE);
    assert_string_equal(said, "");
}

static void the_kernel_is_told_once_with_its_delays(void **state)
{
    play((int)(intptr_t)*state, MB_RS485_KERNEL);
    assert_string_equal(said, "kernel ");
    assert_int_equal(config.flags, SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND);
    assert_int_equal(config.delay_rts_before_send, 1);
    assert_int_equal(config.delay_rts_after_send, 2);
}

static void the_kernel_may_be_told_the_other_polarity(void **state)
{
    play((int)(intptr_t)*state, MB_RS485_KERNEL_LOW);
    assert_int_equal(config.flags, SER_RS485_ENABLED | SER_RS485_RTS_AFTER_SEND);
}

static void rts_is_high_while_we_send_and_low_at_rest(void **state)
{
    play((int)(intptr_t)*state, MB_RS485_RTS);
    assert_string_equal(said, "low high low ");
}

static void or_the_other_way_round(void **state)
{
    play((int)(intptr_t)*state, MB_RS485_RTS_LOW);
    assert_string_equal(said, "high low high ");
}

static void a_driver_that_cannot_says_so(void **state)
{
    int fd = (int)(intptr_t)*state;

    refuse = ENOTTY;
    for (uint8_t mode = MB_RS485_KERNEL; mode <= MB_RS485_RTS_LOW; mode++) {
        const struct mb_rs485 rs485 = {.mode = mode};

        assert_int_equal(mb_rs485_open(&rs485, fd), -ENOTTY);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pty, close_pty)
    const struct CMUnitTest tests[] = {
        TEST(an_adapter_that_switches_by_itself_is_told_nothing),
        TEST(the_kernel_is_told_once_with_its_delays),
        TEST(the_kernel_may_be_told_the_other_polarity),
        TEST(rts_is_high_while_we_send_and_low_at_rest),
        TEST(or_the_other_way_round),
        TEST(a_driver_that_cannot_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
