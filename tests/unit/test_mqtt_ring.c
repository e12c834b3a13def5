/* Readings in memory, where there is no store. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/ring.h"

#define SENSORS  10
#define CAPACITY (RING_MAX / sizeof(struct reading))

static int setup(void **state)
{
    static struct ring ring;

    *state = &ring;
    return ring_use(&ring, SENSORS);
}

static int teardown(void **state)
{
    ring_release(*state);
    return 0;
}

static void put(struct ring *ring, int64_t at_ms)
{
    struct reading reading = {.sensor = (uint32_t)(at_ms % SENSORS),
                              .at_ms = at_ms,
                              .kind = VALUE_NUMBER,
                              .number = (double)at_ms};

    ring_put(ring, &reading, 1);
}

static void they_come_out_in_order_and_stay_until_they_have_arrived(void **state)
{
    struct ring *ring = *state;
    struct reading out[100];

    for (int64_t i = 0; i < 5000; i++)
        put(ring, i);
    assert_int_equal(ring_peek(ring, 49, out, 100), 50);
    assert_int_equal(ring_peek(ring, 9999, out, 100), 100);
    for (int64_t i = 0; i < 100; i++)
        assert_int_equal(out[i].at_ms, i);
    ring_drop(ring);
    assert_int_equal(ring_peek(ring, 9999, out, 1), 1);
    assert_int_equal(out[0].at_ms, 100);
    assert_int_equal(ring->thinned, 0);
}

static void what_is_not_needed_goes_but_not_what_is_under_way(void **state)
{
    struct ring *ring = *state;
    struct reading out[10];

    for (int64_t i = 0; i < 20; i++)
        put(ring, i);
    ring_drop_before(ring, 5);
    assert_int_equal(ring_peek(ring, 99, out, 10), 10);
    assert_int_equal(out[0].at_ms, 5);
    ring_drop_before(ring, 18);
    ring_drop(ring);
    ring_drop_before(ring, 18);
    assert_int_equal(ring_peek(ring, 99, out, 10), 2);
}

static void one_that_is_full_becomes_coarse_over_its_whole_length_and_counts_it(void **state)
{
    struct ring *ring = *state;
    struct reading out[100];
    uint32_t before = UINT32_MAX;

    for (size_t i = 0; i < CAPACITY; i++)
        put(ring, (int64_t)i);
    assert_int_equal(ring->thinned, 0);
    assert_int_equal(ring_peek(ring, 99, out, 100), 100); /* under way: stays whole */
    put(ring, (int64_t)CAPACITY);
    assert_true(ring->thinned > CAPACITY / 2 - 200 && ring->thinned < CAPACITY / 2 + 200);
    assert_int_equal(ring->count + ring->thinned, CAPACITY + 1);
    ring_drop(ring);
    assert_int_equal(ring_peek(ring, INT64_MAX, out, 100), 100);
    for (size_t i = 0; i < 100; i++) { /* every other poll of ten, each of them whole */
        assert_int_not_equal(out[i].at_ms, before);
        assert_int_equal(out[i].at_ms % SENSORS, i % SENSORS);
    }
    assert_int_equal(out[SENSORS].at_ms - out[0].at_ms, 2 * SENSORS);
}

/* `bad` of them are gaps. */
static void put_poll(struct ring *ring, int64_t at_ms, uint32_t bad)
{
    struct reading poll[SENSORS];

    for (uint32_t i = 0; i < SENSORS; i++)
        poll[i] = (struct reading){
            .sensor = i, .at_ms = at_ms, .quality = i < bad ? QUALITY_TIMEOUT : QUALITY_GOOD};
    ring_put(ring, poll, SENSORS);
}

/* How many polls come out; each of them must be whole. */
static size_t take_polls(struct ring *ring)
{
    struct reading out[SENSORS];
    size_t polls = 0;

    for (; ring_peek(ring, INT64_MAX, out, SENSORS) > 0; polls++) {
        for (uint32_t i = 0; i < SENSORS; i++) {
            assert_int_equal(out[i].sensor, i);
            assert_int_equal(out[i].at_ms, out[0].at_ms);
        }
        ring_drop(ring);
    }
    return polls;
}

static void a_poll_that_finds_it_full_comes_out_whole(void **state)
{
    struct ring *ring = *state;
    const size_t room = CAPACITY / SENSORS;

    assert_int_not_equal(CAPACITY % SENSORS, 0); /* the last one begins where there is still room */
    for (size_t i = 0; i < 2 * room; i++)
        put_poll(ring, (int64_t)i, 0);
    assert_true(ring->thinned > 0);
    assert_true(take_polls(ring) > room / 2);
}

static void polls_are_whole_also_after_gaps_of_some_of_their_sensors(void **state)
{
    struct ring *ring = *state;
    const size_t room = CAPACITY / SENSORS;
    struct reading gap[SENSORS];

    put_poll(ring, 0, 3);
    for (size_t i = 1; i < 2 * room; i++)
        put_poll(ring, (int64_t)i, 0);
    assert_true(ring->thinned > 0);
    if (ring_peek(ring, 0, gap, SENSORS) > 0)
        ring_drop(ring);
    assert_true(take_polls(ring) > room / 2);
}

static void gaps_alone_do_not_overflow_it(void **state)
{
    struct ring *ring = *state;
    struct reading gap = {.quality = QUALITY_TIMEOUT};

    for (size_t i = 0; i < CAPACITY + 1000; i++)
        ring_put(ring, &gap, 1);
    assert_int_equal(ring->count + ring->thinned, CAPACITY + 1000);
    assert_true(ring->thinned < CAPACITY / 10);
}

static void a_sensor_that_it_does_not_know_is_not_taken(void **state)
{
    struct ring *ring = *state;
    struct reading stranger = {.sensor = SENSORS};

    ring_put(ring, &stranger, 1);
    assert_int_equal(ring->count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_come_out_in_order_and_stay_until_they_have_arrived),
        TEST(what_is_not_needed_goes_but_not_what_is_under_way),
        TEST(one_that_is_full_becomes_coarse_over_its_whole_length_and_counts_it),
        TEST(a_poll_that_finds_it_full_comes_out_whole),
        TEST(polls_are_whole_also_after_gaps_of_some_of_their_sensors),
        TEST(gaps_alone_do_not_overflow_it),
        TEST(a_sensor_that_it_does_not_know_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
