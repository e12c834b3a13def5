/* File: the temperature in the folder that the kernel has of a sensor. Blocks for its conversion;
 * for workers. */
#pragma once

#include "adapters/onewire/decode.h"

/* `*ret_error` is 0, or what open(2) and read(2) said; the quality then is that of the error. */
struct onewire_value onewire_file_read(const char *folder, uint8_t family, int *ret_error);
