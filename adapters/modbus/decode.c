#include "adapters/modbus/decode.h"

#include "gateway/base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum coding { CODING_BIT, CODING_SIGNED, CODING_UNSIGNED, CODING_FLOAT, CODING_BCD, CODING_STRING };

static const struct type {
    uint8_t coding; /* enum coding */
    uint8_t bits;
    bool high; /* of 8 bits: the high byte of the register */
} types[] = {
    [MB_BIT] = {CODING_BIT, 1, false},
    [MB_INT8_HIGH] = {CODING_SIGNED, 8, true},
    [MB_INT8_LOW] = {CODING_SIGNED, 8, false},
    [MB_UINT8_HIGH] = {CODING_UNSIGNED, 8, true},
    [MB_UINT8_LOW] = {CODING_UNSIGNED, 8, false},
    [MB_INT16] = {CODING_SIGNED, 16, false},
    [MB_UINT16] = {CODING_UNSIGNED, 16, false},
    [MB_INT32] = {CODING_SIGNED, 32, false},
    [MB_UINT32] = {CODING_UNSIGNED, 32, false},
    [MB_INT64] = {CODING_SIGNED, 64, false},
    [MB_UINT64] = {CODING_UNSIGNED, 64, false},
    [MB_FLOAT16] = {CODING_FLOAT, 16, false},
    [MB_FLOAT32] = {CODING_FLOAT, 32, false},
    [MB_FLOAT64] = {CODING_FLOAT, 64, false},
    [MB_BCD16] = {CODING_BCD, 16, false},
    [MB_BCD32] = {CODING_BCD, 32, false},
    [MB_STRING] = {CODING_STRING, 0, false},
};

const char mb_type_words[] =
    "bit int8_high int8_low uint8_high uint8_low int16 uint16 int32 uint32 "
    "int64 uint64 float16 float32 float64 bcd16 bcd32 string";

unsigned mb_format_registers(const struct mb_format *format)
{
    if (format->type == MB_STRING)
        return (format->length + 1u) / 2;
    return (types[format->type].bits + 15u) / 16;
}

bool mb_type_is_whole(enum mb_type type)
{
    uint8_t coding = types[type].coding;

    return coding == CODING_SIGNED || coding == CODING_UNSIGNED || coding == CODING_BCD;
}

bool mb_type_is_float(enum mb_type type)
{
    return types[type].coding == CODING_FLOAT;
}

unsigned mb_type_bits(enum mb_type type)
{
    return types[type].bits;
}

bool mb_type_is_signed(enum mb_type type)
{
    return types[type].coding == CODING_SIGNED;
}

/* Where the i-th byte, counted from the most significant, stands on the wire. */
static size_t byte_place(enum mb_order order, size_t width, size_t i)
{
    switch (order) {
    case MB_CDAB:
        return (width / 2 - 1 - i / 2) * 2 + i % 2;
    case MB_BADC:
        return i ^ 1;
    case MB_DCBA:
        return width - 1 - i;
    case MB_ABCD:
        break;
    }
    return i;
}

static uint64_t raw_bits(const struct mb_format *format, const uint8_t *bytes)
{
    const struct type *type = &types[format->type];
    size_t width = type->bits / 8u;
    uint64_t raw = 0;

    if (width == 1)
        return bytes[type->high ? 0 : 1];
    for (size_t i = 0; i < width; i++)
        raw = raw << 8 | bytes[byte_place(format->order, width, i)];
    return raw;
}

static int64_t sign_extend(uint64_t raw, unsigned bits)
{
    uint64_t sign = UINT64_C(1) << (bits - 1);

    return (int64_t)((raw ^ sign) - sign);
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction. */
static double half_to_double(uint64_t raw)
{
    int exponent = (int)(raw >> 10 & 0x1f);
    double fraction = (double)(raw & 0x3ff);
    double value;

    if (exponent == 0x1f)
        value = fraction > 0 ? NAN : INFINITY;
    else if (exponent == 0)
        value = ldexp(fraction, -24);
    else
        value = ldexp(fraction + 1024.0, exponent - 25);
    return raw & 0x8000 ? -value : value;
}

static double float_to_double(uint64_t raw, unsigned bits)
{
    uint32_t raw_32 = (uint32_t)raw;
    float single;
    double number;

    if (bits == 16)
        return half_to_double(raw);
    if (bits == 32) {
        memcpy(&single, &raw_32, sizeof(single));
        return (double)single;
    }
    memcpy(&number, &raw, sizeof(number));
    return number;
}

/* -1 when a digit is none. */
static int64_t bcd_to_int(uint64_t raw)
{
    int64_t value = 0;

    for (int shift = 28; shift >= 0; shift -= 4) {
        unsigned digit = raw >> shift & 0xf;

        if (digit > 9)
            return -1;
        value = value * 10 + digit;
    }
    return value;
}

static bool is_invalid(const struct mb_format *format, uint64_t raw, double number)
{
    for (size_t i = 0; i < format->n_invalid; i++) {
        if (mb_type_is_float(format->type) ? number == format->invalid[i].number
                                           : raw == format->invalid[i].bits)
            return true;
    }
    return false;
}

static int compare_code(const void *key, const void *member)
{
    int64_t a = *(const int64_t *)key, b = ((const struct mb_code *)member)->code;

    return (a > b) - (a < b);
}

static struct sample map_code(const struct mb_format *format, int64_t code, uint32_t channel,
                              int64_t at_ms)
{
    const struct mb_code *found =
        bsearch(&code, format->codes, format->n_codes, sizeof(*found), compare_code);

    return found ? sample_text(channel, at_ms, found->text)
                 : sample_bad(channel, at_ms, QUALITY_UNMAPPED);
}

static struct sample decode_whole(const struct mb_format *format, uint64_t raw, uint32_t channel,
                                  int64_t at_ms)
{
    const struct type *type = &types[format->type];
    int64_t whole = (int64_t)raw;

    if (is_invalid(format, raw, 0))
        return sample_bad(channel, at_ms, QUALITY_NO_SENSOR);
    if (type->coding == CODING_SIGNED)
        whole = sign_extend(raw, type->bits);
    if (type->coding == CODING_BCD && (whole = bcd_to_int(raw)) < 0)
        return sample_bad(channel, at_ms, QUALITY_OUT_OF_RANGE);
    if (format->codes)
        return map_code(format, whole, channel, at_ms);
    return sample_number(channel, at_ms,
                         scale_apply(&format->scale,
                                     type->coding == CODING_UNSIGNED ? (double)raw : (double)whole,
                                     0));
}

/* Devices pad with NUL or blanks; what is no printable ASCII nor UTF-8 shows as '?'. */
static struct sample decode_string(const struct mb_format *format, const uint8_t *bytes,
                                   uint32_t channel, int64_t at_ms)
{
    char text[MB_STRING_MAX + 1];
    bool swapped = format->order == MB_BADC || format->order == MB_DCBA;
    size_t length = 0;
    bool utf8;

    for (; length < format->length; length++) {
        text[length] = (char)bytes[swapped ? length ^ 1 : length];
        if (text[length] == '\0')
            break;
    }
    while (length > 0 && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
    utf8 = text_is_utf8(text, length);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
            text[i] = '?';
    }
    return sample_text(channel, at_ms, text);
}

struct sample mb_decode(const struct mb_format *format, const uint8_t *bytes, uint32_t channel,
                        int64_t at_ms)
{
    const struct type *type = &types[format->type];
    uint64_t raw;
    double number;

    if (type->coding == CODING_STRING)
        return decode_string(format, bytes, channel, at_ms);
    if (type->coding == CODING_BIT)
        return mb_decode_bit(format, bytes[format->bit < 8] >> format->bit % 8 & 1, channel, at_ms);
    raw = raw_bits(format, bytes);
    if (type->coding != CODING_FLOAT)
        return decode_whole(format, raw, channel, at_ms);
    number = float_to_double(raw, type->bits);
    if (is_invalid(format, raw, number))
        return sample_bad(channel, at_ms, QUALITY_NO_SENSOR);
    return sample_number(channel, at_ms, scale_apply(&format->scale, number, -1));
}

struct sample mb_decode_bit(const struct mb_format *format, bool is, uint32_t channel,
                            int64_t at_ms)
{
    if (format->codes)
        return map_code(format, is, channel, at_ms);
    return sample_number(channel, at_ms, is);
}
