/* Framing: the two ways in which Modbus goes over TCP. Pure; any thread.
 *
 *   tcp       Modbus TCP: a header with a number that the answer repeats, and a length
 *   rtu+tcp   RTU frames as on a serial line, passed on by a converter that does not look at them
 */
#pragma once

#include "adapters/modbus/pdu.h"

#define MB_FRAME_MAX MB_MBAP_MAX /* the longer of both */

struct mb_framed {
    uint16_t number; /* of the request; 0 where there are none */
    uint8_t unit;
    const uint8_t *pdu; /* into the bytes that were parsed */
    size_t pdu_length;
    size_t used; /* bytes of the whole frame */
};

struct mb_framing {
    const char *scheme; /* of connect */
    const char *name;
    bool numbered;
    uint8_t damaged;    /* quality of what was to come where a frame makes no sense */
    const char *broken; /* and what may be wrong then */
    /* Writes the frame of a request and returns its length. */
    size_t (*build)(uint8_t frame[MB_FRAME_MAX], uint16_t number, uint8_t unit,
                    const struct mb_request *request);
    /* The frame at the start of `bytes`. *ret is filled only when it is whole. */
    enum mb_frame (*parse)(const uint8_t *bytes, size_t count, struct mb_framed *ret);
};

extern const struct mb_framing mb_framing_tcp, mb_framing_rtu;
