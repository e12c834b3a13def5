#include "adapters/modbus/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct mb_request read_one = {.function = MB_READ_HOLDINGS, .count = 1};
static const struct mb_request write_one = {.function = MB_WRITE_REGISTER};

static struct mb_probe silent(const struct mb_request *request, uint32_t times)
{
    struct mb_probe probe = {.framing = &mb_framing_tcp, .silent = times};

    mb_probe_note(&probe, request, 7, 500);
    return probe;
}

static void a_peer_that_was_silent_three_times_is_asked_once(void **state)
{
    struct mb_probe probe = silent(&read_one, 2);

    (void)state;
    assert_true(mb_probe_may(&probe));
    assert_false(mb_probe_must(&probe));
    probe.silent++;
    assert_true(mb_probe_must(&probe));
    probe.done = true;
    assert_false(mb_probe_must(&probe));
    assert_false(mb_probe_may(&probe));
}

static void a_peer_that_was_understood_is_not(void **state)
{
    struct mb_probe probe = silent(&read_one, 9);

    (void)state;
    probe.understood = true;
    assert_false(mb_probe_must(&probe));
}

static void nothing_is_written_to_find_out(void **state)
{
    struct mb_probe probe = silent(&write_one, 9);

    (void)state;
    assert_false(mb_probe_must(&probe));
}

static void the_question_is_the_same_in_the_other_framing(void **state)
{
    struct mb_probe probe = silent(&read_one, 3);
    const uint8_t want[] = {7, 3, 0, 0, 0, 1};
    uint8_t frame[MB_FRAME_MAX];

    (void)state;
    assert_int_equal(mb_probe_build(&probe, 1, frame), 8);
    assert_memory_equal(frame, want, sizeof(want));
}

static void its_answer_is_known_and_explained(void **state)
{
    struct mb_probe probe = silent(&read_one, 3);
    uint8_t answer[] = {7, 3, 2, 0, 5, 0, 0};
    uint16_t crc = mb_crc(answer, 5);
    char words[400];

    (void)state;
    assert_false(mb_probe_is_answer(&probe, answer, sizeof(answer)));
    answer[5] = (uint8_t)crc;
    answer[6] = (uint8_t)(crc >> 8);
    assert_true(mb_probe_is_answer(&probe, answer, sizeof(answer)));
    mb_probe_explain(&probe, "10.0.0.1:502", words, sizeof(words));
    assert_non_null(strstr(words, "connect = \"rtu+tcp://10.0.0.1:502\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_was_silent_three_times_is_asked_once),
        cmocka_unit_test(a_peer_that_was_understood_is_not),
        cmocka_unit_test(nothing_is_written_to_find_out),
        cmocka_unit_test(the_question_is_the_same_in_the_other_framing),
        cmocka_unit_test(its_answer_is_known_and_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
