/* Intake: readings in memory until they are on disk. Private to the room; loop thread only, but for
 * the blocks of a batch, which a desk reads while it is under way.
 *
 * Blocks of one size, filled in the order in which readings come. The oldest are taken as a batch
 * and given back when it is on disk, or stay. When INTAKE_MAX is reached, every second good reading
 * of where they are densest goes, but for the newest: what is old becomes coarse before it goes. */
#pragma once

#include "gateway/base/reading.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inventory;

#define INTAKE_BLOCK     1360 /* readings: with its head 32 KB */
#define INTAKE_MAX       8000000
#define INTAKE_BATCH_MAX 64 /* blocks: 2 MB */

struct intake_block {
    struct intake_block *next;
    struct inventory *inventory; /* held; whose sensors they are */
    uint64_t serial;             /* rises; a block that is on disk is told by it */
    size_t count;
    struct reading readings[INTAKE_BLOCK];
};

struct intake {
    struct intake_block *first, *last, *spare;
    struct inventory *inventory; /* held; of what comes */
    uint8_t *gaps;               /* a sensor: the reason of its gap; QUALITY_GOOD: none */
    uint8_t *odd;                /* a sensor: for thinning */
    size_t n_sensors;
    size_t blocks, batch; /* how many; of them under way */
    size_t n_spare;
    uint64_t serial;
    uint64_t waiting, dropped; /* readings */
};

/* 0 or -ENOMEM; then readings are not taken. */
int intake_use(struct intake *intake, struct inventory *inventory);
void intake_clear(struct intake *intake);

/* Of bad readings in a row for the same reason only the first is kept: a gap has a beginning. */
void intake_take(struct intake *intake, const struct reading *readings, size_t count);

/* Bytes of blocks. */
size_t intake_bytes(const struct intake *intake);

/* The first `batch` blocks, all of one inventory, are now under way and will not change; NULL when
 * nothing waits or a batch is under way. */
const struct intake_block *intake_take_batch(struct intake *intake);
void intake_end_batch(struct intake *intake, bool stored);

/* A copy of what is asked for of the readings in memory; for another thread. */
struct intake_part {
    uint64_t serial; /* of the block that it is from */
    struct reading reading;
};

/* Those of `sensor` (UINT32_MAX: of all with wanted[sensor]) of the present inventory, from boot
 * time `from_ms` to `to_ms`. Freed with free(). 0 or -ENOMEM. */
struct intake_wish {
    int64_t from_ms, to_ms;
    uint32_t sensor;
    const bool *wanted; /* a sensor of the inventory */
};
int intake_copy(const struct intake *intake, const struct intake_wish *wish,
                struct intake_part **ret_parts, size_t *ret_count);
