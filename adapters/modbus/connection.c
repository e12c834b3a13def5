#include "adapters/modbus/connection.h"

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

enum state {
    STATE_CLOSED,
    STATE_WAITING,
    STATE_CONNECTING,
    STATE_IDLE,
    STATE_ASKING,
    STATE_PAUSING
};
enum told { TOLD_NOTHING, TOLD_UP, TOLD_DOWN };

struct mb_connection {
    struct adapter_host *host;
    const struct mb_bus_options *options;
    struct sample *samples;
    struct address address;
    char name[272]; /* "192.168.1.50:502" */
    struct stream *stream;
    struct timer *timer;
    struct mb_job *first, *last; /* the first is being asked */
    struct mb_counts counts;
    int64_t up_ms, ended_ms, heard_ms; /* connected; last exchange over; last frame */
    uint64_t random;
    uint32_t failures; /* connections in a row that gave no answer */
    uint32_t silent;   /* requests in a row without an answer */
    uint16_t transaction;
    int16_t last_unit; /* -1: none yet */
    uint8_t state;     /* enum state */
    uint8_t told;      /* enum told: to the host */
    uint8_t tries;     /* of the present request */
    bool answered;     /* since it is up */
    bool working;      /* jobs are being served further up the stack */
    size_t n_in;
    uint8_t in[MB_MBAP_MAX];
};

static void serve(struct mb_connection *c);
static void drop(struct mb_connection *c, uint8_t quality, const char *why);

/* -- telling -------------------------------------------------------------------------------- */

static void tell(struct mb_connection *c, const char *why)
{
    uint8_t told = why ? TOLD_DOWN : TOLD_UP;

    if (c->told == told)
        return;
    c->told = told;
    c->host->link(c->host, c->name, why);
}

static void report(struct mb_connection *c, uint8_t quality, const uint8_t *data, int64_t at_ms)
{
    struct mb_job *job = c->first;
    size_t n = mb_poll_take(job->device, quality, data, at_ms, c->samples);

    if (n > 0)
        c->host->report(c->host, job->index, c->samples, n);
}

/* The host may begin the next poll from inside end(): the queue is in order before. */
static void end_first(struct mb_connection *c)
{
    struct mb_job *job = c->first;

    c->first = job->next;
    if (!c->first)
        c->last = NULL;
    c->tries = 0;
    c->host->end(c->host, job->ticket, mb_poll_quality(job->device));
}

/* -- asking --------------------------------------------------------------------------------- */

/* When the next request may go out. */
static int64_t ready_ms(const struct mb_connection *c, uint8_t unit)
{
    int64_t connected = c->up_ms + c->options->pause_connect_ms;
    int64_t pause = c->options->pause_requests_ms;

    if (c->last_unit < 0)
        return connected;
    if (c->last_unit != unit && c->options->pause_units_ms > pause)
        pause = c->options->pause_units_ms;
    return c->ended_ms + pause > connected ? c->ended_ms + pause : connected;
}

static bool must_pause(const struct mb_connection *c)
{
    const struct mb_bus_options *o = c->options;

    return o->pause_requests_ms || o->pause_units_ms || o->pause_connect_ms;
}

static void send_request(struct mb_connection *c, const struct mb_request *request)
{
    const struct mb_device *device = c->first->device;
    uint8_t adu[MB_MBAP_MAX];
    size_t length = mb_pdu_build(request, adu + 7);

    length = mb_mbap_build(adu, ++c->transaction, device->unit, length);
    c->state = STATE_ASKING;
    c->last_unit = device->unit;
    c->tries++;
    c->counts.requests++;
    /* A write that fails is followed by the stream's `down`; full buffers mean that the peer takes
     * nothing, and then the time-out ends it. */
    (void)stream_write(c->stream, adu, length);
    timer_at(c->timer, clock_boot_ms() + device->timeout_ms);
}

/* Serves jobs until one waits for its answer, for a pause, or none is left. */
static void serve(struct mb_connection *c)
{
    if (c->working)
        return;
    c->working = true;
    while (c->state == STATE_IDLE && c->first) {
        const struct mb_request *request = mb_poll_request(c->first->device);
        int64_t ready = 0;

        if (request && must_pause(c))
            ready = ready_ms(c, c->first->device->unit);
        if (!request) {
            end_first(c);
        } else if (ready > clock_boot_ms()) {
            c->state = STATE_PAUSING;
            timer_at(c->timer, ready);
        } else {
            send_request(c, request);
        }
    }
    c->working = false;
}

/* The request in flight is over: asked again while it may be, else its quality counts. */
static void finish_request(struct mb_connection *c, uint8_t quality, const uint8_t *data,
                           int64_t at_ms)
{
    bool again = quality == QUALITY_TIMEOUT || quality == QUALITY_PROTOCOL;

    timer_at(c->timer, CLOCK_NEVER);
    c->state = STATE_IDLE;
    c->ended_ms = at_ms;
    if (again && c->tries < mb_poll_tries(c->first->device))
        return;
    c->tries = 0;
    report(c, quality, data, at_ms);
}

/* -- answers -------------------------------------------------------------------------------- */

static void take_answer(struct mb_connection *c, const struct mb_mbap *frame, int64_t at_ms)
{
    const struct mb_device *device = c->first->device;
    const uint8_t *data = NULL;
    uint8_t quality = QUALITY_PROTOCOL;

    if (frame->unit == device->unit)
        quality = mb_pdu_answer(mb_poll_request(device), frame->pdu, frame->pdu_length, &data);
    c->silent = 0;
    if (quality == QUALITY_PROTOCOL) {
        c->counts.broken++;
    } else {
        c->answered = true;
        c->failures = 0;
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
    struct mb_mbap frame;
    enum mb_frame what = mb_mbap_parse(c->in, c->n_in, &frame);

    if (what == MB_FRAME_PART)
        return false;
    if (what == MB_FRAME_BROKEN) {
        c->counts.broken++;
        drop(c, QUALITY_PROTOCOL,
             "it sent a frame that contradicts itself: is it Modbus TCP? (a "
             "converter may be set to transparent RTU)");
        return false;
    }
    c->heard_ms = at_ms;
    if (c->state == STATE_ASKING && frame.transaction == c->transaction)
        take_answer(c, &frame, at_ms);
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
        while (c->stream == stream && take_frame(c, at_ms))
            ;
    }
    serve(c);
}

/* -- connecting ----------------------------------------------------------------------------- */

static void on_up(void *owner)
{
    struct mb_connection *c = owner;

    c->state = STATE_IDLE;
    c->up_ms = c->heard_ms = clock_boot_ms();
    c->last_unit = -1;
    c->answered = false;
    c->silent = 0;
    c->counts.connects++;
    serve(c);
}

static void on_down(void *owner, int status, const char *why)
{
    (void)status;
    drop(owner, QUALITY_DISCONNECTED, why);
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

/* Pauses before the next attempt: nearly none after a short outage, so that a peer that was
 * restarted is back within five seconds; a minute for one that is gone. +-20 %, so that a thousand
 * devices behind one switch do not come back in one instant. */
static int64_t retry_pause_ms(struct mb_connection *c)
{
    static const int32_t pauses_ms[] = {500,  1000, 2000,  3000,  4000, 4000,
                                        5000, 5000, 10000, 20000, 40000};
    size_t n = sizeof(pauses_ms) / sizeof(*pauses_ms);
    int64_t pause = c->failures < n ? pauses_ms[c->failures] : 60000;

    c->failures++;
    c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return pause * 4 / 5 + (int64_t)(c->random >> 33) % (pause * 2 / 5);
}

/* Ends every job; the first for `quality`, those behind it because there is no connection. None can
 * join meanwhile: a connection that waits takes none. */
static void fail_all(struct mb_connection *c, uint8_t quality)
{
    while (c->first) {
        if (mb_poll_request(c->first->device))
            report(c, quality, NULL, clock_boot_ms());
        while (mb_poll_request(c->first->device))
            report(c, QUALITY_DISCONNECTED, NULL, clock_boot_ms());
        end_first(c);
        quality = QUALITY_DISCONNECTED;
    }
}

/* Whether a connection that ends now did what it was for: it gave answers, or was closed after a
 * time in which nothing was asked. */
static bool has_worked(const struct mb_connection *c)
{
    if (c->state == STATE_CONNECTING)
        return false;
    return c->answered || (c->state == STATE_IDLE && clock_boot_ms() - c->up_ms >= CONNECT_MS);
}

/* A request that met the end of a connection that was idle has cost the device nothing: it is asked
 * once more whatever `retries` says. */
static bool may_ask_anew(const struct mb_connection *c)
{
    return c->tries < 2 || c->tries < mb_poll_tries(c->first->device);
}

/* The connection is gone. One that has worked is opened again at once, or when it is needed: peers
 * close what is idle, and nobody has to hear of it. One that gave no answer is left alone for a
 * while.
 */
static void drop(struct mb_connection *c, uint8_t quality, const char *why)
{
    bool asking = c->state == STATE_ASKING, worked = has_worked(c);

    stream_close(c->stream);
    c->stream = NULL;
    timer_at(c->timer, CLOCK_NEVER);
    if (!worked) {
        c->state = STATE_WAITING;
        timer_at(c->timer, clock_boot_ms() + retry_pause_ms(c));
        tell(c, why);
        fail_all(c, quality);
        return;
    }
    c->state = STATE_CLOSED;
    if (asking && (quality == QUALITY_PROTOCOL || !may_ask_anew(c))) {
        c->tries = 0;
        report(c, quality, NULL, clock_boot_ms());
    }
    while (c->state == STATE_CLOSED && c->first && !mb_poll_request(c->first->device))
        end_first(c);
    if (c->state == STATE_CLOSED && c->first)
        open_stream(c);
}

/* -- time ----------------------------------------------------------------------------------- */

static void on_silence(struct mb_connection *c)
{
    int64_t now_ms = clock_boot_ms();

    c->counts.timeouts++;
    c->silent++;
    tell(c, NULL); /* still connected: it is the device that is silent */
    finish_request(c, QUALITY_TIMEOUT, NULL, now_ms);
    if (c->silent < SILENT_MIN || now_ms - c->heard_ms < SILENCE_MS) {
        serve(c);
        return;
    }
    stream_close(c->stream);
    open_stream(c);
}

static void on_timer(void *owner)
{
    struct mb_connection *c = owner;

    if (c->state == STATE_WAITING) {
        open_stream(c);
    } else if (c->state == STATE_ASKING) {
        on_silence(c);
    } else if (c->state == STATE_PAUSING) {
        c->state = STATE_IDLE;
        serve(c);
    }
}

/* -- door ----------------------------------------------------------------------------------- */

struct mb_connection *mb_connection_new(struct adapter_host *host, const struct address *address,
                                        const struct mb_bus_options *options,
                                        struct sample *samples)
{
    struct mb_connection *c = calloc(1, sizeof(*c));
    bool v6 = strchr(address->host, ':');

    if (!c)
        return NULL;
    c->host = host;
    c->options = options;
    c->samples = samples;
    c->address = *address;
    c->random = (uint64_t)clock_boot_us() ^ (uint64_t)(uintptr_t)c;
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
    stream_close(c->stream);
    timer_free(c->timer);
    free(c);
}

int mb_connection_ask(struct mb_connection *c, struct mb_job *job)
{
    if (c->state == STATE_WAITING)
        return -ENOTCONN;
    job->next = NULL;
    if (c->last)
        c->last->next = job;
    else
        c->first = job;
    c->last = job;
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
