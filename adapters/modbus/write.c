#include "adapters/modbus/write.h"

#include <string.h>

static void put_16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* Function 22 leaves all bits but those of `mask` as they are. */
static void build_mask(struct mb_request *request, unsigned mask, unsigned bits)
{
    request->function = MB_MASK_REGISTER;
    put_16(request->data, ~mask);
    put_16(request->data + 2, bits & mask);
}

static uint8_t build_bit(const struct mb_channel *channel, double number,
                         struct mb_request *request)
{
    unsigned mask = 1u << channel->format.bit;

    if (number != 0 && number != 1)
        return QUALITY_OUT_OF_RANGE;
    if (channel->span.function != MB_READ_COILS) {
        build_mask(request, mask, number != 0 ? mask : 0);
    } else if (channel->write_with == MB_WRITE_MULTIPLE) {
        request->function = MB_WRITE_COILS;
        request->count = 1;
        request->data[0] = number != 0;
    } else {
        request->function = MB_WRITE_COIL;
        put_16(request->data, number != 0 ? 0xff00 : 0);
    }
    return QUALITY_GOOD;
}

static uint8_t function_for(const struct mb_channel *channel)
{
    if (channel->write_with == MB_WRITE_READ)
        return MB_READ_WRITE;
    if (channel->write_with == MB_WRITE_MULTIPLE || channel->span.count > 1)
        return MB_WRITE_REGISTERS;
    return MB_WRITE_REGISTER;
}

static uint8_t build_number(const struct mb_channel *channel, double number,
                            struct mb_request *request)
{
    const struct mb_format *format = &channel->format;
    uint8_t bytes[MB_WRITE_BYTES] = {0};
    uint8_t quality = mb_encode(format, number, bytes);

    if (quality != QUALITY_GOOD)
        return quality;
    if (mb_type_bits(format->type) == 8) {
        unsigned mask =
            format->type == MB_INT8_HIGH || format->type == MB_UINT8_HIGH ? 0xff00 : 0xff;

        build_mask(request, mask, (unsigned)bytes[0] << 8 | bytes[1]);
        return QUALITY_GOOD;
    }
    request->function = function_for(channel);
    request->count = channel->span.count;
    memcpy(request->data, bytes, sizeof(bytes));
    return QUALITY_GOOD;
}

uint8_t mb_write_build(const struct mb_channel *channel, double number, struct mb_request *ret)
{
    struct mb_request request = {.address = channel->span.address};
    uint8_t quality;

    if (!channel->writable)
        return QUALITY_ERROR;
    if (channel->format.type == MB_BIT)
        quality = build_bit(channel, number, &request);
    else
        quality = build_number(channel, number, &request);
    if (quality == QUALITY_GOOD)
        *ret = request;
    return quality;
}
