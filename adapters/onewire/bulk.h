/* Bulk: all thermometers of one master measured at once, where the kernel and the wiring allow it.
 *
 *   w1_bus_master1/therm_bulk_read   write "trigger": all convert, which takes as long as one (750
 * ms at 12 bits); read: -1 while they do, 1 done, 0 nothing is left w1_bus_master1/w1_master_slaves
 * who is on it 28-.../ext_power                 0: parasite power, a line that cannot feed several
 * at a time
 *
 * Afterwards each sensor's file gives the result without converting, once. One that is not read
 * then would give the same old result at any later time: that is what `seen` is for. The kernel
 * makes therm_bulk_read on one master only, from 5.10 on. Blocks: for workers; a lock per master.
 * Source: the kernel's Documentation/w1/slaves/w1_therm.rst, drivers/w1/slaves/w1_therm.c. */
#pragma once

#include "adapters/adapter.h"

#include <pthread.h>

/* One master's; all zero but for the lock is a good start. */
struct onewire_bulk {
    pthread_mutex_t lock;
    uint32_t round;    /* of its last conversion; 0: none yet */
    int64_t at_ms;     /* when that was done */
    int64_t retry_ms;  /* not tried again before */
    uint64_t members;  /* a number for who was on it when their power was asked for */
    char parasite[16]; /* one of them that lives on the line; "": none */
    char said[160];    /* why sensors are read one by one, as it was told; "": it was not */
};

void onewire_bulk_init(struct onewire_bulk *bulk);
void onewire_bulk_clear(struct onewire_bulk *bulk);

enum onewire_bulk_result {
    ONEWIRE_ALONE, /* its file will convert */
    ONEWIRE_DONE,  /* its file has what was measured just now */
    ONEWIRE_OLD,   /* its file has what was measured long ago, and will convert the next time */
};

/* What the next read of a sensor on the master in `folder` will give; measures all of them if that
 * is possible and this one has seen the last result. `seen` is the sensor's own, 0 at first and
 * when it has come anew. Tells the host, once for each reason, that sensors are read one by one. */
enum onewire_bulk_result onewire_bulk_measure(struct onewire_bulk *bulk, const char *folder,
                                              uint32_t *seen, struct adapter_host *host);
