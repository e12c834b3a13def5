#include "adapters/modbus/inquiry.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

/* A whole frame for unit 5. */
static struct mb_inquiry inquiry_of(const uint8_t *pdu, size_t length)
{
    struct mb_inquiry inquiry = {.head = {0xab, 0xcd, 0, 0, 0, (uint8_t)(length + 1), 5},
                                 .pdu_length = length};

    memcpy(inquiry.pdu, pdu, length);
    return inquiry;
}

/* -- frames --------------------------------------------------------------------------------- */

static void a_frame_is_taken_when_it_is_whole(void **state)
{
    static const uint8_t two[] = {0xab, 0xcd, 0, 0, 0, 6, 5, 3, 0, 100, 0, 2, 0xab};
    struct mb_inquiry inquiry;
    size_t used;

    (void)state;
    for (size_t n = 0; n < 12; n++)
        assert_int_equal(mb_inquiry_parse(two, n, &inquiry, &used), MB_FRAME_PART);
    assert_int_equal(mb_inquiry_parse(two, sizeof(two), &inquiry, &used), MB_FRAME_WHOLE);
    assert_int_equal(used, 12);
    assert_int_equal(inquiry.pdu_length, 5);
    assert_memory_equal(inquiry.pdu, two + 7, 5);
}

static void what_is_no_frame_is_seen_with_its_length(void **state)
{
    static const uint8_t protocol[] = {0, 1, 0, 7, 0, 6}, empty[] = {0, 1, 0, 0, 0, 1};
    static const uint8_t too_long[] = {0, 1, 0, 0, 0, 255};
    struct mb_inquiry inquiry;
    size_t used;

    (void)state;
    assert_int_equal(mb_inquiry_parse(protocol, 6, &inquiry, &used), MB_FRAME_BROKEN);
    assert_int_equal(mb_inquiry_parse(empty, 6, &inquiry, &used), MB_FRAME_BROKEN);
    assert_int_equal(mb_inquiry_parse(too_long, 6, &inquiry, &used), MB_FRAME_BROKEN);
}

/* -- questions ------------------------------------------------------------------------------ */

static const struct row {
    uint8_t pdu[16];
    size_t length;
    enum mb_exception reading, writing; /* where only reads are welcome, and where writes are */
} rows[] = {
    {{3, 0, 100, 0, 125}, 5, 0, 0},
    {{3, 0, 100, 0, 126}, 5, 3, 3},
    {{4, 0, 100, 0, 0}, 5, 3, 3},
    {{1, 0, 100, 0x07, 0xd0}, 5, 0, 0},
    {{2, 0, 100, 0x07, 0xd1}, 5, 3, 3},
    {{3, 0, 100, 0}, 4, 3, 3},
    {{3, 0, 100, 0, 1, 0}, 6, 3, 3},
    {{5, 0, 3, 0xff, 0}, 5, 1, 0},
    {{6, 0, 3, 0xff, 0}, 5, 1, 0},
    {{6, 0, 3, 0xff}, 4, 1, 3},
    {{15, 0, 3, 0, 10, 2, 0xff, 3}, 8, 1, 0},
    {{15, 0, 3, 0, 10, 1, 0xff}, 7, 1, 3},
    {{16, 0, 3, 0, 4, 8, 1, 2, 3, 4, 5, 6, 7, 8}, 14, 1, 0},
    {{16, 0, 3, 0, 5, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 16, 1, 3},
    {{16, 0, 3, 0, 2, 4, 1, 2, 3}, 9, 1, 3},
    {{16, 0, 3, 0, 0, 0}, 6, 1, 3},
    {{22, 0, 3, 0, 1, 0, 2}, 7, 1, 1},
    {{43, 14, 1, 0}, 4, 1, 1},
    {{0x83, 2}, 2, 1, 1},
};

static void what_is_not_welcome_gets_its_exception(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mb_inquiry inquiry = inquiry_of(rows[i].pdu, rows[i].length);
        struct adapter_question question = {0};

        assert_int_equal(mb_inquiry_read(&inquiry, false, &question), rows[i].reading);
        assert_int_equal(mb_inquiry_read(&inquiry, true, &question), rows[i].writing);
        assert_int_equal(question.unit, 5);
    }
}

/* -- answers -------------------------------------------------------------------------------- */

static void an_answer_has_the_number_of_its_question(void **state)
{
    static const uint8_t ask[] = {3, 0, 100, 0, 1};
    static const uint8_t wanted[] = {0xab, 0xcd, 0, 0, 0, 5, 5, 3, 2, 0x12, 0x34};
    struct adapter_answer answer = {.quality = QUALITY_GOOD, .bytes = {0x12, 0x34}, .count = 2};
    struct mb_inquiry inquiry = inquiry_of(ask, sizeof(ask));
    uint8_t frame[MB_MBAP_MAX];

    (void)state;
    assert_int_equal(mb_inquiry_answer(&inquiry, &answer, frame), sizeof(wanted));
    assert_memory_equal(frame, wanted, sizeof(wanted));
    answer.quality = QUALITY_EXCEPTION + 2;
    assert_int_equal(mb_inquiry_answer(&inquiry, &answer, frame), 9);
    assert_int_equal(frame[7], 0x83);
    assert_int_equal(frame[8], 2);
}

/* -- anything ------------------------------------------------------------------------------- */

static uint64_t next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random >> 8;
}

/* Whatever a question is made of, it asks for no more than an answer can hold. */
static void hold(const struct mb_inquiry *inquiry)
{
    struct adapter_question question = {0};
    uint8_t frame[MB_MBAP_MAX];
    struct mb_request request;

    if (mb_inquiry_read(inquiry, true, &question) != MB_EXCEPTION_NONE) {
        assert_int_equal(mb_inquiry_refuse(inquiry, MB_EXCEPTION_VALUE, frame), 9);
        return;
    }
    request = (struct mb_request){.function = question.function, .count = question.count};
    assert_true(question.count > 0);
    assert_true(!mb_is_read(question.function) || mb_answer_bytes(&request) <= 250);
    assert_true(mb_is_read(question.function) || inquiry->pdu_length <= 14);
}

static void a_million_mutated_questions_are_survived(void **state)
{
    uint64_t random = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 1000000; i++) {
        const struct row *row = &rows[next(&random) % (sizeof(rows) / sizeof(rows[0]))];
        uint8_t bytes[7 + sizeof(row->pdu)] = {0, 1, 0, 0, 0, (uint8_t)(row->length + 1), 5};
        struct mb_inquiry inquiry;
        size_t used = 0, count = 7 + row->length;

        memcpy(bytes + 7, row->pdu, row->length);
        for (uint64_t n = next(&random) % 4; n > 0; n--)
            bytes[next(&random) % count] ^= (uint8_t)(1u << next(&random) % 8);
        if (next(&random) % 8 == 0)
            count = next(&random) % count;
        if (mb_inquiry_parse(bytes, count, &inquiry, &used) != MB_FRAME_WHOLE)
            continue;
        assert_true(used <= count && inquiry.pdu_length == used - 7);
        hold(&inquiry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_taken_when_it_is_whole),
        cmocka_unit_test(what_is_no_frame_is_seen_with_its_length),
        cmocka_unit_test(what_is_not_welcome_gets_its_exception),
        cmocka_unit_test(an_answer_has_the_number_of_its_question),
        cmocka_unit_test(a_million_mutated_questions_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
