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
struct sums sums_of(double value, double time);

/* Joins one sample into `to`, which is quicker than sums_join(). */
void sums_join_one(struct sums *to, double value, double time, enum sums_depth depth);

/* Joins `from` into `to`. */
void sums_join(struct sums *to, const struct sums *from, enum sums_depth depth);

/* Of at least one sample. Exact when all samples are equal. */
double sums_mean(const struct sums *sums);
/* Of at least two, with n - 1; exactly 0 when all are equal. */
double sums_stddev(const struct sums *sums);
/* Least squares per millisecond; NAN when all have one time. */
double sums_slope(const struct sums *sums);
double sums_total(const struct sums *sums);

/* Adds to a sum that keeps what rounding takes; for sums over ever. */
void sums_add(double *sum, double *low, double value);
