#include "gateway/base/heap.h"

#include <errno.h>
#include <stdlib.h>

#define NOWHERE UINT32_MAX

struct entry {
    int64_t key;
    uint64_t turn; /* counts heap_set() calls: equal keys leave in the order in which they came */
    uint32_t id;
};

struct heap {
    struct entry *entries;
    uint32_t *where; /* position of each id, or NOWHERE */
    size_t count, capacity;
    uint64_t turn;
};

struct heap *heap_new(size_t capacity)
{
    struct heap *heap = calloc(1, sizeof(*heap));

    if (heap && heap_grow(heap, capacity) < 0) {
        heap_free(heap);
        return NULL;
    }
    return heap;
}

int heap_grow(struct heap *heap, size_t capacity)
{
    size_t room = (capacity > heap->capacity ? capacity : heap->capacity) + 1;
    struct entry *entries = realloc(heap->entries, room * sizeof(*entries));
    uint32_t *where;

    if (!entries)
        return -ENOMEM;
    heap->entries = entries;
    where = realloc(heap->where, room * sizeof(*where));
    if (!where)
        return -ENOMEM;
    heap->where = where;
    for (; heap->capacity < capacity; heap->capacity++)
        where[heap->capacity] = NOWHERE;
    return 0;
}

void heap_free(struct heap *heap)
{
    if (!heap)
        return;
    free(heap->entries);
    free(heap->where);
    free(heap);
}

static bool before(const struct entry *a, const struct entry *b)
{
    return a->key != b->key ? a->key < b->key : a->turn < b->turn;
}

static void put(struct heap *heap, size_t at, struct entry entry)
{
    heap->entries[at] = entry;
    heap->where[entry.id] = (uint32_t)at;
}

static void sift_up(struct heap *heap, size_t at, struct entry entry)
{
    while (at > 0 && before(&entry, &heap->entries[(at - 1) / 2])) {
        put(heap, at, heap->entries[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, entry);
}

static void sift_down(struct heap *heap, size_t at, struct entry entry)
{
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < heap->count && before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (child >= heap->count || !before(&heap->entries[child], &entry))
            break;
        put(heap, at, heap->entries[child]);
        at = child;
    }
    put(heap, at, entry);
}

/* Finds the place for `entry` from the hole at `at`. */
static void settle(struct heap *heap, size_t at, struct entry entry)
{
    if (at > 0 && before(&entry, &heap->entries[(at - 1) / 2]))
        sift_up(heap, at, entry);
    else
        sift_down(heap, at, entry);
}

void heap_set(struct heap *heap, uint32_t id, int64_t key)
{
    struct entry entry = {.key = key, .turn = heap->turn++, .id = id};

    if (heap->where[id] == NOWHERE)
        sift_up(heap, heap->count++, entry);
    else
        settle(heap, heap->where[id], entry);
}

void heap_remove(struct heap *heap, uint32_t id)
{
    uint32_t at = heap->where[id];

    if (at == NOWHERE)
        return;
    heap->where[id] = NOWHERE;
    heap->count--;
    if (at < heap->count)
        settle(heap, at, heap->entries[heap->count]);
}

bool heap_key(const struct heap *heap, uint32_t id, int64_t *ret_key)
{
    if (heap->where[id] == NOWHERE)
        return false;
    *ret_key = heap->entries[heap->where[id]].key;
    return true;
}

bool heap_first(const struct heap *heap, uint32_t *ret_id, int64_t *ret_key)
{
    if (heap->count == 0)
        return false;
    *ret_id = heap->entries[0].id;
    *ret_key = heap->entries[0].key;
    return true;
}
