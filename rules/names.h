/* Names: finds sensors by id, and what a person may have meant. Immutable once made. */
#pragma once

#include <stdint.h>

#define NAMES_NONE UINT32_MAX

struct names;

/* The i-th of `ids` gets index i; the texts are borrowed. NULL when memory is out. */
struct names *names_new(const char *const *ids, uint32_t count);
void names_free(struct names *names);

/* NAMES_NONE when there is none. */
uint32_t names_find(const struct names *names, const char *id);

/* The id that is nearest to a misspelt one, NULL when none is near. Looks at all of them: for error
 * messages only. */
const char *names_nearest(const struct names *names, const char *id);
