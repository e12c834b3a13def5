#include "rules/sums.h"

#include <math.h>

struct sums sums_of(double value, double time)
{
    return (struct sums){.n = 1, .sum = value, .min = value, .max = value, .t = time};
}

/* Knuth's exact sum of two: what is lost in the rounding of `sum` goes to `low`. */
void sums_add(double *sum, double *low, double value)
{
    double total = *sum + value;
    double part = total - *sum;
    *low += (*sum - (total - part)) + (value - part);
    *sum = total;
}

/* Chan's formulas for joining two sets: the deviations of each from its own mean, and that of the
 * means. `apart` is the distance of the means times both counts, which saves two divisions. */
static void join_spread(struct sums *to, const struct sums *from, enum sums_depth depth)
{
    double n = to->n + from->n, counts = to->n * from->n;
    double apart = (from->sum + from->low) * to->n - (to->sum + to->low) * from->n;
    to->xx += from->xx + apart * apart / (counts * n);
    if (depth < SUMS_LINE)
        return;
    double part = 1 / n, dt = from->t - to->t;
    to->tt += from->tt + dt * dt * counts * part;
    to->tx += from->tx + dt * apart * part;
    to->t += dt * from->n * part;
}

void sums_join(struct sums *to, const struct sums *from, enum sums_depth depth)
{
    if (from->n == 0)
        return;
    if (to->n == 0) {
        *to = *from;
        return;
    }
    if (depth >= SUMS_SPREAD)
        join_spread(to, from, depth);
    sums_add(&to->sum, &to->low, from->sum);
    to->low += from->low;
    to->min = from->min < to->min ? from->min : to->min;
    to->max = from->max > to->max ? from->max : to->max;
    to->area += from->area;
    to->growth += from->growth;
    to->n += from->n;
}

/* The same of one sample, in which much is 0 or 1. */
static void spread_one(struct sums *to, double value, double time, enum sums_depth depth)
{
    double n = to->n + 1, apart = value * to->n - (to->sum + to->low);
    to->xx += apart * apart / (to->n * n);
    if (depth < SUMS_LINE)
        return;
    double part = 1 / n, dt = time - to->t;
    to->tt += dt * dt * to->n * part;
    to->tx += dt * apart * part;
    to->t += dt * part;
}

void sums_join_one(struct sums *to, double value, double time, enum sums_depth depth)
{
    if (to->n == 0) {
        *to = sums_of(value, time);
        return;
    }
    if (depth >= SUMS_SPREAD)
        spread_one(to, value, time, depth);
    sums_add(&to->sum, &to->low, value);
    to->min = value < to->min ? value : to->min;
    to->max = value > to->max ? value : to->max;
    to->n++;
}

double sums_total(const struct sums *sums)
{
    return sums->sum + sums->low;
}

double sums_mean(const struct sums *sums)
{
    return sums->min == sums->max ? sums->min : sums_total(sums) / sums->n;
}

double sums_stddev(const struct sums *sums)
{
    return sums->min == sums->max ? 0 : sqrt(sums->xx / (sums->n - 1));
}

double sums_slope(const struct sums *sums)
{
    if (!(sums->tt > 0))
        return (double)NAN;
    return sums->min == sums->max ? 0 : sums->tx / sums->tt;
}
