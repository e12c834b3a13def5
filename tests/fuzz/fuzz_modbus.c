/* Any bytes as what comes from a Modbus wire. Beyond not crashing: frames lie within the bytes,
 * data is there in full, and only an answer with the unit, function and count that were asked for,
 * and a good CRC where there is one, is ever taken. The first bytes choose request and type. */
#include "adapters/modbus/decode.h"
#include "adapters/modbus/framing.h"
#include "adapters/modbus/identity.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is)
{
    if (!is)
        abort();
}

static bool gives_data(const struct mb_request *request)
{
    return mb_is_read(request->function) || request->function == MB_READ_WRITE;
}

static void check_pdu(const struct mb_request *request, const uint8_t *pdu, size_t length)
{
    const uint8_t *found = NULL;
    uint8_t quality = mb_pdu_answer(request, pdu, length, &found);

    demand(!found || quality == QUALITY_GOOD);
    if (quality != QUALITY_GOOD)
        return;
    demand(pdu[0] == request->function);
    if (request->function == MB_IDENTIFY) {
        struct mb_identity identity = {0};

        demand(found == pdu + 3 && length >= 7);
        mb_identity_take(&identity, found);
        return;
    }
    demand(length == mb_answer_length(request));
    if (!gives_data(request))
        return;
    demand(pdu[1] == mb_answer_bytes(request));
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

/* Frames of a converter: each of them within the bytes and with a good CRC. */
static void check_converter(const struct mb_request *request, const uint8_t *bytes, size_t count)
{
    struct mb_framed frame;

    while (mb_framing_rtu.parse(bytes, count, &frame) == MB_FRAME_WHOLE) {
        demand(frame.used <= count && frame.used == frame.pdu_length + 3);
        demand(frame.pdu == bytes + 1 && frame.used <= MB_RTU_MAX);
        demand(mb_crc(bytes, frame.used - 2) ==
               (bytes[frame.used - 2] | bytes[frame.used - 1] << 8));
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
    if (!mb_rtu_find(request, unit, bytes, count, &quality, &found) || quality != QUALITY_GOOD ||
        !gives_data(request))
        return;
    found -= 3; /* where its frame begins */
    frame = 1 + mb_answer_length(request);
    demand(found >= bytes && found + frame + 2 <= bytes + count);
    demand(found[0] == unit && found[1] == request->function);
    demand(mb_crc(found, frame) == (found[frame] | found[frame + 1] << 8));
}

/* What was read can be written, and reads as the same then; but at the ends of the widest types,
 * where a double is too coarse. */
static void check_encode(const struct mb_format *format, double number)
{
    uint8_t registers[MB_WRITE_BYTES];
    struct sample sample;

    if (mb_encode(format, number, registers) != QUALITY_GOOD) {
        demand(mb_type_bits(format->type) >= 32);
        return;
    }
    sample = mb_decode(format, registers, 1, 2);
    demand(sample.kind == VALUE_NUMBER);
    demand(mb_type_bits(format->type) > 16 || mb_type_is_float(format->type) ||
           sample.number == number);
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
    if (sample.kind == VALUE_NUMBER && format.type != MB_BIT)
        check_encode(&format, sample.number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t functions[] = {
        MB_READ_COILS, MB_READ_DISCRETES, MB_READ_HOLDINGS,   MB_READ_INPUTS,
        MB_WRITE_COIL, MB_WRITE_REGISTER, MB_WRITE_REGISTERS, MB_MASK_REGISTER,
        MB_DIAGNOSE,   MB_WRITE_COILS,    MB_READ_WRITE,      MB_IDENTIFY,
    };
    struct mb_request request;
    uint8_t *bytes; /* of its own, so that a read behind the end is seen */
    size_t count = size - HEAD;

    if (size <= HEAD || !(bytes = malloc(count)))
        return 0;
    memcpy(bytes, data + HEAD, count);
    request = (struct mb_request){
        .function = functions[data[0] % sizeof(functions)],
        .address = data[1],
        .count = data[2] % MB_REGISTERS_MAX + 1,
        .data = {data[4], data[5], data[6], data[7]},
    };
    if (request.function == MB_WRITE_REGISTERS || request.function == MB_WRITE_COILS ||
        request.function == MB_READ_WRITE)
        request.count = data[2] % 4 + 1;
    check_stream(&request, bytes, count);
    check_converter(&request, bytes, count);
    check_line(&request, data[3], bytes, count);
    check_decode(data, bytes, count);
    free(bytes);
    return 0;
}
