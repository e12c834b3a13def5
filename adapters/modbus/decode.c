#include "adapters/modbus/decode.h"

#include "adapters/modbus/float.h"
#include "gateway/base/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXPONENT_MAX 10 /* of SunSpec; 0x8000 there says that there is no such value */

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

static double float_to_double(uint64_t raw, unsigned bits)
{
    uint32_t raw_32 = (uint32_t)raw;
    float single;
    double number;

    if (bits == 16)
        return mb_half_to_double((uint16_t)raw);
    if (bits == 32) {
        memcpy(&single, &raw_32, sizeof(single));
        return (double)single;
    }
    memcpy(&number, &raw, sizeof(number));
    return number;
}

/* False when the type is too small for it. */
static bool float_from_double(double number, unsigned bits, uint64_t *ret_raw)
{
    float single = (float)number;
    uint32_t raw_32;
    uint16_t raw_16;

    if (bits == 16) {
        if (!mb_half_from_double(number, &raw_16))
            return false;
        *ret_raw = raw_16;
        return true;
    }
    memcpy(ret_raw, &number, sizeof(number));
    if (bits == 64)
        return isfinite(number);
    memcpy(&raw_32, &single, sizeof(single));
    *ret_raw = raw_32;
    return isfinite(single);
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

/* A float is compared as what the device sends for the number that a person wrote. */
static bool is_invalid(const struct mb_format *format, uint64_t raw)
{
    unsigned bits = types[format->type].bits;

    for (size_t i = 0; i < format->n_invalid; i++) {
        uint64_t invalid = format->invalid[i].bits;

        if (types[format->type].coding == CODING_FLOAT &&
            !float_from_double(format->invalid[i].number, bits, &invalid))
            continue;
        if (raw == invalid)
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

    if (is_invalid(format, raw))
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

static struct sample decode_float(const struct mb_format *format, uint64_t raw, uint32_t channel,
                                  int64_t at_ms)
{
    unsigned bits = types[format->type].bits;
    double number = float_to_double(raw, bits);
    int places = -1;

    if (is_invalid(format, raw))
        return sample_bad(channel, at_ms, QUALITY_NO_SENSOR);
    if (bits < 64 && isfinite(number))
        number = mb_float_shorten(number, bits, &places);
    if (format->scale.factor == 1 && format->scale.offset == 0)
        return sample_number(channel, at_ms, number + 0.0); /* never -0 */
    return sample_number(channel, at_ms, scale_apply(&format->scale, number, places));
}

static struct sample decode(const struct mb_format *format, const uint8_t *bytes, uint32_t channel,
                            int64_t at_ms)
{
    const struct type *type = &types[format->type];
    uint64_t raw;

    if (type->coding == CODING_STRING)
        return decode_string(format, bytes, channel, at_ms);
    if (type->coding == CODING_BIT)
        return mb_decode_bit(format, bytes[format->bit < 8] >> format->bit % 8 & 1, channel, at_ms);
    raw = raw_bits(format, bytes);
    return type->coding == CODING_FLOAT ? decode_float(format, raw, channel, at_ms)
                                        : decode_whole(format, raw, channel, at_ms);
}

struct sample mb_decode(const struct mb_format *format, const uint8_t *bytes, uint32_t channel,
                        int64_t at_ms)
{
    const uint8_t *at = bytes + 2 * (size_t)format->exponent_at;
    struct mb_format scaled;
    int exponent;

    if (!format->has_exponent)
        return decode(format, bytes, channel, at_ms);
    exponent = (int16_t)(at[0] << 8 | at[1]);
    if (abs(exponent) > EXPONENT_MAX)
        return sample_bad(channel, at_ms, QUALITY_NO_SENSOR);
    scaled = *format;
    scaled.scale = scale_make(format->scale.factor * pow(10, exponent), format->scale.offset);
    return decode(&scaled, bytes + 2 * (size_t)format->value_at, channel, at_ms);
}

struct sample mb_decode_bit(const struct mb_format *format, bool is, uint32_t channel,
                            int64_t at_ms)
{
    if (format->codes)
        return map_code(format, is, channel, at_ms);
    return sample_number(channel, at_ms, is);
}

/* -- the way back --------------------------------------------------------------------------- */

static bool whole_to_raw(const struct type *type, double number, uint64_t *ret_raw)
{
    double top = ldexp(1, type->bits - (type->coding == CODING_SIGNED));
    double bottom = type->coding == CODING_SIGNED ? -top : 0;

    if (!(number >= bottom && number < top))
        return false;
    *ret_raw = type->coding == CODING_SIGNED ? (uint64_t)(int64_t)number : (uint64_t)number;
    if (type->bits < 64)
        *ret_raw &= (UINT64_C(1) << type->bits) - 1;
    return true;
}

static bool bcd_to_raw(unsigned bits, double number, uint64_t *ret_raw)
{
    double top = bits == 16 ? 1e4 : 1e8;
    uint64_t rest;

    if (!(number >= 0 && number < top))
        return false;
    *ret_raw = 0;
    rest = (uint64_t)number;
    for (unsigned shift = 0; shift < bits; shift += 4, rest /= 10)
        *ret_raw |= rest % 10 << shift;
    return true;
}

static bool number_to_raw(const struct type *type, double number, uint64_t *ret_raw)
{
    switch (type->coding) {
    case CODING_FLOAT:
        return float_from_double(number, type->bits, ret_raw);
    case CODING_BCD:
        return bcd_to_raw(type->bits, nearbyint(number), ret_raw);
    default:
        return whole_to_raw(type, nearbyint(number), ret_raw);
    }
}

uint8_t mb_encode(const struct mb_format *format, double number, uint8_t *bytes)
{
    const struct type *type = &types[format->type];
    size_t width = type->bits / 8u;
    double unscaled = (number - format->scale.offset) / format->scale.factor;
    uint64_t raw;

    assert(type->coding != CODING_BIT && type->coding != CODING_STRING);
    if (!isfinite(unscaled) || !number_to_raw(type, unscaled, &raw) || is_invalid(format, raw))
        return QUALITY_OUT_OF_RANGE;
    if (width == 1) {
        bytes[0] = type->high ? (uint8_t)raw : 0;
        bytes[1] = type->high ? 0 : (uint8_t)raw;
        return QUALITY_GOOD;
    }
    for (size_t i = 0; i < width; i++)
        bytes[byte_place(format->order, width, i)] = (uint8_t)(raw >> 8 * (width - 1 - i));
    return QUALITY_GOOD;
}
