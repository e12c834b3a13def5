#include "gateway/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Few system calls for thousands of rules, little waste for ten. */
#define BLOCK_BYTES 16384

struct arena_block {
    struct arena_block *older;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *add_block(struct arena *arena, size_t at_least)
{
    size_t size = at_least > BLOCK_BYTES ? at_least : BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->older = arena->newest;
    block->size = size;
    arena->newest = block;
    arena->free_bytes = size;
    return block;
}

void *arena_take(struct arena *arena, size_t bytes)
{
    const size_t align = alignof(max_align_t);
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + align - 1) / align * align;
    if ((!arena->newest || arena->free_bytes < bytes) && !add_block(arena, bytes))
        return NULL;
    void *piece = arena->newest->bytes + (arena->newest->size - arena->free_bytes);
    arena->free_bytes -= bytes;
    return piece;
}

/* Texts come from the other end of a block, byte by byte: thousands of short ones would otherwise
 * each pay for an alignment that they do not need. */
static char *take_text(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2 ||
        ((!arena->newest || arena->free_bytes < bytes) && !add_block(arena, bytes)))
        return NULL;
    arena->newest->size -= bytes;
    arena->free_bytes -= bytes;
    return (char *)arena->newest->bytes + arena->newest->size;
}

void *arena_copy(struct arena *arena, const void *from, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size)
        return NULL;
    void *piece = arena_take(arena, count * size);
    if (piece && count && size)
        memcpy(piece, from, count * size);
    return piece;
}

const char *arena_text(struct arena *arena, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy;
    if (size <= 1)
        return text ? "" : NULL;
    copy = take_text(arena, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

const char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : take_text(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

void arena_free(struct arena *arena)
{
    while (arena->newest) {
        struct arena_block *block = arena->newest;
        arena->newest = block->older;
        free(block);
    }
    arena->free_bytes = 0;
}
