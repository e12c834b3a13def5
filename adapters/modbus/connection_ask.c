#include "adapters/modbus/connection_inside.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/stream.h"

#include <string.h>

/* -- jobs ----------------------------------------------------------------------------------- */

void mb_connection_settle(struct mb_connection *c, struct mb_job *job, uint8_t quality,
                          const uint8_t *data, int64_t at_ms)
{
    bool working = c->working;
    struct sample *samples = c->host->scratch(c->host);
    size_t n = 0;

    c->working = true; /* whoever called serves what comes of it */
    job->tries = 0;
    if (job->kind == MB_JOB_POLL)
        n = mb_poll_take(job->device, quality, data, at_ms, samples);
    if (n > 0)
        c->host->report(c->host, job->index, samples, n);
    if (job->kind != MB_JOB_POLL || !mb_job_wants(job))
        mb_job_end(job, c->host, quality, data);
    else
        mb_jobs_put_first(&c->jobs, job);
    c->working = working;
}

/* What a stranger is asked is counted with nobody. */
struct mb_job *mb_connection_land(struct mb_connection *c, struct mb_flight *flight,
                                  uint8_t quality)
{
    struct mb_job *job = flight->job;
    struct adapter_exchange exchange =
        mb_flights_take(&c->flights, flight, quality, clock_boot_us());

    exchange.reconnected = c->reopened;
    if (job->device) {
        c->reopened = false;
        c->host->exchanged(c->host, job->index, &exchange);
    }
    return job;
}

/* -- asking --------------------------------------------------------------------------------- */

static void send_request(struct mb_connection *c, uint8_t unit, const struct mb_request *request)
{
    uint8_t frame[MB_FRAME_MAX];
    size_t length = c->framing->build(frame, ++c->number, unit, request);

    /* A write that fails is followed by the stream's `down`; full buffers mean that the peer takes
     * nothing, and then the time-out ends it. */
    (void)stream_write(c->stream, frame, length);
}

static void ask(struct mb_connection *c, struct mb_job *job)
{
    struct mb_request request;
    struct mb_flight *flight;
    int64_t now_us;

    if (job->kind == MB_JOB_POLL && job->connection != c->opened)
        mb_poll_greet(job->device);
    job->connection = c->opened;
    request = *mb_job_wants(job);

    if (job->pending && mb_pending_next(job->pending, mb_job_wants(job), job->device->max_registers,
                                        clock_boot_ms(), &request) == MB_HOLD) {
        mb_connection_settle(c, job, QUALITY_TIMEOUT, NULL, clock_boot_ms());
        return;
    }
    job->tries++;
    c->pace.last_unit = job->unit;
    send_request(c, job->unit, &request);
    now_us = clock_boot_us();
    flight = mb_flights_add(&c->flights);
    *flight = (struct mb_flight){.job = job,
                                 .request = request,
                                 .number = c->number,
                                 .due_ms = now_us / 1000 + job->timeout_ms,
                                 .sent_us = now_us};
    flight->began_us = c->pause_us ? c->pause_us : flight->sent_us;
    c->pause_us = 0;
}

/* Whether the next request has to wait for a pause to end. */
static bool must_pause(struct mb_connection *c, const struct mb_job *job)
{
    c->ready_ms = mb_pace_ready_ms(&c->pace, c->options, job->unit);
    if (c->ready_ms == 0 || c->ready_ms <= clock_boot_ms())
        return false;
    if (!c->pause_us)
        c->pause_us = clock_boot_us();
    return true;
}

static void plan_timer(struct mb_connection *c)
{
    int64_t due_ms = mb_flights_due_ms(&c->flights);

    timer_at(c->timer, c->pause_us && c->ready_ms < due_ms ? c->ready_ms : due_ms);
}

void mb_connection_serve(struct mb_connection *c)
{
    struct mb_job *job;

    if (c->working)
        return;
    c->working = true;
    while (c->state == STATE_UP && c->flights.n < c->flights.most && !mb_probe_must(&c->probe) &&
           (job = mb_jobs_first(&c->jobs)) && !must_pause(c, job))
        ask(c, mb_jobs_take(&c->jobs));
    c->working = false;
    if (c->state == STATE_UP)
        plan_timer(c);
}

/* A device that is busy lets others go first; when there are none, it gets some time. */
static void ask_later(struct mb_connection *c, struct mb_job *job, int64_t at_ms)
{
    if (!mb_jobs_first(&c->jobs))
        c->pace.hold_ms = at_ms + MB_BUSY_MS;
    mb_jobs_put(&c->jobs, job);
}

void mb_connection_finish(struct mb_connection *c, struct mb_flight *flight, uint8_t quality,
                          const uint8_t *data, int64_t at_ms)
{
    struct mb_job *job = mb_connection_land(c, flight, quality);

    c->pace.ended_ms = at_ms;
    if (job->pending)
        quality = mb_pending_end(job->pending, quality);
    if (quality == MB_AGAIN)
        job->tries--; /* that was about something else */
    if (quality != MB_AGAIN && !mb_job_again(job, quality))
        mb_connection_settle(c, job, quality, data, at_ms);
    else if (mb_poll_is_busy(quality))
        ask_later(c, job, at_ms);
    else
        mb_jobs_put_first(&c->jobs, job);
}

/* -- answers -------------------------------------------------------------------------------- */

static void take_answer(struct mb_connection *c, struct mb_flight *flight, uint8_t quality,
                        const uint8_t *data, int64_t at_ms)
{
    c->probe.silent = 0;
    if (quality != QUALITY_PROTOCOL) {
        c->answered = true;
        c->misframed = false;
        c->pace.failures = 0;
        mb_connection_tell(c, NULL);
    }
    mb_connection_finish(c, flight, quality, data, at_ms);
}

bool mb_connection_take(struct mb_connection *c, int64_t at_ms)
{
    struct mb_framed frame;
    const uint8_t *data = NULL;
    struct mb_flight *flight;
    enum mb_frame what = c->framing->parse(c->in, c->n_in, &frame);
    uint8_t quality;

    if (what == MB_FRAME_PART)
        return false;
    if (what == MB_FRAME_BROKEN) {
        mb_connection_drop(c, c->framing->damaged, c->framing->broken);
        return false;
    }
    c->heard_ms = at_ms;
    c->probe.understood = true;
    flight = mb_flights_answered(&c->flights, c->framing, &frame, &quality, &data);
    if (flight)
        take_answer(c, flight, quality, data, at_ms);
    else
        c->flights.foreign++;
    c->n_in -= frame.used;
    memmove(c->in, c->in + frame.used, c->n_in);
    return true;
}
