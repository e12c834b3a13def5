/* Modbus frames as pure functions: requests built, answers taken apart. Any thread.
 *
 * PDU (Modbus Application Protocol 1.1b3, section 6): function, then data, at most 253 bytes.
 *
 *   read 1-4   >> fn  address(2)  count(2)        << fn  bytes(1)  data(bytes)
 *   echo 8     >> fn  0(2)  number(2)             << the same
 *   write 5 6  >> fn  address(2)  value(2)        << the same (5: FF00 on, 0000 off)
 *   write 15   >> fn  address(2)  count(2)        << fn  address(2)  count(2)
 *         16      bytes(1)  values(bytes)
 *   mask 22    >> fn  address(2)  and(2)  or(2)   << the same; new = (old & and) | (or & ~and)
 *   both 23    >> fn  address(2)  count(2)        << fn  bytes(1)  data(bytes)
 *                 address(2)  count(2)
 *                 bytes(1)  values(bytes)            written first, then read
 *   who 43     >> fn  14  code(1)  object(1)      << fn  14  code(1)  conformity(1)  more(1)
 *                                                    next(1)  n(1)  n x { id(1)  length(1)  text }
 *   exception                                     << fn|0x80  code(1)
 *
 * MBAP, the frame on TCP (Messaging on TCP/IP 1.0b, section 3.1.3):
 *
 *   transaction(2)  protocol(2) = 0  length(2) of what follows  unit(1)  PDU
 *
 * RTU, the frame on serial lines (Over Serial Line 1.02, section 2.5.1):
 *
 *   unit(1)  PDU  CRC(2, low byte first)
 *
 * Every length is held against every other one, and the answer against its request: nothing is
 * taken from an answer that contradicts itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MB_PDU_MAX  253
#define MB_MBAP_MAX (7 + MB_PDU_MAX)
#define MB_RTU_MAX  (1 + MB_PDU_MAX + 2)

#define MB_REGISTERS_MAX 125 /* of one read */
#define MB_BITS_MAX      2000

/* The numbers are those of the wire. */
enum mb_function {
    MB_READ_COILS = 1,
    MB_READ_DISCRETES = 2,
    MB_READ_HOLDINGS = 3,
    MB_READ_INPUTS = 4,
    MB_WRITE_COIL = 5,
    MB_WRITE_REGISTER = 6,
    MB_DIAGNOSE = 8, /* its subfunction 0: an echo */
    MB_WRITE_COILS = 15,
    MB_WRITE_REGISTERS = 16,
    MB_MASK_REGISTER = 22,
    MB_READ_WRITE = 23, /* here always of the same registers */
    MB_IDENTIFY = 43,   /* its subfunction 14: identity.h */
};

#define MB_WRITE_BYTES 8 /* the widest value that a channel can have */

struct mb_request {
    uint8_t function; /* enum mb_function */
    uint16_t address; /* 0-based */
    uint16_t count;   /* of reads, 15, 16 and 23: registers, or bits of coils and discrete inputs */
    /* Of writes, as it goes over the wire: value, values, both masks. Of 43: code and first object.
     */
    uint8_t data[MB_WRITE_BYTES];
};

bool mb_is_read(uint8_t function);    /* 1 to 4 */
bool mb_reads_bits(uint8_t function); /* of coils or discrete inputs */

/* Bytes of data in the answer to a read or 23. */
size_t mb_answer_bytes(const struct mb_request *request);

/* Bytes of the PDU that answers `request`; 0 for 43, which says itself how long it is. */
size_t mb_answer_length(const struct mb_request *request);

/* Writes the request's PDU and returns its length. */
size_t mb_pdu_build(const struct mb_request *request, uint8_t pdu[MB_PDU_MAX]);

/* Holds an answer's PDU against its request. QUALITY_GOOD: *ret_data points into `pdu` and has
 * mb_answer_bytes() of a read or 23, of 43 what begins with the conformity; a write was answered
 * with what was asked. QUALITY_EXCEPTION + n: the
 * device answered with exception n. QUALITY_PROTOCOL: it is no answer to this request. */
uint8_t mb_pdu_answer(const struct mb_request *request, const uint8_t *pdu, size_t length,
                      const uint8_t **ret_data);

/* How long the answer that begins with these bytes says that it is; 0 when that is not known yet,
 * or never (a function that is none of ours). */
size_t mb_pdu_length(const uint8_t *pdu, size_t count);

/* A frame with `pdu_length` bytes already at adu + 7. Returns its whole length. */
size_t mb_mbap_build(uint8_t adu[MB_MBAP_MAX], uint16_t transaction, uint8_t unit,
                     size_t pdu_length);

enum mb_frame {
    MB_FRAME_PART, /* good so far; more bytes are needed */
    MB_FRAME_WHOLE,
    MB_FRAME_BROKEN, /* it contradicts itself: where the next one starts is not known */
};

struct mb_mbap {
    uint16_t transaction;
    uint8_t unit;
    const uint8_t *pdu; /* into the bytes that were parsed */
    size_t pdu_length;
    size_t used; /* bytes of the whole frame */
};

/* The frame of an answer at the start of `bytes`. *ret is filled only when it is whole. A length
 * that its own PDU contradicts is found as soon as both are there, before the rest has come. */
enum mb_frame mb_mbap_parse(const uint8_t *bytes, size_t count, struct mb_mbap *ret);

uint16_t mb_crc(const uint8_t *bytes, size_t count);

/* Looks for the answer to `request` of `unit` anywhere in what a line gave since the request was
 * sent: noise, echoes and foreign frames before and after it do not matter. Returns true when it is
 * there, with *ret_quality and *ret_data as of mb_pdu_answer(). */
bool mb_rtu_find(const struct mb_request *request, uint8_t unit, const uint8_t *bytes, size_t count,
                 uint8_t *ret_quality, const uint8_t **ret_data);

/* The frame at the start of `bytes`: an answer, or a request of another master (or our own, as an
 * echo): what it is shows when its CRC is right. Returns as mb_mbap_parse(); *ret_used are its
 * bytes. */
enum mb_frame mb_rtu_parse(const uint8_t *bytes, size_t count, size_t *ret_used);

/* Whether `bytes` are whole frames with good CRCs, one after another, and nothing else: then
 * somebody spoke clearly, but not to us. */
bool mb_rtu_is_foreign(const uint8_t *bytes, size_t count);
