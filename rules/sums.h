/* Sums: what is known of a set of samples, in a form in which two sets can be joined. Pure.
 *
 * Nothing is ever subtracted: a window that slides gets its sums from joining (slide.h), so no
 * error stays behind when a large value has gone. */
#pragma once

#include <stdbool.h>

/* Zeroed: no samples. Times are milliseconds after an epoch that the owner chooses. `area` and
 * `growth` belong to the pairs of a sample and the next one. */
struct sums {
    double n;
    double sum, low; /* together: `low` has what rounding took from `sum` */
    double xx;       /* squares of the distances from the mean */
    double min, max;
    double t, tt, tx; /* mean time; squares and products of distances */
    double area;      /* under the trapezoids */
    double growth;    /* of a counter */
};

/* How much of it is kept: what nobody asks for costs most of the time, for it takes divisions. Each
 * has all of those before it. */
enum sums_depth {
    SUMS_PLAIN,  /* all but the following */
    SUMS_SPREAD, /* xx */
    SUMS_LINE    /* t, tt, tx */
};

/* One sample alone. */
static inline struct sums sums_of(double value, double time)
{
    return (struct sums){.n = 1, .sum = value, .min = value, .max = value, .t = time};
}

/* Adds to a sum that keeps what rounding takes: Knuth's exact sum of two. */
static inline void sums_add(double *sum, double *low, double value)
{
    double total = *sum + value;
    double part = total - *sum;
    *low += (*sum - (total - part)) + (value - part);
    *sum = total;
}

/* For sums_join_one(). */
static inline void sums_spread_one(struct sums *to, double value, double time,
                                   enum sums_depth depth)
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

/* Joins one sample into `to`: sums_join() of sums_of(), in which much is 0 or 1. Here, and not in
 * sums.c, for each sample of a window comes this way three times. */
static inline void sums_join_one(struct sums *to, double value, double time, enum sums_depth depth)
{
    if (to->n == 0) {
        *to = sums_of(value, time);
        return;
    }
    if (depth >= SUMS_SPREAD)
        sums_spread_one(to, value, time, depth);
    sums_add(&to->sum, &to->low, value);
    to->min = value < to->min ? value : to->min;
    to->max = value > to->max ? value : to->max;
    to->n++;
}

/* Joins `from` into `to`. */
void sums_join(struct sums *to, const struct sums *from, enum sums_depth depth);

/* Of at least one sample. Exact when all samples are equal. */
double sums_mean(const struct sums *sums);
/* Of at least two, with n - 1; exactly 0 when all are equal. */
double sums_stddev(const struct sums *sums);
/* Least squares per millisecond; NAN when all have one time. */
double sums_slope(const struct sums *sums);
double sums_total(const struct sums *sums);
