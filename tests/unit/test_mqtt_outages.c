/* Stretches of time that the broker has not got. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/mqtt/outages.h"

#include <string.h>

static void assert_is(const struct outages *outages, size_t i, int64_t from_ms, int64_t to_ms)
{
    assert_true(i < outages->count);
    assert_int_equal(outages->list[i].from_ms, from_ms);
    assert_int_equal(outages->list[i].to_ms, to_ms);
}

static void one_that_goes_on_is_not_replayed_until_it_is_over(void **state)
{
    struct outages outages = {0};

    (void)state;
    outages_add(&outages, 100, CLOCK_NEVER);
    assert_null(outages_first(&outages));
    outages_end(&outages, 500);
    assert_non_null(outages_first(&outages));
    assert_is(&outages, 0, 100, 500);
    outages_end(&outages, 900); /* there is none that goes on */
    assert_is(&outages, 0, 100, 500);
}

static void stretches_that_touch_are_one_in_whatever_order_they_come(void **state)
{
    struct outages outages = {0};

    (void)state;
    outages_add(&outages, 500, 600);
    outages_add(&outages, 100, 200);
    outages_add(&outages, 900, CLOCK_NEVER);
    assert_int_equal(outages.count, 3);
    outages_add(&outages, 150, 550);
    assert_int_equal(outages.count, 2);
    assert_is(&outages, 0, 100, 600);
    outages_add(&outages, 0, 50);
    outages_add(&outages, 700, CLOCK_NEVER);
    assert_int_equal(outages.count, 3);
    assert_is(&outages, 0, 0, 50);
    assert_is(&outages, 2, 700, CLOCK_NEVER);
}

static void what_has_arrived_is_cut_off(void **state)
{
    struct outages outages = {0};

    (void)state;
    outages_add(&outages, 100, 200);
    outages_add(&outages, 300, 400);
    outages_done(&outages, 150);
    assert_is(&outages, 0, 150, 200);
    outages_done(&outages, 201);
    assert_is(&outages, 0, 300, 400);
    outages_done(&outages, 401);
    assert_int_equal(outages.count, 0);
}

static void too_many_become_fewer_without_losing_time(void **state)
{
    struct outages outages = {0};

    (void)state;
    for (int64_t i = 0; i < 100; i++)
        outages_add(&outages, i * 100, i * 100 + 10);
    assert_int_equal(outages.count, OUTAGES_MAX);
    assert_is(&outages, 0, 0, 10);
    assert_is(&outages, OUTAGES_MAX - 1, (OUTAGES_MAX - 1) * 100, 9910);
}

static void they_survive_a_restart_as_wall_times(void **state)
{
    struct outages before = {0}, after = {0};
    char text[OUTAGES_TEXT_SIZE];

    (void)state;
    outages_add(&before, 100, 200);
    outages_add(&before, 300, CLOCK_NEVER);
    outages_write(&before, 1700000000000, text);
    outages_read(&after, 1700000001000, 5, text); /* the new boot was a second later */
    assert_int_equal(after.count, 2);
    assert_is(&after, 0, -900, -800);
    assert_is(&after, 1, -700, 5);
}

static void a_text_that_is_none_adds_nothing(void **state)
{
    static const char *const texts[] = {"", "x", "5", "5 x", "9 5", "-3 4", "1 2 3"};
    struct outages outages = {0};

    (void)state;
    for (size_t i = 0; i < 6; i++)
        outages_read(&outages, 0, 0, texts[i]);
    assert_int_equal(outages.count, 0);
    outages_read(&outages, 0, 0, texts[6]);
    assert_int_equal(outages.count, 1);
}

static void the_longest_text_fits(void **state)
{
    struct outages outages = {0};
    char text[OUTAGES_TEXT_SIZE];

    (void)state;
    for (int64_t i = 0; i < OUTAGES_MAX; i++)
        outages_add(&outages, INT64_MAX / 2 + 10 * i,
                    i + 1 < OUTAGES_MAX ? INT64_MAX / 2 + 10 * i + 1 : CLOCK_NEVER);
    outages_write(&outages, INT64_MAX / 4, text);
    memset(&outages, 0, sizeof(outages));
    outages_read(&outages, INT64_MAX / 4, CLOCK_NEVER, text);
    assert_int_equal(outages.count, OUTAGES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_goes_on_is_not_replayed_until_it_is_over),
        cmocka_unit_test(stretches_that_touch_are_one_in_whatever_order_they_come),
        cmocka_unit_test(what_has_arrived_is_cut_off),
        cmocka_unit_test(too_many_become_fewer_without_losing_time),
        cmocka_unit_test(they_survive_a_restart_as_wall_times),
        cmocka_unit_test(a_text_that_is_none_adds_nothing),
        cmocka_unit_test(the_longest_text_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
