/* A stretch of a series that grows and shrinks at random, held against sums made anew. */
#include "rules/slide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#define CAPACITY 300
#define STALE_MS 5000
#define STEPS    20000

struct stretch {
    struct entry ring[CAPACITY + 2];
    struct series series;
    struct slide slide;
    void *memory;
    uint64_t first; /* of those inside; the newest sample is not in the sums: its pair is open */
    int64_t now_ms;
    uint64_t seed;
};

static uint64_t draw(struct stretch *stretch, uint64_t below)
{
    stretch->seed = stretch->seed * 6364136223846793005u + 1442695040888963407u;
    return (stretch->seed >> 33) % below;
}

static struct stretch *open_stretch(enum sums_depth depth)
{
    struct stretch *stretch = calloc(1, sizeof *stretch);
    assert_non_null(stretch);
    stretch->series =
        (struct series){.ring = stretch->ring, .capacity = CAPACITY + 2, .stale_ms = STALE_MS};
    stretch->memory = malloc(slide_bytes(CAPACITY));
    assert_non_null(stretch->memory);
    slide_init(&stretch->slide, CAPACITY, depth, true, stretch->memory);
    return stretch;
}

static void close_stretch(struct stretch *stretch)
{
    free(stretch->memory);
    free(stretch);
}

static void push(struct stretch *stretch, double number)
{
    struct series *series = &stretch->series;
    stretch->now_ms += (int64_t)draw(stretch, 50) == 0 ? 60000 : (int64_t)draw(stretch, 2000);
    series_push(series, (struct entry){.at_ms = stretch->now_ms, .number = number});
    if (series->end - stretch->first == 1)
        slide_reset(&stretch->slide, series, series->end - 1);
    else
        slide_fold(&stretch->slide, series, series->end - 2);
}

static void drop(struct stretch *stretch)
{
    uint64_t oldest = stretch->first++;
    if (stretch->first < stretch->series.end)
        slide_drop(&stretch->slide, &stretch->series, oldest, stretch->series.end - 1);
}

static struct sums reckon(const struct stretch *stretch)
{
    const struct series *series = &stretch->series;
    struct sums sums = {0};
    for (uint64_t i = stretch->first; i + 1 < series->end; i++) {
        const struct entry *a = series_at(series, i), *b = series_at(series, i + 1);
        sums_join_one(&sums, a->number, slide_time(&stretch->slide, a->at_ms), SUMS_LINE);
        if (b->at_ms - a->at_ms <= STALE_MS)
            sums.area += (a->number + b->number) / 2 * (double)(b->at_ms - a->at_ms);
        sums.growth += series_growth(a->number, b->number);
    }
    return sums;
}

static void expect_near(double is, double wanted, double size)
{
    if (fabs(is - wanted) > 1e-9 * fmax(size, 1))
        fail_msg("%.17g is not %.17g", is, wanted);
}

static void compare(const struct stretch *stretch, enum sums_depth depth)
{
    struct sums is, wanted = reckon(stretch);
    slide_sums(&stretch->slide, &is);
    double size = fmax(fabs(wanted.min), fabs(wanted.max)) * fmax(wanted.n, 1);
    assert_true(is.n == wanted.n);
    if (wanted.n == 0)
        return;
    assert_true(is.min == wanted.min && is.max == wanted.max);
    expect_near(sums_total(&is), sums_total(&wanted), size);
    expect_near(is.area, wanted.area, size * 5000);
    expect_near(is.growth, wanted.growth, size);
    if (depth >= SUMS_SPREAD)
        expect_near(is.xx, wanted.xx, wanted.xx);
    if (depth >= SUMS_LINE) {
        expect_near(is.t, wanted.t, wanted.t);
        expect_near(is.tt, wanted.tt, wanted.tt);
        expect_near(is.tx, wanted.tx, sqrt(wanted.tt * wanted.xx));
    }
}

/* Long runs of one kind, so that the stretch is full, empty and all between. */
static void walk(enum sums_depth depth)
{
    struct stretch *stretch = open_stretch(depth);
    bool grows = true;
    for (int i = 0; i < STEPS; i++) {
        uint64_t inside = stretch->series.end - stretch->first;
        if (draw(stretch, 60) == 0)
            grows = !grows;
        if (inside == 0 || (inside <= CAPACITY && grows))
            push(stretch, 20 + (double)draw(stretch, 1000) / 100);
        else
            drop(stretch);
        compare(stretch, depth);
    }
    close_stretch(stretch);
}

static void plain_sums_are_those_made_anew(void **state)
{
    (void)state;
    walk(SUMS_PLAIN);
}

static void so_are_those_with_the_spread(void **state)
{
    (void)state;
    walk(SUMS_SPREAD);
}

static void and_those_with_the_line(void **state)
{
    (void)state;
    walk(SUMS_LINE);
}

static void what_was_very_large_leaves_nothing_behind(void **state)
{
    (void)state;
    struct stretch *stretch = open_stretch(SUMS_SPREAD);
    push(stretch, 1e15);
    for (int i = 0; i < 100; i++)
        push(stretch, 0.1);
    drop(stretch);
    struct sums sums;
    slide_sums(&stretch->slide, &sums);
    assert_true(sums_mean(&sums) == 0.1);
    assert_true(sums_stddev(&sums) == 0);
    close_stretch(stretch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_sums_are_those_made_anew),
        cmocka_unit_test(so_are_those_with_the_spread),
        cmocka_unit_test(and_those_with_the_line),
        cmocka_unit_test(what_was_very_large_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
