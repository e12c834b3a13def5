/* Connection, the inside: for connection.c (how it comes up and goes down) and connection_ask.c
 * (what is asked and answered while it is up). */
#pragma once

#include "adapters/modbus/connection.h"
#include "adapters/modbus/flight.h"
#include "adapters/modbus/pace.h"
#include "adapters/modbus/probe.h"

enum state {
    STATE_CLOSED,
    STATE_WAITING,
    STATE_CONNECTING,
    STATE_UP,
    STATE_PROBING, /* asked in the other framing */
};
enum told { TOLD_NOTHING, TOLD_UP, TOLD_DOWN };

struct mb_connection {
    struct adapter_host *host;
    const struct mb_framing *framing;
    const struct mb_bus_options *options;
    const char *peer; /* its name or address */
    uint16_t port;
    struct stream *stream;
    struct timer *timer;
    struct mb_jobs jobs; /* less what is in flight */
    struct mb_pace pace;
    int64_t heard_ms, byte_ms; /* last frame; last byte */
    int64_t pause_us;          /* the pause before the next request began; 0: there is none */
    int64_t ready_ms;          /* and ends */
    uint16_t number;           /* of the last frame */
    uint8_t state;             /* enum state */
    uint8_t told;              /* enum told: to the host */
    uint32_t opened;           /* how often */
    bool reopened;             /* not for the first time, and nothing was asked since */
    bool answered;             /* since it is up */
    bool misframed;            /* with an answer: that is what is wrong */
    bool working;              /* jobs are being served further up the stack */
    struct mb_probe probe;
    struct mb_flights flights;
    uint8_t *in; /* n_in bytes: of a frame that is not whole; NULL: there are none */
    size_t n_in;
};

/* -- connection_ask.c ----------------------------------------------------------------------- */

/* Serves jobs until as many as may be wait for answers, a pause is due, or none is left. */
void mb_connection_serve(struct mb_connection *c);

/* Takes a request out of flight and counts it. */
struct mb_job *mb_connection_land(struct mb_connection *c, struct mb_flight *flight,
                                  uint8_t quality);

/* How what a job wanted has ended; what a poll wants next, it wants before all others. */
void mb_connection_settle(struct mb_connection *c, struct mb_job *job, uint8_t quality,
                          const uint8_t *data, int64_t at_ms);

/* A request in flight is over: its job is settled, or asks again. */
void mb_connection_finish(struct mb_connection *c, struct mb_flight *flight, uint8_t quality,
                          const uint8_t *data, int64_t at_ms);

/* Takes one frame off the front of what has come; false when there is none, or no connection any
 * more. */
bool mb_connection_take(struct mb_connection *c, int64_t at_ms);

/* -- connection.c --------------------------------------------------------------------------- */

/* Tells the host, once for each change, that the peer can be talked to (NULL), or why not. */
void mb_connection_tell(struct mb_connection *c, const char *why);

/* The connection is gone, or of no use any more. */
void mb_connection_drop(struct mb_connection *c, uint8_t quality, const char *why);
