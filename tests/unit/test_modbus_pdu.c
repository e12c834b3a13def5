
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/pdu.h"
#include "gateway/base/reading.h"

#include <string.h>

static const struct mb_request two_registers = {
    .function = MB_READ_HOLDINGS, .address = 100, .count = 2};

static void a_read_request_is_function_address_and_count(void **state)
{
    uint8_t pdu[MB_PDU_MAX];
    const uint8_t want[] = {3, 0x00, 0x64, 0x00, 0x02};

    (void)state;
    assert_int_equal(mb_pdu_build(&two_registers, pdu), 5);
    assert_memory_equal(pdu, want, 5);
}

static void an_answer_gives_its_data(void **state)
{
    const uint8_t pdu[] = {3, 4, 1, 2, 3, 4};
    const uint8_t *data = NULL;

    (void)state;
    assert_int_equal(mb_pdu_answer(&two_registers, pdu, sizeof(pdu), &data), QUALITY_GOOD);
    assert_ptr_equal(data, pdu + 2);
}

static void bits_fill_whole_bytes(void **state)
{
    const struct mb_request nine = {.function = MB_READ_COILS, .address = 0, .count = 9};
    const uint8_t pdu[] = {1, 2, 0xff, 0x01};
    const uint8_t *data = NULL;

    (void)state;
    assert_int_equal(mb_answer_bytes(&nine), 2);
    assert_int_equal(mb_pdu_answer(&nine, pdu, sizeof(pdu), &data), QUALITY_GOOD);
}

static void the_answer_to_23_gives_its_data_like_a_read(void **state)
{
    const struct mb_request both = {.function = MB_READ_WRITE, .count = 2};
    const uint8_t pdu[] = {23, 4, 1, 2, 3, 4};
    const uint8_t *data = NULL;

    (void)state;
    assert_int_equal(mb_answer_length(&both), sizeof(pdu));
    assert_int_equal(mb_pdu_length(pdu, 2), sizeof(pdu));
    assert_int_equal(mb_pdu_answer(&both, pdu, sizeof(pdu), &data), QUALITY_GOOD);
    assert_ptr_equal(data, pdu + 2);
    assert_int_equal(mb_pdu_answer(&both, pdu, sizeof(pdu) - 2, &data), QUALITY_PROTOCOL);
}

static void an_exception_keeps_its_number(void **state)
{
    const uint8_t pdu[] = {0x83, 2};
    const uint8_t *data = NULL;

    (void)state;
    assert_int_equal(mb_pdu_answer(&two_registers, pdu, 2, &data), QUALITY_EXCEPTION + 2);
    assert_null(data);
}

static void what_does_not_fit_the_request_is_no_answer(void **state)
{
    static const struct {
        uint8_t pdu[8];
        size_t length;
    } wrong[] = {
        {{4, 4, 1, 2, 3, 4}, 6},    /* another function */
        {{3, 4, 1, 2, 3}, 5},       /* too short */
        {{3, 4, 1, 2, 3, 4, 5}, 7}, /* too long */
        {{3, 2, 1, 2}, 4},          /* fewer registers, consistent in itself */
        {{3, 6, 1, 2, 3, 4}, 6},    /* its count lies */
        {{0x84, 2}, 2},             /* an exception of another function */
        {{0x83, 0}, 2},             /* exception 0 does not exist */
        {{0x83, 64}, 2},            /* nor does 64 */
        {{0x83, 2, 0}, 3},          /* an exception with more behind it */
        {{0x83}, 1},
        {{3}, 1},
        {{0}, 0},
    };
    const uint8_t *data = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_int_equal(mb_pdu_answer(&two_registers, wrong[i].pdu, wrong[i].length, &data),
                         QUALITY_PROTOCOL);
        assert_null(data);
    }
}

/* -- MBAP ----------------------------------------------------------------------------------- */

static const uint8_t frame[] = {0x12, 0x34, 0, 0, 0, 7, 17, 3, 4, 1, 2, 3, 4};

static void a_frame_is_built_around_its_pdu(void **state)
{
    uint8_t adu[MB_MBAP_MAX];
    size_t length = mb_pdu_build(&two_registers, adu + 7);
    const uint8_t want[] = {0x12, 0x34, 0, 0, 0, 6, 17, 3, 0, 100, 0, 2};

    (void)state;
    assert_int_equal(mb_mbap_build(adu, 0x1234, 17, length), 12);
    assert_memory_equal(adu, want, 12);
}

static void a_frame_that_is_cut_anywhere_is_a_part(void **state)
{
    struct mb_mbap found;

    (void)state;
    for (size_t n = 0; n < sizeof(frame); n++)
        assert_int_equal(mb_mbap_parse(frame, n, &found), MB_FRAME_PART);
}

static void a_whole_frame_says_how_long_it_was(void **state)
{
    uint8_t two[2 * sizeof(frame)];
    struct mb_mbap found;

    (void)state;
    memcpy(two, frame, sizeof(frame));
    memcpy(two + sizeof(frame), frame, sizeof(frame));
    assert_int_equal(mb_mbap_parse(two, sizeof(two), &found), MB_FRAME_WHOLE);
    assert_int_equal(found.transaction, 0x1234);
    assert_int_equal(found.unit, 17);
    assert_int_equal(found.pdu_length, 6);
    assert_ptr_equal(found.pdu, two + 7);
    assert_int_equal(found.used, sizeof(frame));
}

static void a_lying_length_is_found_before_the_rest_has_come(void **state)
{
    uint8_t lying[sizeof(frame)];
    struct mb_mbap found;

    (void)state;
    for (unsigned length = 0; length < 300; length++) {
        memcpy(lying, frame, sizeof(frame));
        lying[4] = (uint8_t)(length >> 8);
        lying[5] = (uint8_t)length;
        assert_int_equal(mb_mbap_parse(lying, 9, &found),
                         length == 7 ? MB_FRAME_PART : MB_FRAME_BROKEN);
    }
}

static void another_protocol_is_broken(void **state)
{
    const uint8_t http[] = "HTTP/1.1 400";
    struct mb_mbap found;

    (void)state;
    assert_int_equal(mb_mbap_parse(http, 3, &found), MB_FRAME_BROKEN);
    assert_int_equal(mb_mbap_parse(http, sizeof(http), &found), MB_FRAME_BROKEN);
}

static void an_exception_frame_is_whole_with_nine_bytes(void **state)
{
    const uint8_t exception[] = {0, 1, 0, 0, 0, 3, 1, 0x83, 2};
    const uint8_t longer[] = {0, 1, 0, 0, 0, 4, 1, 0x83, 2, 0};
    struct mb_mbap found;

    (void)state;
    assert_int_equal(mb_mbap_parse(exception, sizeof(exception), &found), MB_FRAME_WHOLE);
    assert_int_equal(mb_mbap_parse(longer, sizeof(longer), &found), MB_FRAME_BROKEN);
}

/* -- RTU ------------------------------------------------------------------------------------ */

static size_t seal(uint8_t *bytes, size_t count)
{
    uint16_t crc = mb_crc(bytes, count);

    bytes[count] = (uint8_t)crc;
    bytes[count + 1] = (uint8_t)(crc >> 8);
    return count + 2;
}

/* Puts an answer of `unit` to two_registers at `to`. */
static size_t answer(uint8_t *to, uint8_t unit, uint8_t registers)
{
    to[0] = unit;
    to[1] = 3;
    to[2] = (uint8_t)(registers * 2);
    memset(to + 3, 0x5a, registers * 2u);
    return seal(to, 3u + registers * 2u);
}

static void the_crc_is_that_of_the_specification(void **state)
{
    const uint8_t request[] = {0x02, 0x07}; /* the example of the specification: 0x1241 */
    const uint8_t read[] = {0x01, 0x03, 0, 0, 0, 0x0a}; /* C5 CD on the wire */

    (void)state;
    assert_int_equal(mb_crc(request, 2), 0x1241);
    assert_int_equal(mb_crc(read, 6), 0xcdc5);
}

static void an_rtu_answer_is_found_between_noise(void **state)
{
    uint8_t bytes[40] = {0x00, 0xff};
    size_t n = 2 + answer(bytes + 2, 17, 2);
    const uint8_t *data = NULL;
    uint8_t quality = QUALITY_ERROR;

    (void)state;
    bytes[n++] = 0x00;
    assert_true(mb_rtu_find(&two_registers, 17, bytes, n, &quality, &data));
    assert_int_equal(quality, QUALITY_GOOD);
    assert_ptr_equal(data, bytes + 5);
}

static void an_rtu_answer_is_found_only_when_it_is_whole(void **state)
{
    uint8_t bytes[40];
    size_t whole = answer(bytes, 17, 2);
    const uint8_t *data = NULL;
    uint8_t quality;

    (void)state;
    for (size_t n = 0; n < whole; n++)
        assert_false(mb_rtu_find(&two_registers, 17, bytes, n, &quality, &data));
    assert_true(mb_rtu_find(&two_registers, 17, bytes, whole, &quality, &data));
}

static void no_damaged_byte_passes(void **state)
{
    uint8_t bytes[40];
    size_t whole = answer(bytes, 17, 2);
    const uint8_t *data;
    uint8_t quality;

    (void)state;
    for (size_t i = 0; i < whole * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(mb_rtu_find(&two_registers, 17, bytes, whole, &quality, &data));
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void answers_of_others_are_foreign(void **state)
{
    uint8_t bytes[60];
    size_t n = answer(bytes, 9, 2);
    const uint8_t *data;
    uint8_t quality;

    (void)state;
    n += answer(bytes + n, 17, 3);
    assert_false(mb_rtu_find(&two_registers, 17, bytes, n, &quality, &data));
    assert_true(mb_rtu_is_foreign(bytes, n));
    assert_false(mb_rtu_is_foreign(bytes, n - 1));
    assert_false(mb_rtu_is_foreign(bytes, 0));
    bytes[4] ^= 1;
    assert_false(mb_rtu_is_foreign(bytes, n));
}

static void an_rtu_exception_is_found(void **state)
{
    uint8_t bytes[8] = {17, 0x83, 4};
    const uint8_t *data;
    uint8_t quality = QUALITY_ERROR;

    (void)state;
    assert_true(mb_rtu_find(&two_registers, 17, bytes, seal(bytes, 3), &quality, &data));
    assert_int_equal(quality, QUALITY_EXCEPTION + 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_request_is_function_address_and_count),
        cmocka_unit_test(an_answer_gives_its_data),
        cmocka_unit_test(bits_fill_whole_bytes),
        cmocka_unit_test(the_answer_to_23_gives_its_data_like_a_read),
        cmocka_unit_test(an_exception_keeps_its_number),
        cmocka_unit_test(what_does_not_fit_the_request_is_no_answer),
        cmocka_unit_test(a_frame_is_built_around_its_pdu),
        cmocka_unit_test(a_frame_that_is_cut_anywhere_is_a_part),
        cmocka_unit_test(a_whole_frame_says_how_long_it_was),
        cmocka_unit_test(a_lying_length_is_found_before_the_rest_has_come),
        cmocka_unit_test(another_protocol_is_broken),
        cmocka_unit_test(an_exception_frame_is_whole_with_nine_bytes),
        cmocka_unit_test(the_crc_is_that_of_the_specification),
        cmocka_unit_test(an_rtu_answer_is_found_between_noise),
        cmocka_unit_test(an_rtu_answer_is_found_only_when_it_is_whole),
        cmocka_unit_test(no_damaged_byte_passes),
        cmocka_unit_test(answers_of_others_are_foreign),
        cmocka_unit_test(an_rtu_exception_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
