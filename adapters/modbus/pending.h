/* Pending: what a slave may still answer, where answers carry no number of their request (RTU).
 * Pure.
 *
 * A slave that is slow answers a request that was given up, and the answer looks like that to the
 * next: the same unit, the same function, the same length, other registers. Two facts help: slaves
 * answer one after another, and an answer shows its function and length. So a request goes out only
 * in a shape in which nothing older can be answered any more:
 *
 *   1. as it is wanted, when nothing of that function and length is pending;
 *   2. some registers longer, unless the slave refuses that;
 *   3. behind an echo (function 8, with a number of its own; slaves that do not know it answer with
 * an exception of that function): when it is answered, all that went before has been;
 *   4. not at all until what is pending is older than any slave is late. */
#pragma once

#include "adapters/modbus/pdu.h"

#define MB_PENDING_MAX 24

/* Later than this no slave answers. */
#define MB_LATE_MS 5000

struct mb_pending {
    struct mb_asked {
        int64_t at_ms;
        uint16_t answer; /* bytes of the answer that it asks for */
        uint8_t function;
        bool longer;         /* than what was wanted */
    } asked[MB_PENDING_MAX]; /* in the order in which they went out; the last is the present one */
    uint8_t n;
    bool strict;   /* refuses longer reads */
    uint16_t echo; /* number of the last one */
};

enum mb_ask {
    MB_ASK,  /* *ret gets what is wanted, perhaps more behind it */
    MB_ECHO, /* *ret is an echo: ask it first */
    MB_HOLD, /* nothing may be asked now */
};

/* What to send for `wanted`; registers are added up to `max_registers`. What it says is taken as
 * sent. */
enum mb_ask mb_pending_next(struct mb_pending *pending, const struct mb_request *wanted,
                            unsigned max_registers, int64_t now_ms, struct mb_request *ret);

/* Beside the qualities: what was wanted is to be asked (anew) by mb_pending_next(). */
#define MB_AGAIN (QUALITY_MAX + 1)

/* How what was sent last has ended; returns what counts for what was wanted. An exception that may
 * belong to an older request counts as silence. */
uint8_t mb_pending_end(struct mb_pending *pending, uint8_t quality);
