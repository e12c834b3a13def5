#include "adapters/scale.h"

#include "gateway/base/text.h"

#include <math.h>
#include <string.h>

/* Below this a product is off by far less than a half, so that rounding it finds the whole number
 * that was meant. */
#define SURE 0x1p48

/* Places of a number as it is written; -1 when that takes an exponent or more than a double holds.
 */
static int places(double number)
{
    char text[32];
    const char *point;
    size_t count;

    text_from_number(text, sizeof(text), number, -1);
    if (strpbrk(text, "einf"))
        return -1;
    point = strchr(text, '.');
    count = point ? strlen(point + 1) : 0;
    return count <= TEXT_DECIMALS_MAX ? (int)count : -1;
}

int scale_decimals(double factor, double offset)
{
    int of_factor = places(factor), of_offset = places(offset);

    if (of_factor < 0 || of_offset < 0)
        return -1;
    return of_factor > of_offset ? of_factor : of_offset;
}

struct scale scale_make(double factor, double offset)
{
    return (struct scale){factor, offset, scale_decimals(factor, offset)};
}

/* The value is a whole number of the smallest step it can have. Dividing that number by a power of
 * ten is rounded once, and so gives the double nearest to the decimal one. */
double scale_apply(const struct scale *scale, double raw, int raw_decimals)
{
    double value = raw * scale->factor + scale->offset;
    double power, steps;

    if (scale->factor == 1 && scale->offset == 0)
        return raw + 0.0; /* most channels; never -0 */
    if (scale->decimals < 0 || raw_decimals < 0 ||
        scale->decimals + raw_decimals > TEXT_DECIMALS_MAX)
        return value;
    power = pow(10, scale->decimals + raw_decimals); /* exact up to 10^22 */
    steps = value * power;
    if (!(fabs(steps) < SURE) || !(fabs(raw * scale->factor) * power < SURE))
        return value;
    return nearbyint(steps) / power + 0.0; /* never -0 */
}
