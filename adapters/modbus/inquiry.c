#include "adapters/modbus/inquiry.h"

#include <string.h>

#define WRITE_HEAD 5 /* function, address, and value or count: what a write is answered with */

static unsigned get_16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

enum mb_frame mb_inquiry_parse(const uint8_t *bytes, size_t count, struct mb_inquiry *ret,
                               size_t *ret_used)
{
    size_t length;

    if (count < 6)
        return MB_FRAME_PART;
    length = 6 + (size_t)get_16(bytes + 4);
    if (get_16(bytes + 2) != 0 || length <= MB_INQUIRY_HEAD || length > MB_MBAP_MAX)
        return MB_FRAME_BROKEN;
    if (count < length)
        return MB_FRAME_PART;
    memcpy(ret->head, bytes, MB_INQUIRY_HEAD);
    ret->pdu_length = length - MB_INQUIRY_HEAD;
    memcpy(ret->pdu, bytes + MB_INQUIRY_HEAD, ret->pdu_length);
    *ret_used = length;
    return MB_FRAME_WHOLE;
}

/* -- questions ------------------------------------------------------------------------------ */

static enum mb_exception read_span(const struct mb_inquiry *inquiry,
                                   struct adapter_question *question)
{
    unsigned most = mb_reads_bits(question->function) ? MB_BITS_MAX : MB_REGISTERS_MAX;

    if (inquiry->pdu_length != WRITE_HEAD || question->count == 0 || question->count > most)
        return MB_EXCEPTION_VALUE;
    return MB_EXCEPTION_NONE;
}

/* Of 5 and 6: the value stands where others have the count. */
static enum mb_exception read_value(const struct mb_inquiry *inquiry,
                                    struct adapter_question *question)
{
    if (inquiry->pdu_length != WRITE_HEAD)
        return MB_EXCEPTION_VALUE;
    memcpy(question->data, inquiry->pdu + 3, 2);
    question->count = 1;
    return MB_EXCEPTION_NONE;
}

/* Of 15 and 16. */
static enum mb_exception read_values(const struct mb_inquiry *inquiry,
                                     struct adapter_question *question)
{
    size_t bytes = question->function == MB_WRITE_COILS ? ((size_t)question->count + 7) / 8
                                                        : 2 * (size_t)question->count;

    if (bytes == 0 || bytes > sizeof(question->data) ||
        inquiry->pdu_length != WRITE_HEAD + 1 + bytes || inquiry->pdu[WRITE_HEAD] != bytes)
        return MB_EXCEPTION_VALUE;
    memcpy(question->data, inquiry->pdu + WRITE_HEAD + 1, bytes);
    return MB_EXCEPTION_NONE;
}

enum mb_exception mb_inquiry_read(const struct mb_inquiry *inquiry, bool writes,
                                  struct adapter_question *question)
{
    uint8_t function = inquiry->pdu[0];

    question->unit = inquiry->head[MB_INQUIRY_HEAD - 1];
    question->function = function;
    if (!mb_is_read(function) &&
        !(writes && (function == MB_WRITE_COIL || function == MB_WRITE_REGISTER ||
                     function == MB_WRITE_COILS || function == MB_WRITE_REGISTERS)))
        return MB_EXCEPTION_FUNCTION;
    if (inquiry->pdu_length < WRITE_HEAD)
        return MB_EXCEPTION_VALUE;
    question->address = (uint16_t)get_16(inquiry->pdu + 1);
    question->count = (uint16_t)get_16(inquiry->pdu + 3);
    if (mb_is_read(function))
        return read_span(inquiry, question);
    return function == MB_WRITE_COIL || function == MB_WRITE_REGISTER
               ? read_value(inquiry, question)
               : read_values(inquiry, question);
}

/* -- answers -------------------------------------------------------------------------------- */

static size_t frame_of(const struct mb_inquiry *inquiry, const uint8_t *pdu, size_t length,
                       uint8_t frame[MB_MBAP_MAX])
{
    memcpy(frame + MB_INQUIRY_HEAD, pdu, length);
    return mb_mbap_build(frame, (uint16_t)get_16(inquiry->head), inquiry->head[MB_INQUIRY_HEAD - 1],
                         length);
}

size_t mb_inquiry_refuse(const struct mb_inquiry *inquiry, enum mb_exception exception,
                         uint8_t frame[MB_MBAP_MAX])
{
    const uint8_t pdu[] = {inquiry->pdu[0] | 0x80, (uint8_t)exception};

    return frame_of(inquiry, pdu, sizeof(pdu), frame);
}

static enum mb_exception exception_for(uint8_t quality)
{
    if (quality > QUALITY_EXCEPTION)
        return (enum mb_exception)(quality - QUALITY_EXCEPTION);
    return quality == QUALITY_DISCONNECTED ? MB_EXCEPTION_PATH : MB_EXCEPTION_TARGET;
}

size_t mb_inquiry_answer(const struct mb_inquiry *inquiry, const struct adapter_answer *answer,
                         uint8_t frame[MB_MBAP_MAX])
{
    uint8_t pdu[MB_PDU_MAX] = {inquiry->pdu[0], (uint8_t)answer->count};

    if (answer->quality != QUALITY_GOOD || answer->count > MB_PDU_MAX - 2)
        return mb_inquiry_refuse(inquiry, exception_for(answer->quality), frame);
    if (!mb_is_read(inquiry->pdu[0]))
        return frame_of(inquiry, inquiry->pdu, WRITE_HEAD, frame);
    memcpy(pdu + 2, answer->bytes, answer->count);
    return frame_of(inquiry, pdu, 2 + answer->count, frame);
}
