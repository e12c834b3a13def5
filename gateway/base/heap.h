/* Heap: which of many numbered things is due first. A binary min-heap that knows where each id
 * sits, so that a thing can be moved or taken out. No thread of its own; nothing is allocated after
 * heap_new() and heap_grow(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap;

/* For ids 0 .. capacity-1. NULL when memory is out. */
struct heap *heap_new(size_t capacity);
void heap_free(struct heap *heap);

/* Makes room for more ids, never for fewer. 0 or -ENOMEM, and then nothing has changed. */
int heap_grow(struct heap *heap, size_t capacity);

/* Puts `id` in with `key`, or moves it there. O(log n). */
void heap_set(struct heap *heap, uint32_t id, int64_t key);
void heap_remove(struct heap *heap, uint32_t id); /* nothing happens when it is not inside */

/* The key with which `id` is inside; false when it is not. */
bool heap_key(const struct heap *heap, uint32_t id, int64_t *ret_key);

/* The id with the smallest key, of equal keys the one that was set first; false when empty. */
bool heap_first(const struct heap *heap, uint32_t *ret_id, int64_t *ret_key);
