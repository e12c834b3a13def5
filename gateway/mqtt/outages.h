/* Outages: the stretches of time whose readings the broker has not got, oldest first. Pure.
 *
 * Times are boot times; one of an earlier boot may be negative. Stretches that touch are one. When
 * there are too many, the two newest become one, gap included: what arrives twice harms nobody. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTAGES_MAX 16

struct outage {
    int64_t from_ms, to_ms; /* both belong to it; to_ms CLOCK_NEVER: it goes on */
};

struct outages {
    struct outage list[OUTAGES_MAX + 1];
    size_t count;
};

/* `to_ms` CLOCK_NEVER begins one that goes on until outages_end(). */
void outages_add(struct outages *outages, int64_t from_ms, int64_t to_ms);
void outages_end(struct outages *outages, int64_t to_ms);

/* The oldest that is over; NULL when there is none. */
const struct outage *outages_first(const struct outages *outages);

/* All that is older than `until_ms` has arrived. */
void outages_done(struct outages *outages, int64_t until_ms);

/* As a text with wall times, for the store; wall time = boot time + `offset_ms`. */
#define OUTAGES_TEXT_SIZE (OUTAGES_MAX * 44 + 1)
void outages_write(const struct outages *outages, int64_t offset_ms, char text[OUTAGES_TEXT_SIZE]);
/* Adds those of a text; what is none is left out. One that went on ends at `now_ms`. */
void outages_read(struct outages *outages, int64_t offset_ms, int64_t now_ms, const char *text);
