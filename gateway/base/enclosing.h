/* The way back from a member that was handed out to the struct around it. The member may stand
 * anywhere; a plain cast would hide from the compiler, and from 32-bit ARM, how the whole is
 * aligned. */
#pragma once

#include <stddef.h>

/* The struct `type` of which `pointer` is the `member`. */
#define enclosing(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
