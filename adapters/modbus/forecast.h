/* Forecast: how much of a serial line's time the polls of its devices will take, before anything is
 * polled. Pure; any thread.
 *
 * A request takes its characters, the time that slaves commonly need (MB_TURNAROUND_US), those of
 * the answer, and the silence before it. Retries and dead devices are not foreseen. */
#pragma once

#include "adapters/modbus/device.h"

#define MB_TURNAROUND_US 5000

/* Of one character with its start, parity and stop bits, and of the silence between frames. */
int64_t mb_char_ns(const struct mb_bus_options *options);
int64_t mb_silence_ns(const struct mb_bus_options *options);

struct mb_forecast {
    double share;     /* of the line's time; devices without an interval do not count */
    int64_t cycle_us; /* for one poll of everything */
    size_t largest;   /* the device that takes most, and its share */
    double largest_share;
};

/* `config` was passed by the check. 0 or -ENOMEM. */
int mb_forecast(const struct bus_config *config, struct mb_forecast *ret);
