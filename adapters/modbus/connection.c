#include "adapters/modbus/connection.h"

#include "adapters/modbus/pace.h"
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
#define SILENT_MIN 3
/* While bytes of an answer come in it is not silent: converters pass on what a slow line gives. */
#define GAP_MS 100

enum state {
    STATE_CLOSED,
    STATE_WAITING,
    STATE_CONNECTING,
    STATE_IDLE,
    STATE_ASKING,
    STATE_PAUSING,
    STATE_PROBING, /* asked in the other framing */
};
enum told { TOLD_NOTHING, TOLD_UP, TOLD_DOWN };

struct mb_connection {
    struct adapter_host *host;
    const struct mb_framing *framing;
    const struct mb_bus_options *options;
    struct sample *samples;
    struct address address;
    char name[272]; /* "192.168.1.50:502" */
    struct stream *stream;
    struct timer *timer;
    struct mb_queue polls, writes;
    struct mb_job *asking;         /* the first of one of them, while its request is in flight */
    struct mb_request request;     /* the last that was sent */
    const struct mb_device *probe; /* whose request it was, when it was silent */
    struct mb_counts counts;
    struct mb_pace pace;
    int64_t heard_ms, byte_ms; /* last frame; last byte */
    int64_t busy_us, sent_us;  /* of the request in flight: its pause or it began; it went */
    uint32_t silent;           /* requests in a row without an answer */
    uint16_t transaction;
    uint8_t state;   /* enum state */
    uint8_t told;    /* enum told: to the host */
    uint8_t tries;   /* of the request of the first poll */
    bool answered;   /* since it is up */
    bool understood; /* at any time a frame made sense */
    bool probed;     /* the other framing was tried, or is */
    bool probing;    /* this connection is for that */
    bool misframed;  /* with an answer: that is what is wrong */
    bool working;    /* jobs are being served further up the stack */
    bool reopened;   /* not for the first time, and nothing was asked since */
    size_t n_in;
    uint8_t in[MB_FRAME_MAX];
};

static void serve(struct mb_connection *c);
static void drop(struct mb_connection *c, uint8_t quality, const char *why);
static void open_stream(struct mb_connection *c);

/* -- telling -------------------------------------------------------------------------------- */

static void tell(struct mb_connection *c, const char *why)
{
    uint8_t told = why ? TOLD_DOWN : TOLD_UP;

    if (c->told == told)
        return;
    c->told = told;
    c->host->link(c->host, c->name, why);
}

/* -- jobs ----------------------------------------------------------------------------------- */

static struct mb_job *first_job(const struct mb_connection *c)
{
    return c->writes.first ? c->writes.first : c->polls.first;
}

/* The host may ask for the next poll or write from inside end(): the queues are in order before. */
static void end_poll(struct mb_connection *c)
{
    struct mb_job *job = mb_queue_take(&c->polls);

    c->tries = 0;
    c->host->end(c->host, job->ticket, mb_poll_quality(job->device));
}

static void end_write(struct mb_connection *c, uint8_t quality)
{
    struct mb_job *job = mb_queue_take(&c->writes);
    uint64_t ticket = job->ticket;

    free(job);
    c->host->end(c->host, ticket, quality);
}

/* How what a job wanted has ended. */
static void settle(struct mb_connection *c, struct mb_job *job, uint8_t quality,
                   const uint8_t *data, int64_t at_ms)
{
    size_t n;

    if (job->writes) {
        end_write(c, quality);
        return;
    }
    c->tries = 0;
    n = mb_poll_take(job->device, quality, data, at_ms, c->samples);
    if (n > 0)
        c->host->report(c->host, job->index, c->samples, n);
}

/* Counts the request in flight, which ended with `quality`. */
static void count_exchange(struct mb_connection *c, uint8_t quality)
{
    int64_t now_us = clock_boot_us();
    struct adapter_exchange exchange = {.quality = quality,
                                        .reconnected = c->reopened,
                                        .answer_us = now_us - c->sent_us,
                                        .busy_us = now_us - c->busy_us};

    c->reopened = false;
    c->host->exchanged(c->host, c->asking->index, &exchange);
}

/* -- asking --------------------------------------------------------------------------------- */

static void send_frame(struct mb_connection *c, const struct mb_framing *framing,
                       const struct mb_device *device)
{
    uint8_t frame[MB_FRAME_MAX];
    size_t length = framing->build(frame, ++c->transaction, device->unit, &c->request);

    c->counts.requests++;
    c->sent_us = clock_boot_us();
    /* A write that fails is followed by the stream's `down`; full buffers mean that the peer takes
     * nothing, and then the time-out ends it. */
    (void)stream_write(c->stream, frame, length);
    timer_at(c->timer, clock_boot_ms() + device->timeout_ms);
}

static void ask(struct mb_connection *c, struct mb_job *job)
{
    const struct mb_device *device = job->device;

    c->request = *mb_job_wants(job);
    if (job->pending && mb_pending_next(job->pending, mb_job_wants(job), device->max_registers,
                                        clock_boot_ms(), &c->request) == MB_HOLD) {
        settle(c, job, QUALITY_TIMEOUT, NULL, clock_boot_ms());
        return;
    }
    c->asking = job;
    c->state = STATE_ASKING;
    c->pace.last_unit = device->unit;
    c->tries += !job->writes;
    send_frame(c, c->framing, device);
    if (c->busy_us == 0)
        c->busy_us = c->sent_us;
}

/* Serves jobs until one waits for its answer, for a pause, or none is left. */
static void serve(struct mb_connection *c)
{
    struct mb_job *job;

    if (c->working)
        return;
    c->working = true;
    while (c->state == STATE_IDLE && (job = first_job(c))) {
        int64_t ready;

        if (!mb_job_wants(job)) {
            end_poll(c);
            continue;
        }
        ready = mb_pace_ready_ms(&c->pace, c->options, job->device->unit);
        if (ready && ready > clock_boot_ms()) {
            c->state = STATE_PAUSING;
            c->busy_us = clock_boot_us();
            timer_at(c->timer, ready);
        } else {
            ask(c, job);
        }
    }
    c->working = false;
}

/* The request in flight is over. A poll is asked again while it may be; a write never: it may have
 * been done. */
static void finish_request(struct mb_connection *c, uint8_t quality, const uint8_t *data,
                           int64_t at_ms)
{
    struct mb_job *job = c->asking;

    timer_at(c->timer, CLOCK_NEVER);
    count_exchange(c, quality);
    c->busy_us = 0;
    c->asking = NULL;
    c->state = STATE_IDLE;
    c->pace.ended_ms = at_ms;
    if (job->pending)
        quality = mb_pending_end(job->pending, quality);
    if (quality == MB_AGAIN) {
        c->tries -= !job->writes; /* that was about something else */
    } else if (job->writes || (quality != QUALITY_TIMEOUT && quality != QUALITY_PROTOCOL) ||
               c->tries >= mb_poll_tries(job->device)) {
        c->working = true; /* the caller serves what comes of it */
        settle(c, job, quality, data, at_ms);
        c->working = false;
    }
}

/* -- the other framing ---------------------------------------------------------------------- */

static const struct mb_framing *other_framing(const struct mb_connection *c)
{
    return c->framing->numbered ? &mb_framing_rtu : &mb_framing_tcp;
}

/* Whether a peer that has never said anything that makes sense is to be asked in the other framing:
 * once, with a connection of its own, and only a read. */
static bool is_to_probe(const struct mb_connection *c)
{
    return !c->understood && !c->probed && mb_is_read(c->request.function);
}

static void start_probe(struct mb_connection *c)
{
    c->probed = c->probing = true;
    timer_at(c->timer, CLOCK_NEVER);
    stream_close(c->stream);
    open_stream(c);
}

static void end_probe(struct mb_connection *c, bool answered)
{
    const struct mb_framing *other = other_framing(c);
    char why[400];

    c->probing = false;
    timer_at(c->timer, CLOCK_NEVER);
    stream_close(c->stream);
    c->stream = NULL;
    c->state = STATE_CLOSED;
    if (answered) {
        snprintf(why, sizeof(why),
                 "it does not answer in %s frames, but in %s: write connect = \"%s://%s\"",
                 c->framing->name, other->name, other->scheme, c->name);
        c->told = TOLD_NOTHING; /* that it is down may have been said, why not */
        tell(c, why);
        c->misframed = true;
    }
    if (first_job(c))
        open_stream(c);
}

static void take_probe(struct mb_connection *c)
{
    struct mb_framed frame;

    if (other_framing(c)->parse(c->in, c->n_in, &frame) == MB_FRAME_WHOLE &&
        mb_pdu_length(frame.pdu, frame.pdu_length) == frame.pdu_length &&
        (frame.pdu[0] & 0x7f) == c->request.function)
        end_probe(c, true);
    else if (c->n_in == sizeof(c->in))
        end_probe(c, false);
}

/* -- answers -------------------------------------------------------------------------------- */

/* Whether a frame is the answer to what is being asked, or at least to be taken for it: with its
 * number comes *ret_quality whatever it says; without one it must fit. */
static bool is_answer(const struct mb_connection *c, const struct mb_framed *frame,
                      uint8_t *ret_quality, const uint8_t **ret_data)
{
    if (c->state != STATE_ASKING || (c->framing->numbered && frame->number != c->transaction))
        return false;
    *ret_quality = QUALITY_PROTOCOL;
    if (frame->unit == c->asking->device->unit)
        *ret_quality = mb_pdu_answer(&c->request, frame->pdu, frame->pdu_length, ret_data);
    return c->framing->numbered || *ret_quality != QUALITY_PROTOCOL;
}

static void take_answer(struct mb_connection *c, uint8_t quality, const uint8_t *data,
                        int64_t at_ms)
{
    c->silent = 0;
    if (quality == QUALITY_PROTOCOL) {
        c->counts.broken++;
    } else {
        c->answered = true;
        c->misframed = false;
        c->pace.failures = 0;
        c->counts.answers++;
        c->counts.exceptions += quality > QUALITY_EXCEPTION;
        tell(c, NULL);
    }
    finish_request(c, quality, data, at_ms);
}

/* Takes one frame off the front of what has come; false when there is none, or no connection any
 * more. */
static bool take_frame(struct mb_connection *c, int64_t at_ms)
{
    struct mb_framed frame;
    const uint8_t *data = NULL;
    enum mb_frame what = c->framing->parse(c->in, c->n_in, &frame);
    uint8_t quality;

    if (what == MB_FRAME_PART)
        return false;
    if (what == MB_FRAME_BROKEN) {
        c->counts.broken++;
        drop(c, c->framing->damaged, c->framing->broken);
        return false;
    }
    c->heard_ms = at_ms;
    c->understood = true;
    if (is_answer(c, &frame, &quality, &data))
        take_answer(c, quality, data, at_ms);
    else
        c->counts.foreign++;
    c->n_in -= frame.used;
    memmove(c->in, c->in + frame.used, c->n_in);
    return true;
}

static void on_data(void *owner, const uint8_t *bytes, size_t count, int64_t at_ms)
{
    struct mb_connection *c = owner;
    const struct stream *stream = c->stream;

    while (count > 0 && c->stream == stream) {
        size_t room = sizeof(c->in) - c->n_in;
        size_t n = count < room ? count : room;

        memcpy(c->in + c->n_in, bytes, n);
        c->n_in += n;
        bytes += n;
        count -= n;
        c->byte_ms = at_ms;
        if (c->state == STATE_PROBING)
            take_probe(c);
        while (c->stream == stream && c->state != STATE_PROBING && take_frame(c, at_ms))
            ;
    }
    serve(c);
}

/* -- connecting ----------------------------------------------------------------------------- */

static void on_up(void *owner)
{
    struct mb_connection *c = owner;

    c->state = STATE_IDLE;
    c->heard_ms = clock_boot_ms();
    mb_pace_up(&c->pace, c->heard_ms);
    c->answered = false;
    c->silent = 0;
    c->reopened = c->counts.connects++ > 0;
    c->busy_us = 0;
    if (c->probing) {
        c->state = STATE_PROBING;
        send_frame(c, other_framing(c), c->probe);
        return;
    }
    serve(c);
}

static void on_down(void *owner, int status, const char *why)
{
    struct mb_connection *c = owner;

    (void)status;
    if (c->probing)
        end_probe(c, false);
    else
        drop(c, QUALITY_DISCONNECTED, why);
}

static void open_stream(struct mb_connection *c)
{
    static const struct stream_events events = {on_up, on_data, on_down};

    c->n_in = 0;
    c->state = STATE_CONNECTING;
    c->stream =
        stream_open(c->host->loop, c->address.host, c->address.port, CONNECT_MS, &events, c);
    if (c->stream)
        return;
    c->state = STATE_WAITING; /* no memory: jobs wait with it */
    timer_at(c->timer, clock_boot_ms() + 1000);
}

/* Ends every job; what is being asked for `quality`, the others because there is no connection.
 * None can join meanwhile: a connection that waits takes none. */
static void fail_all(struct mb_connection *c, uint8_t quality)
{
    struct mb_job *asking = c->asking, *job;

    c->asking = NULL;
    while ((job = first_job(c))) {
        uint8_t why = job == asking ? quality : QUALITY_DISCONNECTED;

        if (job == asking)
            asking = NULL;
        if (mb_job_wants(job))
            settle(c, job, why, NULL, clock_boot_ms());
        else
            end_poll(c);
    }
}

/* Whether a connection that ends now did what it was for: it gave answers, or was closed after a
 * time in which nothing was asked. */
static bool has_worked(const struct mb_connection *c)
{
    if (c->state == STATE_CONNECTING)
        return false;
    return c->answered || (c->state == STATE_IDLE && clock_boot_ms() - c->pace.up_ms >= CONNECT_MS);
}

/* A read that met the end of a connection that was idle has cost the device nothing: it is asked
 * once more whatever `retries` says. */
static bool may_ask_anew(const struct mb_connection *c, const struct mb_job *job)
{
    return !job->writes && (c->tries < 2 || c->tries < mb_poll_tries(job->device));
}

static void give_up(struct mb_connection *c, uint8_t quality, const char *why)
{
    bool probe = c->asking && quality == QUALITY_DISCONNECTED && is_to_probe(c);

    if (c->asking)
        c->probe = c->asking->device;
    c->state = STATE_WAITING;
    timer_at(c->timer, clock_boot_ms() + mb_pace_retry_ms(&c->pace));
    tell(c, why);
    fail_all(c, quality);
    if (probe)
        start_probe(c);
}

/* The connection is gone. One that has worked is opened again at once, or when it is needed: peers
 * close what is idle, and nobody has to hear of it. One that gave no answer is left alone for a
 * while. */
static void drop(struct mb_connection *c, uint8_t quality, const char *why)
{
    struct mb_job *asking = c->asking;
    bool worked = has_worked(c);

    if (asking)
        count_exchange(c, quality);
    stream_close(c->stream);
    c->stream = NULL;
    timer_at(c->timer, CLOCK_NEVER);
    if (!worked) {
        give_up(c, quality, why);
        return;
    }
    c->state = STATE_CLOSED;
    c->asking = NULL;
    if (asking && (quality != QUALITY_DISCONNECTED || !may_ask_anew(c, asking)))
        settle(c, asking, quality, NULL, clock_boot_ms());
    while (c->state == STATE_CLOSED && c->polls.first && !mb_job_wants(c->polls.first))
        end_poll(c);
    if (c->state == STATE_CLOSED && first_job(c))
        open_stream(c);
}

/* -- time ----------------------------------------------------------------------------------- */

static void on_silence(struct mb_connection *c)
{
    bool half = !c->framing->numbered && c->n_in > 0;
    int64_t now_ms = clock_boot_ms();

    if (half && now_ms - c->byte_ms < GAP_MS) {
        timer_at(c->timer, c->byte_ms + GAP_MS);
        return;
    }
    c->silent++;
    if (half) {
        c->counts.broken++;
        drop(c, c->framing->damaged, c->framing->broken);
        return;
    }
    c->counts.timeouts++;
    c->probe = c->asking->device;
    if (!c->misframed)
        tell(c, NULL); /* still connected: it is the device that is silent */
    finish_request(c, QUALITY_TIMEOUT, NULL, now_ms);
    if (c->silent >= SILENT_MIN && is_to_probe(c)) {
        start_probe(c);
    } else if (c->silent >= SILENT_MIN && now_ms - c->heard_ms >= SILENCE_MS) {
        stream_close(c->stream);
        open_stream(c);
    } else {
        serve(c);
    }
}

static void on_timer(void *owner)
{
    struct mb_connection *c = owner;

    if (c->state == STATE_WAITING) {
        open_stream(c);
    } else if (c->state == STATE_ASKING) {
        on_silence(c);
    } else if (c->state == STATE_PROBING) {
        end_probe(c, false);
    } else if (c->state == STATE_PAUSING) {
        c->state = STATE_IDLE;
        serve(c);
    }
}

/* -- door ----------------------------------------------------------------------------------- */

struct mb_connection *mb_connection_new(struct adapter_host *host, const struct address *address,
                                        const struct mb_framing *framing,
                                        const struct mb_bus_options *options,
                                        struct sample *samples)
{
    struct mb_connection *c = calloc(1, sizeof(*c));
    bool v6 = strchr(address->host, ':');

    if (!c)
        return NULL;
    c->host = host;
    c->framing = framing;
    c->options = options;
    c->samples = samples;
    c->address = *address;
    c->pace.random = (uint64_t)clock_boot_us() ^ (uint64_t)(uintptr_t)c;
    snprintf(c->name, sizeof(c->name), v6 ? "[%s]:%u" : "%s:%u", address->host, address->port);
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
    while (c->writes.first)
        free(mb_queue_take(&c->writes));
    stream_close(c->stream);
    timer_free(c->timer);
    free(c);
}

int mb_connection_ask(struct mb_connection *c, struct mb_job *job)
{
    if (c->state == STATE_WAITING)
        return -ENOTCONN;
    mb_queue_put(job->writes ? &c->writes : &c->polls, job);
    if (c->state == STATE_CLOSED)
        open_stream(c);
    else
        serve(c);
    return 0;
}

struct mb_counts mb_connection_counts(const struct mb_connection *c)
{
    return c->counts;
}
