#include "adapters/modbus/float.h"

#include <math.h>

#define HALF_MAX 65504.0

/* All of them are exact. */
static const double powers_of_10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define N_POWERS ((int)(sizeof(powers_of_10) / sizeof(*powers_of_10)))

double mb_half_to_double(uint16_t raw)
{
    int exponent = raw >> 10 & 0x1f;
    double fraction = raw & 0x3ff;
    double value;

    if (exponent == 0x1f)
        value = fraction > 0 ? NAN : INFINITY;
    else if (exponent == 0)
        value = ldexp(fraction, -24);
    else
        value = ldexp(fraction + 1024.0, exponent - 25);
    return raw & 0x8000 ? -value : value;
}

/* The exponent of a half is at least that of the smallest normal one: below, steps stay as they
 * are. A fraction that is rounded up to 2048 carries into the exponent by itself. */
bool mb_half_from_double(double number, uint16_t *ret_raw)
{
    uint16_t sign = signbit(number) ? 0x8000 : 0;
    double magnitude = fabs(number), steps;
    int exponent;

    if (!(magnitude < HALF_MAX + 16)) /* from there on the nearest would be the one behind it */
        return false;
    frexp(magnitude, &exponent); /* magnitude < 2^exponent */
    if (exponent < -13 || magnitude == 0)
        exponent = -13;
    steps =
        nearbyint(ldexp(magnitude, 11 - exponent)); /* 1024 to 2048, or fewer for the smallest */
    *ret_raw = (uint16_t)(sign | ((unsigned)(exponent + 13) * 1024 + (unsigned)steps));
    return true;
}

static double narrow(double number, unsigned bits)
{
    uint16_t raw;

    if (bits == 32)
        return (double)(float)number;
    return mb_half_from_double(number, &raw) ? mb_half_to_double(raw) : INFINITY;
}

/* A few multiplications and divisions, no text. `whole / power` is the double nearest to the
 * decimal number because both are exact. */
double mb_float_shorten(double exact, unsigned bits, int *ret_places)
{
    for (int places = 0; places < N_POWERS; places++) {
        double whole = nearbyint(exact * powers_of_10[places]);
        double candidate = whole / powers_of_10[places];

        if (fabs(whole) >= 0x1p53)
            break;
        if (narrow(candidate, bits) == exact) {
            *ret_places = places;
            return candidate;
        }
    }
    *ret_places = -1;
    return exact;
}
