/* Inquiry: what another master asks for over Modbus TCP, taken apart, and how it is answered. Pure;
 * any thread. The frame is that of pdu.h; what is in it is a question for a line of ours. */
#pragma once

#include "adapters/adapter.h"
#include "adapters/modbus/pdu.h"

#define MB_INQUIRY_HEAD 7 /* of MBAP, with the unit */

/* What a master is told who gets no values. */
enum mb_exception {
    MB_EXCEPTION_NONE,
    MB_EXCEPTION_FUNCTION = 1,
    MB_EXCEPTION_VALUE = 3,
    MB_EXCEPTION_BUSY = 6,
    MB_EXCEPTION_PATH = 10,
    MB_EXCEPTION_TARGET = 11,
};

struct mb_inquiry {
    uint8_t head[MB_INQUIRY_HEAD];
    uint8_t pdu[MB_PDU_MAX];
    size_t pdu_length; /* at least 1 */
};

/* The frame at the start of `bytes`; *ret_used are its bytes when it is whole. */
enum mb_frame mb_inquiry_parse(const uint8_t *bytes, size_t count, struct mb_inquiry *ret,
                               size_t *ret_used);

/* Fills unit, function, address, count and data of a question: reads with 1 to 4; and where
 * `writes` is true, writes with 5, 6, 15 and 16 of as much as ADAPTER_QUESTION_DATA bytes hold.
 * Else with which exception it is refused. */
enum mb_exception mb_inquiry_read(const struct mb_inquiry *inquiry, bool writes,
                                  struct adapter_question *question);

/* Writes the whole frame that answers it and returns its length. */
size_t mb_inquiry_answer(const struct mb_inquiry *inquiry, const struct adapter_answer *answer,
                         uint8_t frame[MB_MBAP_MAX]);
size_t mb_inquiry_refuse(const struct mb_inquiry *inquiry, enum mb_exception exception,
                         uint8_t frame[MB_MBAP_MAX]);
