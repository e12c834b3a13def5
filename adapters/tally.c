#include "adapters/tally.h"

#include <math.h>

#define FIRST_US     64
#define ANSWERS_FULL 8192 /* p99 of the last few thousand */

/* The step of the histogram in which an answer time falls. */
static unsigned step_of(int64_t us)
{
    int exponent;
    double fraction; /* 0.5 to below 1 */
    int step;

    if (us < FIRST_US)
        return 0;
    fraction = frexp((double)us / FIRST_US, &exponent);
    step = 4 * (exponent - 1) + (int)(8 * fraction - 4);
    return step < TALLY_STEPS ? (unsigned)step : TALLY_STEPS - 1;
}

static double step_begin_us(unsigned step)
{
    return FIRST_US * ldexp(1 + step % 4 / 4.0, (int)(step / 4));
}

static void fade(struct tally *tally)
{
    tally->n_answers = 0;
    for (unsigned i = 0; i < TALLY_STEPS; i++) {
        tally->answers[i] /= 2;
        tally->n_answers += tally->answers[i];
    }
}

static void add_answers(struct tally *tally, unsigned step, uint16_t count)
{
    tally->answers[step] = (uint16_t)(tally->answers[step] + count);
    tally->n_answers += count;
    if (tally->n_answers >= ANSWERS_FULL)
        fade(tally);
}

void tally_add(struct tally *tally, const struct adapter_exchange *exchange)
{
    uint8_t quality = exchange->quality;
    bool reply = quality == QUALITY_GOOD || quality > QUALITY_EXCEPTION;

    tally->requests++;
    tally->replies += reply;
    tally->exceptions += quality > QUALITY_EXCEPTION;
    tally->timeouts += quality == QUALITY_TIMEOUT;
    tally->crc += quality == QUALITY_CRC;
    tally->broken += quality == QUALITY_PROTOCOL;
    tally->foreign += exchange->foreign;
    tally->reconnects += exchange->reconnected;
    tally->busy_us += exchange->busy_us;
    if (reply)
        add_answers(tally, step_of(exchange->answer_us), 1);
}

void tally_merge(struct tally *tally, const struct tally *from)
{
    tally->requests += from->requests;
    tally->replies += from->replies;
    tally->exceptions += from->exceptions;
    tally->timeouts += from->timeouts;
    tally->crc += from->crc;
    tally->broken += from->broken;
    tally->foreign += from->foreign;
    tally->reconnects += from->reconnects;
    tally->busy_us += from->busy_us;
    tally->share += from->share;
    for (unsigned i = 0; i < TALLY_STEPS; i++)
        add_answers(tally, i, from->answers[i]);
}

void tally_mark(struct tally *tally, int64_t elapsed_us)
{
    if (elapsed_us > 0)
        tally->share = (double)(tally->busy_us - tally->marked_us) / (double)elapsed_us;
    tally->marked_us = tally->busy_us;
}

int64_t tally_take_ms(struct tally *tally)
{
    int64_t taken_us = tally->busy_us - tally->taken_us;

    tally->taken_us = tally->busy_us;
    return taken_us / 1000;
}

/* Between the ends of the step in which it lies, by how far into the step it is. */
static int64_t percentile_us(const struct tally *tally, double percent)
{
    double before = tally->n_answers * percent / 100;

    for (unsigned i = 0; i < TALLY_STEPS; i++) {
        double begin = step_begin_us(i), count = tally->answers[i];

        if (count > 0 && before <= count)
            return (int64_t)(begin + (step_begin_us(i + 1) - begin) * before / count);
        before -= count;
    }
    return -1;
}

struct adapters_traffic tally_traffic(const struct tally *tally)
{
    return (struct adapters_traffic){
        .requests = tally->requests,
        .replies = tally->replies,
        .timeouts = tally->timeouts,
        .crc = tally->crc,
        .broken = tally->broken,
        .exceptions = tally->exceptions,
        .foreign = tally->foreign,
        .reconnects = tally->reconnects,
        .busy = tally->share < 1 ? tally->share : 1,
        .p50_us = percentile_us(tally, 50),
        .p99_us = percentile_us(tally, 99),
    };
}
