/* Scale: raw numbers to values, value = raw * scale + offset, without the dust that binary
 * fractions leave: 3 * 0.1 is 0.3 here. Pure; any thread. */
#pragma once

struct scale {
    double factor, offset;
    int decimals; /* scale_decimals() of both */
};

/* Places behind the point that raw * factor + offset can have when `raw` is a whole number, as the
 * two are written: 0.1 and 0 have 1. -1 when there is no telling (1e-9, a third). */
int scale_decimals(double factor, double offset);

struct scale scale_make(double factor, double offset);

/* `raw_decimals`: places that `raw` had where it was read, 0 for a whole number, -1 when there is
 * no telling. May be infinite when the numbers are too large. */
double scale_apply(const struct scale *scale, double raw, int raw_decimals);
