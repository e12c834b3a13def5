/* Slide: the sums over a stretch of a series that grows at its new end and shrinks at its old one.
 *
 * The stretch has a front and a back. The back is one sum, to which new samples are joined. Of the
 * front there is, for each block of samples, the sum from there to the front's end; inside the
 * oldest block for each sample. Taking the oldest away means using the next of these. When the
 * front is used up, the back becomes the front, its sums computed once. So each sample is joined
 * three times, nothing is ever subtracted, and memory is a fraction of that of the samples.
 *
 *   oldest [fine fine fine | block | block | block ] [ back ] newest (not inside: its pair is open)
 */
#pragma once

#include "rules/series.h"
#include "rules/sums.h"

#include <stddef.h>

#define SLIDE_BLOCK 32

struct slide {
    struct sums *blocks, *fine;
    uint64_t start;     /* where the blocks begin */
    uint64_t front_end; /* first sample of the back */
    int64_t epoch_ms;   /* of the times in the sums */
    enum sums_depth depth;
    bool pairs;               /* area and growth are wanted, too */
    const struct sums *front; /* one of `fine`; NULL: it is used up */
    struct sums back;
};

/* Bytes of `blocks` and `fine` together, for stretches of up to `capacity` samples. */
size_t slide_bytes(uint32_t capacity);
/* `memory` has slide_bytes(). */
void slide_init(struct slide *slide, uint32_t capacity, enum sums_depth depth, bool pairs,
                void *memory);

/* Empty; the next sample that is folded is `number`. */
void slide_reset(struct slide *slide, const struct series *series, uint64_t number);

/* Sample `number`, the next one, goes in; the one after it must be there. */
void slide_fold(struct slide *slide, const struct series *series, uint64_t number);

/* Sample `oldest` goes; those up to before `end` are inside. */
void slide_drop(struct slide *slide, const struct series *series, uint64_t oldest, uint64_t end);

/* Of all that is inside. */
void slide_sums(const struct slide *slide, struct sums *ret_sums);
double slide_time(const struct slide *slide, int64_t at_ms);
