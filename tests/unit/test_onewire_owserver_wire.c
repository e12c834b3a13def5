#include "adapters/onewire/owserver_wire.h"

#include "gateway/base/reading.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_read_is_a_header_and_a_path(void **state)
{
    static const uint8_t wanted[] = {0, 0, 0, 0, 0,    0, 0, 4, 0, 0, 0,   2,   0,   0,
                                     1, 4, 0, 0, 0x80, 0, 0, 0, 0, 0, '/', 'a', 'b', 0};
    uint8_t bytes[OW_REQUEST_MAX];

    (void)state;
    assert_int_equal(ow_build(bytes, OW_READ, "/ab", NULL), sizeof(wanted));
    assert_memory_equal(bytes, wanted, sizeof(wanted));
}

static void a_write_has_its_value_behind_the_path(void **state)
{
    static const uint8_t wanted[] = {
        0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 1, 4, 0, 0, 0, 2, 0, 0, 0, 0, '/', 'a', 0, '2',
    };
    uint8_t bytes[OW_REQUEST_MAX];

    (void)state;
    assert_int_equal(ow_build(bytes, OW_WRITE, "/a", "21"), OW_HEADER + 5);
    assert_int_equal(bytes[7], 5);
    assert_memory_equal(bytes + 8, wanted + 8, sizeof(wanted) - 8);
    assert_int_equal(bytes[OW_HEADER + 4], '1');
}

static void what_does_not_fit_is_refused(void **state)
{
    uint8_t bytes[OW_REQUEST_MAX];
    char path[OW_REQUEST_MAX];

    (void)state;
    memset(path, 'x', sizeof(path) - 1);
    path[OW_REQUEST_MAX - OW_HEADER] = '\0';
    assert_int_equal(ow_build(bytes, OW_READ, path, NULL), 0);
    path[OW_REQUEST_MAX - OW_HEADER - 1] = '\0';
    assert_int_equal(ow_build(bytes, OW_READ, path, NULL), OW_REQUEST_MAX);
    assert_int_equal(ow_build(bytes, OW_WRITE, path, "1"), 0);
}

static void an_answer_is_taken_apart(void **state)
{
    uint8_t header[OW_HEADER] = {0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 1, 4};
    struct ow_answer answer;

    (void)state;
    assert_int_equal(ow_parse(header, &answer), 0);
    assert_int_equal(answer.length, 12);
    assert_int_equal(answer.result, 12);
    assert_true(answer.persistent);
    header[15] = 0;
    memset(header + 8, 0xff, 4);
    assert_int_equal(ow_parse(header, &answer), 0);
    assert_int_equal(answer.result, -1);
    assert_false(answer.persistent);
}

static void a_negative_length_says_that_it_is_still_at_work(void **state)
{
    uint8_t header[OW_HEADER] = {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    struct ow_answer answer;

    (void)state;
    assert_int_equal(ow_parse(header, &answer), -EAGAIN);
}

static void a_lying_length_and_another_version_are_no_answer(void **state)
{
    uint8_t header[OW_HEADER] = {0, 0, 0, 0, 0, 0, 0x80, 1};
    struct ow_answer answer;

    (void)state;
    assert_int_equal(ow_parse(header, &answer), -EPROTO);
    memcpy(header, "HTTP/1.1", 8);
    assert_int_equal(ow_parse(header, &answer), -EPROTO);
}

static void codes_have_a_quality_and_words(void **state)
{
    char words[100];

    (void)state;
    assert_int_equal(ow_quality(-1), QUALITY_NO_SENSOR);
    assert_int_equal(ow_quality(-44), QUALITY_DISCONNECTED);
    assert_int_equal(ow_quality(-58), QUALITY_CRC);
    assert_int_equal(ow_quality(-1234), QUALITY_ERROR);
    assert_int_equal(ow_quality(INT32_MIN), QUALITY_ERROR);
    assert_string_equal(ow_words(-41, words, sizeof(words)), "the sensor is gone");
    assert_string_equal(ow_words(-1234, words, sizeof(words)), "owserver says error 1234");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_is_a_header_and_a_path),
        cmocka_unit_test(a_write_has_its_value_behind_the_path),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(an_answer_is_taken_apart),
        cmocka_unit_test(a_negative_length_says_that_it_is_still_at_work),
        cmocka_unit_test(a_lying_length_and_another_version_are_no_answer),
        cmocka_unit_test(codes_have_a_quality_and_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
