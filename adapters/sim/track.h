/* Track: recorded readings of one sensor, played again. Loaded from a CSV file whose header names
 * the columns `time`, `sensor`, `value` and perhaps `quality` (others are ignored): the form in
 * which history is exported. `time` is seconds from any start, or ISO 8601 with or without zone. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/reading.h"

#include <stddef.h>
#include <stdint.h>

struct tracks;

/* Reads the whole file (at most 64 MB). 0, or -Exxx with `reterr` naming file and line. */
int tracks_load(const char *path, struct tracks **ret_tracks, struct error *reterr);
void tracks_free(struct tracks *tracks);

/* Milliseconds from the first row to the last of all sensors, plus one. */
int64_t tracks_length_ms(const struct tracks *tracks);

/* Where a channel of events is: rows of this round that it has had. All zero at first. */
struct track_place {
    int64_t round;
    size_t rows;
};

/* The next row of `sensor` that has happened until `ms`, which counts on over the rounds in which
 * the recording is played: one row a call, in their order; QUALITY_QUIET when there is none. */
struct sample tracks_next(const struct tracks *tracks, const char *sensor, int64_t ms,
                          uint32_t channel, int64_t at_ms, struct track_place *place);

/* The newest row of `sensor` ("boiler.flow_temp") at or before `ms` from the first row, as a sample
 * of `channel` at `at_ms`; QUALITY_NOT_READ before its first row, QUALITY_NO_SENSOR when it has
 * none. */
struct sample tracks_at(const struct tracks *tracks, const char *sensor, int64_t ms,
                        uint32_t channel, int64_t at_ms);
