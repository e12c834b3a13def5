/* Sorted: the samples of a window by size, for median and percentiles. A treap over the places of
 * the series' ring: O(log n) for everything, expected, whatever the values. The priority of a place
 * is a hash of it and so takes no memory. */
#pragma once

#include "rules/series.h"

#include <stddef.h>

struct sorted_node {
    uint32_t left, right, size; /* 0: none; node n is place n-1 */
};

struct sorted {
    uint32_t root;
    struct sorted_node *nodes;
};

/* Bytes of `nodes` for a ring of `capacity`; the caller has them, of any content. */
size_t sorted_bytes(uint32_t capacity);

void sorted_add(struct sorted *sorted, const struct series *series, uint64_t number);
void sorted_remove(struct sorted *sorted, const struct series *series, uint64_t number);

/* Linear between ranks; `share` 0..1. There is at least one sample. */
double sorted_quantile(const struct sorted *sorted, const struct series *series, double share);
