#include "adapters/onewire/decode.h"

#include "gateway/base/reading.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <string.h>

#define PAD_BYTES   9
#define POWER_ON_MC 85000
#define WITHIN_MC   10000
/* 0x07ff sixteenths: what a sensor answers whose supply breaks down while it converts. */
#define LOW_POWER_MC 127937

static const struct family {
    uint8_t code;
    const char *name;
    int32_t min_mc, max_mc;
} families[] = {
    {0x10, "DS18S20", -55000, 125000},
    {0x22, "DS1822", -55000, 125000},
    {0x28, "DS18B20", -55000, 125000},
    /* The thermocouple converter shares its family with the DS1825; type K goes from -270 to 1372.
     */
    {0x3b, "DS1825 or MAX31850", -270000, 1372000},
    {0x42, "DS28EA00", -55000, 125000},
};

static const struct family *family_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
        if (families[i].code == code)
            return &families[i];
    }
    return NULL;
}

const char *onewire_family_name(uint8_t family)
{
    const struct family *found = family_of(family);

    return found ? found->name : NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* -- addresses ------------------------------------------------------------------------------ */

int onewire_address_read(const char *text, struct onewire_address *ret, struct error *reterr)
{
    struct onewire_address address = {0};
    char quoted[64];
    size_t i = 0;

    for (; text[i] && i < ONEWIRE_ADDRESS_SIZE - 1; i++) {
        char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];

        if (i == 2 ? c != '-' && c != '.' : hex_digit(c) < 0)
            break;
        address.text[i] = i == 2 ? '-' : c;
    }
    if (i != ONEWIRE_ADDRESS_SIZE - 1 || text[i])
        return error_set(reterr, -EINVAL, "%s is no address of a 1-Wire sensor",
                         text_quote(quoted, sizeof(quoted), text));
    address.family = (uint8_t)(hex_digit(address.text[0]) << 4 | hex_digit(address.text[1]));
    *ret = address;
    return 0;
}

int onewire_address_parse(const char *text, struct onewire_address *ret, struct error *reterr)
{
    struct onewire_address address;
    int r = onewire_address_read(text, &address, reterr);

    if (r < 0)
        return r;
    if (!family_of(address.family))
        return error_set(reterr, -EINVAL, "family %.2s is no thermometer", address.text);
    *ret = address;
    return 0;
}

/* -- texts ---------------------------------------------------------------------------------- */

uint8_t onewire_crc8(const uint8_t *bytes, size_t count)
{
    uint8_t crc = 0;

    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint8_t)(crc & 1 ? crc >> 1 ^ 0x8c : crc >> 1);
    }
    return crc;
}

/* A text that is taken from the front. */
struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *cursor, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

static bool take_byte(struct cursor *cursor, uint8_t *ret)
{
    int high, low;

    if (cursor->end - cursor->at < 2)
        return false;
    high = hex_digit(cursor->at[0]);
    low = hex_digit(cursor->at[1]);
    if (high < 0 || low < 0)
        return false;
    *ret = (uint8_t)(high << 4 | low);
    cursor->at += 2;
    return true;
}

static bool take_pad(struct cursor *cursor, uint8_t pad[PAD_BYTES])
{
    for (size_t i = 0; i < PAD_BYTES; i++) {
        if (!take_byte(cursor, &pad[i]) || !take(cursor, " "))
            return false;
    }
    return true;
}

/* Decimal, at most seven digits: more than any thermometer has. */
static bool take_milli(struct cursor *cursor, int32_t *ret)
{
    bool negative = take(cursor, "-");
    int32_t value = 0;
    size_t digits = 0;

    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        if (++digits > 7)
            return false;
        value = value * 10 + (*cursor->at - '0');
    }
    *ret = negative ? -value : value;
    return digits > 0;
}

/* A line end may be missing only where the text ends; nothing may stand behind it. */
static bool take_end(struct cursor *cursor)
{
    take(cursor, "\n");
    return cursor->at == cursor->end;
}

/* -- values --------------------------------------------------------------------------------- */

static struct onewire_value bad(uint8_t quality)
{
    return (struct onewire_value){.quality = quality};
}

struct onewire_value onewire_judge(uint8_t code, int32_t milli_c)
{
    const struct family *family = family_of(code);

    if (!family)
        return bad(QUALITY_PROTOCOL);
    if (milli_c == LOW_POWER_MC)
        return bad(QUALITY_LOW_POWER);
    if (milli_c < family->min_mc || milli_c > family->max_mc)
        return bad(QUALITY_OUT_OF_RANGE);
    return (struct onewire_value){QUALITY_GOOD, milli_c};
}

/* What the nine bytes say of themselves, whatever temperature is made of them. */
static uint8_t judge_pad(uint8_t family, const uint8_t pad[PAD_BYTES])
{
    static const uint8_t zeros[PAD_BYTES];

    if (memcmp(pad, zeros, PAD_BYTES) == 0)
        return QUALITY_LOW_POWER;
    if (onewire_crc8(pad, PAD_BYTES) != 0)
        return QUALITY_CRC;
    /* MAX31850 (bit 7 of byte 4 is set in it alone): bit 0 is a fault of the thermocouple. */
    if (family == 0x3b && pad[4] & 0x80 && pad[0] & 1)
        return QUALITY_NO_SENSOR;
    /* The kernel divides by byte 7 of a DS18S20, and says 0 °C where it is 0. */
    if (family == 0x10 && pad[7] == 0)
        return QUALITY_PROTOCOL;
    return QUALITY_GOOD;
}

struct onewire_value onewire_decode_slave(uint8_t family, const char *text, size_t length)
{
    struct cursor cursor = {text, text + length};
    uint8_t pad[PAD_BYTES], again[PAD_BYTES], crc, quality;
    int32_t milli_c;

    if (!take_pad(&cursor, pad) || !take(&cursor, ": crc=") || !take_byte(&cursor, &crc))
        return bad(QUALITY_PROTOCOL);
    if (take(&cursor, " NO\n"))
        return bad(QUALITY_CRC);
    if (!take(&cursor, " YES\n") || !take_pad(&cursor, again) || !take(&cursor, "t=") ||
        !take_milli(&cursor, &milli_c) || !take_end(&cursor))
        return bad(QUALITY_PROTOCOL);
    quality = judge_pad(family, pad);
    if (quality != QUALITY_GOOD)
        return bad(quality);
    /* After YES the two are one; two that differ are halves of different answers. */
    if (memcmp(pad, again, PAD_BYTES) != 0)
        return bad(QUALITY_PROTOCOL);
    return onewire_judge(family, milli_c);
}

struct onewire_value onewire_decode_temperature(uint8_t family, const char *text, size_t length)
{
    struct cursor cursor = {text, text + length};
    int32_t milli_c;

    if (!take_milli(&cursor, &milli_c) || !take_end(&cursor))
        return bad(QUALITY_PROTOCOL);
    return onewire_judge(family, milli_c);
}

bool onewire_has_answered(uint8_t quality)
{
    return quality == QUALITY_GOOD || quality == QUALITY_POWER_ON || quality == QUALITY_LOW_POWER ||
           quality == QUALITY_OUT_OF_RANGE;
}

bool onewire_is_doubtful(struct onewire_value value, const struct onewire_value *last)
{
    if (value.quality != QUALITY_GOOD || value.milli_c != POWER_ON_MC)
        return false;
    return !last || last->milli_c < POWER_ON_MC - WITHIN_MC ||
           last->milli_c > POWER_ON_MC + WITHIN_MC;
}

struct onewire_value onewire_confirm(struct onewire_value second)
{
    return second.quality == QUALITY_GOOD ? second : bad(QUALITY_POWER_ON);
}
