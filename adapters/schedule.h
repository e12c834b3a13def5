/* Schedule: when each device is due. Pure: time comes in as a parameter. Private to the room.
 *
 * Due times are absolute: the k-th due time of a device is its phase + k x interval, whatever
 * happened before. Phases are spread over the interval, so that a thousand devices each second are
 * not asked in the same millisecond; those of network devices fall on a grid, so that wake-ups and
 * publishes come in groups. The first due time of all devices comes within min(interval, 2 s).
 *
 * A device is away after three failed polls in a row (at once when it never answered or its
 * connection is down). Then it is probed with a pause that doubles from its interval up to 60 s,
 * +-20 %; for want of a connection only up to 2 s, since asking costs nothing there. Where devices
 * share a line, the probes of all that are away together take at most a twelfth of its time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule;

/* For devices 0 .. n-1, none of them due before schedule_add(). NULL when memory is out. */
struct schedule *schedule_new(size_t n, uint32_t seed);
void schedule_free(struct schedule *schedule);

/* Device `i` of `n` joins at `now_ms`. Its phase is the `place`-th of n: mostly `i`, the same for
 * those that shall be due at one time. `every_ms` 0: due again as soon as it has answered.
 * `grid_ms` 0: no grid. */
void schedule_add(struct schedule *schedule, uint32_t i, uint32_t place, int64_t every_ms,
                  int64_t grid_ms, int64_t now_ms);

/* Device `i` shares a line with all others of the same number (below n). */
void schedule_share(struct schedule *schedule, uint32_t i, uint32_t line);

/* The poll of `i` that is about to end has taken up so much of its line's time. */
void schedule_cost(struct schedule *schedule, uint32_t i, int64_t busy_ms);

/* When schedule_take() has something next; CLOCK_NEVER: not before a poll has ended. */
int64_t schedule_next_ms(const struct schedule *schedule);

/* Takes a device that is due at `now_ms`; it stays under way until schedule_end(). */
bool schedule_take(struct schedule *schedule, int64_t now_ms, uint32_t *ret_i);

/* What the end of a poll changed; SCHEDULE_STAYS: it is away as before, but now for want of a
 * connection, or no longer for that. */
enum schedule_change { SCHEDULE_SAME, SCHEDULE_CAME, SCHEDULE_WENT, SCHEDULE_STAYS };

struct schedule_end {
    enum schedule_change change;
    int64_t away_ms; /* with SCHEDULE_CAME after it had been away: how long; else 0 */
    uint64_t lost;   /* and how many polls were left out or failed meanwhile */
};

/* The poll of `i` ended with `quality` (enum quality); plans the next one. */
struct schedule_end schedule_end(struct schedule *schedule, uint32_t i, uint8_t quality,
                                 int64_t now_ms);

/* Polls `i` as soon as possible from `from_ms` on, beside its raster: after a write, to read it
 * back. While a poll is under way, which may have read before the write, another follows it. */
void schedule_hurry(struct schedule *schedule, uint32_t i, int64_t from_ms);

/* All that are away are probed as soon as their lines allow, and their pauses begin anew. */
void schedule_probe(struct schedule *schedule, int64_t now_ms);

/* The line of `i` is down as far as that device has just found: all others of the line of which
 * that is not known are polled at once. Returns how many those are. */
uint32_t schedule_doubt(struct schedule *schedule, uint32_t i, int64_t now_ms);

/* Device `i` joins as what device `old_i` of `old` was: with its phase, its back-off, a poll under
 * way. Counters go over once, with schedule_adopt_counts(). */
void schedule_adopt(struct schedule *schedule, uint32_t i, const struct schedule *old,
                    uint32_t old_i);

struct schedule_counts {
    uint64_t polls, failed, late, lost;
    uint32_t online, away; /* the others were not asked yet */
};
struct schedule_counts schedule_counts(const struct schedule *schedule);
void schedule_adopt_counts(struct schedule *schedule, const struct schedule *old);
