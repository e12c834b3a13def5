#include "adapters/modbus/framing.h"

#include "gateway/base/reading.h"

static size_t tcp_build(uint8_t frame[MB_FRAME_MAX], uint16_t number, uint8_t unit,
                        const struct mb_request *request)
{
    return mb_mbap_build(frame, number, unit, mb_pdu_build(request, frame + 7));
}

static enum mb_frame tcp_parse(const uint8_t *bytes, size_t count, struct mb_framed *ret)
{
    struct mb_mbap frame;
    enum mb_frame what = mb_mbap_parse(bytes, count, &frame);

    if (what == MB_FRAME_WHOLE)
        *ret = (struct mb_framed){
            .number = frame.transaction,
            .unit = frame.unit,
            .pdu = frame.pdu,
            .pdu_length = frame.pdu_length,
            .used = frame.used,
        };
    return what;
}

static size_t rtu_build(uint8_t frame[MB_FRAME_MAX], uint16_t number, uint8_t unit,
                        const struct mb_request *request)
{
    size_t length = 1 + mb_pdu_build(request, frame + 1);
    uint16_t crc;

    (void)number;
    frame[0] = unit;
    crc = mb_crc(frame, length);
    frame[length] = (uint8_t)crc;
    frame[length + 1] = (uint8_t)(crc >> 8);
    return length + 2;
}

static enum mb_frame rtu_parse(const uint8_t *bytes, size_t count, struct mb_framed *ret)
{
    size_t used;
    enum mb_frame what = mb_rtu_parse(bytes, count, &used);

    if (what == MB_FRAME_WHOLE)
        *ret = (struct mb_framed){
            .unit = bytes[0], .pdu = bytes + 1, .pdu_length = used - 3, .used = used};
    return what;
}

const struct mb_framing mb_framing_tcp = {
    .scheme = "tcp",
    .name = "Modbus TCP",
    .numbered = true,
    .damaged = QUALITY_PROTOCOL,
    .broken =
        "it sent a frame that contradicts itself: is it Modbus TCP? (a converter may be set to "
        "transparent RTU: connect = \"rtu+tcp://...\")",
    .build = tcp_build,
    .parse = tcp_parse,
};

const struct mb_framing mb_framing_rtu = {
    .scheme = "rtu+tcp",
    .name = "RTU",
    .damaged = QUALITY_CRC,
    .broken = "it sent what is no RTU frame, or a damaged one: are baud rate and parity of the "
              "converter those of the line? (it may be set to Modbus TCP: connect = \"tcp://...\")",
    .build = rtu_build,
    .parse = rtu_parse,
};
