/* Absence: when an event sensor could not be looked at. Of what does not age only this tells how
 * much of a window was observed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* More absences than these in the longest window become one with those between: rather too little
 * counts as observed than too much. */
#define ABSENCES_MAX 16

struct absence {
    struct {
        int64_t from_ms, to_ms; /* the last one has no end while it lasts: CLOCK_NEVER */
    } list[ABSENCES_MAX];
    uint32_t n;
};

/* From then on, which may still be to come, it is away; while it is away already that says nothing
 * new. */
void absence_begin(struct absence *absence, int64_t from_ms);

/* It was looked at again: one that had not yet begun never was. */
void absence_end(struct absence *absence, int64_t at_ms);

bool absence_is_on(const struct absence *absence, int64_t now_ms);

/* How much of the time from `from_ms` to `to_ms` it was away. */
int64_t absence_ms(const struct absence *absence, int64_t from_ms, int64_t to_ms);
