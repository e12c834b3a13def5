/* Pace: when the next request of a connection may go out, and when one that failed may be opened
 * again. Pure; any thread. */
#pragma once

#include "adapters/modbus/options.h"

struct mb_pace {
    int64_t up_ms, ended_ms; /* connected; the last exchange was over */
    int64_t hold_ms;         /* nothing goes out before, whatever the options say */
    int16_t last_unit;       /* that was asked; -1: none yet */
    uint32_t failures;       /* connections in a row that gave no answer */
    uint64_t random;         /* any start will do */
};

void mb_pace_up(struct mb_pace *pace, int64_t now_ms);

/* When a request to `unit` may go out; 0: at any time. */
int64_t mb_pace_ready_ms(const struct mb_pace *pace, const struct mb_bus_options *options,
                         uint8_t unit);

/* The pause before the next attempt; counts a failure. Nearly none after a short outage, so that a
 * peer that was restarted is back within five seconds; a minute for one that is gone. +-20 %, so
 * that a thousand devices behind one switch do not come back in one instant. */
int64_t mb_pace_retry_ms(struct mb_pace *pace);
