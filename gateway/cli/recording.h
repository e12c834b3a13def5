/* Recording: readings of the past out of CSV, as `history export` writes it: time, sensor, value,
 * unit, quality, in any order of time. */
#pragma once

#include "gateway/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct recorded {
    int64_t at_ms; /* wall */
    size_t order;  /* in the file */
    const char *sensor;
    const char *value; /* "" of a bad reading */
    uint8_t quality;
};

struct recording {
    char *text;            /* that the rows point into */
    struct recorded *rows; /* by time, of one time as they stood */
    size_t count;
};

/* Takes `text`, which ends with NUL, also when it fails; keeps what is between the two times. 0,
 * -ENOMEM, or -EINVAL with the line that is none. */
int recording_read(char *text, int64_t from_ms, int64_t to_ms, struct recording *ret_recording,
                   struct error *reterr);
void recording_free(struct recording *recording);
