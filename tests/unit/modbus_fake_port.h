/* A port whose devices are lines of a table: for the tests of scans and signatures. */
#pragma once

#include "adapters/modbus/port.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/reading.h"

#include <stddef.h>
#include <string.h>

/* Registers of one kind of a unit, from `address` on; anything else of a unit that is there is
 * answered with exception 2. */
struct fake_registers {
    uint8_t unit, function;
    uint16_t address, count;
    const uint8_t *bytes;
};

struct fake_port {
    struct mb_port port;
    const struct fake_registers *list;
    size_t n;
    unsigned asked;
    uint8_t absent; /* how those are told that are not there; 0: silence */
};

static inline uint8_t fake_ask(struct mb_port *port, uint8_t unit, const struct mb_request *request,
                               int64_t timeout_ms, const uint8_t **ret_data, struct error *reterr)
{
    struct fake_port *self = enclosing(port, struct fake_port, port);
    uint8_t quality = self->absent ? self->absent : QUALITY_TIMEOUT;

    (void)timeout_ms;
    (void)reterr;
    self->asked++;
    for (size_t i = 0; i < self->n; i++) {
        const struct fake_registers *registers = &self->list[i];
        unsigned end = registers->address + (unsigned)registers->count;

        if (registers->unit != unit)
            continue;
        quality = QUALITY_EXCEPTION + 2;
        if (registers->function != request->function || request->address < registers->address ||
            request->address + (unsigned)request->count > end)
            continue;
        *ret_data = registers->bytes + (size_t)2 * (request->address - registers->address);
        return QUALITY_GOOD;
    }
    return quality;
}
