/* Held: the newest answers of one device as they came, so that another master who asks for the same
 * registers need not ask the device. Pure; one thread at a time. */
#pragma once

#include "adapters/modbus/pdu.h"

#define MB_HELD_MAX 16

struct mb_held {
    size_t n, next; /* the oldest is overwritten */
    struct mb_held_answer {
        struct mb_request request;
        int64_t at_ms;
        uint8_t data[2 * MB_REGISTERS_MAX];
    } list[MB_HELD_MAX];
};

/* Keeps the answer to a read. */
void mb_held_put(struct mb_held *held, const struct mb_request *request, const uint8_t *data,
                 int64_t at_ms);

/* Somebody has written: what was read before may not hold any more. */
void mb_held_forget(struct mb_held *held);

/* The answer to `request` out of one that is not older than `since_ms`; NULL when there is none.
 * Registers may be a part of those that were read, bits are the same. */
const uint8_t *mb_held_find(const struct mb_held *held, const struct mb_request *request,
                            int64_t since_ms);
