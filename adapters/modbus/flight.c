#include "adapters/modbus/flight.h"

#include "gateway/base/clock.h"

#include <assert.h>
#include <string.h>

struct mb_flight *mb_flights_add(struct mb_flights *flights)
{
    assert(flights->n < flights->most);
    return &flights->list[flights->n++];
}

struct mb_flight *mb_flights_find(struct mb_flights *flights, uint16_t number)
{
    for (unsigned i = 0; i < flights->n; i++) {
        if (flights->list[i].number == number)
            return &flights->list[i];
    }
    return NULL;
}

struct mb_flight *mb_flights_answered(struct mb_flights *flights, const struct mb_framing *framing,
                                      const struct mb_framed *frame, uint8_t *ret_quality,
                                      const uint8_t **ret_data)
{
    struct mb_flight *flight = framing->numbered ? mb_flights_find(flights, frame->number)
                               : flights->n > 0  ? flights->list
                                                 : NULL;

    *ret_quality = QUALITY_PROTOCOL;
    if (!flight)
        return NULL;
    if (frame->unit == flight->job->unit)
        *ret_quality = mb_pdu_answer(&flight->request, frame->pdu, frame->pdu_length, ret_data);
    return framing->numbered || *ret_quality != QUALITY_PROTOCOL ? flight : NULL;
}

struct mb_flight *mb_flights_blame(struct mb_flights *flights, const uint8_t *frame, size_t count)
{
    struct mb_flight *flight =
        count >= 2 ? mb_flights_find(flights, (uint16_t)(frame[0] << 8 | frame[1])) : NULL;

    return flight ? flight : flights->list;
}

struct mb_flight *mb_flights_due(struct mb_flights *flights, int64_t now_ms)
{
    for (unsigned i = 0; i < flights->n; i++) {
        if (flights->list[i].due_ms <= now_ms)
            return &flights->list[i];
    }
    return NULL;
}

int64_t mb_flights_due_ms(const struct mb_flights *flights)
{
    int64_t first_ms = CLOCK_NEVER;

    for (unsigned i = 0; i < flights->n; i++) {
        if (flights->list[i].due_ms < first_ms)
            first_ms = flights->list[i].due_ms;
    }
    return first_ms;
}

struct adapter_exchange mb_flights_take(struct mb_flights *flights, struct mb_flight *flight,
                                        uint8_t quality, int64_t now_us)
{
    int64_t since_us = flight->began_us > flights->told_us ? flight->began_us : flights->told_us;
    struct adapter_exchange exchange = {.quality = quality,
                                        .foreign = flights->foreign,
                                        .answer_us = now_us - flight->sent_us,
                                        .busy_us = now_us - since_us};
    size_t behind = (size_t)(&flights->list[flights->n] - flight) - 1;

    memmove(flight, flight + 1, behind * sizeof(*flight));
    flights->n--;
    flights->told_us = now_us;
    flights->foreign = 0;
    return exchange;
}
