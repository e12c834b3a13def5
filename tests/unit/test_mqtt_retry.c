#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/retry.h"

#define START_MS 5000000

/* Attempts that fail at once, until `until_ms` of the outage; the last delay. */
static int64_t keep_trying(struct retry *retry, int64_t *now_ms, int64_t until_ms,
                           int64_t longest_ms)
{
    int64_t delay_ms = 0;

    while (*now_ms - retry->since_ms < until_ms) {
        delay_ms = retry_delay(retry, *now_ms);
        assert_in_range(delay_ms, 1000, longest_ms);
        *now_ms += delay_ms;
    }
    return delay_ms;
}

static void it_begins_with_one_two_and_goes_on_every_four_seconds(void **state)
{
    static const int64_t delays[] = {1000, 2000, 4000, 4000, 4000};
    struct retry retry = {.since_ms = START_MS};
    int64_t now_ms = START_MS;

    (void)state;
    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        assert_int_equal(retry_delay(&retry, now_ms), delays[i]);
        now_ms += delays[i];
    }
    assert_int_equal(keep_trying(&retry, &now_ms, 120000, 4000), 4000);
}

static void after_two_minutes_it_doubles_up_to_one(void **state)
{
    static const int64_t delays[] = {8000, 16000, 32000, 60000, 60000};
    struct retry retry = {.since_ms = START_MS};
    int64_t now_ms = START_MS;

    (void)state;
    keep_trying(&retry, &now_ms, 120000, 4000);
    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        assert_int_equal(retry_delay(&retry, now_ms), delays[i]);
        now_ms += delays[i];
    }
    assert_int_equal(keep_trying(&retry, &now_ms, 86400000, 60000), 60000);
}

static void a_connection_that_lasted_begins_anew(void **state)
{
    struct retry retry = {.since_ms = START_MS};
    int64_t now_ms = START_MS;

    (void)state;
    keep_trying(&retry, &now_ms, 600000, 60000);
    retry_lost(&retry, 10000, now_ms);
    assert_int_equal(retry_delay(&retry, now_ms), 1000);
    assert_int_equal(keep_trying(&retry, &now_ms, 120000, 4000), 4000);
}

static void many_that_did_not_last_are_asked_again_as_often_as_in_a_young_outage(void **state)
{
    struct retry retry = {.since_ms = START_MS};
    int64_t now_ms = START_MS;

    (void)state;
    keep_trying(&retry, &now_ms, 600000, 60000);
    while (now_ms < START_MS + 1200000) {
        retry_lost(&retry, 9999, now_ms);
        assert_int_equal(retry_delay(&retry, now_ms), 4000);
        now_ms += 9999;
    }
}

static void the_third_in_a_row_that_did_not_last_is_no_accident_and_is_told_once(void **state)
{
    struct retry retry = {.since_ms = START_MS};

    (void)state;
    for (int i = 1; i <= 6; i++) {
        retry_lost(&retry, 9999, START_MS);
        assert_int_equal(retry_is_thrown_out(&retry), i == 3);
    }
}

static void a_broker_that_was_away_has_thrown_nobody_out(void **state)
{
    struct retry retry = {.since_ms = START_MS};

    (void)state;
    for (int i = 0; i < 6; i++) {
        retry_lost(&retry, 100, START_MS);
        assert_false(retry_is_thrown_out(&retry));
        retry_failed(&retry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_with_one_two_and_goes_on_every_four_seconds),
        cmocka_unit_test(after_two_minutes_it_doubles_up_to_one),
        cmocka_unit_test(a_connection_that_lasted_begins_anew),
        cmocka_unit_test(many_that_did_not_last_are_asked_again_as_often_as_in_a_young_outage),
        cmocka_unit_test(the_third_in_a_row_that_did_not_last_is_no_accident_and_is_told_once),
        cmocka_unit_test(a_broker_that_was_away_has_thrown_nobody_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
