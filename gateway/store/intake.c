#include "gateway/store/intake.h"

#include "gateway/core/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void retire(struct intake *intake, struct intake_block *block)
{
    inventory_release(block->inventory);
    intake->blocks--;
    if (intake->n_spare == INTAKE_BATCH_MAX) {
        free(block);
        return;
    }
    block->inventory = NULL;
    block->next = intake->spare;
    intake->spare = block;
    intake->n_spare++;
}

static void free_list(struct intake_block *block)
{
    while (block) {
        struct intake_block *next = block->next;

        inventory_release(block->inventory);
        free(block);
        block = next;
    }
}

int intake_use(struct intake *intake, struct inventory *inventory)
{
    size_t n = inventory->n_sensors;
    uint8_t *gaps = calloc(n + 1, 1), *odd = calloc(n + 1, 1);

    if (!gaps || !odd) {
        free(gaps);
        free(odd);
        return -ENOMEM;
    }
    free(intake->gaps);
    free(intake->odd);
    inventory_release(intake->inventory);
    intake->inventory = inventory_hold(inventory);
    intake->gaps = gaps;
    intake->odd = odd;
    intake->n_sensors = n + 1;
    return 0;
}

void intake_clear(struct intake *intake)
{
    free_list(intake->first);
    free_list(intake->spare);
    inventory_release(intake->inventory);
    free(intake->gaps);
    free(intake->odd);
    memset(intake, 0, sizeof(*intake));
}

size_t intake_bytes(const struct intake *intake)
{
    return intake->blocks * sizeof(struct intake_block);
}

/* -- when there is no room ------------------------------------------------------------------- */

static struct intake_block *behind_batch(const struct intake *intake)
{
    struct intake_block *block = intake->first;

    for (size_t i = 0; i < intake->batch; i++)
        block = block->next;
    return block;
}

/* Whether this one stays: every second good one of its sensor, and the beginning of every gap. */
static bool stays(struct intake *intake, const struct reading *reading)
{
    return reading->quality != QUALITY_GOOD ||
           (intake->odd[reading->sensor % intake->n_sensors] ^= 1) != 0;
}

/* Packs what stays of the blocks from `first` to `last` into the first of them. */
static void thin(struct intake *intake, struct intake_block *first, const struct intake_block *last)
{
    struct intake_block *to = first, *behind = last->next;
    size_t n = 0;

    for (struct intake_block *from = first; from != behind; from = from->next) {
        size_t have = from->count;

        for (size_t i = 0; i < have; i++) {
            if (!stays(intake, &from->readings[i])) {
                intake->dropped++;
                intake->waiting--;
                continue;
            }
            if (n == INTAKE_BLOCK) {
                to->count = n;
                to = to->next;
                n = 0;
            }
            to->readings[n++] = from->readings[i];
        }
    }
    to->count = n;
    while (to->next != behind) {
        struct intake_block *gone = to->next;

        to->next = gone->next;
        retire(intake, gone);
    }
}

static void drop_oldest(struct intake *intake)
{
    struct intake_block **at = &intake->first, *gone;

    for (size_t i = 0; i < intake->batch; i++)
        at = &(*at)->next;
    gone = *at;
    *at = gone->next;
    intake->dropped += gone->count;
    intake->waiting -= gone->count;
    retire(intake, gone);
}

/* The block `n` behind, as far as they are of one inventory, since that is what counts sensors. */
static struct intake_block *run_end(struct intake_block *first, size_t n)
{
    while (n-- > 0 && first->next && first->next->inventory == first->inventory)
        first = first->next;
    return first;
}

static int64_t length_ms(const struct intake_block *first, const struct intake_block *last)
{
    return last->readings[last->count - 1].at_ms - first->readings[0].at_ms;
}

/* Of the quarters of what waits, but for the newest, the one that tells most of the shortest time:
 * so all becomes coarser alike. */
static void make_room(struct intake *intake)
{
    struct intake_block *first = behind_batch(intake), *best = first, *best_last = NULL;
    size_t before = intake->blocks, n = (intake->blocks - intake->batch) / 4;

    for (size_t quarter = 0; quarter < 3 && n > 0; quarter++) {
        struct intake_block *last = run_end(first, n - 1);

        if (last->next && (!best_last || length_ms(first, last) < length_ms(best, best_last))) {
            best = first;
            best_last = last;
        }
        if (!last->next)
            break;
        first = last->next;
    }
    if (best_last)
        thin(intake, best, best_last);
    if (intake->blocks == before && behind_batch(intake)->next)
        drop_oldest(intake);
}

/* -- taking ---------------------------------------------------------------------------------- */

static struct intake_block *new_block(struct intake *intake)
{
    struct intake_block *block = intake->spare;

    if (block) {
        intake->spare = block->next;
        intake->n_spare--;
    } else if (!(block = malloc(sizeof(*block)))) {
        return NULL;
    }
    block->next = NULL;
    block->inventory = inventory_hold(intake->inventory);
    block->serial = ++intake->serial;
    block->count = 0;
    if (intake->last)
        intake->last->next = block;
    else
        intake->first = block;
    intake->last = block;
    intake->blocks++;
    return block;
}

/* Where the next reading goes; NULL when there is no memory. */
static struct intake_block *open_block(struct intake *intake)
{
    struct intake_block *block = intake->last;

    if (block && block->count < INTAKE_BLOCK && block->inventory == intake->inventory &&
        intake->blocks > intake->batch)
        return block;
    if (intake_bytes(intake) + sizeof(*block) > INTAKE_MAX && intake->blocks > intake->batch + 1)
        make_room(intake);
    return new_block(intake);
}

static void take_one(struct intake *intake, const struct reading *from)
{
    struct reading reading = *from;
    struct intake_block *block;

    if (reading.sensor >= intake->inventory->n_sensors)
        return;
    if (reading.quality == QUALITY_GOOD && reading.kind == VALUE_NONE)
        reading.quality = QUALITY_ERROR; /* there is no such thing */
    if (reading.quality != QUALITY_GOOD && reading.quality == intake->gaps[reading.sensor])
        return;
    intake->gaps[reading.sensor] = reading.quality;
    block = open_block(intake);
    if (!block) {
        intake->dropped++;
        return;
    }
    block->readings[block->count++] = reading;
    intake->waiting++;
}

void intake_take(struct intake *intake, const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count && intake->inventory; i++)
        take_one(intake, &readings[i]);
}

/* -- batches --------------------------------------------------------------------------------- */

const struct intake_block *intake_take_batch(struct intake *intake)
{
    const struct intake_block *block = intake->first;

    if (!block || intake->batch > 0)
        return NULL;
    for (;
         block && intake->batch < INTAKE_BATCH_MAX && block->inventory == intake->first->inventory;
         block = block->next)
        intake->batch++;
    return intake->first;
}

void intake_end_batch(struct intake *intake, bool stored)
{
    size_t batch = intake->batch;

    intake->batch = 0;
    for (size_t i = 0; i < batch && stored; i++) {
        struct intake_block *block = intake->first;

        intake->first = block->next;
        intake->waiting -= block->count;
        retire(intake, block);
    }
    if (!intake->first)
        intake->last = NULL;
}

/* -- copies for questions -------------------------------------------------------------------- */

static bool is_wanted(const struct intake_wish *wish, const struct reading *reading)
{
    if (reading->at_ms < wish->from_ms || reading->at_ms > wish->to_ms)
        return false;
    if (wish->sensor != UINT32_MAX)
        return reading->sensor == wish->sensor;
    return wish->wanted[reading->sensor];
}

static size_t copy_wanted(const struct intake *intake, const struct intake_wish *wish,
                          struct intake_part *to)
{
    size_t count = 0;

    for (const struct intake_block *block = intake->first; block; block = block->next) {
        if (block->inventory != intake->inventory)
            continue;
        for (size_t i = 0; i < block->count; i++) {
            if (!is_wanted(wish, &block->readings[i]))
                continue;
            if (to)
                to[count] = (struct intake_part){block->serial, block->readings[i]};
            count++;
        }
    }
    return count;
}

int intake_copy(const struct intake *intake, const struct intake_wish *wish,
                struct intake_part **ret_parts, size_t *ret_count)
{
    size_t count = copy_wanted(intake, wish, NULL);
    struct intake_part *parts = calloc(count + 1, sizeof(*parts));

    if (!parts)
        return -ENOMEM;
    copy_wanted(intake, wish, parts);
    *ret_parts = parts;
    *ret_count = count;
    return 0;
}
