#include "adapters/modbus/pdu.h"

#include "gateway/base/reading.h"

#include <assert.h>
#include <string.h>

#define EXCEPTION_FLAG 0x80
#define EXCEPTION_MAX  63 /* what fits into a quality; the protocol knows 1 to 11 */
#define MBAP_HEADER    7
#define IDENTITY_TYPE  14 /* the subfunction of 43 */
#define IDENTITY_HEAD  7  /* bytes before the first object */

static void put_16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static uint16_t get_16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

bool mb_is_read(uint8_t function)
{
    return function >= MB_READ_COILS && function <= MB_READ_INPUTS;
}

bool mb_reads_bits(uint8_t function)
{
    return function == MB_READ_COILS || function == MB_READ_DISCRETES;
}

/* Whether its answer is a number of bytes, and they. */
static bool gives_data(uint8_t function)
{
    return mb_is_read(function) || function == MB_READ_WRITE;
}

/* Of the answers that have one length whatever was asked; 0 for the others. */
static size_t fixed_length(uint8_t function)
{
    switch (function) {
    case MB_WRITE_COIL:
    case MB_WRITE_REGISTER:
    case MB_DIAGNOSE:
    case MB_WRITE_COILS:
    case MB_WRITE_REGISTERS:
        return 5;
    case MB_MASK_REGISTER:
        return 7;
    default:
        return 0;
    }
}

size_t mb_answer_bytes(const struct mb_request *request)
{
    return mb_reads_bits(request->function) ? ((size_t)request->count + 7) / 8
                                            : (size_t)request->count * 2;
}

size_t mb_answer_length(const struct mb_request *request)
{
    return gives_data(request->function) ? 2 + mb_answer_bytes(request)
                                         : fixed_length(request->function);
}

/* Appends the values of a write: how many, their bytes, themselves. */
static size_t put_values(uint8_t *to, const struct mb_request *request)
{
    size_t bytes = request->function == MB_WRITE_COILS ? ((size_t)request->count + 7) / 8
                                                       : (size_t)request->count * 2;

    assert(bytes <= MB_WRITE_BYTES);
    put_16(to, request->count);
    to[2] = (uint8_t)bytes;
    memcpy(to + 3, request->data, bytes);
    return 3 + bytes;
}

size_t mb_pdu_build(const struct mb_request *request, uint8_t pdu[MB_PDU_MAX])
{
    pdu[0] = request->function;
    put_16(pdu + 1, request->address);
    switch (request->function) {
    case MB_WRITE_COILS:
    case MB_WRITE_REGISTERS:
        return 3 + put_values(pdu + 3, request);
    case MB_READ_WRITE:
        put_16(pdu + 3, request->count);
        put_16(pdu + 5, request->address);
        return 7 + put_values(pdu + 7, request);
    case MB_IDENTIFY:
        pdu[1] = IDENTITY_TYPE;
        memcpy(pdu + 2, request->data, 2);
        return 4;
    default:
        break;
    }
    if (mb_is_read(request->function)) {
        put_16(pdu + 3, request->count);
        return 5;
    }
    memcpy(pdu + 3, request->data, fixed_length(request->function) - 3);
    return fixed_length(request->function);
}

/* Where the last object ends; 0 when that is not known yet, or beyond what a PDU can have. */
static size_t identity_length(const uint8_t *pdu, size_t count)
{
    size_t at = IDENTITY_HEAD;

    if (count < IDENTITY_HEAD)
        return 0;
    for (uint8_t left = pdu[IDENTITY_HEAD - 1]; left > 0; left--) {
        if (at + 2 > count)
            return 0;
        at += 2u + pdu[at + 1];
    }
    return at <= MB_PDU_MAX ? at : 0;
}

/* All writes but 23 are answered with the beginning of what was asked. */
static bool is_repeated(const struct mb_request *request, const uint8_t *pdu, size_t length)
{
    uint8_t asked[MB_PDU_MAX];

    mb_pdu_build(request, asked);
    return length == fixed_length(request->function) && memcmp(pdu, asked, length) == 0;
}

static uint8_t take_identity(const struct mb_request *request, const uint8_t *pdu, size_t length,
                             const uint8_t **ret_data)
{
    if (length < IDENTITY_HEAD || identity_length(pdu, length) != length || pdu[0] != MB_IDENTIFY ||
        pdu[1] != IDENTITY_TYPE || pdu[2] != request->data[0])
        return QUALITY_PROTOCOL;
    *ret_data = pdu + 3;
    return QUALITY_GOOD;
}

uint8_t mb_pdu_answer(const struct mb_request *request, const uint8_t *pdu, size_t length,
                      const uint8_t **ret_data)
{
    size_t bytes = mb_answer_bytes(request);

    if (length == 2 && pdu[0] == (request->function | EXCEPTION_FLAG) && pdu[1] > 0 &&
        pdu[1] <= EXCEPTION_MAX)
        return (uint8_t)(QUALITY_EXCEPTION + pdu[1]);
    if (request->function == MB_IDENTIFY)
        return take_identity(request, pdu, length, ret_data);
    if (!gives_data(request->function))
        return is_repeated(request, pdu, length) ? QUALITY_GOOD : QUALITY_PROTOCOL;
    if (length != 2 + bytes || pdu[0] != request->function || pdu[1] != bytes)
        return QUALITY_PROTOCOL;
    *ret_data = pdu + 2;
    return QUALITY_GOOD;
}

size_t mb_pdu_length(const uint8_t *pdu, size_t count)
{
    if (count >= 1 && (pdu[0] & EXCEPTION_FLAG))
        return 2;
    if (count >= 2 && gives_data(pdu[0]))
        return 2 + (size_t)pdu[1];
    if (count >= 1 && pdu[0] == MB_IDENTIFY)
        return identity_length(pdu, count);
    return count >= 1 ? fixed_length(pdu[0]) : 0;
}

size_t mb_mbap_build(uint8_t adu[MB_MBAP_MAX], uint16_t transaction, uint8_t unit,
                     size_t pdu_length)
{
    put_16(adu, transaction);
    put_16(adu + 2, 0);
    put_16(adu + 4, (unsigned)(1 + pdu_length));
    adu[6] = unit;
    return MBAP_HEADER + pdu_length;
}

enum mb_frame mb_mbap_parse(const uint8_t *bytes, size_t count, struct mb_mbap *ret)
{
    size_t pdu_length, said;

    if ((count >= 3 && bytes[2] != 0) || (count >= 4 && bytes[3] != 0))
        return MB_FRAME_BROKEN;
    if (count < 6)
        return MB_FRAME_PART;
    pdu_length = (size_t)get_16(bytes + 4) - 1;
    if (get_16(bytes + 4) < 3 || pdu_length > MB_PDU_MAX)
        return MB_FRAME_BROKEN;
    said = count > MBAP_HEADER ? mb_pdu_length(bytes + MBAP_HEADER, count - MBAP_HEADER) : 0;
    if (said && said != pdu_length)
        return MB_FRAME_BROKEN;
    if (count < MBAP_HEADER + pdu_length)
        return MB_FRAME_PART;
    *ret = (struct mb_mbap){.transaction = get_16(bytes),
                            .unit = bytes[6],
                            .pdu = bytes + MBAP_HEADER,
                            .pdu_length = pdu_length,
                            .used = MBAP_HEADER + pdu_length};
    return MB_FRAME_WHOLE;
}

/* CRC-16 with the reflected polynomial 0xA001, four bits at a time: sixteen entries are enough for
 * the few hundred bytes a second of a line. */
uint16_t mb_crc(const uint8_t *bytes, size_t count)
{
    static const uint16_t step[16] = {0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00,
                                      0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401,
                                      0x5000, 0x9c01, 0x8801, 0x4400};
    uint16_t crc = 0xffff;

    for (size_t i = 0; i < count; i++) {
        crc = (uint16_t)(crc ^ bytes[i]);
        crc = (uint16_t)(crc >> 4 ^ step[crc & 15]);
        crc = (uint16_t)(crc >> 4 ^ step[crc & 15]);
    }
    return crc;
}

/* A frame of unit, PDU and a CRC that is right. */
static bool is_sealed(const uint8_t *frame, size_t pdu_length)
{
    uint16_t crc = mb_crc(frame, 1 + pdu_length);

    return frame[1 + pdu_length] == (crc & 0xff) && frame[2 + pdu_length] == crc >> 8;
}

bool mb_rtu_find(const struct mb_request *request, uint8_t unit, const uint8_t *bytes, size_t count,
                 uint8_t *ret_quality, const uint8_t **ret_data)
{
    for (size_t at = 0; at + 5 <= count; at++) {
        const uint8_t *frame = bytes + at;
        size_t length = mb_pdu_length(frame + 1, count - at - 1);
        uint8_t quality;

        if (frame[0] != unit || length == 0 || at + 1 + length + 2 > count)
            continue;
        quality = mb_pdu_answer(request, frame + 1, length, ret_data);
        if (quality == QUALITY_PROTOCOL || !is_sealed(frame, length))
            continue;
        *ret_quality = quality;
        return true;
    }
    return false;
}

/* Bytes of a request's PDU; 0 when that is not known, or not yet. */
static size_t request_length(const uint8_t *pdu, size_t count)
{
    if (count < 1)
        return 0;
    if (pdu[0] == MB_WRITE_COILS || pdu[0] == MB_WRITE_REGISTERS)
        return count >= 6 ? 6 + (size_t)pdu[5] : 0;
    if (pdu[0] == MB_READ_WRITE)
        return count >= 10 ? 10 + (size_t)pdu[9] : 0;
    if (pdu[0] == MB_IDENTIFY)
        return 4;
    return mb_is_read(pdu[0]) ? 5 : fixed_length(pdu[0]);
}

/* Whether what it is shows only with more bytes: requests of 15, 16 and 23 and answers of 43 say
 * late how long they are. */
static bool is_open(const uint8_t *pdu, size_t count)
{
    if (pdu[0] == MB_READ_WRITE)
        return count < 10;
    if (pdu[0] == MB_IDENTIFY)
        return identity_length(pdu, count) == 0 && count < MB_PDU_MAX;
    return count < 6 && fixed_length(pdu[0]) > 0;
}

enum mb_frame mb_rtu_parse(const uint8_t *bytes, size_t count, size_t *ret_used)
{
    size_t lengths[2];
    bool part = count < 3;

    if (count < 2)
        return MB_FRAME_PART;
    lengths[0] = mb_pdu_length(bytes + 1, count - 1);
    lengths[1] = request_length(bytes + 1, count - 1);
    part = part || is_open(bytes + 1, count - 1);
    for (size_t i = 0; i < 2; i++) {
        size_t whole = 1 + lengths[i] + 2;

        if (lengths[i] == 0 || whole > MB_RTU_MAX)
            continue;
        if (whole > count) {
            part = true;
        } else if (is_sealed(bytes, lengths[i])) {
            *ret_used = whole;
            return MB_FRAME_WHOLE;
        }
    }
    return part ? MB_FRAME_PART : MB_FRAME_BROKEN;
}

bool mb_rtu_is_foreign(const uint8_t *bytes, size_t count)
{
    size_t at = 0, used;

    while (at < count) {
        if (mb_rtu_parse(bytes + at, count - at, &used) != MB_FRAME_WHOLE)
            return false;
        at += used;
    }
    return count > 0;
}
