#include "rules/climate.h"

#include <math.h>

double dew_point(double temp_c, double humidity)
{
    if (humidity <= 0 || temp_c <= -243.12)
        return (double)NAN;
    double gamma = log(humidity / 100) + 17.62 * temp_c / (243.12 + temp_c);
    return 243.12 * gamma / (17.62 - gamma);
}

/* In °F, as it is published. */
static double regression(double t, double r)
{
    double index = -42.379 + 2.04901523 * t + 10.14333127 * r - 0.22475541 * t * r -
                   6.83783e-3 * t * t - 5.481717e-2 * r * r + 1.22874e-3 * t * t * r +
                   8.5282e-4 * t * r * r - 1.99e-6 * t * t * r * r;
    if (r < 13 && t >= 80 && t <= 112)
        index -= (13 - r) / 4 * sqrt((17 - fabs(t - 95)) / 17);
    else if (r > 85 && t >= 80 && t <= 87)
        index += (r - 85) / 10 * ((87 - t) / 5);
    return index;
}

double heat_index(double temp_c, double humidity)
{
    double t = temp_c * 1.8 + 32;
    double index = (t + 0.5 * (t + 61 + (t - 68) * 1.2 + humidity * 0.094)) / 2;
    if (index >= 80)
        index = regression(t, humidity);
    return (index - 32) / 1.8;
}
