/* Wire: what the simulated registers hold, known to who answers and to who counts.
 *
 *   0      number of this answer, from 0, modulo 2^16
 *   1      number of the device
 *   2-4    time of the answer, CLOCK_MONOTONIC in us, 48 bits, high word first
 *   5      a wave for the rule: 100, and 900 for 8 of 1,024 answers
 *   6      check: sum of registers 0 to 5, modulo 2^16
 *   7-9    constants, so that a device has ten readings
 *
 * On the serial line an eleventh register holds a constant too. */
#pragma once

#include <stdint.h>

#define WIRE_REGISTERS 11
#define WIRE_LIMIT     500 /* of the rule on register 5 */

static inline void wire_fill(uint16_t registers[WIRE_REGISTERS], uint32_t device, uint32_t number,
                             int64_t now_us)
{
    registers[0] = (uint16_t)number;
    registers[1] = (uint16_t)device;
    registers[2] = (uint16_t)(now_us >> 32);
    registers[3] = (uint16_t)(now_us >> 16);
    registers[4] = (uint16_t)now_us;
    registers[5] = (number + device) % 1024 < 8 ? 900 : 100;
    registers[6] = 0;
    for (int i = 0; i < 6; i++)
        registers[6] = (uint16_t)(registers[6] + registers[i]);
    for (int i = 7; i < WIRE_REGISTERS; i++)
        registers[i] = (uint16_t)(i * 1111);
}
