/* Numbers: a column of doubles in few bytes, and back bit by bit. Pure.
 *
 * What sensors say is mostly a whole number times a power of ten (23.4, or 234 registers of 0.1),
 * so the form is looked for that holds for all of a column:
 *
 *   0..9    v = k / 10^d       k as the difference to the one before, zigzag varint
 *   16..25  v = k * 10^-d      likewise: what a register times 0.1 gives is not what 23.4 is
 *   32, 33  a float, a double  xor with the one before: a byte with how many bytes are 0 in front
 *                           (high half) and behind, then the others, the highest first
 *
 * The column begins with that byte. Its length is not in it. */
#pragma once

#include "gateway/store/bytes.h"

void numbers_encode(struct bytes *to, const double *numbers, size_t count);

/* How many decimals all of them need; -1 when that is not how they are made. */
int numbers_decimals(const double *numbers, size_t count);

/* false when the bytes are no such column. */
bool numbers_decode(struct bytes_reader *from, double *numbers, size_t count);
