#include "adapters/modbus/rs485.h"

#include <errno.h>
#include <linux/serial.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

static bool is_ours(const struct mb_rs485 *rs485)
{
    return rs485->mode == MB_RS485_RTS || rs485->mode == MB_RS485_RTS_LOW;
}

static int set_rts(int fd, bool high)
{
    const int bit = TIOCM_RTS;

    return ioctl(fd, high ? TIOCMBIS : TIOCMBIC, &bit) < 0 ? -errno : 0;
}

static void rest(int64_t ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    while (ms > 0 && nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}

/* The polarity at rest is the opposite of that while sending; a driver that is told neither keeps
 * RTS where it was. */
static int open_kernel(const struct mb_rs485 *rs485, int fd)
{
    const struct serial_rs485 config = {
        .flags = SER_RS485_ENABLED | (rs485->mode == MB_RS485_KERNEL ? SER_RS485_RTS_ON_SEND
                                                                     : SER_RS485_RTS_AFTER_SEND),
        .delay_rts_before_send = (uint32_t)rs485->before_ms,
        .delay_rts_after_send = (uint32_t)rs485->after_ms,
    };

    return ioctl(fd, TIOCSRS485, &config) < 0 ? -errno : 0;
}

int mb_rs485_open(const struct mb_rs485 *rs485, int fd)
{
    switch (rs485->mode) {
    case MB_RS485_KERNEL:
    case MB_RS485_KERNEL_LOW:
        return open_kernel(rs485, fd);
    case MB_RS485_RTS:
    case MB_RS485_RTS_LOW:
        return set_rts(fd, rs485->mode == MB_RS485_RTS_LOW);
    default:
        return 0;
    }
}

int mb_rs485_begin(const struct mb_rs485 *rs485, int fd)
{
    int r;

    if (!is_ours(rs485))
        return 0;
    r = set_rts(fd, rs485->mode == MB_RS485_RTS);
    rest(rs485->before_ms);
    return r;
}

/* The driver must not be off before the last bit is out, and not much later either: slaves answer
 * after 3.5 characters. */
int mb_rs485_end(const struct mb_rs485 *rs485, int fd)
{
    if (!is_ours(rs485))
        return 0;
    if (tcdrain(fd) < 0)
        return -errno;
    rest(rs485->after_ms);
    return set_rts(fd, rs485->mode == MB_RS485_RTS_LOW);
}
