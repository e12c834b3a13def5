/* Gather: memory for the samples of polls that are under way on the loop, shared by all buses: most
 * polls report once, right before their end, so that a few pieces serve thousands of devices, each
 * of which may be a bus of its own. Private to the room; loop thread only. */
#pragma once

#include "gateway/base/reading.h"

#include <stddef.h>

struct gathered {
    struct gathered *next; /* of those that are free */
    size_t room, count;
    struct sample samples[];
};

struct gather_pool;

struct gather_pool *gather_pool_new(void);       /* NULL when memory is out */
void gather_pool_free(struct gather_pool *pool); /* all were given back; NULL is legal */

/* An empty piece with `room` for samples; NULL when memory is out. */
struct gathered *gather_take(struct gather_pool *pool, size_t room);
void gather_give(struct gather_pool *pool, struct gathered *gathered); /* NULL is legal */

/* Room for `room` samples that are reported before anybody else asks for it. NULL when memory is
 * out, never for a room that it has had before. */
struct sample *gather_scratch(struct gather_pool *pool, size_t room);
