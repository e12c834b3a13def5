/* RS-485: who switches the driver of a two-wire line on for a request and off again. Most USB
 * sticks do it by themselves; ports of a board often want the kernel to (TIOCSRS485), or the RTS
 * line. The worker's thread. */
#pragma once

#include <stdint.h>

enum mb_rs485_mode {
    MB_RS485_NONE,       /* nobody: the adapter does it */
    MB_RS485_KERNEL,     /* the kernel, RTS high while sending */
    MB_RS485_KERNEL_LOW, /* the kernel, RTS low while sending */
    MB_RS485_RTS,        /* we, RTS high while sending */
    MB_RS485_RTS_LOW,    /* we, RTS low while sending */
};

struct mb_rs485 {
    uint8_t mode; /* enum mb_rs485_mode */
    int64_t before_ms,
        after_ms; /* between the switch and the first bit, the last bit and the switch */
};

/* Sets the line up as it is at rest. 0, or -Exxx: its driver cannot switch. */
int mb_rs485_open(const struct mb_rs485 *rs485, int fd);

/* Around a request, which must be written in full: nothing but in the last two modes. */
int mb_rs485_begin(const struct mb_rs485 *rs485, int fd);
int mb_rs485_end(const struct mb_rs485 *rs485, int fd);
