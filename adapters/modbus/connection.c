#include "adapters/modbus/connection_inside.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For name look-up and connect together. */
#define CONNECT_MS 5000
/* A peer that takes requests and says nothing for so long gets a new connection: converters forget
 * sessions while their TCP lives on. */
#define SILENCE_MS 60000
/* While bytes of an answer come in it is not silent: converters pass on what a slow line gives. */
#define GAP_MS 100
/* More than that do not wait on one connection. */
#define QUESTIONS_MAX 16

#define NAME_SIZE 272

static void open_stream(struct mb_connection *c);

/* -- telling -------------------------------------------------------------------------------- */

/* "192.168.1.50:502" */
static const char *write_name(const struct mb_connection *c, char name[NAME_SIZE])
{
    bool v6 = strchr(c->peer, ':');

    snprintf(name, NAME_SIZE, v6 ? "[%s]:%u" : "%s:%u", c->peer, c->port);
    return name;
}

void mb_connection_tell(struct mb_connection *c, const char *why)
{
    uint8_t told = why ? TOLD_DOWN : TOLD_UP;
    char name[NAME_SIZE];

    if (c->told == told)
        return;
    c->told = told;
    c->host->link(c->host, write_name(c, name), why);
}

/* -- the other framing ---------------------------------------------------------------------- */

/* Nothing is in flight any more. */
static void reopen(struct mb_connection *c)
{
    timer_at(c->timer, CLOCK_NEVER);
    stream_close(c->stream);
    open_stream(c);
}

static void start_probe(struct mb_connection *c)
{
    c->probe.done = c->probe.under_way = true;
    reopen(c);
}

static void send_probe(struct mb_connection *c)
{
    uint8_t frame[MB_FRAME_MAX];
    size_t length = mb_probe_build(&c->probe, ++c->number, frame);

    c->state = STATE_PROBING;
    (void)stream_write(c->stream, frame, length);
    timer_at(c->timer, clock_boot_ms() + c->probe.timeout_ms);
}

static void end_probe(struct mb_connection *c, bool answered)
{
    char name[NAME_SIZE], why[400];

    c->probe.under_way = false;
    timer_at(c->timer, CLOCK_NEVER);
    stream_close(c->stream);
    c->stream = NULL;
    c->state = STATE_CLOSED;
    if (answered) {
        mb_probe_explain(&c->probe, write_name(c, name), why, sizeof(why));
        c->told = TOLD_NOTHING; /* that it is down may have been said, why not */
        mb_connection_tell(c, why);
        c->misframed = true;
    }
    if (mb_jobs_first(&c->jobs))
        open_stream(c);
}

static void take_probe(struct mb_connection *c)
{
    if (mb_probe_is_answer(&c->probe, c->in, c->n_in))
        end_probe(c, true);
    else if (c->n_in == MB_FRAME_MAX)
        end_probe(c, false);
}

/* Behind what is left of the bytes before. */
static void begin_bytes(struct mb_connection *c, uint8_t frames[MB_FRAME_MAX])
{
    if (c->n_in > 0)
        memcpy(frames, c->in, c->n_in);
    free(c->in);
    c->in = frames;
}

/* Nearly every answer comes whole, so that of thousands of connections hardly one has anything to
 * keep. Without memory it is lost, and what follows is the end of the connection. */
static void keep_rest(struct mb_connection *c)
{
    uint8_t *rest = c->n_in > 0 ? malloc(c->n_in) : NULL;

    if (rest)
        memcpy(rest, c->in, c->n_in);
    else
        c->n_in = 0;
    c->in = rest;
}

static void on_data(void *owner, const uint8_t *bytes, size_t count, int64_t at_ms)
{
    struct mb_connection *c = owner;
    const struct stream *stream = c->stream;
    uint8_t frames[MB_FRAME_MAX];

    begin_bytes(c, frames);
    while (count > 0 && c->stream == stream) {
        size_t room = MB_FRAME_MAX - c->n_in;
        size_t n = count < room ? count : room;

        memcpy(c->in + c->n_in, bytes, n);
        c->n_in += n;
        bytes += n;
        count -= n;
        c->byte_ms = at_ms;
        if (c->state == STATE_PROBING)
            take_probe(c);
        while (c->stream == stream && c->state != STATE_PROBING && mb_connection_take(c, at_ms))
            ;
    }
    keep_rest(c);
    mb_connection_serve(c);
}

/* -- connecting ----------------------------------------------------------------------------- */

static void on_up(void *owner)
{
    struct mb_connection *c = owner;

    c->state = STATE_UP;
    c->heard_ms = clock_boot_ms();
    mb_pace_up(&c->pace, c->heard_ms);
    c->answered = false;
    c->probe.silent = 0;
    c->pause_us = 0;
    if (c->probe.under_way) {
        send_probe(c);
        return;
    }
    c->reopened = c->opened++ > 0;
    mb_connection_serve(c);
}

static void on_down(void *owner, int status, const char *why)
{
    struct mb_connection *c = owner;

    (void)status;
    if (c->probe.under_way)
        end_probe(c, false);
    else
        mb_connection_drop(c, QUALITY_DISCONNECTED, why);
}

static void open_stream(struct mb_connection *c)
{
    static const struct stream_events events = {on_up, on_data, on_down};

    c->n_in = 0;
    c->state = STATE_CONNECTING;
    c->stream = stream_open(c->host->loop, c->peer, c->port, CONNECT_MS, &events, c);
    if (c->stream)
        return;
    c->state = STATE_WAITING; /* no memory: jobs wait with it */
    timer_at(c->timer, clock_boot_ms() + 1000);
}

/* Whether a connection that ends now did what it was for: it gave answers, or was closed after a
 * time in which nothing was asked. */
static bool has_worked(const struct mb_connection *c)
{
    if (c->state == STATE_CONNECTING)
        return false;
    return c->answered || (c->flights.n == 0 && clock_boot_ms() - c->pace.up_ms >= CONNECT_MS);
}

static void note_silence(struct mb_connection *c, const struct mb_flight *flight)
{
    mb_probe_note(&c->probe, &flight->request, flight->job->unit, flight->job->timeout_ms);
}

/* Ends every job; what is in flight for `quality`, the others because there is no connection. None
 * can join meanwhile: a connection that waits takes none. */
static void fail_all(struct mb_connection *c, uint8_t quality)
{
    while (c->flights.n > 0)
        mb_connection_settle(c, mb_connection_land(c, c->flights.list, quality), quality, NULL,
                             clock_boot_ms());
    while (mb_jobs_first(&c->jobs))
        mb_connection_settle(c, mb_jobs_take(&c->jobs), QUALITY_DISCONNECTED, NULL,
                             clock_boot_ms());
}

static void give_up(struct mb_connection *c, uint8_t quality, const char *why)
{
    bool probe = false;

    if (c->flights.n > 0 && quality == QUALITY_DISCONNECTED) {
        note_silence(c, c->flights.list);
        probe = mb_probe_may(&c->probe);
    }
    c->state = STATE_WAITING;
    timer_at(c->timer, clock_boot_ms() + mb_pace_retry_ms(&c->pace));
    mb_connection_tell(c, why);
    fail_all(c, quality);
    if (probe)
        start_probe(c);
}

/* What was in flight is asked anew when it may be: then it waits before all others. */
static void recall(struct mb_connection *c)
{
    while (c->flights.n > 0) {
        struct mb_job *job =
            mb_connection_land(c, &c->flights.list[c->flights.n - 1], QUALITY_DISCONNECTED);

        if (mb_job_anew(job))
            mb_jobs_put_first(&c->jobs, job);
        else
            mb_connection_settle(c, job, QUALITY_DISCONNECTED, NULL, clock_boot_ms());
    }
}

/* The connection is gone. One that has worked is opened again at once, or when it is needed: peers
 * close what is idle, and nobody has to hear of it. One that gave no answer is left alone for a
 * while. */
void mb_connection_drop(struct mb_connection *c, uint8_t quality, const char *why)
{
    bool worked = has_worked(c);

    stream_close(c->stream);
    c->stream = NULL;
    timer_at(c->timer, CLOCK_NEVER);
    if (!worked) {
        give_up(c, quality, why);
        return;
    }
    c->state = STATE_CLOSED;
    if (c->flights.n > 0 && quality != QUALITY_DISCONNECTED)
        mb_connection_settle(
            c, mb_connection_land(c, mb_flights_blame(&c->flights, c->in, c->n_in), quality),
            quality, NULL, clock_boot_ms());
    recall(c);
    if (c->state == STATE_CLOSED && mb_jobs_first(&c->jobs))
        open_stream(c);
}

/* -- time ----------------------------------------------------------------------------------- */

/* A part of an RTU frame, and no more bytes for a while: false while they may still come. */
static bool is_half(const struct mb_connection *c)
{
    return !c->framing->numbered && c->n_in > 0;
}

static void on_silence(struct mb_connection *c, struct mb_flight *flight, int64_t now_ms)
{
    if (is_half(c) && now_ms - c->byte_ms < GAP_MS) {
        flight->due_ms = c->byte_ms + GAP_MS;
        return;
    }
    c->probe.silent++;
    if (is_half(c)) {
        mb_connection_drop(c, c->framing->damaged, c->framing->broken);
        return;
    }
    note_silence(c, flight);
    if (!c->misframed)
        mb_connection_tell(c, NULL); /* still connected: it is the device that is silent */
    mb_connection_finish(c, flight, QUALITY_TIMEOUT, NULL, now_ms);
}

static void look_at_time(struct mb_connection *c)
{
    int64_t now_ms = clock_boot_ms();
    struct mb_flight *flight;

    while (c->state == STATE_UP && (flight = mb_flights_due(&c->flights, now_ms)))
        on_silence(c, flight, now_ms);
    if (c->state == STATE_UP && c->flights.n == 0 && mb_probe_must(&c->probe))
        start_probe(c);
    else if (c->state == STATE_UP && c->flights.n == 0 && c->probe.silent >= MB_SILENT_MIN &&
             now_ms - c->heard_ms >= SILENCE_MS)
        reopen(c);
    mb_connection_serve(c);
}

static void on_timer(void *owner)
{
    struct mb_connection *c = owner;

    if (c->state == STATE_WAITING)
        open_stream(c);
    else if (c->state == STATE_PROBING)
        end_probe(c, false);
    else if (c->state == STATE_UP)
        look_at_time(c);
}

/* -- door ----------------------------------------------------------------------------------- */

/* One piece, since there may be thousands: the struct, its flights, the name of the peer. */
static struct mb_connection *allocate(const char *peer, unsigned parallel)
{
    size_t size = strlen(peer) + 1;
    struct mb_connection *c = calloc(1, sizeof(*c) + parallel * sizeof(*c->flights.list) + size);

    if (!c)
        return NULL;
    c->flights.list = (struct mb_flight *)(c + 1);
    c->flights.most = parallel;
    c->peer = memcpy(c->flights.list + parallel, peer, size);
    return c;
}

struct mb_connection *mb_connection_new(struct adapter_host *host, const struct address *address,
                                        const struct mb_framing *framing,
                                        const struct mb_bus_options *options)
{
    struct mb_connection *c = allocate(address->host, framing->numbered ? options->parallel : 1);

    if (!c)
        return NULL;
    c->host = host;
    c->framing = c->probe.framing = framing;
    c->options = options;
    c->port = address->port;
    c->pace.random = (uint64_t)clock_boot_us() ^ (uint64_t)(uintptr_t)c;
    c->timer = timer_new(host->loop, on_timer, c);
    if (!c->timer) {
        free(c);
        return NULL;
    }
    return c;
}

void mb_connection_free(struct mb_connection *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->flights.n; i++)
        mb_job_cancel(c->flights.list[i].job);
    while (mb_jobs_first(&c->jobs))
        mb_job_cancel(mb_jobs_take(&c->jobs));
    stream_close(c->stream);
    timer_free(c->timer);
    free(c->in);
    free(c);
}

int mb_connection_ask(struct mb_connection *c, struct mb_job *job)
{
    if (c->state == STATE_WAITING)
        return -ENOTCONN;
    if (job->kind == MB_JOB_QUESTION && c->jobs.questions.n >= QUESTIONS_MAX)
        return -ENOBUFS;
    job->tries = 0;
    mb_jobs_put(&c->jobs, job);
    if (c->state == STATE_CLOSED)
        open_stream(c);
    else
        mb_connection_serve(c);
    return 0;
}
