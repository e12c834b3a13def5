/* Flight: the requests of a connection that wait for their answers. Loop thread only. */
#pragma once

#include "adapters/adapter.h"
#include "adapters/modbus/framing.h"
#include "adapters/modbus/job.h"

struct mb_flight {
    struct mb_job *job;
    struct mb_request request;
    uint16_t number; /* of its frame */
    int64_t due_ms;  /* when it has waited long enough */
    int64_t began_us, sent_us;
};

/* In the order in which they were sent. */
struct mb_flights {
    unsigned n, most;
    int64_t told_us;        /* up to here the time of the connection has been told */
    uint32_t foreign;       /* frames that belonged to none, since the last was told */
    struct mb_flight *list; /* room for `most` */
};

/* Adds one; there must be room. Borrowed until the next of these calls. */
struct mb_flight *mb_flights_add(struct mb_flights *flights);

/* NULL when there is none. */
struct mb_flight *mb_flights_find(struct mb_flights *flights, uint16_t number);
struct mb_flight *mb_flights_due(struct mb_flights *flights, int64_t now_ms);

/* The request that a frame answers, or at least is to be taken for the answer to: with its number
 * comes *ret_quality whatever it says; without one it must fit. NULL: none. */
struct mb_flight *mb_flights_answered(struct mb_flights *flights, const struct mb_framing *framing,
                                      const struct mb_framed *frame, uint8_t *ret_quality,
                                      const uint8_t **ret_data);

/* Whose answer a broken frame was to be: by the number that Modbus TCP begins with, else the one
 * that has waited longest. There must be one. */
struct mb_flight *mb_flights_blame(struct mb_flights *flights, const uint8_t *frame, size_t count);

/* When the first of them is due; CLOCK_NEVER without any. */
int64_t mb_flights_due_ms(const struct mb_flights *flights);

/* Takes one out: what came of it, for the counters. The time that several spent in flight together
 * is told once. */
struct adapter_exchange mb_flights_take(struct mb_flights *flights, struct mb_flight *flight,
                                        uint8_t quality, int64_t now_us);
