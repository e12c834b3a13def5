/* Write: from a value for a channel to the request that writes it. Pure; any thread. */
#pragma once

#include "adapters/modbus/options.h"

/* QUALITY_GOOD with *ret; QUALITY_OUT_OF_RANGE when the registers cannot hold the number, or would
 * say "no sensor" with it; QUALITY_ERROR when the channel is not writable. */
uint8_t mb_write_build(const struct mb_channel *channel, double number, struct mb_request *ret);
