/* Player: plays recorded readings to the rules of a rehearsal, which must have been opened without
 * a clock: time 0 is the time of the first reading. Private to the room. */
#pragma once

#include "gateway/cli/recording.h"
#include "gateway/cli/rehearse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct player {
    struct rehearsal *rehearsal;
    bool started;
    int64_t first_ms;           /* wall time of the beginning */
    int64_t last_ms;            /* of the newest reading, in the time of the rehearsal */
    uint64_t readings, unknown; /* those played; those of sensors that the config has not got */
};

/* Recordings follow each other in time. What is derived is reckoned anew. */
void player_play(struct player *player, const struct recording *recording);
