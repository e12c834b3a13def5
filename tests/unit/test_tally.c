#include "adapters/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void add(struct tally *tally, uint8_t quality, int64_t answer_us)
{
    struct adapter_exchange exchange = {
        .quality = quality, .answer_us = answer_us, .busy_us = answer_us};

    tally_add(tally, &exchange);
}

static void every_end_of_a_request_has_its_counter(void **state)
{
    struct tally tally = {0};
    struct adapters_traffic traffic;

    (void)state;
    add(&tally, QUALITY_GOOD, 100);
    add(&tally, QUALITY_EXCEPTION + 2, 100);
    add(&tally, QUALITY_TIMEOUT, 0);
    add(&tally, QUALITY_CRC, 0);
    add(&tally, QUALITY_PROTOCOL, 0);
    add(&tally, QUALITY_DISCONNECTED, 0);
    traffic = tally_traffic(&tally);
    assert_int_equal(traffic.requests, 6);
    assert_int_equal(traffic.replies, 2);
    assert_int_equal(traffic.exceptions, 1);
    assert_int_equal(traffic.timeouts, 1);
    assert_int_equal(traffic.crc, 1);
    assert_int_equal(traffic.broken, 1);
    assert_int_equal(traffic.reconnects, 0);
}

static void connections_opened_anew_are_counted(void **state)
{
    struct tally tally = {0};
    struct adapter_exchange exchange = {.reconnected = true};

    (void)state;
    tally_add(&tally, &exchange);
    assert_int_equal(tally_traffic(&tally).reconnects, 1);
}

static void percentiles_are_within_a_tenth(void **state)
{
    struct tally tally = {0};
    struct adapters_traffic traffic;

    (void)state;
    for (int i = 1; i <= 1000; i++)
        add(&tally, QUALITY_GOOD, i * 50);
    traffic = tally_traffic(&tally);
    assert_in_range(traffic.p50_us, 22500, 27500);
    assert_in_range(traffic.p99_us, 44550, 54450);
}

static void without_a_reply_there_is_no_percentile(void **state)
{
    struct tally tally = {0};

    (void)state;
    add(&tally, QUALITY_TIMEOUT, 1000000);
    assert_int_equal(tally_traffic(&tally).p50_us, -1);
    assert_int_equal(tally_traffic(&tally).p99_us, -1);
}

static void times_beyond_the_steps_count_in_the_last_ones(void **state)
{
    struct tally tally = {0};

    (void)state;
    add(&tally, QUALITY_GOOD, 0);
    assert_in_range(tally_traffic(&tally).p50_us, 0, 80);
    tally = (struct tally){0};
    add(&tally, QUALITY_GOOD, INT64_MAX);
    assert_true(tally_traffic(&tally).p50_us > 13000000);
}

static void old_answer_times_fade(void **state)
{
    struct tally tally = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        add(&tally, QUALITY_GOOD, 1000);
    for (int i = 0; i < 20000; i++)
        add(&tally, QUALITY_GOOD, 100000);
    assert_true(tally_traffic(&tally).p50_us > 90000);
}

static void a_share_is_of_the_time_between_two_marks(void **state)
{
    struct tally tally = {0};

    (void)state;
    add(&tally, QUALITY_GOOD, 300000);
    tally_mark(&tally, 1000000);
    assert_true(tally_traffic(&tally).busy == 0.3);
    add(&tally, QUALITY_GOOD, 100000);
    tally_mark(&tally, 1000000);
    assert_true(tally_traffic(&tally).busy == 0.1);
    tally_mark(&tally, 1000000);
    assert_true(tally_traffic(&tally).busy == 0);
    add(&tally, QUALITY_GOOD, 3000000); /* a request that began before the first mark */
    tally_mark(&tally, 1000000);
    assert_true(tally_traffic(&tally).busy == 1);
}

static void what_was_taken_up_is_told_once(void **state)
{
    struct tally tally = {0};

    (void)state;
    add(&tally, QUALITY_TIMEOUT, 500000);
    add(&tally, QUALITY_TIMEOUT, 500000);
    assert_int_equal(tally_take_ms(&tally), 1000);
    assert_int_equal(tally_take_ms(&tally), 0);
}

static void merged_tallies_are_the_sum(void **state)
{
    struct tally a = {0}, b = {0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        add(&a, QUALITY_GOOD, 1000);
        add(&b, QUALITY_TIMEOUT, 1000);
    }
    add(&b, QUALITY_GOOD, 1000000);
    tally_mark(&a, 100000);
    tally_mark(&b, 10000000);
    tally_merge(&a, &b);
    assert_int_equal(tally_traffic(&a).requests, 21);
    assert_int_equal(tally_traffic(&a).replies, 11);
    assert_int_equal(tally_traffic(&a).timeouts, 10);
    assert_true(tally_traffic(&a).p99_us > 800000);
    assert_true(tally_traffic(&a).busy > 0.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_of_a_request_has_its_counter),
        cmocka_unit_test(connections_opened_anew_are_counted),
        cmocka_unit_test(percentiles_are_within_a_tenth),
        cmocka_unit_test(without_a_reply_there_is_no_percentile),
        cmocka_unit_test(times_beyond_the_steps_count_in_the_last_ones),
        cmocka_unit_test(old_answer_times_fade),
        cmocka_unit_test(a_share_is_of_the_time_between_two_marks),
        cmocka_unit_test(what_was_taken_up_is_told_once),
        cmocka_unit_test(merged_tallies_are_the_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
