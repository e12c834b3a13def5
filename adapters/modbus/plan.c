#include "adapters/modbus/plan.h"

#include <stdlib.h>

/* By function, interval, address; then by index, so that the order is the same on every machine. */
static int compare(const void *a, const void *b, void *context)
{
    const struct mb_span *spans = context;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;

    if (spans[i].function != spans[k].function)
        return spans[i].function < spans[k].function ? -1 : 1;
    if (spans[i].every_ms != spans[k].every_ms)
        return spans[i].every_ms < spans[k].every_ms ? -1 : 1;
    if (spans[i].address != spans[k].address)
        return spans[i].address < spans[k].address ? -1 : 1;
    return (i > k) - (i < k);
}

/* Takes the span into the block when gap and length allow it. */
static bool block_take(struct mb_block *block, const struct mb_span *span,
                       const struct mb_limits *limits)
{
    bool bits = mb_reads_bits(span->function);
    unsigned unit = bits ? 16 : 1;
    unsigned most = limits->max_registers * unit;
    unsigned end = block->request.address + (unsigned)block->request.count;
    unsigned span_end = span->address + (unsigned)span->count;

    if (bits && most > MB_BITS_MAX)
        most = MB_BITS_MAX;
    if (span->function != block->request.function || span->every_ms != block->every_ms ||
        span->address > end + limits->max_gap * unit)
        return false;
    if (span_end < end)
        span_end = end;
    if (span_end - block->request.address > most)
        return false;
    block->request.count = (uint16_t)(span_end - block->request.address);
    block->n_spans++;
    return true;
}

size_t mb_plan(const struct mb_span *spans, size_t n, const struct mb_limits *limits,
               uint32_t *ret_order, struct mb_block *ret_blocks)
{
    size_t n_blocks = 0;

    for (size_t i = 0; i < n; i++)
        ret_order[i] = (uint32_t)i;
    qsort_r(ret_order, n, sizeof(*ret_order), compare, (void *)spans);
    for (size_t i = 0; i < n; i++) {
        const struct mb_span *span = &spans[ret_order[i]];

        if (n_blocks > 0 && block_take(&ret_blocks[n_blocks - 1], span, limits))
            continue;
        ret_blocks[n_blocks++] = (struct mb_block){
            .request = {.function = span->function, .address = span->address, .count = span->count},
            .first = (uint32_t)i,
            .n_spans = 1,
            .every_ms = span->every_ms,
        };
    }
    return n_blocks;
}
