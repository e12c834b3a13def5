#include "adapters/modbus/cuts.h"

#include "gateway/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct mb_span *span_at(const struct mb_device *device, const struct mb_block *block,
                                     uint32_t i)
{
    return &device->channels[device->order[block->first + i]].span;
}

/* The read that the spans of a block need. */
static void cover_spans(const struct mb_device *device, struct mb_block *block)
{
    unsigned end = 0;

    block->request.address = span_at(device, block, 0)->address;
    for (uint32_t i = 0; i < block->n_spans; i++) {
        const struct mb_span *span = span_at(device, block, i);

        if (span->address + (unsigned)span->count > end)
            end = span->address + (unsigned)span->count;
    }
    block->request.count = (uint16_t)(end - block->request.address);
}

/* Leaves the first `n_spans` to the block and makes another of the rest. */
static bool cut_behind(struct mb_device *device, uint32_t at, uint32_t n_spans)
{
    struct mb_block *block = realloc(device->blocks, (device->n_blocks + 1u) * sizeof(*block));

    if (!block)
        return false;
    device->blocks = block;
    block += at;
    memmove(block + 1, block, (device->n_blocks - at) * sizeof(*block));
    block[0].n_spans = n_spans;
    block[1].first += n_spans;
    block[1].n_spans -= n_spans;
    block[1].cut = true;
    cover_spans(device, &block[0]);
    cover_spans(device, &block[1]);
    device->n_blocks++;
    if (at < device->first_block)
        device->first_block++;
    return true;
}

bool mb_cut(struct mb_device *device, uint32_t at)
{
    uint32_t n_spans = device->blocks[at].n_spans;

    if (n_spans < 2 || !cut_behind(device, at, n_spans / 2))
        return false;
    device->blocks[at].half = device->blocks[at + 1].half = device->poll.halved = true;
    return true;
}

/* -- kept over restarts --------------------------------------------------------------------- */

static void recall_cut(struct mb_device *device, unsigned function, unsigned address)
{
    for (uint32_t b = 0; b < device->n_blocks; b++) {
        const struct mb_block *block = &device->blocks[b];

        for (uint32_t i = 1; block->request.function == function && i < block->n_spans; i++) {
            if (span_at(device, block, i)->address == address) {
                (void)cut_behind(device, b, i); /* without memory it is learnt anew */
                return;
            }
        }
    }
}

void mb_cuts_recall(struct mb_device *device, const char *learnt)
{
    unsigned function, address;
    int length;

    while (learnt && sscanf(learnt, "%3u:%5u%n", &function, &address, &length) == 2) {
        recall_cut(device, function, address);
        learnt += length;
    }
}

void mb_cuts_prove(struct mb_device *device, const struct mb_block *block)
{
    device->poll.proven = device->poll.proven || block->half;
}

bool mb_cuts_learnt(struct mb_device *device, char *text, size_t size)
{
    bool proven = device->poll.proven;
    size_t length = 0;

    if (!device->poll.halved)
        return false;
    text[0] = '\0';
    for (uint32_t b = 0; b < device->n_blocks; b++) {
        struct mb_block *block = &device->blocks[b];

        block->half = false;
        if (block->cut && length + sizeof(" 24:65535") <= size)
            text_append(text, size, &length, "%s%u:%u", length > 0 ? " " : "",
                        block->request.function, block->request.address);
    }
    return proven;
}
