#include "adapters/modbus/question.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "adapters/modbus/held.h"

#include <stdlib.h>
#include <string.h>

static void a_question_is_the_request_that_it_says(void **state)
{
    const struct adapter_question read = {.function = 4, .address = 100, .count = 7};
    const struct adapter_question write = {
        .function = 16, .address = 3, .count = 1, .data = {1, 2}};
    const struct adapter_question who = {.function = MB_IDENTIFY, .address = 2};
    struct mb_request request;

    (void)state;
    request = mb_question_request(&read);
    assert_int_equal(request.address, 100);
    assert_int_equal(request.count, 7);
    request = mb_question_request(&write);
    assert_memory_equal(request.data, "\1\2", 2);
    request = mb_question_request(&who);
    assert_int_equal(request.function, MB_IDENTIFY);
    assert_int_equal(request.data[1], 2);
}

static void an_answer_holds_what_was_read_and_of_a_write_nothing(void **state)
{
    const struct mb_request read = {.function = 3, .count = 2}, write = {.function = 6};
    struct adapter_answer answer;

    (void)state;
    answer = mb_question_answer(&read, QUALITY_GOOD, (const uint8_t *)"abcd");
    assert_int_equal(answer.count, 4);
    assert_memory_equal(answer.bytes, "abcd", 4);
    answer = mb_question_answer(&write, QUALITY_GOOD, NULL);
    assert_int_equal(answer.quality, QUALITY_GOOD);
    assert_int_equal(answer.count, 0);
    answer = mb_question_answer(&read, QUALITY_TIMEOUT, NULL);
    assert_int_equal(answer.quality, QUALITY_TIMEOUT);
    assert_int_equal(answer.count, 0);
}

static void what_was_read_a_moment_ago_is_known(void **state)
{
    const struct mb_request read = {.function = 3, .address = 10, .count = 4};
    struct adapter_question question = {.function = 3, .address = 11, .count = 2, .fresh_ms = 1000};
    struct mb_device device = {0};

    (void)state;
    assert_null(mb_question_known(&question, &device, 5000));
    assert_int_equal(mb_device_hold(&device), 0);
    mb_held_put(device.held, &read, (const uint8_t *)"aabbccdd", 4500);
    assert_memory_equal(mb_question_known(&question, &device, 5000), "bbcc", 4);
    assert_null(mb_question_known(&question, &device, 5501));
    mb_device_forget(&device);
    assert_null(mb_question_known(&question, &device, 5000));
    mb_held_put(device.held, &read, (const uint8_t *)"aabbccdd", 4500);
    question.fresh_ms = 0;
    assert_null(mb_question_known(&question, &device, 5000));
    mb_device_clear(&device);
}

static void take(void *asker, const struct adapter_answer *answer)
{
    *(struct adapter_answer *)asker = *answer;
}

static void a_write_puts_an_end_to_what_was_known(void **state)
{
    const struct mb_request read = {.function = 3, .address = 10, .count = 4};
    struct mb_device device = {0};
    struct adapter_answer told = {.quality = QUALITY_ERROR};
    struct mb_question *question = mb_question_new(
        &(struct adapter_question){.function = 6, .address = 10, .done = take, .asker = &told});

    (void)state;
    assert_int_equal(mb_device_hold(&device), 0);
    mb_held_put(device.held, &read, (const uint8_t *)"aabbccdd", 4500);
    question->job.device = &device;
    mb_question_end(question, QUALITY_GOOD, NULL);
    assert_int_equal(told.quality, QUALITY_GOOD);
    assert_null(mb_held_find(device.held, &read, 0));
    mb_device_clear(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_the_request_that_it_says),
        cmocka_unit_test(an_answer_holds_what_was_read_and_of_a_write_nothing),
        cmocka_unit_test(what_was_read_a_moment_ago_is_known),
        cmocka_unit_test(a_write_puts_an_end_to_what_was_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
