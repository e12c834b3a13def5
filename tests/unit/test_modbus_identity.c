#include "adapters/modbus/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/reading.h"

#include <string.h>

/* The answer to the first question, with one text. */
static const uint8_t vendor_only[] = {43, 14, 1, 1, 0xff, 1, 1, 0, 4, 'A', 'c', 'm', 'e'};
static const uint8_t the_rest[] = {43,  14,  1,   1, 0, 0,   2,   1,   3,
                                   'X', '-', '1', 2, 4, '1', '.', '0', 7};

static const uint8_t *data_of(const struct mb_identity *identity, const uint8_t *pdu, size_t length)
{
    struct mb_request request = mb_identity_ask(identity);
    const uint8_t *data = NULL;

    assert_int_equal(mb_pdu_length(pdu, length), length);
    assert_int_equal(mb_pdu_answer(&request, pdu, length, &data), QUALITY_GOOD);
    return data;
}

static void the_question_names_code_and_object(void **state)
{
    struct mb_identity identity = {.next = 2};
    struct mb_request request = mb_identity_ask(&identity);
    const uint8_t want[] = {43, 14, 1, 2};
    uint8_t pdu[MB_PDU_MAX];

    (void)state;
    assert_int_equal(mb_pdu_build(&request, pdu), 4);
    assert_memory_equal(pdu, want, 4);
}

static void an_identity_may_come_in_several_answers(void **state)
{
    struct mb_identity identity = {0};

    (void)state;
    assert_true(mb_identity_take(&identity, data_of(&identity, vendor_only, sizeof(vendor_only))));
    assert_int_equal(identity.next, 1);
    assert_false(mb_identity_take(&identity, data_of(&identity, the_rest, sizeof(the_rest))));
    assert_string_equal(identity.vendor, "Acme");
    assert_string_equal(identity.product, "X-1");
    assert_string_equal(identity.revision, "1.0\\x07");
}

static void a_device_that_never_ends_is_not_asked_for_ever(void **state)
{
    struct mb_identity identity = {.next = 1};

    (void)state;
    assert_false(mb_identity_take(&identity, data_of(&identity, vendor_only, sizeof(vendor_only))));
}

static void an_answer_that_ends_within_an_object_is_none(void **state)
{
    struct mb_identity identity = {0};
    struct mb_request request = mb_identity_ask(&identity);
    const uint8_t *data = NULL;

    (void)state;
    for (size_t length = 1; length < sizeof(vendor_only); length++) {
        assert_int_equal(mb_pdu_answer(&request, vendor_only, length, &data), QUALITY_PROTOCOL);
        assert_true(mb_pdu_length(vendor_only, length) == 0 ||
                    mb_pdu_length(vendor_only, length) == sizeof(vendor_only));
    }
}

static void it_is_found_on_a_line(void **state)
{
    struct mb_identity identity = {0};
    struct mb_request request = mb_identity_ask(&identity);
    uint8_t frame[sizeof(vendor_only) + 3] = {9};
    const uint8_t *data = NULL;
    uint8_t quality;
    size_t used;
    uint16_t crc;

    (void)state;
    memcpy(frame + 1, vendor_only, sizeof(vendor_only));
    crc = mb_crc(frame, sizeof(frame) - 2);
    frame[sizeof(frame) - 2] = (uint8_t)crc;
    frame[sizeof(frame) - 1] = (uint8_t)(crc >> 8);
    assert_true(mb_rtu_find(&request, 9, frame, sizeof(frame), &quality, &data));
    assert_int_equal(quality, QUALITY_GOOD);
    for (size_t count = 2; count < sizeof(frame); count++)
        assert_int_equal(mb_rtu_parse(frame, count, &used), MB_FRAME_PART);
    assert_int_equal(mb_rtu_parse(frame, sizeof(frame), &used), MB_FRAME_WHOLE);
}

static void its_size_is_that_of_all_objects(void **state)
{
    static const uint8_t data[] = {1, 0, 0, 2, 0, 3, 'a', 'b', 'c', 1, 1, 'd', 99};

    (void)state;
    assert_int_equal(mb_identity_size(data), sizeof(data) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_question_names_code_and_object),
        cmocka_unit_test(an_identity_may_come_in_several_answers),
        cmocka_unit_test(a_device_that_never_ends_is_not_asked_for_ever),
        cmocka_unit_test(an_answer_that_ends_within_an_object_is_none),
        cmocka_unit_test(it_is_found_on_a_line),
        cmocka_unit_test(its_size_is_that_of_all_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
