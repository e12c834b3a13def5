#include "adapters/modbus/flight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"

#define MOST 4

static struct mb_flights made(unsigned n)
{
    static struct mb_flight room[MOST];
    struct mb_flights flights = {.most = MOST, .list = room};

    for (unsigned i = 0; i < n; i++)
        *mb_flights_add(&flights) = (struct mb_flight){
            .number = (uint16_t)(100 + i), .due_ms = 1000 - 10 * i, .began_us = 50 * i};
    return flights;
}

static void a_request_is_found_by_its_number(void **state)
{
    struct mb_flights flights = made(3);

    (void)state;
    assert_ptr_equal(mb_flights_find(&flights, 101), &flights.list[1]);
    assert_null(mb_flights_find(&flights, 99));
}

/* A request for one register, and a frame with unit, number and the PDU that answers it. */
static struct mb_flight *answered(struct mb_flights *flights, const struct mb_framing *framing,
                                  uint8_t unit, uint16_t number, uint8_t *ret_quality)
{
    static struct mb_job job = {.unit = 5};
    static const uint8_t pdu[] = {MB_READ_HOLDINGS, 2, 0, 1};
    const struct mb_framed frame = {
        .unit = unit, .number = number, .pdu = pdu, .pdu_length = sizeof(pdu)};
    const uint8_t *data;

    for (unsigned i = 0; i < flights->n; i++) {
        flights->list[i].job = &job;
        flights->list[i].request = (struct mb_request){.function = MB_READ_HOLDINGS, .count = 1};
    }
    return mb_flights_answered(flights, framing, &frame, ret_quality, &data);
}

static void with_a_number_it_decides_without_one_the_answer_must_fit(void **state)
{
    struct mb_flights flights = made(2), none = made(0);
    uint8_t quality;

    (void)state;
    assert_ptr_equal(answered(&flights, &mb_framing_tcp, 5, 101, &quality), &flights.list[1]);
    assert_int_equal(quality, QUALITY_GOOD);
    assert_ptr_equal(answered(&flights, &mb_framing_tcp, 6, 101, &quality), &flights.list[1]);
    assert_int_equal(quality, QUALITY_PROTOCOL);
    assert_null(answered(&flights, &mb_framing_tcp, 5, 7, &quality));
    assert_ptr_equal(answered(&flights, &mb_framing_rtu, 5, 0, &quality), &flights.list[0]);
    assert_null(answered(&flights, &mb_framing_rtu, 6, 0, &quality));
    assert_null(answered(&none, &mb_framing_rtu, 5, 0, &quality));
}

static void a_broken_frame_is_blamed_on_its_number_or_on_the_oldest(void **state)
{
    struct mb_flights flights = made(3);
    const uint8_t known[] = {0, 102, 0}, unknown[] = {9, 9};

    (void)state;
    assert_int_equal(mb_flights_blame(&flights, known, sizeof(known))->number, 102);
    assert_int_equal(mb_flights_blame(&flights, unknown, sizeof(unknown))->number, 100);
    assert_int_equal(mb_flights_blame(&flights, known, 1)->number, 100);
}

static void the_first_to_be_due_decides_when_to_look(void **state)
{
    struct mb_flights flights = made(3), none = made(0);

    (void)state;
    assert_int_equal(mb_flights_due_ms(&flights), 980);
    assert_null(mb_flights_due(&flights, 979));
    assert_int_equal(mb_flights_due(&flights, 980)->number, 102);
    assert_true(mb_flights_due_ms(&none) == CLOCK_NEVER);
}

static void what_was_taken_is_gone_and_the_others_keep_their_order(void **state)
{
    struct mb_flights flights = made(3);

    (void)state;
    mb_flights_take(&flights, &flights.list[1], QUALITY_GOOD, 200);
    assert_int_equal(flights.n, 2);
    assert_int_equal(flights.list[0].number, 100);
    assert_int_equal(flights.list[1].number, 102);
}

/* Three that began at 0, 50 and 100 us; the line was taken up for 300 us in all. */
static void time_that_several_share_is_told_once(void **state)
{
    struct mb_flights flights = made(3);
    int64_t busy_us = 0;

    (void)state;
    busy_us += mb_flights_take(&flights, &flights.list[1], QUALITY_GOOD, 200).busy_us;
    busy_us += mb_flights_take(&flights, &flights.list[0], QUALITY_GOOD, 250).busy_us;
    busy_us += mb_flights_take(&flights, &flights.list[0], QUALITY_GOOD, 300).busy_us;
    assert_int_equal(busy_us, 250); /* from 50, where the first that ended began */
}

static void foreign_frames_are_told_with_the_next_that_ends(void **state)
{
    struct mb_flights flights = made(2);

    (void)state;
    flights.foreign = 3;
    assert_int_equal(mb_flights_take(&flights, flights.list, QUALITY_GOOD, 10).foreign, 3);
    assert_int_equal(mb_flights_take(&flights, flights.list, QUALITY_GOOD, 10).foreign, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_found_by_its_number),
        cmocka_unit_test(with_a_number_it_decides_without_one_the_answer_must_fit),
        cmocka_unit_test(a_broken_frame_is_blamed_on_its_number_or_on_the_oldest),
        cmocka_unit_test(the_first_to_be_due_decides_when_to_look),
        cmocka_unit_test(what_was_taken_is_gone_and_the_others_keep_their_order),
        cmocka_unit_test(time_that_several_share_is_told_once),
        cmocka_unit_test(foreign_frames_are_told_with_the_next_that_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
