#include "adapters/modbus/diagnose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/pdu.h"
#include "gateway/base/reading.h"

#include <string.h>

static const uint8_t zeros[] = {0, 0}, garbage[] = {0x8f, 0x31, 0xfe};

static enum mb_fault after(struct mb_symptoms *symptoms, int times, uint8_t quality,
                           const uint8_t *bytes, size_t count)
{
    enum mb_fault fault = MB_FAULT_NONE;

    for (int i = 0; i < times; i++) {
        enum mb_fault now;

        mb_symptoms_add(symptoms, quality, bytes, count);
        now = mb_symptoms_diagnose(symptoms);
        fault = now != MB_FAULT_NONE ? now : fault;
    }
    return fault;
}

static void a_healthy_line_has_no_fault(void **state)
{
    struct mb_symptoms symptoms = {0};

    (void)state;
    assert_int_equal(after(&symptoms, 50, QUALITY_GOOD, NULL, 0), MB_FAULT_NONE);
    assert_int_equal(after(&symptoms, 50, QUALITY_TIMEOUT, NULL, 0), MB_FAULT_NONE);
    assert_int_equal(after(&symptoms, 50, QUALITY_CRC, garbage, sizeof(garbage)), MB_FAULT_NONE);
}

static void nothing_but_zeros_are_swapped_wires(void **state)
{
    struct mb_symptoms symptoms = {0};
    char words[200];

    (void)state;
    assert_int_equal(after(&symptoms, 2, QUALITY_CRC, zeros, 2), MB_FAULT_NONE);
    assert_int_equal(after(&symptoms, 1, QUALITY_CRC, zeros, 2), MB_FAULT_SWAPPED);
    mb_fault_explain(MB_FAULT_SWAPPED, &symptoms, "9600 8N1", words, sizeof(words));
    assert_non_null(strstr(words, "A and B"));
}

static void bytes_without_a_frame_are_another_framing(void **state)
{
    struct mb_symptoms symptoms = {0};
    char words[200];

    (void)state;
    assert_int_equal(after(&symptoms, 3, QUALITY_CRC, garbage, sizeof(garbage)), MB_FAULT_FRAMING);
    mb_fault_explain(MB_FAULT_FRAMING, &symptoms, "9600 8N1", words, sizeof(words));
    assert_non_null(strstr(words, "9600 8N1: are baud rate and parity"));
    symptoms.frame_errors = 3;
    mb_fault_explain(MB_FAULT_FRAMING, &symptoms, "9600 8N1", words, sizeof(words));
    assert_non_null(strstr(words, "the baud rate"));
    symptoms.parity_errors = 9;
    mb_fault_explain(MB_FAULT_FRAMING, &symptoms, "9600 8N1", words, sizeof(words));
    assert_non_null(strstr(words, "the parity"));
}

static void a_line_on_which_nobody_ever_answers_is_told_once(void **state)
{
    struct mb_symptoms symptoms = {0};

    (void)state;
    assert_int_equal(after(&symptoms, 20, QUALITY_TIMEOUT, NULL, 0), MB_FAULT_NOBODY);
    assert_int_equal(after(&symptoms, 20, QUALITY_TIMEOUT, NULL, 0), MB_FAULT_NONE);
}

static size_t seal(uint8_t *frame, size_t count)
{
    uint16_t crc = mb_crc(frame, count);

    frame[count] = (uint8_t)crc;
    frame[count + 1] = (uint8_t)(crc >> 8);
    return count + 2;
}

static void requests_that_are_not_ours_are_a_second_master(void **state)
{
    struct mb_symptoms symptoms = {0};
    uint8_t heard[40] = {7, 3, 0, 0, 0, 2};
    size_t count = seal(heard, 6);
    char words[200];

    (void)state;
    memcpy(heard + count, (const uint8_t[]){7, 3, 4, 1, 2, 3, 4}, 7); /* and their answer */
    count += seal(heard + count, 7);
    for (int i = 0; i < 3; i++)
        mb_symptoms_overhear(&symptoms, heard, count);
    assert_int_equal(symptoms.others, 3);
    assert_int_equal(mb_symptoms_diagnose(&symptoms), MB_FAULT_MASTER);
    mb_fault_explain(MB_FAULT_MASTER, &symptoms, "", words, sizeof(words));
    assert_non_null(strstr(words, "it asks unit 7"));
}

static void late_answers_are_no_second_master(void **state)
{
    struct mb_symptoms symptoms = {0};
    uint8_t late[20] = {7, 3, 4, 1, 2, 3, 4};
    size_t count = seal(late, 7);

    (void)state;
    for (int i = 0; i < 30; i++)
        mb_symptoms_overhear(&symptoms, late, count);
    assert_int_equal(mb_symptoms_diagnose(&symptoms), MB_FAULT_NONE);
}

static void an_echo_is_told_where_it_was_not_expected(void **state)
{
    struct mb_symptoms symptoms = {.echo = true}, known = {.echo = true, .echo_known = true};

    (void)state;
    assert_int_equal(mb_symptoms_diagnose(&symptoms), MB_FAULT_ECHO);
    assert_int_equal(mb_symptoms_diagnose(&symptoms), MB_FAULT_NONE);
    assert_int_equal(mb_symptoms_diagnose(&known), MB_FAULT_NONE);
}

static void every_fault_has_words(void **state)
{
    struct mb_symptoms symptoms = {0};
    char words[200];

    (void)state;
    for (int fault = MB_FAULT_SWAPPED; fault <= MB_FAULT_ECHO; fault++) {
        mb_fault_explain((enum mb_fault)fault, &symptoms, "115200 8E1", words, sizeof(words));
        assert_in_range(strlen(words), 20, sizeof(words) - 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_line_has_no_fault),
        cmocka_unit_test(nothing_but_zeros_are_swapped_wires),
        cmocka_unit_test(bytes_without_a_frame_are_another_framing),
        cmocka_unit_test(a_line_on_which_nobody_ever_answers_is_told_once),
        cmocka_unit_test(requests_that_are_not_ours_are_a_second_master),
        cmocka_unit_test(late_answers_are_no_second_master),
        cmocka_unit_test(an_echo_is_told_where_it_was_not_expected),
        cmocka_unit_test(every_fault_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
