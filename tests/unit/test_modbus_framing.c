
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/framing.h"

#include <string.h>

static const struct mb_request read_two = {
    .function = MB_READ_HOLDINGS, .address = 100, .count = 2};
static const struct mb_request write_two = {
    .function = MB_WRITE_REGISTERS, .address = 100, .count = 2, .data = {1, 2, 3, 4}};

static void a_request_gets_a_header_or_a_crc(void **state)
{
    const uint8_t tcp[] = {0x12, 0x34, 0, 0, 0, 6, 17, 3, 0, 100, 0, 2};
    uint8_t frame[MB_FRAME_MAX];

    (void)state;
    assert_int_equal(mb_framing_tcp.build(frame, 0x1234, 17, &read_two), sizeof(tcp));
    assert_memory_equal(frame, tcp, sizeof(tcp));
    assert_int_equal(mb_framing_rtu.build(frame, 0x1234, 17, &read_two), 8);
    assert_memory_equal(frame, tcp + 6, 6);
    assert_int_equal(frame[6] | frame[7] << 8, mb_crc(frame, 6));
    assert_int_equal(mb_framing_rtu.build(frame, 0, 17, &write_two), 13);
}

static size_t seal(uint8_t *bytes, size_t count)
{
    uint16_t crc = mb_crc(bytes, count);

    bytes[count] = (uint8_t)crc;
    bytes[count + 1] = (uint8_t)(crc >> 8);
    return count + 2;
}

static void an_answer_is_whole_with_its_last_byte(void **state)
{
    uint8_t tcp[] = {0x12, 0x34, 0, 0, 0, 7, 17, 3, 4, 1, 2, 3, 4};
    uint8_t rtu[20] = {17, 3, 4, 1, 2, 3, 4};
    size_t length = seal(rtu, 7);
    struct mb_framed frame;

    (void)state;
    for (size_t n = 0; n < sizeof(tcp); n++)
        assert_int_equal(mb_framing_tcp.parse(tcp, n, &frame), MB_FRAME_PART);
    assert_int_equal(mb_framing_tcp.parse(tcp, sizeof(tcp), &frame), MB_FRAME_WHOLE);
    assert_int_equal(frame.number, 0x1234);
    assert_int_equal(frame.used, sizeof(tcp));
    for (size_t n = 0; n < length; n++)
        assert_int_equal(mb_framing_rtu.parse(rtu, n, &frame), MB_FRAME_PART);
    assert_int_equal(mb_framing_rtu.parse(rtu, length, &frame), MB_FRAME_WHOLE);
    assert_int_equal(frame.unit, 17);
    assert_ptr_equal(frame.pdu, rtu + 1);
    assert_int_equal(frame.pdu_length, 6);
    assert_int_equal(frame.used, length);
}

static void requests_of_others_are_frames_too(void **state)
{
    static const struct mb_request requests[] = {
        {.function = MB_READ_COILS, .address = 1, .count = 8},
        {.function = MB_READ_INPUTS, .address = 1, .count = 125},
        {.function = MB_WRITE_COIL, .data = {0xff}},
        {.function = MB_WRITE_REGISTER, .data = {1, 2}},
        {.function = MB_WRITE_REGISTERS, .count = 1, .data = {1, 2}},
        {.function = MB_WRITE_REGISTERS, .count = 4, .data = {1, 2}},
        {.function = MB_MASK_REGISTER, .data = {1, 2, 3, 4}},
        {.function = MB_WRITE_COILS, .count = 9, .data = {0xff, 1}},
        {.function = MB_READ_WRITE, .count = 4, .data = {1, 2}},
        {.function = MB_IDENTIFY, .data = {1, 0}},
    };
    uint8_t bytes[MB_FRAME_MAX];
    struct mb_framed frame;

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        size_t length = mb_framing_rtu.build(bytes, 0, 9, &requests[i]);

        for (size_t n = 0; n < length; n++)
            assert_int_equal(mb_framing_rtu.parse(bytes, n, &frame), MB_FRAME_PART);
        assert_int_equal(mb_framing_rtu.parse(bytes, length, &frame), MB_FRAME_WHOLE);
        assert_int_equal(frame.used, length);
    }
}

static void what_is_damaged_or_unknown_is_broken(void **state)
{
    uint8_t damaged[20] = {17, 3, 4, 1, 2, 3, 4};
    const uint8_t unknown[] = {17, 0x63, 14, 1};
    size_t length = seal(damaged, 7);
    struct mb_framed frame;

    (void)state;
    damaged[4] ^= 1;
    assert_int_equal(mb_framing_rtu.parse(damaged, length, &frame), MB_FRAME_BROKEN);
    assert_int_equal(mb_framing_rtu.parse(unknown, sizeof(unknown), &frame), MB_FRAME_BROKEN);
    assert_int_equal(mb_framing_tcp.parse(damaged, length, &frame), MB_FRAME_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_gets_a_header_or_a_crc),
        cmocka_unit_test(an_answer_is_whole_with_its_last_byte),
        cmocka_unit_test(requests_of_others_are_frames_too),
        cmocka_unit_test(what_is_damaged_or_unknown_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
