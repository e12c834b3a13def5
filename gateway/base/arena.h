/* Arena: memory that is taken piece by piece and given back all at once. What an inventory or a set
 * of rules owns - texts, code, lists - has one life, so it has one owner. One thread at a time. */
#pragma once

#include <stddef.h>

struct arena {
    struct arena_block *newest;
    size_t free_bytes; /* in the middle of the newest block: texts come from its end */
};

/* A zeroed arena is empty. Zeroed memory, aligned for every type; NULL when memory is out. */
void *arena_take(struct arena *arena, size_t bytes);

/* A copy of `count` things of `size`; NULL when memory is out. */
void *arena_copy(struct arena *arena, const void *from, size_t count, size_t size);

/* Copy of a text; NULL when memory is out, or when `text` is NULL. */
const char *arena_text(struct arena *arena, const char *text);

/* Formatted text; NULL when memory is out. */
const char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Gives everything back; the arena is empty again. */
void arena_free(struct arena *arena);
