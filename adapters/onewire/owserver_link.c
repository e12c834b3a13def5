#include "adapters/onewire/owserver_link.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 5000 /* name look-up and connect together */
#define SILENCE_MS 10000
#define ANSWER_MS  60000 /* however often the server says that it is still at work */
#define RETRY_MS   1000

enum state { STATE_CLOSED, STATE_CONNECTING, STATE_IDLE, STATE_ASKING };
enum told { TOLD_NOTHING, TOLD_UP, TOLD_DOWN };

struct ow_link {
    struct adapter_host *host;
    struct address address;
    char name[272]; /* "127.0.0.1:4304" */
    struct stream *stream;
    struct timer *timer;         /* of the answer, or of the next attempt while nothing is open */
    struct ow_ask *first, *last; /* the first is in flight while STATE_ASKING */
    int64_t retry_ms;            /* not opened before */
    int64_t asked_ms, asked_us;
    uint8_t state; /* enum state */
    uint8_t told;  /* enum told */
    bool answered; /* since it is open: when it is closed now, the server has only tidied up */
    size_t n_in;
    uint8_t in[OW_HEADER + OW_DATA_MAX + 1]; /* room for a NUL */
};

static void serve(struct ow_link *link);

/* -- telling and ending --------------------------------------------------------------------- */

static void tell(struct ow_link *link, const char *why)
{
    uint8_t told = why ? TOLD_DOWN : TOLD_UP;

    if (link->told == told)
        return;
    link->told = told;
    link->host->link(link->host, link->name, why);
}

static struct ow_ask *take_first(struct ow_link *link)
{
    struct ow_ask *ask = link->first;

    link->first = ask->next;
    if (!link->first)
        link->last = NULL;
    return ask;
}

/* Only those that wait now: what is asked from inside done() waits for the next attempt. */
static void fail_all(struct ow_link *link, uint8_t quality)
{
    struct ow_end end = {.quality = quality, .text = "", .at_ms = clock_boot_ms()};
    struct ow_ask *ask = link->first;

    link->first = link->last = NULL;
    while (ask) {
        struct ow_ask *next = ask->next;

        ask->done(ask, &end);
        ask = next;
    }
}

static void shut(struct ow_link *link)
{
    stream_close(link->stream);
    link->stream = NULL;
    link->state = STATE_CLOSED;
    link->n_in = 0;
    timer_at(link->timer, CLOCK_NEVER);
}

static void give_up(struct ow_link *link, uint8_t quality, const char *why)
{
    shut(link);
    link->retry_ms = clock_boot_ms() + RETRY_MS;
    tell(link, why);
    fail_all(link, quality);
}

/* -- answers -------------------------------------------------------------------------------- */

static void finish(struct ow_link *link, const struct ow_answer *answer, int64_t at_ms)
{
    struct ow_ask *ask = take_first(link);
    struct ow_end end = {
        .quality = answer->result < 0 ? ow_quality(answer->result) : QUALITY_GOOD,
        .result = answer->result < 0 ? answer->result : 0,
        .text = (const char *)link->in + OW_HEADER,
        .length = answer->length,
        .at_ms = at_ms,
        .took_us = clock_boot_us() - link->asked_us,
    };

    link->in[OW_HEADER + answer->length] = '\0';
    link->state = STATE_IDLE;
    link->answered = true;
    link->n_in = 0;
    timer_at(link->timer, CLOCK_NEVER);
    if (!answer->persistent)
        shut(link);
    ask->done(ask, &end);
    serve(link);
}

/* Looks at what has come. 0: more is to come. */
static int take_answer(struct ow_link *link, int64_t at_ms)
{
    struct ow_answer answer;
    int r;

    if (link->n_in < OW_HEADER)
        return 0;
    r = ow_parse(link->in, &answer);
    if (r == -EAGAIN) {
        link->n_in -= OW_HEADER;
        memmove(link->in, link->in + OW_HEADER, link->n_in);
        return 1;
    }
    if (r < 0 || link->n_in > OW_HEADER + answer.length)
        return -EPROTO;
    if (link->n_in < OW_HEADER + answer.length)
        return 0;
    finish(link, &answer, at_ms);
    return 0;
}

static void plan_silence(struct ow_link *link)
{
    int64_t end_ms = link->asked_ms + ANSWER_MS, silent_ms = clock_boot_ms() + SILENCE_MS;

    timer_at(link->timer, silent_ms < end_ms ? silent_ms : end_ms);
}

static void take_data(void *owner, const uint8_t *bytes, size_t count, int64_t at_ms)
{
    struct ow_link *link = owner;
    int r;

    if (link->state != STATE_ASKING || count > sizeof(link->in) - 1 - link->n_in) {
        give_up(link, QUALITY_PROTOCOL, "what it sends is no answer of owserver");
        return;
    }
    memcpy(link->in + link->n_in, bytes, count);
    link->n_in += count;
    plan_silence(link);
    do
        r = take_answer(link, at_ms);
    while (r > 0);
    if (r < 0)
        give_up(link, QUALITY_PROTOCOL, "what it sends is no answer of owserver");
}

/* -- connecting ----------------------------------------------------------------------------- */

static void take_up(void *owner)
{
    struct ow_link *link = owner;

    link->state = STATE_IDLE;
    link->answered = false;
    tell(link, NULL);
    serve(link);
}

/* A server closes what has been idle for long: then it is asked again, on a new connection. */
static void take_down(void *owner, int status, const char *why)
{
    struct ow_link *link = owner;

    (void)status;
    if (link->answered && link->n_in == 0) {
        shut(link);
        serve(link);
    } else {
        give_up(link, QUALITY_DISCONNECTED, why);
    }
}

static void open_stream(struct ow_link *link)
{
    static const struct stream_events events = {take_up, take_data, take_down};

    link->answered = false;
    link->stream = stream_open(link->host->loop, link->address.host, link->address.port, CONNECT_MS,
                               &events, link);
    if (link->stream)
        link->state = STATE_CONNECTING;
    else
        timer_at(link->timer, clock_boot_ms() + RETRY_MS);
}

static void ask_first(struct ow_link *link)
{
    const struct ow_ask *ask = link->first;
    uint8_t request[OW_REQUEST_MAX];
    size_t length = ow_build(request, ask->type, ask->path, ask->value);

    link->state = STATE_ASKING;
    link->asked_ms = clock_boot_ms();
    link->asked_us = clock_boot_us();
    plan_silence(link);
    /* A write that fails is followed by `down`; nothing else waits in its buffers. */
    (void)stream_write(link->stream, request, length);
}

static void serve(struct ow_link *link)
{
    if (!link->first)
        return;
    if (link->state == STATE_IDLE)
        ask_first(link);
    else if (link->state == STATE_CLOSED && clock_boot_ms() >= link->retry_ms)
        open_stream(link);
    else if (link->state == STATE_CLOSED)
        timer_at(link->timer, clock_boot_ms()); /* too early: ends on the loop's next turn */
}

static void take_time(void *owner)
{
    struct ow_link *link = owner;

    if (link->state == STATE_ASKING)
        give_up(link, QUALITY_TIMEOUT, "it takes requests and does not answer");
    else if (link->state == STATE_CLOSED)
        fail_all(link, QUALITY_DISCONNECTED);
}

/* -- door ----------------------------------------------------------------------------------- */

struct ow_link *ow_link_new(struct adapter_host *host, const struct address *address)
{
    struct ow_link *link = calloc(1, sizeof(*link));

    if (!link)
        return NULL;
    link->host = host;
    link->address = *address;
    snprintf(link->name, sizeof(link->name), "%s:%u", address->host, address->port);
    link->timer = timer_new(host->loop, take_time, link);
    if (!link->timer) {
        free(link);
        return NULL;
    }
    return link;
}

void ow_link_free(struct ow_link *link)
{
    if (!link)
        return;
    stream_close(link->stream);
    timer_free(link->timer);
    free(link);
}

/* The one in flight keeps its place. */
void ow_link_put(struct ow_link *link, struct ow_ask *ask, bool first)
{
    struct ow_ask *before = link->state == STATE_ASKING ? link->first : NULL;

    if (!first)
        before = link->last;
    ask->next = before ? before->next : link->first;
    if (before)
        before->next = ask;
    else
        link->first = ask;
    if (!ask->next)
        link->last = ask;
    serve(link);
}
