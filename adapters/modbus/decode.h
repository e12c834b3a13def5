/* Decode: from the bytes of registers to a sample and back, by one table of types. Pure; any
 * thread.
 *
 * Registers come as two bytes, high byte first. What is wider is named by the order in which its
 * bytes A (most significant) B C D stand on the wire:
 *
 *   ABCD  as the protocol means it          BADC  bytes swapped within each register
 *   CDAB  registers swapped                 DCBA  both
 *
 * 64 bits likewise (CDAB: GH EF CD AB). Registers of 16 bits and strings know only swapped bytes or
 * not; the types of 8 bits name their half of the register, whatever the order. */
#pragma once

#include "adapters/scale.h"
#include "gateway/base/reading.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of MB_TYPE_WORDS. */
enum mb_type {
    MB_BIT,
    MB_INT8_HIGH,
    MB_INT8_LOW,
    MB_UINT8_HIGH,
    MB_UINT8_LOW,
    MB_INT16,
    MB_UINT16,
    MB_INT32,
    MB_UINT32,
    MB_INT64,
    MB_UINT64,
    MB_FLOAT16,
    MB_FLOAT32,
    MB_FLOAT64,
    MB_BCD16,
    MB_BCD32,
    MB_STRING,
};
/* For the option's choices. */
#define MB_TYPE_WORDS                                                                             \
    "bit int8_high int8_low uint8_high uint8_low int16 uint16 int32 uint32 int64 uint64 float16 " \
    "float32 float64 bcd16 bcd32 string"

enum mb_order { MB_ABCD, MB_CDAB, MB_BADC, MB_DCBA };

#define MB_STRING_MAX  250 /* bytes: 125 registers */
#define MB_INVALID_MAX 8

struct mb_code {
    int64_t code;
    char text[SAMPLE_TEXT_SIZE];
};

/* A raw value that means "no sensor": the bits of whole numbers and BCD, the value of floats. */
union mb_invalid {
    uint64_t bits;
    double number;
};

/* How a channel's bytes are to be read. */
struct mb_format {
    uint8_t type;  /* enum mb_type */
    uint8_t order; /* enum mb_order */
    uint8_t bit;   /* MB_BIT in a register: 0 is the lowest */
    uint8_t n_invalid;
    uint16_t length; /* MB_STRING: bytes */
    /* Where the scale is 10 to the power of a register, as SunSpec has it: `bytes` begin with the
     * one of the two that comes first. */
    bool has_exponent;
    uint8_t value_at, exponent_at; /* in registers, from there */
    uint32_t n_codes;
    const struct mb_code *codes; /* sorted by code; borrowed; then the value is a text */
    struct scale scale;
    const union mb_invalid *invalid; /* n_invalid of them; borrowed */
};

/* Registers that it spans; 1 for MB_BIT. */
unsigned mb_format_registers(const struct mb_format *format);

bool mb_type_is_whole(enum mb_type type); /* integers and BCD: what can have codes */
bool mb_type_is_float(enum mb_type type);
unsigned mb_type_bits(enum mb_type type); /* 1, 8, 16, 32 or 64; 0 for strings */
bool mb_type_is_signed(enum mb_type type);

/* `bytes` has 2 * mb_format_registers(), and the exponent if there is one; beyond +-10 that is "no
 * sensor". */
struct sample mb_decode(const struct mb_format *format, const uint8_t *bytes, uint32_t channel,
                        int64_t at_ms);

/* A coil or discrete input. */
struct sample mb_decode_bit(const struct mb_format *format, bool is, uint32_t channel,
                            int64_t at_ms);

/* The reverse for numbers: the bytes that mb_decode() makes `number` of, the nearest that the type
 * can show. Of types of 8 bits the other half is 0. QUALITY_OUT_OF_RANGE when the type cannot hold
 * it, or when it would mean "no sensor": nothing is ever wrapped or cut. */
uint8_t mb_encode(const struct mb_format *format, double number, uint8_t *bytes);
