#include "rules/slide.h"

static size_t fine_count(uint32_t capacity)
{
    return capacity < SLIDE_BLOCK ? capacity + 1 : SLIDE_BLOCK;
}

static size_t block_count(uint32_t capacity)
{
    return capacity / SLIDE_BLOCK + 2;
}

size_t slide_bytes(uint32_t capacity)
{
    return (fine_count(capacity) + block_count(capacity)) * sizeof(struct sums);
}

void slide_init(struct slide *slide, uint32_t capacity, enum sums_depth depth, bool pairs,
                void *memory)
{
    slide->depth = depth;
    slide->pairs = pairs;
    slide->fine = memory;
    slide->blocks = slide->fine + fine_count(capacity);
}

double slide_time(const struct slide *slide, int64_t at_ms)
{
    return (double)(at_ms - slide->epoch_ms);
}

/* Joins the pair that a sample makes with the next one. */
static void join_pair(const struct series *series, uint64_t number, struct sums *to)
{
    const struct entry *a = series_at(series, number), *b = series_at(series, number + 1);
    int64_t ms = b->at_ms - a->at_ms;
    if (ms <= series->stale_ms)
        to->area += (a->number + b->number) / 2 * (double)ms;
    to->growth += series_growth(a->number, b->number);
}

static void join(const struct slide *slide, const struct series *series, uint64_t number,
                 struct sums *to)
{
    const struct entry *entry = series_at(series, number);
    sums_join_one(to, entry->number, slide_time(slide, entry->at_ms), slide->depth);
    if (slide->pairs)
        join_pair(series, number, to);
}

void slide_reset(struct slide *slide, const struct series *series, uint64_t number)
{
    slide->start = slide->front_end = number;
    slide->front = NULL;
    slide->back = (struct sums){0};
    slide->epoch_ms = series_at(series, number)->at_ms;
}

void slide_fold(struct slide *slide, const struct series *series, uint64_t number)
{
    join(slide, series, number, &slide->back);
}

/* The back becomes the front. */
static void turn(struct slide *slide, const struct series *series, uint64_t oldest, uint64_t end)
{
    size_t block = (size_t)((end - oldest + SLIDE_BLOCK - 1) / SLIDE_BLOCK);
    struct sums sums = {0};
    slide->start = oldest;
    slide->front_end = end;
    slide->epoch_ms = series_at(series, oldest)->at_ms;
    slide->back = slide->blocks[block] = sums;
    for (uint64_t number = end; number-- > oldest;) {
        join(slide, series, number, &sums);
        if ((number - oldest) % SLIDE_BLOCK == 0)
            slide->blocks[--block] = sums;
    }
}

/* The sums from each sample of the block that begins at `first` to the front's end. */
static void open_block(struct slide *slide, const struct series *series, uint64_t first)
{
    uint64_t end = first + SLIDE_BLOCK < slide->front_end ? first + SLIDE_BLOCK : slide->front_end;
    struct sums sums = slide->blocks[(first - slide->start) / SLIDE_BLOCK + 1];
    for (uint64_t number = end; number-- > first;) {
        join(slide, series, number, &sums);
        slide->fine[number - first] = sums;
    }
}

void slide_drop(struct slide *slide, const struct series *series, uint64_t oldest, uint64_t end)
{
    if (oldest == slide->front_end) {
        turn(slide, series, oldest, end);
        open_block(slide, series, oldest);
    }
    uint64_t next = oldest + 1, place = next - slide->start;
    slide->front = NULL;
    if (next == slide->front_end)
        return;
    if (place % SLIDE_BLOCK == 0)
        open_block(slide, series, next);
    slide->front = &slide->fine[place % SLIDE_BLOCK];
}

void slide_sums(const struct slide *slide, struct sums *ret_sums)
{
    *ret_sums = slide->back;
    if (slide->front)
        sums_join(ret_sums, slide->front, slide->depth);
}
