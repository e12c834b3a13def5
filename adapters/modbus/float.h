/* Float: numbers of 16 and 32 bits as the decimal ones that were meant. Pure; any thread.
 *
 * A meter that shows 21.3 sends the float next to it, which as a double is 21.299999237060547. The
 * shortest decimal number that this float could stand for is 21.3. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction. */
double mb_half_to_double(uint16_t raw);

/* The nearest half, ties to even; false when it is beyond the largest, or not finite. */
bool mb_half_from_double(double number, uint16_t *ret_raw);

/* For a finite `exact` that came out of a float of `bits` (16 or 32): the double nearest to the
 * decimal number with the fewest places that this float is nearest to. Made a float again it is the
 * same to the bit. Whole numbers stay what they are; so do those too small for 22 places (below
 * some 1e-14). *ret_places: how many it has, -1 when there is no telling. */
double mb_float_shorten(double exact, unsigned bits, int *ret_places);
