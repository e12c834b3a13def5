/* Replay: what was measured while the broker was away is sent when it is back: oldest first, each
 * reading with its own time, at a bounded rate and behind everything that is new. Loop thread only.
 *
 * The readings are those of the store's history, and an outage is no more than two times, kept in
 * the store too, so that it survives a restart. Without a store they wait in memory (ring.h). As
 * long as the wall clock is not known good nothing is replayed: the times would be wrong for ever.
 * What arrives twice has the same time and does no harm; what might be missing is sent. */
#pragma once

#include "gateway/base/reading.h"

#include <stddef.h>
#include <stdint.h>

struct inventory;
struct loop;
struct mqtt_message;
struct replay;
struct store;

struct replay_calls {
    int (*put)(void *owner, const struct mqtt_message *message); /* as inbox_put_replay() */
    int64_t (*proven_ms)(void *owner); /* what is older is known to have arrived */
};

/* `store` NULL: there is none. All but `loop` and `store` is borrowed for the call or, `base` and
 * `calls`, for its life. NULL when memory is out. */
struct replay *replay_new(struct loop *loop, struct store *store, const char *base,
                          const struct replay_calls *calls, void *owner);
/* Before the store closes; a question to it may still be open. NULL is legal. */
void replay_free(struct replay *replay);

/* The store has opened: takes up the outages of an earlier run. */
void replay_restore(struct replay *replay);

void replay_use(struct replay *replay, struct inventory *inventory);
void replay_readings(struct replay *replay, const struct reading *readings, size_t count);

/* The broker is gone, and had not surely got what is newer than `from_ms`; it is back; a message of
 * ours has arrived; readings of this time were never sent. */
void replay_offline(struct replay *replay, int64_t from_ms);
void replay_online(struct replay *replay, int64_t to_ms);
void replay_arrived(struct replay *replay);
void replay_missed(struct replay *replay, int64_t from_ms, int64_t to_ms);

struct replay_counts {
    uint64_t replayed; /* readings that have arrived late */
    uint64_t thinned;  /* that there was no room for in memory */
    size_t outages;    /* that are not replayed yet */
};
struct replay_counts replay_counts(const struct replay *replay);
