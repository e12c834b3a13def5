#include "rules/sorted.h"

size_t sorted_bytes(uint32_t capacity)
{
    return ((size_t)capacity + 1) * sizeof(struct sorted_node);
}

static uint32_t priority(uint32_t node)
{
    node *= 0x9e3779b1u;
    node ^= node >> 15;
    node *= 0x85ebca77u;
    return node ^ node >> 13;
}

static double value(const struct series *series, uint32_t node)
{
    return series->ring[node - 1].number;
}

/* Equal values stand in the order of their places: any order does that stays the same. */
static bool is_before(const struct series *series, uint32_t a, uint32_t b)
{
    double x = value(series, a), y = value(series, b);
    return x != y ? x < y : a < b;
}

static void measure(struct sorted *sorted, uint32_t node)
{
    struct sorted_node *at = &sorted->nodes[node];
    at->size = 1 + (at->left ? sorted->nodes[at->left].size : 0) +
               (at->right ? sorted->nodes[at->right].size : 0);
}

/* Parts a tree into what is before `node` and what is behind; as deep as the tree is high. */
static void split(struct sorted *sorted, const struct series *series, uint32_t tree, uint32_t node,
                  uint32_t *before, uint32_t *behind)
{
    if (!tree) {
        *before = *behind = 0;
        return;
    }
    struct sorted_node *at = &sorted->nodes[tree];
    if (is_before(series, tree, node)) {
        split(sorted, series, at->right, node, &at->right, behind);
        *before = tree;
    } else {
        split(sorted, series, at->left, node, before, &at->left);
        *behind = tree;
    }
    measure(sorted, tree);
}

static uint32_t merge(struct sorted *sorted, uint32_t before, uint32_t behind)
{
    if (!before || !behind)
        return before ? before : behind;
    if (priority(before) > priority(behind)) {
        sorted->nodes[before].right = merge(sorted, sorted->nodes[before].right, behind);
        measure(sorted, before);
        return before;
    }
    sorted->nodes[behind].left = merge(sorted, before, sorted->nodes[behind].left);
    measure(sorted, behind);
    return behind;
}

void sorted_add(struct sorted *sorted, const struct series *series, uint64_t number)
{
    uint32_t node = series_place(series, number) + 1, *link = &sorted->root;
    while (*link && priority(*link) > priority(node)) {
        struct sorted_node *at = &sorted->nodes[*link];
        at->size++;
        link = is_before(series, node, *link) ? &at->left : &at->right;
    }
    struct sorted_node *added = &sorted->nodes[node];
    split(sorted, series, *link, node, &added->left, &added->right);
    measure(sorted, node);
    *link = node;
}

void sorted_remove(struct sorted *sorted, const struct series *series, uint64_t number)
{
    uint32_t node = series_place(series, number) + 1, *link = &sorted->root;
    while (*link != node) {
        struct sorted_node *at = &sorted->nodes[*link];
        at->size--;
        link = is_before(series, node, *link) ? &at->left : &at->right;
    }
    *link = merge(sorted, sorted->nodes[node].left, sorted->nodes[node].right);
}

static double nth(const struct sorted *sorted, const struct series *series, uint32_t rank)
{
    uint32_t node = sorted->root;
    for (;;) {
        const struct sorted_node *at = &sorted->nodes[node];
        uint32_t before = at->left ? sorted->nodes[at->left].size : 0;
        if (rank == before)
            return value(series, node);
        if (rank < before) {
            node = at->left;
        } else {
            rank -= before + 1;
            node = at->right;
        }
    }
}

double sorted_quantile(const struct sorted *sorted, const struct series *series, double share)
{
    uint32_t n = sorted->nodes[sorted->root].size;
    double rank = share * (n - 1);
    uint32_t below = (uint32_t)rank;
    double low = nth(sorted, series, below);
    if (below + 1 >= n || rank == below)
        return low;
    double part = rank - below;
    return low * (1 - part) + nth(sorted, series, below + 1) * part;
}
