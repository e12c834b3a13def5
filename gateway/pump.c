#include "gateway/pump.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/store/store.h"

#include <stdlib.h>

#define UNDERWAY_MAX 64   /* rows that the target has and has not acknowledged */
#define AGAIN_MS     1000 /* after which a full target or a disk that fails is tried again */

struct pump {
    struct store *store;
    struct timer *again;
    const char *target;
    pump_send send;
    void *self;
    int64_t after; /* the last row that the target took */
    uint32_t underway;
    bool reading; /* a question to the store is open */
    bool more;    /* something came while it was */
    bool closed;  /* freed, but for that question */
};

static void take_rows(void *owner, const struct store_outbox *outbox)
{
    struct pump *pump = owner;
    bool stuck = outbox->status < 0;

    pump->reading = false;
    if (pump->closed) {
        free(pump);
        return;
    }
    for (size_t i = 0; i < outbox->count && !stuck; i++) {
        const struct store_outbox_row *row = &outbox->rows[i];

        stuck = pump->send(pump->self, row->row, row->payload, row->size) < 0;
        if (!stuck) {
            pump->after = row->row;
            pump->underway++;
        }
    }
    pump->more = pump->more || outbox->more;
    if (stuck)
        timer_at(pump->again, clock_boot_ms() + AGAIN_MS);
    else if (pump->more)
        pump_run(pump);
}

static void try_again(void *owner)
{
    pump_run(owner);
}

void pump_run(struct pump *pump)
{
    uint32_t room = pump->underway < UNDERWAY_MAX ? UNDERWAY_MAX - pump->underway : 0;

    pump->more = true;
    if (pump->reading || room == 0)
        return;
    pump->more = false;
    pump->reading = true;
    if (store_outbox_read(pump->store, pump->target, pump->after, room, take_rows, pump) == 0)
        return;
    pump->reading = false;
    timer_at(pump->again, clock_boot_ms() + AGAIN_MS);
}

void pump_done(struct pump *pump, int64_t row)
{
    store_outbox_done(pump->store, row);
    if (pump->underway > 0)
        pump->underway--;
    if (pump->more)
        pump_run(pump);
}

struct pump *pump_new(struct loop *loop, struct store *store, const char *target, pump_send send,
                      void *self)
{
    struct pump *pump = calloc(1, sizeof(*pump));

    if (!pump)
        return NULL;
    *pump = (struct pump){
        .store = store, .target = target, .send = send, .self = self, .after = STORE_OUTBOX_FIRST};
    pump->again = timer_new(loop, try_again, pump);
    if (!pump->again) {
        free(pump);
        return NULL;
    }
    return pump;
}

void pump_free(struct pump *pump)
{
    if (!pump)
        return;
    timer_free(pump->again);
    if (pump->reading)
        pump->closed = true;
    else
        free(pump);
}
