/* Tally: what was counted of the exchanges with one device. Pure; private to the room.
 *
 * Answer times are kept as a histogram: four steps an octave, so that a percentile is within a
 * tenth of the truth for 150 bytes a device. Old ones fade: when it is full, every step is halved.
 */
#pragma once

#include "adapters/adapters.h"

#define TALLY_STEPS 72 /* from 64 us to 17 s */

struct tally {
    uint64_t requests, replies, timeouts, crc, broken, exceptions, foreign, reconnects;
    int64_t busy_us;
    int64_t marked_us; /* busy_us at the last mark */
    int64_t taken_us;  /* and at the last tally_take_ms() */
    double share;      /* of the time between the last two marks */
    uint32_t n_answers;
    uint16_t answers[TALLY_STEPS];
};

void tally_add(struct tally *tally, const struct adapter_exchange *exchange);

/* Adds what was counted elsewhere; shares are added, too. */
void tally_merge(struct tally *tally, const struct tally *from);

/* `elapsed_us` have gone by since the last mark. */
void tally_mark(struct tally *tally, int64_t elapsed_us);

/* How much time of the line the device took up since the last call. */
int64_t tally_take_ms(struct tally *tally);

struct adapters_traffic tally_traffic(const struct tally *tally);
