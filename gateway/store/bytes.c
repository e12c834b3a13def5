#include "gateway/store/bytes.h"

#include <stdlib.h>

#define VARINT_MAX 10

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    memset(bytes, 0, sizeof(*bytes));
}

uint8_t *bytes_room(struct bytes *bytes, size_t count)
{
    size_t size = bytes->size ? bytes->size : 256;
    uint8_t *data;

    if (bytes->size - bytes->length >= count && bytes->data)
        return bytes->data + bytes->length;
    while (size - bytes->length < count)
        size *= 2;
    data = realloc(bytes->data, size);
    if (!data) {
        bytes->failed = true;
        return NULL;
    }
    bytes->data = data;
    bytes->size = size;
    return data + bytes->length;
}

void bytes_put(struct bytes *bytes, const void *from, size_t count)
{
    uint8_t *to = bytes_room(bytes, count);

    if (!to || count == 0)
        return;
    memcpy(to, from, count);
    bytes->length += count;
}

void bytes_put_byte(struct bytes *bytes, uint8_t byte)
{
    bytes_put(bytes, &byte, 1);
}

void bytes_put_unsigned(struct bytes *bytes, uint64_t value)
{
    uint8_t *to = bytes_room(bytes, VARINT_MAX);

    if (!to)
        return;
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    bytes->length = (size_t)(to - bytes->data);
}

void bytes_put_signed(struct bytes *bytes, int64_t value)
{
    bytes_put_unsigned(bytes, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

uint8_t bytes_get_byte(struct bytes_reader *reader)
{
    const uint8_t *at = bytes_get(reader, 1);

    return at ? *at : 0;
}

uint64_t bytes_get_unsigned(struct bytes_reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    reader->failed = true;
    reader->at = reader->end;
    return 0;
}

int64_t bytes_get_signed(struct bytes_reader *reader)
{
    uint64_t value = bytes_get_unsigned(reader);

    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

const uint8_t *bytes_get(struct bytes_reader *reader, size_t count)
{
    const uint8_t *at = reader->at;

    if (reader->failed || (size_t)(reader->end - at) < count) {
        reader->failed = true;
        reader->at = reader->end;
        return NULL;
    }
    reader->at += count;
    return at;
}

size_t bytes_get_count(struct bytes_reader *reader)
{
    uint64_t count = bytes_get_unsigned(reader);

    if (count > (uint64_t)(reader->end - reader->at)) {
        reader->failed = true;
        reader->at = reader->end;
        return 0;
    }
    return (size_t)count;
}
