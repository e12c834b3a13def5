/* Plan: from the channels of a device to the fewest reads that get them. Pure; any thread. */
#pragma once

#include "adapters/modbus/pdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one channel needs. */
struct mb_span {
    uint8_t function;        /* enum mb_function that reads it */
    uint16_t address, count; /* registers or bits; address + count <= 65536 */
    int64_t every_ms;        /* how often it is wanted; 0: with each poll */
};

/* One read: the spans order[first] to order[first + n_spans - 1] lie within it, and are wanted
 * equally often. */
struct mb_block {
    struct mb_request request;
    uint32_t first, n_spans;
    int64_t every_ms, due_ms;
    bool cut;  /* from the one before it: see cuts.h */
    bool half; /* of one that this poll has cut */
};

struct mb_limits {
    unsigned max_registers; /* of one read; bits: sixteen times as many, at most MB_BITS_MAX */
    unsigned max_gap;       /* registers (or 16 bits each) that are read and thrown away */
};

/* Puts the indices of the `n` spans into `ret_order`, sorted by function, interval and address, and
 * what reads them into `ret_blocks`; both have room for `n`. A span that is wider than a read may
 * be gets a block of its own all the same: the caller has refused it before. Returns the number of
 * blocks. */
size_t mb_plan(const struct mb_span *spans, size_t n, const struct mb_limits *limits,
               uint32_t *ret_order, struct mb_block *ret_blocks);
