/* Any bytes as what comes from a Modbus wire. Beyond not crashing: frames lie within the bytes,
 * data is there in full, and only an answer with the unit, function and count that were asked for,
 * and a good CRC where there is one, is ever taken. The first bytes choose request and type. */
#include "adapters/modbus/decode.h"
#include "adapters/modbus/pdu.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is)
{
    if (!is)
        abort();
}

static void check_pdu(const struct mb_request *request, const uint8_t *pdu, size_t length)
{
    const uint8_t *found = NULL;
    uint8_t quality = mb_pdu_answer(request, pdu, length, &found);

    demand((found != NULL) == (quality == QUALITY_GOOD));
    if (quality != QUALITY_GOOD)
        return;
    demand(pdu[0] == request->function && pdu[1] == mb_answer_bytes(request));
    demand(found == pdu + 2 && found + mb_answer_bytes(request) == pdu + length);
}

static void check_stream(const struct mb_request *request, const uint8_t *bytes, size_t count)
{
    struct mb_mbap frame;

    while (mb_mbap_parse(bytes, count, &frame) == MB_FRAME_WHOLE) {
        demand(frame.used <= count && frame.used <= MB_MBAP_MAX && frame.pdu_length >= 2);
        demand(frame.pdu + frame.pdu_length == bytes + frame.used);
        check_pdu(request, frame.pdu, frame.pdu_length);
        bytes += frame.used;
        count -= frame.used;
    }
}

static void check_line(const struct mb_request *request, uint8_t unit, const uint8_t *bytes,
                       size_t count)
{
    const uint8_t *found = NULL;
    uint8_t quality;
    size_t frame;

    mb_rtu_is_foreign(bytes, count);
    if (!mb_rtu_find(request, unit, bytes, count, &quality, &found) || quality != QUALITY_GOOD)
        return;
    frame = 3 + mb_answer_bytes(request);
    demand(found >= bytes + 3 && found - 3 + frame + 2 <= bytes + count);
    demand(found[-3] == unit && found[-2] == request->function);
    demand(mb_crc(found - 3, frame) == (found[frame - 3] | found[frame - 2] << 8));
}

static void check_decode(const uint8_t *head, const uint8_t *bytes, size_t count)
{
    struct mb_format format = {
        .type = head[4] % (MB_STRING + 1),
        .order = head[5] % 4,
        .bit = head[6] % 16,
        .length = (uint16_t)(head[6] % MB_STRING_MAX + 1),
        .scale = scale_make((double)head[7] / 16.0 + 0.1, -40),
    };
    size_t width = 2u * mb_format_registers(&format);
    uint8_t registers[MB_STRING_MAX];
    struct sample sample;

    if (count < width)
        return;
    memcpy(registers, bytes, width);
    sample = mb_decode(&format, registers, 1, 2);
    demand((sample.kind == VALUE_NONE) == (sample.quality != QUALITY_GOOD));
    demand(sample.kind != VALUE_NUMBER || sample.number - sample.number == 0);
    demand(sample.kind != VALUE_TEXT || memchr(sample.text, '\0', sizeof(sample.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mb_request request;
    uint8_t *bytes; /* of its own, so that a read behind the end is seen */
    size_t count = size - HEAD;

    if (size <= HEAD || !(bytes = malloc(count)))
        return 0;
    memcpy(bytes, data + HEAD, count);
    request = (struct mb_request){(uint8_t)(data[0] % 4 + 1), data[1],
                                  (uint16_t)(data[2] % MB_REGISTERS_MAX + 1)};
    check_stream(&request, bytes, count);
    check_line(&request, data[3], bytes, count);
    check_decode(data, bytes, count);
    free(bytes);
    return 0;
}
