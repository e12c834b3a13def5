#include "rules/sums.h"

#include <math.h>

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
